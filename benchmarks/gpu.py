"""Measure a speech encoder on a GPU: times real time, and how far its numbers are from the CPU's.

Run with ``python benchmarks/gpu.py CORPUS [--model FOLDER] [--copies N] [--json]`` on a machine with a GPU; without
one it measures the CPU. CORPUS is a folder of recordings. Each is written several times, shifted, so that there is
enough to do; "from files to a table" reads, surveys, measures and stores them in an empty store, "the encoder alone"
takes clips from memory. Ends with exit code 1 where a number of the GPU is more than 1 in 1,000 of the largest from the
CPU's.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

#: What is asked of each: moments up to a third of the depth, and of all layers.
LAYERS: dict[str, Any] = {"layers 0 to 3": [0, 1, 2, 3], "all layers": "all"}
ENDINGS = {".flac", ".wav"}
MOST_APART = 1e-3
#: Recordings that the CPU measures, too.
COMPARED = 40


def write_copies(source: Path, folder: Path, n: int) -> None:
    """Write a recording several times, each copy shifted by another number of samples."""
    samples, rate = soundfile.read(source, dtype="int16")
    for k in range(n):
        soundfile.write(folder / f"{k:02d}_{source.stem}.flac", np.roll(samples, 997 * k), rate)


def from_files(paths: list[Path], model: str, layers: Any) -> float:
    """Return the seconds from recordings to a table, in an empty store."""
    import pandas as pd

    from ser_experiments.features import feature_table

    rows = pd.DataFrame({"path": [str(path) for path in paths], "start_s": np.nan, "end_s": np.nan, "speaker": "a"})
    rows.index = pd.Index([path.stem for path in paths], name="utterance_id")
    with tempfile.TemporaryDirectory() as cache:
        start = time.perf_counter()
        feature_table(["encoder"], rows, cache=Path(cache), params={"encoder": {"model": model, "layers": layers}})
        return time.perf_counter() - start


def listener(model: str, device: str) -> Any:
    """Open the encoder on a device."""
    from ser_experiments.features.encoders import listening

    listening.device_kind = lambda: device  # type: ignore[assignment]
    return listening.Listening(model, "float32", 30.0, 1.0, 2.0)()


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("corpus", type=Path)
    options.add_argument("--model", default=None)
    options.add_argument("--copies", type=int, default=12)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    from ser_experiments.audio import read_audio, resample
    from ser_experiments.features.encoders import hub
    from ser_experiments.features.encoders.device import device_kind

    models = os.environ.get("SER_TEST_MODELS")
    model = str(hub.found(chosen.model or (f"{models}/whisper-base-encoder" if models else "openai/whisper-base"))[1])
    sources = [path for path in sorted(chosen.corpus.rglob("*")) if path.suffix.lower() in ENDINGS]
    device = device_kind()
    found: dict[str, Any] = {"device": device}
    with tempfile.TemporaryDirectory() as folder:
        with ProcessPoolExecutor() as pool:
            list(pool.map(partial(write_copies, folder=Path(folder), n=chosen.copies), sources))
        paths = sorted(Path(folder).iterdir())
        clips = [resample(*read_audio(path), 16_000) for path in paths]
        seconds = sum(map(len, clips)) / 16_000
        found |= {"clips": len(clips), "audio_s": seconds}
        from_files(paths[:200], model, "all")
        for name, layers in LAYERS.items():
            found[f"from files to a table, {name}"] = seconds / from_files(paths, model, layers)
    ear = listener(model, device)
    n_states = ear._n_layers + 1
    for name, layers in LAYERS.items():
        numbers = list(range(n_states)) if layers == "all" else layers
        ear(clips[:200], numbers)
        start = time.perf_counter()
        ear(clips, numbers)
        found[f"the encoder alone, {name}"] = seconds / (time.perf_counter() - start)
    some = clips[:: max(1, len(clips) // COMPARED)]
    there, here = (one(some, list(range(n_states))) for one in (ear, listener(model, "cpu")))
    apart = max(
        float(np.abs(a - b).max() / np.abs(b).max())
        for rows in zip(there, here, strict=True)
        for a, b in zip(*rows, strict=True)
    )
    found["apart from the CPU, of the largest"] = apart
    if chosen.json:
        print(json.dumps(found))
    else:
        print(f"{device}: {len(clips)} clips, {seconds:.0f} s of audio, moments")
        for name in found:
            if name.startswith(("from", "the")):
                print(f"{name:<45} {found[name]:8.0f} times real time")
        print(f"apart from the CPU: {apart:.1e} of the largest number of a layer (at most {MOST_APART:g})")
    return int(apart > MOST_APART)


if __name__ == "__main__":
    sys.exit(main())
