"""A tiny feature set that tells what it measured, and recordings for it."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray

from ser_experiments.features.columns import Column, ColumnRule
from ser_experiments.features.extractor import Extractor
from ser_experiments.features.measure import LAYERS, OVER_TIME, ROW, Measure, Needs, Opened, Output, per_clip

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
    columns = tuple(Column(f"{name}_{i:04d}", "1", "powers of the level") for i in range(n_columns))
    axes = {"row": ROW, "array": OVER_TIME}[layout]
    measure = Measure(
        name=name,
        version=version,
        outputs=(Output("powers", axes, columns, dtype=dtype),),  # type: ignore[arg-type]
        open=per_clip(
            partial(
                compute, layout=layout, scale=scale, log=log and str(log), sleep_s=sleep_s, n_columns=n_columns,
                fails_above=fails_above,
            )
        ),
        params={"scale": scale},
        libraries=("numpy",),
    )  # fmt: skip
    return Extractor(measure)


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
        note(log, hashlib.blake2b(audio.tobytes(), digest_size=8).hexdigest())
    return values if layout == "array" else values[0]


def note(log: str, line: str) -> None:
    """Add a line to a file that several processes write to."""
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, line.encode() + b"\n")
    os.close(handle)


#: Of the measure of several outputs.
N_LAYERS, DIM, HOP = 3, 4, 160


def encoder(
    *,
    needs: Needs | None = None,
    log: Path | None = None,
    spoilt_by: float = 10.0,
    dtype: str = "float16",
    version: str = "1",
) -> Measure:
    """Build a measure of three outputs, which pads its clips as a network does and notes whatever it does."""
    mean = ColumnRule("tiny_{dim}__mean", (("dim", range(DIM)),), "1", "mean over the frames")
    layers = ColumnRule(
        "tiny_{layer}_{dim}__mean", (("layer", range(N_LAYERS)), ("dim", range(DIM))), "1", "layer {layer}, {dim}"
    )
    frames = tuple(Column(f"tiny_{i}", "1", "powers of the level") for i in range(DIM))
    return Measure(
        name="encoder",
        version=version,
        outputs=(
            Output("mean", ROW, mean),
            Output("layers", LAYERS, layers, n_layers=N_LAYERS),
            Output("frames", OVER_TIME, frames, dtype=dtype),  # type: ignore[arg-type]
        ),
        open=Encoder(log and str(log), spoilt_by),
        needs=needs or Needs(batch_s=1.0),
        libraries=("numpy",),
    )


@dataclass(frozen=True)
class Encoder:
    """Open the measure: note the process, return what takes batches."""

    log: str | None = None
    spoilt_by: float = 10.0

    def __call__(self) -> Opened:
        if self.log:
            note(self.log, f"open {os.getpid()}")
        return self.encode

    def encode(self, clips: Sequence[NDArray[np.float32]]) -> list[tuple[NDArray[np.float32], ...]]:
        """Return mean, layers and frames of each clip; a clip that is too loud spoils its batch."""
        if self.log:
            note(self.log, "pass " + " ".join(str(len(clip)) for clip in clips))
        longest = max(len(clip) for clip in clips)
        padded = np.stack([np.pad(clip, (0, longest - len(clip) + HOP)) for clip in clips])
        if np.abs(padded).max() > self.spoilt_by:
            raise RuntimeError("out of memory")
        levels = np.abs(padded[:, : padded.shape[1] // HOP * HOP].reshape(len(clips), -1, HOP)).mean(axis=2)
        frames = (levels[:, :, None] ** np.linspace(0.5, 2, DIM)).astype(np.float32)
        kept = [each[: max(1, len(clip) // HOP)] for each, clip in zip(frames, clips, strict=True)]
        return [
            (each.mean(axis=0), np.stack([each.mean(axis=0) * (layer + 1) for layer in range(N_LAYERS)]), each)
            for each in kept
        ]


def outputs_of(measure: Measure) -> list[Extractor]:
    """Return the extractors of all outputs."""
    return Extractor(measure).outputs


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
