"""Where the spectrum of a recording really ends, whatever its sample rate promises.

A telephone call that is stored at 16 kHz holds nothing above 3.4 kHz; what a model learned of the octave above it is
answered from silence. A rate says what could be there, this says what is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ser_experiments.audio.spectra import Spectra

#: Neighbouring frequencies are taken together in Hz: harmonics and single draws of a noise are no ends.
_SMOOTH_HZ = 150.0
#: The share of the frames that are weaker at a frequency: sounds like /s/, which reach highest, are few.
_LOUD = 0.95
#: Beyond an end, everything is weaker by so much within half an octave; slopes of voices are less steep, filters more.
_FALL_DB, _OCTAVES = 20.0, 0.5
#: The end is where this much of the fall is behind.
_END_DB = 10.0
#: Below, nothing that is speech ends.
_LOWEST_HZ = 1000.0
#: What a recording cannot hold, in dB of full scale.
_NOTHING_DB = -150.0


def bandwidth(spectra: Spectra) -> float:
    """Return the frequency in Hz beyond which a recording holds nothing, at most half of its rate.

    Parameters
    ----------
    spectra : Spectra
        Of the recording.

    Notes
    -----
    Of the spectra of 32 ms the 95 % quantile at each frequency is taken, and of it what is the most at this frequency
    or any above. Where that falls by 20 dB within half an octave, or half of the rate cuts the half octave off, the
    recording ends: at the frequency where 10 dB of the fall are behind. A noise that was recorded counts as held.
    """
    step_hz, held = spectra.step_hz, _held(spectra)
    highest = step_hz * (len(held) - 1)
    # The most at a frequency or above: of a gap below the end nothing is said.
    above = np.maximum.accumulate(held[::-1])[::-1]
    places = np.arange(min(int(_LOWEST_HZ / step_hz), len(above) - 1), len(above))
    beyond = np.minimum(np.ceil(places * 2**_OCTAVES).astype(int), len(above))
    falls = np.flatnonzero(above[places] - np.append(above, _NOTHING_DB)[beyond] >= _FALL_DB)
    if not len(falls):
        return highest
    begin = int(places[falls[0]])
    ended = np.flatnonzero(above[begin:] <= above[begin] - _END_DB)
    return float(step_hz * (begin + ended[0])) if len(ended) else highest


def _held(spectra: Spectra) -> NDArray[np.float64]:
    """Return what a recording holds by frequency, in dB."""
    half = max(0, round(_SMOOTH_HZ / spectra.step_hz) // 2)
    padded = np.pad(spectra.powers, ((0, 0), (half, half)), mode="edge")
    smoothed = np.zeros_like(spectra.powers)
    for place in range(2 * half + 1):
        smoothed += padded[:, place : place + smoothed.shape[1]]
    smoothed /= np.float32(2 * half + 1)
    rank = int(_LOUD * (len(smoothed) - 1))
    loud = np.partition(smoothed, rank, axis=0)[rank].astype(np.float64)
    return np.maximum(10 * np.log10(loud + 1e-30), _NOTHING_DB)
