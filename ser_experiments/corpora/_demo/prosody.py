"""How an emotion sounds: cues, their size per emotion, and what one speaker makes of them.

Directions and sizes follow Burkhardt's Emofilt and Schröder's dimensional rules (2004), between the two where they
differ. Anger and joy share level, range and speed; they differ in contour, in voice and in the length of the last
word, so that they are confused as they are in recordings.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

#: Cue and its unit, relative to the speaker's neutral speech.
CUES: tuple[str, ...] = (
    "level_st",  # F0 level, semitones
    "range_log2",  # factor on the standard deviation of F0, binary logarithm
    "slope_st",  # F0 at the last word minus the first, semitones
    "rate_log2",  # factor on the speed, binary logarithm
    "final_log2",  # factor on the length of the last words, binary logarithm
    "pause_cs",  # pause between words, hundredths of a second
    "loud_db",  # level
    "tilt_db",  # level at 4 kHz and above relative to 500 Hz
    "jitter_pct",  # cycle-to-cycle variation of the period
    "breath_db",  # aspiration noise
    "tract_log2",  # factor on the formants (a smile shortens the tract), binary logarithm
)

#: The codes of IEMOCAP that an utterance can be meant as.
EMOTIONS: tuple[str, ...] = ("neu", "hap", "exc", "ang", "sad", "fru", "sur", "fea", "dis", "oth")

#: Each emotion at full intensity, in the order of CUES.
PROFILES: MappingProxyType[str, tuple[float, ...]] = MappingProxyType(
    {
        #       level range slope  rate final pause loud  tilt  jit breath tract
        "neu": (0.0, 0.00, 0.0, 0.00, 0.00, 0.0, 0.0, 0.0, 0.0, 0.0, 0.000),
        "hap": (4.4, 0.70, 6.0, 0.20, 0.45, 0.0, 1.4, 2.2, 0.0, 0.0, 0.080),
        "exc": (5.8, 0.85, 7.0, 0.30, 0.35, 0.0, 2.0, 3.4, 0.1, 0.0, 0.085),
        "ang": (4.6, 0.70, -5.5, 0.26, -0.10, 0.0, 2.4, 9.0, 1.3, 0.0, -0.030),
        "sad": (-3.0, -0.80, -1.6, -0.28, 0.10, 2.0, -2.0, -6.5, 0.6, 11.0, -0.045),
        "fru": (1.4, 0.25, -3.6, -0.08, 0.10, 1.5, 1.2, 4.6, 0.6, 1.0, -0.025),
        "sur": (6.0, 1.00, 8.0, 0.05, 0.30, 0.0, 2.0, 1.5, 0.0, 2.0, 0.015),
        "fea": (6.0, -0.20, 1.0, 0.40, 0.00, 0.0, -1.0, -1.0, 1.7, 9.0, 0.015),
        "dis": (-1.2, 0.15, -4.0, -0.25, 0.30, 1.5, 0.0, 3.0, 1.4, 3.0, -0.045),
        "oth": (1.2, -0.50, 3.5, -0.15, -0.20, 3.0, -1.0, 0.5, 0.3, 5.0, 0.030),
    }
)

#: What varies from one utterance to the next without any emotion: standard deviations, in the order of CUES.
SPREAD: tuple[float, ...] = (1.0, 0.18, 1.3, 0.11, 0.12, 0.8, 1.5, 1.3, 0.14, 2.0, 0.010)

#: How many of the cues a speaker makes full use of.
N_USED = (7, 9)
#: What is left of a cue that a speaker does not use.
FAINT = 0.5


@dataclass(frozen=True)
class Style:
    """What one speaker makes of the cues.

    Parameters
    ----------
    weights : ndarray of shape (n_cues,)
        Factor on each cue.
    """

    weights: NDArray[np.float64]


def draw_style(rng: np.random.Generator) -> Style:
    """Draw the subset of cues that a speaker uses, and how strongly."""
    n_used = int(rng.integers(N_USED[0], N_USED[1] + 1))
    used = rng.permutation(len(CUES))[:n_used]
    weights = np.full(len(CUES), FAINT)
    weights[used] = rng.uniform(0.8, 1.4, n_used)
    return Style(weights)


def draw_intensity(emotion: str, rng: np.random.Generator) -> float:
    """Draw how strongly an emotion is expressed: 0 is not at all, 1 in full; no threshold in between."""
    if emotion == "neu":
        return 0.0
    return float(0.45 + 0.95 * rng.beta(2.2, 1.8))


def draw_cues(emotion: str, intensity: float, style: Style, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the cues of one utterance.

    Parameters
    ----------
    emotion : str
        What is meant, one of EMOTIONS.
    intensity : float
        How strongly.
    style : Style
        The speaker's.
    rng : Generator
        Source of the spread.

    Returns
    -------
    ndarray of shape (n_cues,)
        In the order and the units of CUES; pauses are not negative.
    """
    cues = np.asarray(PROFILES[emotion]) * intensity * style.weights + rng.normal(0.0, SPREAD)
    pause = CUES.index("pause_cs")
    cues[pause] = max(0.0, cues[pause])
    return cues
