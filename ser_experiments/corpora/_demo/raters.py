"""Raters who perceive an utterance with noise: votes, majority code and the means of their attributes follow."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ser_experiments.corpora._demo.prosody import EMOTIONS

#: The word of a code on a rater's form.
WORDS = {
    "neu": "Neutral",
    "hap": "Happiness",
    "exc": "Excited",
    "ang": "Anger",
    "sad": "Sadness",
    "fru": "Frustration",
    "sur": "Surprise",
    "fea": "Fear",
    "dis": "Disgust",
    "oth": "Other",
}

#: Valence, activation and dominance of an emotion, 1-5; near the means that such corpora report.
ATTRIBUTES = {
    "neu": (3.0, 2.6, 3.0),
    "hap": (4.1, 3.1, 3.1),
    "exc": (4.2, 3.9, 3.5),
    "ang": (1.8, 3.9, 4.1),
    "sad": (2.1, 2.0, 2.4),
    "fru": (2.3, 3.0, 3.3),
    "sur": (3.3, 3.8, 2.9),
    "fea": (2.0, 3.7, 2.0),
    "dis": (1.9, 3.1, 3.7),
    "oth": (3.0, 3.2, 2.7),
}
_POINTS = np.asarray([ATTRIBUTES[emotion] for emotion in EMOTIONS])

#: How often raters name an emotion before they have heard anything, as a logarithm.
_PRIOR = np.log([0.26, 0.12, 0.13, 0.15, 0.15, 0.14, 0.02, 0.015, 0.015, 0.015])
#: Spread of what one rater perceives of one utterance, and of the rater's own leaning.
_NOISE, _LEANING = 0.45, 0.15
#: Width of an emotion in the space of attributes.
_WIDTH = 0.62
#: What words, face and situation add to the emotion that was meant, at full intensity.
_CONTEXT = 1.9
_SECOND_CHOICE = 0.08
_COMMENTS = ("", "", "", "", "", "", "", "", "curious", "polite", "tired", "in a hurry", "thoughtful")


@dataclass(frozen=True)
class Rating:
    """One line pair of a form.

    Parameters
    ----------
    rater : str
        ``"E1"``-``"E6"`` from outside, ``"F1"`` or ``"M1"`` for the speaker's own report.
    codes : tuple of str
        What was perceived; mostly one.
    attributes : tuple of int, optional
        Valence, activation, dominance, 1-5; the third outside rater gives none.
    comment : str
        Free text.
    """

    rater: str
    codes: tuple[str, ...]
    attributes: tuple[int, int, int] | None
    comment: str


@dataclass(frozen=True)
class Verdict:
    """What the raters made of one utterance.

    Parameters
    ----------
    code : str
        The majority of the outside raters, ``"xxx"`` without one.
    attributes : tuple of float
        Means of the outside raters.
    ratings : tuple of Rating
        Outside raters first.
    """

    code: str
    attributes: tuple[float, float, float]
    ratings: tuple[Rating, ...]


def leanings(rng: np.random.Generator, n_raters: int = 6) -> NDArray[np.float64]:
    """Draw each outside rater's leaning, of shape (n_raters, 3)."""
    return rng.normal(0.0, _LEANING, (n_raters, 3))


def judge(
    emotion: str,
    intensity: float,
    *,
    gender: str,
    reports: bool,
    leaning: NDArray[np.float64],
    rng: np.random.Generator,
) -> Verdict:
    """Let three outside raters, and perhaps the speaker, judge one utterance.

    Parameters
    ----------
    emotion : str
        What was meant.
    intensity : float
        How strongly.
    gender : str
        The speaker's, ``"F"`` or ``"M"``: names the own report.
    reports : bool
        Whether the speaker rates too; such a rating counts in no mean and no majority.
    leaning : ndarray of shape (n_raters, 3)
        Of all outside raters of the session.
    rng : Generator
        Source of the perception.
    """
    neutral = _POINTS[EMOTIONS.index("neu")]
    point = neutral + intensity * (np.asarray(ATTRIBUTES[emotion]) - neutral)
    chosen = sorted(int(i) for i in rng.permutation(len(leaning))[:3])
    ratings = [
        _rate(f"E{rater + 1}", point + leaning[rater], emotion, intensity, rng, attributes=place > 0)
        for place, rater in enumerate(chosen)
    ]
    outside = [r.attributes for r in ratings if r.attributes is not None]
    means = np.mean(outside, axis=0)
    code = majority([r.codes for r in ratings])
    if reports:
        # Speakers know what they meant: their own report is the clearer one.
        ratings.append(_rate(f"{gender}1", point, emotion, 1.3 * intensity + 0.3, rng, attributes=True))
    return Verdict(code, (float(means[0]), float(means[1]), float(means[2])), tuple(ratings))


def majority(votes: list[tuple[str, ...]]) -> str:
    """Return the code that more than half of the raters name, ``"xxx"`` if there is none or more than one."""
    counted = Counter(code for codes in votes for code in set(codes))
    winners = [code for code, count in counted.items() if 2 * count > len(votes)]
    return winners[0] if len(winners) == 1 else "xxx"


def _rate(
    rater: str,
    point: NDArray[np.float64],
    emotion: str,
    intensity: float,
    rng: np.random.Generator,
    *,
    attributes: bool,
) -> Rating:
    perceived = point + rng.normal(0.0, _NOISE, 3)
    scores = _PRIOR - ((perceived - _POINTS) ** 2).sum(axis=1) / (2 * _WIDTH**2)
    context = intensity if emotion != "neu" else 0.5
    scores[EMOTIONS.index(emotion)] += _CONTEXT * context
    chance = np.exp(scores - scores.max())
    n_choices = 2 if rng.random() < _SECOND_CHOICE else 1
    picked = rng.choice(len(EMOTIONS), size=n_choices, replace=False, p=chance / chance.sum())
    codes = tuple(EMOTIONS[int(i)] for i in picked)
    comment = _COMMENTS[int(rng.integers(len(_COMMENTS)))]
    steps = np.clip(np.rint(perceived), 1, 5).astype(int)
    values = (int(steps[0]), int(steps[1]), int(steps[2])) if attributes else None
    return Rating(rater, codes, values, comment)
