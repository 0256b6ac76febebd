"""Measure the table store: two workers against one, memory as the work grows, reading ten thousand rows.

Run with ``python benchmarks/bench_store.py [--segments N] [--files N] [--rounds N] [--json]``. Every extraction runs in
a process of its own on an empty store, one and two workers taking turns; the best time of each counts. The recordings
are made here: long files of modulated noise, cut into overlapping segments of 5.5 s. Ends with exit code 1 if two
workers are less than 1.7 times one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

SAMPLE_RATE = 16_000
SEGMENT_S = 5.5
FILE_S = 300
GOAL, LEAST = 1.9, 1.7
READ_S = 1.0
#: What runs in a process of its own; prints seconds, peak memory and bytes of the table.
WORK = """
import json, sys, time
from pathlib import Path
import pandas as pd
from ser_experiments.features import feature_table
listing, cache, jobs, rows = sys.argv[1:]
utterances = pd.read_parquet(listing).iloc[: int(rows)]
feature_table(["lld"], utterances.iloc[:1], cache=Path(cache + "-first"), jobs=1)  # imports and compiled code
began = time.perf_counter()
table = feature_table(["lld"], utterances, cache=Path(cache), jobs=int(jobs))
seconds = time.perf_counter() - began
# getrusage would count what the parent held when it started this process.
(line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
peak = int(line.split()[1]) * 1024
print(json.dumps({"s": seconds, "peak": peak, "table": int(table.memory_usage(index=False).sum()), "rows": len(table)}))
"""


def make_long_files(folder: Path, n_segments: int) -> Path:
    """Write files of noise whose colour and level change, and list overlapping segments of them."""
    rng = np.random.default_rng(0)
    per_file = FILE_S - int(np.ceil(SEGMENT_S))
    rows = []
    for number in range(-(-n_segments // per_file)):
        path = folder / f"long{number:03d}.wav"
        time_s = np.arange(FILE_S * SAMPLE_RATE) / SAMPLE_RATE
        pitch = 120 + 60 * np.sin(2 * np.pi * 0.31 * time_s + number)
        buzz = np.sign(np.sin(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE)) * (np.sin(2 * np.pi * 2.1 * time_s) > -0.3)
        audio = 0.1 * buzz + 0.02 * rng.normal(size=len(time_s))
        soundfile.write(path, audio.astype(np.float32), SAMPLE_RATE, subtype="PCM_16")
        rows += [(str(path), float(start), start + SEGMENT_S) for start in range(per_file)]
    return _list(folder / "segments.parquet", rows[:n_segments])


def make_short_files(folder: Path, n_files: int) -> Path:
    """Write many files of a fifth of a second."""
    rng = np.random.default_rng(1)
    rows = []
    for number in range(n_files):
        path = folder / f"short{number:05d}.wav"
        soundfile.write(path, 0.1 * rng.normal(size=SAMPLE_RATE // 5).astype(np.float32), SAMPLE_RATE)
        rows.append((str(path), float("nan"), float("nan")))
    return _list(folder / "files.parquet", rows)


def _list(path: Path, rows: list[tuple[str, float, float]]) -> Path:
    import pandas as pd

    listing = pd.DataFrame(rows, columns=["path", "start_s", "end_s"])
    listing["speaker"] = "a"
    listing.index = pd.Index([f"u{i:06d}" for i in range(len(rows))], name="utterance_id")
    listing.to_parquet(path)
    return path


def run(listing: Path, cache: Path, jobs: int, rows: int) -> dict[str, float]:
    """Extract in a process of its own."""
    arguments = [sys.executable, "-c", WORK, str(listing), str(cache), str(jobs), str(rows)]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=16_000, help="segments of 5.5 s")
    parser.add_argument("--files", type=int, default=10_000, help="files of the table that is read")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        listing = make_long_files(folder, options.segments)
        best = {1: np.inf, 2: np.inf}
        memory: dict[int, dict[str, float]] = {}
        for turn in range(options.rounds):
            for jobs in (1, 2):
                found = run(listing, folder / f"cache-{turn}-{jobs}", jobs, options.segments)
                best[jobs] = min(best[jobs], found["s"])
                if jobs == 1:
                    memory[options.segments] = found
        for rows in (options.segments // 16, options.segments // 4):
            memory[rows] = run(listing, folder / f"cache-{rows}", 1, rows)
        files = make_short_files(folder, options.files)
        run(files, folder / "short", 2, options.files)
        read_s = min(run(files, folder / "short", 1, options.files)["s"] for _ in range(3))
    ratio = best[1] / best[2]
    result = {
        "hours": options.segments * SEGMENT_S / 3600,
        "one_s": best[1],
        "two_s": best[2],
        "ratio": ratio,
        "memory": {rows: memory[rows] for rows in sorted(memory)},
        "read_rows": options.files,
        "read_s": read_s,
        "cores": os.cpu_count(),
    }
    if options.json:
        print(json.dumps(result))
    else:
        _print(result)
    return 0 if ratio >= LEAST else 1


def _print(result: dict[str, object]) -> None:
    memory: dict[int, dict[str, float]] = result["memory"]  # type: ignore[assignment]
    print(f"lld on {result['hours']:.1f} h of audio, {result['cores']} cores")
    print(f"  one worker {result['one_s']:.1f} s, two {result['two_s']:.1f} s")
    print(f"  ratio {result['ratio']:.2f}   goal {GOAL}   least {LEAST}")
    print("peak memory with one worker")
    for rows, found in memory.items():
        peak, table = found["peak"] / 2**20, found["table"] / 2**20
        print(f"  {rows:6d} utterances: {peak:.0f} MiB, of which the table that is returned {table:.0f} MiB")
    print(f"reading {result['read_rows']} rows of lld: {result['read_s']:.2f} s   goal {READ_S}")


if __name__ == "__main__":
    sys.exit(main())
