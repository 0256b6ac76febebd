"""The small set of the ancestor's network: cepstral coefficients and their deltas, summarised."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from ser_experiments.errors import InputError
from ser_experiments.features.columns import Column
from ser_experiments.features.measure import ROW, Measure, Output, per_clip

#: Functionals of the coefficients and of their deltas.
OF_COEFFICIENT = ("mean", "std", "p95")
OF_DELTA = ("std",)


def extractor(*, n_mfcc: int = 20) -> Measure:
    """Build the set.

    Parameters
    ----------
    n_mfcc : int
        How many coefficients, from the first on (the zeroth is the level), 1 to 39.

    Raises
    ------
    InputError
        `n_mfcc` is out of range.
    """
    if not 1 <= n_mfcc <= 39:
        raise InputError(f"feature set 'mfcc': n_mfcc must be from 1 to 39, got {n_mfcc}")
    numbers = range(1, n_mfcc + 1)
    source = "librosa.feature.mfcc of 40 mel bands, frames of 25 ms every 10 ms, over active frames"
    columns = [
        *(Column(f"dnn_mfcc_{i:02d}__{f}", "dB", f"{f} of {source}") for f in OF_COEFFICIENT for i in numbers),
        *(
            Column(f"dnn_delta_{i:02d}__{f}", "dB/frame", f"{f} of librosa.feature.delta (width 9) of {source}")
            for f in OF_DELTA
            for i in numbers
        ),
    ]
    return Measure(
        name="mfcc",
        version="2",
        outputs=(Output("functionals", ROW, tuple(columns)),),
        open=per_clip(partial(compute, n_mfcc=n_mfcc)),
        params={"n_mfcc": n_mfcc},
        libraries=("librosa", "numba", "numpy", "scipy", "soundfile", "soxr"),
    )


def compute(audio: NDArray[np.float32], *, n_mfcc: int) -> NDArray[np.float32]:
    """Measure one recording: mono at 16 kHz in, shape (n_columns,) out."""
    from ser_experiments.features.dsp import frames, functionals, lowlevel, mel
    from ser_experiments.features.dsp.level import to_reference

    leveled = to_reference(audio, window=lowlevel.WINDOW, hop=lowlevel.HOP)
    power = frames.power_spectrum(leveled.audio, window=lowlevel.WINDOW, n_fft=lowlevel.N_FFT, hop=lowlevel.HOP)
    bands = mel.band_energies(power, mel.mel_bank(lowlevel.SAMPLE_RATE, lowlevel.N_FFT, lowlevel.N_MELS))
    mfcc = mel.cepstrum(mel.power_to_db(bands), n_mfcc + 1)[1:]
    of_mfcc = functionals.summarise(mfcc, leveled.active)
    of_delta = functionals.summarise(mel.delta(mfcc), leveled.active)
    parts = [of_mfcc[functionals.NAMES.index(name)] for name in OF_COEFFICIENT]
    parts += [of_delta[functionals.NAMES.index(name)] for name in OF_DELTA]
    return np.concatenate(parts)
