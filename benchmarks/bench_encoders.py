"""Measure the feature set `encoder` against the usual way of using Whisper, side by side on the same cores.

Run with ``python benchmarks/bench_encoders.py [--model FOLDER] [--clips N] [--rounds N] [--json]``. The usual way is
the feature extractor and the encoder of transformers, one clip at a time, padded to 30 s, and the mean and deviation of
its hidden states. Contenders take turns, and the best round of each counts. Needs the weights of openai/whisper-base (a
folder by `--model` or ``SER_TEST_MODELS``, else what ``ser encoders pull`` fetched) and takes real speech from
``SER_TEST_CORPORA``, else clips of a synthetic voice. Ends with exit code 1 if a ratio is below its least.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

RATE = 16_000
#: What is divided by what, the goal, and below what the engine counts as not done.
RATIOS = (("usual way", "layers 0 to 3", 12.0, 8.0), ("usual way", "all layers", 7.0, 5.0))
#: MiB that a process which measures many clips may take.
MOST_MIB = 1536


def clips_of(n: int) -> list[np.ndarray]:
    """Return clips of speech, mono at 16 kHz."""
    from ser_experiments.audio import read_audio, resample

    corpora = os.environ.get("SER_TEST_CORPORA")
    if corpora:
        paths = sorted(Path(corpora, "emodb4").rglob("*.flac"))
        read = [read_audio(path) for path in paths[:: max(1, len(paths) // n)][:n]]
        return [resample(audio, rate, RATE) for audio, rate in read]
    rng = np.random.default_rng(0)
    lengths = rng.uniform(1.5, 5.0, n)
    voices = [np.cumsum(rng.uniform(90, 250) + 20 * rng.standard_normal(int(s * RATE))) for s in lengths]
    return [(0.1 * np.sign(np.sin(2 * np.pi * phase / RATE))).astype(np.float32) for phase in voices]


def usual_way(model: str) -> Callable[[list[np.ndarray]], Any]:
    """Return what a notebook does."""
    import torch
    from transformers import WhisperFeatureExtractor

    from ser_experiments.features.encoders.checkpoint import Checkpoint
    from ser_experiments.features.encoders.loading import load_network

    extractor = WhisperFeatureExtractor.from_pretrained(model)
    network: Any = load_network(Checkpoint(model), torch.float32, torch.device("cpu"))

    def measure(clips: list[np.ndarray]) -> list[np.ndarray]:
        found = []
        with torch.no_grad():
            for clip in clips:
                features = extractor(clip, sampling_rate=RATE, return_tensors="pt").input_features
                states = network(features, output_hidden_states=True).hidden_states
                found.append(torch.stack([torch.cat([s[0].mean(0), s[0].std(0)]) for s in states]).numpy())
        return found

    return measure


def ours(model: str, last: int | None, kind: str = "layer") -> Callable[[list[np.ndarray]], Any]:
    """Return the pass of the feature set up to a layer, in batches as the extraction makes them."""
    from ser_experiments.features.extraction.worker import _batches
    from ser_experiments.features.extractor import get_measure

    one = get_measure("encoder", model=model, layers="all")
    names = [output.name for output in one.outputs]
    n_layers = sum(name.startswith("layer_") for name in names) - 1
    wanted = [names.index(f"{kind}_{n_layers if last is None else last}")]

    def measure(clips: list[np.ndarray]) -> None:
        ready = [(None, one.prepared(clip, RATE)) for clip in clips]
        for batch in _batches(ready, (one.needs.batch_s or 0.0) * RATE):  # type: ignore[arg-type]
            one.measured([audio for _, audio in batch], wanted)

    return measure


def best_of(contenders: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Return the best seconds of each contender; they take turns."""
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(rounds):
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def peak_mib(model: str, clips: int) -> float:
    """Return the peak memory of a process that measures so many clips, read from disk as a corpus is."""
    code = (
        "import resource, sys, numpy as np\n"
        "from ser_experiments.features.extractor import get_measure\n"
        "one = get_measure('encoder', model=sys.argv[1], layers='all'); rng = np.random.default_rng(0)\n"
        "for i in range(int(sys.argv[2]) // 8):\n"
        "    one.measured([rng.standard_normal(rng.integers(16000, 80000)).astype('f') * 0.1 for _ in range(8)], [6])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code, model, str(clips)], capture_output=True, text=True, check=True)
    unit = 1024 if sys.platform != "darwin" else 1024**2
    return int(done.stdout) / unit


def warm_prediction(model: str) -> float:
    """Return the best milliseconds of measuring a clip of 5 s as a model in use does, the encoder being open."""
    from ser_experiments.features.extractor import get_extractors
    from ser_experiments.features.table import table_row

    extractors = get_extractors("encoder", model=model, layers="15%-70%", silence_s=2.0)
    audio = np.random.default_rng(0).standard_normal(5 * RATE).astype(np.float32) * 0.1
    table_row(extractors, audio, RATE)
    times = []
    for _ in range(15):
        start = time.perf_counter()
        table_row(extractors, audio, RATE)
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", default=None)
    options.add_argument("--clips", type=int, default=24)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    models = os.environ.get("SER_TEST_MODELS")
    model = chosen.model or (f"{models}/whisper-base-encoder" if models else "openai/whisper-base")
    from ser_experiments.errors import InputError
    from ser_experiments.features.encoders import hub

    try:
        model = str(hub.found(model)[1])
    except InputError as error:
        print(f"left out: {error}")
        return 0
    clips = clips_of(chosen.clips)
    seconds = sum(map(len, clips)) / RATE
    usual, low, every = usual_way(model), ours(model, 3), ours(model, None)
    spread = ours(model, 3, "percentiles")
    for run in (usual, low, every, spread):
        run(clips[:2])
    # The usual way takes so long that a part of the clips has to stand for all.
    part = clips[:: max(1, len(clips) // 8)]
    best = best_of(
        {
            "usual way": lambda: usual(part),
            "layers 0 to 3": lambda: low(clips),
            "all layers": lambda: every(clips),
            "layers 0 to 3, percentiles too": lambda: spread(clips),
        },
        chosen.rounds,
    )
    speed = {name: seconds / best[name] for name in best if name != "usual way"}
    speed["usual way"] = sum(map(len, part)) / RATE / best["usual way"]
    peak, warm = peak_mib(model, 200), warm_prediction(model)
    peak_here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {
        "times_real_time": speed,
        "ratios": {f"{b} / {a}": speed[b] / speed[a] for a, b, _, _ in RATIOS},
        "peak_mib": peak,
        "peak_with_transformers_mib": peak_here,
        "warm_5_s_ms": warm,
    }
    if chosen.json:
        print(json.dumps(found))
    else:
        print(f"{len(clips)} clips, {seconds:.0f} s of audio, best of {chosen.rounds}")
        for name, value in speed.items():
            print(f"{name:<32} {value:7.1f} times real time")
        for a, b, goal, least in RATIOS:
            print(f"{b} / {a}: {speed[b] / speed[a]:.1f} (goal {goal:g}, least {least:g})")
        print(f"peak memory of measuring: {peak:.0f} MiB (at most {MOST_MIB})")
        print(f"measuring a clip of 5 s, the encoder open: {warm:.0f} ms")
    slow = any(speed[b] / speed[a] < least for a, b, _, least in RATIOS)
    return int(slow or peak > MOST_MIB)


if __name__ == "__main__":
    sys.exit(main())
