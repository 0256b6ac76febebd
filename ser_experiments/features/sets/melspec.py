"""Log-mel spectrograms for the networks: one array of shape (n_frames, n_mels) a recording, time first."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ser_experiments.errors import InputError
from ser_experiments.features.columns import ColumnRule
from ser_experiments.features.measure import OVER_TIME, Measure, Output, per_clip

_TYPES = ("float16", "float32")


def extractor(
    *,
    n_mels: int = 64,
    window_ms: float = 25.0,
    hop_ms: float = 10.0,
    top_db: float = 80.0,
    dtype: Literal["float16", "float32"] = "float16",
) -> Measure:
    """Build the set.

    Parameters
    ----------
    n_mels : int
        Bands up to 8 kHz, 8 to 256. Windows shorter than about 64 ms do not resolve 128 of them.
    window_ms, hop_ms : float
        Length of a frame and step between frames; the frames of one recording number
        ``1 + n_samples // hop``.
    top_db : float
        What lies further below the loudest point of the recording is raised to that.
    dtype : {"float16", "float32"}
        How the arrays are stored; float16 is exact to 0.03 dB.

    Raises
    ------
    InputError
        A parameter is out of range.
    """
    _check(n_mels, window_ms, hop_ms, top_db, dtype)
    window, hop = round(16 * window_ms), round(16 * hop_ms)
    source = (
        f"librosa.power_to_db(top_db={top_db:g}) of librosa.feature.melspectrogram, {window_ms:g} ms Hann "
        f"windows every {hop_ms:g} ms, the recording scaled to -20 dB over its active frames"
    )
    columns = ColumnRule("melspec_{band:03d}", (("band", range(n_mels)),), "dB", source)
    return Measure(
        name="melspec",
        version="2",
        outputs=(Output("frames", OVER_TIME, columns, dtype=dtype),),
        open=per_clip(partial(compute, n_mels=n_mels, window=window, hop=hop, top_db=top_db)),
        params={"n_mels": n_mels, "window_ms": window_ms, "hop_ms": hop_ms, "top_db": top_db, "dtype": dtype},
        libraries=("librosa", "numba", "numpy", "scipy", "soundfile", "soxr"),
    )


def compute(audio: NDArray[np.float32], *, n_mels: int, window: int, hop: int, top_db: float) -> NDArray[np.float32]:
    """Measure one recording: mono at 16 kHz in, shape (n_frames, n_mels) out, in dB."""
    from ser_experiments.features.dsp import frames, mel
    from ser_experiments.features.dsp.level import to_reference

    n_fft = fft_length(window, n_mels)
    leveled = to_reference(audio, window=window, hop=hop)
    power = frames.power_spectrum(leveled.audio, window=window, n_fft=n_fft, hop=hop)
    bands = mel.band_energies(power, mel.mel_bank(16_000, n_fft, n_mels))
    return np.ascontiguousarray(mel.power_to_db(bands, top_db=top_db).T)


def fft_length(window: int, n_mels: int) -> int:
    """Return the power of two that holds a window and leaves no band empty.

    The lowest bands are 2 * 3016 / (n_mels + 1) Hz wide, which must be more than the distance of two bins.
    """
    least = max(window, 512, 16_000 * (n_mels + 1) // 6000)
    return 1 << (least - 1).bit_length()


def _check(n_mels: int, window_ms: float, hop_ms: float, top_db: float, dtype: str) -> None:
    for name, value, low, high in (
        ("n_mels", n_mels, 8, 256),
        ("window_ms", window_ms, 5.0, 256.0),
        ("hop_ms", hop_ms, 1.0, 100.0),
        ("top_db", top_db, 20.0, 200.0),
    ):
        if not low <= value <= high:
            raise InputError(f"feature set 'melspec': {name} must be from {low} to {high}, got {value}")
    if dtype not in _TYPES:
        raise InputError(f"feature set 'melspec': dtype must be one of {', '.join(_TYPES)}, got {dtype!r}")
