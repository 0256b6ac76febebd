"""A tiny feature set that tells what it measured, and recordings for it."""

from __future__ import annotations

import hashlib
import os
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray

from ser_experiments.features.extractor import Column, Extractor

RATE = 16_000


def extractor(
    *,
    name: str = "tiny",
    version: str = "1",
    layout: str = "row",
    scale: float = 1.0,
    dtype: str = "float32",
    log: Path | None = None,
    sleep_s: float = 0.0,
    n_columns: int = 4,
    fails_above: float = 10.0,
) -> Extractor:
    """Build a set whose every measurement is a line in a file."""
    return Extractor(
        name=name,
        version=version,
        layout=layout,  # type: ignore[arg-type]
        columns=tuple(Column(f"{name}_{i:04d}", "1", "powers of the level") for i in range(n_columns)),
        compute=partial(
            compute, layout=layout, scale=scale, log=log and str(log), sleep_s=sleep_s, n_columns=n_columns,
            fails_above=fails_above,
        ),
        params={"scale": scale},
        libraries=("numpy",),
        dtype=dtype,  # type: ignore[arg-type]
    )  # fmt: skip


def compute(
    audio: NDArray[np.float32],
    *,
    layout: str,
    scale: float,
    log: str | None,
    sleep_s: float,
    n_columns: int,
    fails_above: float,
) -> NDArray[np.float32]:
    """Measure the level and powers of it."""
    if sleep_s:
        time.sleep(sleep_s)
    peak = float(np.abs(audio).max())
    if peak > fails_above:
        raise RuntimeError("too loud for me")
    frames = audio[: len(audio) // 160 * 160].reshape(-1, 160) if layout == "array" else audio[None]
    level = np.sqrt(np.square(frames).mean(axis=1, keepdims=True))
    values = (scale * level ** np.linspace(0.5, 2, n_columns)).astype(np.float32)
    if log:
        handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, hashlib.blake2b(audio.tobytes(), digest_size=8).hexdigest().encode() + b"\n")
        os.close(handle)
    return values if layout == "array" else values[0]


def measured(log: Path) -> list[str]:
    """Return what was measured so far, a digest of the audio each."""
    return log.read_text().split() if log.exists() else []


def write_recordings(folder: Path, count: int, *, seconds: float = 0.1, seed: int = 0) -> pd.DataFrame:
    """Write recordings of noise, each different, and return their utterances."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    paths = []
    for i in range(count):
        path = folder / f"u{i:04d}.wav"
        length = round(seconds * RATE * random.uniform(0.8, 1.2))
        soundfile.write(path, random.uniform(-0.5, 0.5, length).astype(np.float32), RATE, subtype="PCM_16")
        paths.append(str(path))
    return utterances_of(paths)


def utterances_of(paths: list[str]) -> pd.DataFrame:
    """Return utterances of whole files."""
    index = pd.Index([Path(path).stem for path in paths], name="utterance_id")
    speakers = [f"0{i % 3}" for i in range(len(paths))]
    return pd.DataFrame({"path": paths, "start_s": np.nan, "end_s": np.nan, "speaker": speakers}, index=index)
