"""Measure what the checksums of arrays over time cost, as a part of the reading of a network's fit.

Run with ``python benchmarks/bench_checksums.py [--clips N] [--rounds N] [--json]``. Arrays of two shapes are read as a
network reads them (mean and deviation of its columns, then every frame into memory), with and without checksums taking
turns: in maps that are new each time, as in the first fit of a process, and for the eight fits that a run makes in one.
What is counted is processor time; the files lie in the system's cache. The best of each counts. Ends with exit code 1
if checksums are 3 % of the reading of eight fits or more.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from ser_experiments.features.store import references
from ser_experiments.features.store.arrays import ArrayCodec
from ser_experiments.features.store.references import ArrayRef
from ser_experiments.models.nets.clips import Clips

#: Fits that one process makes: of the folds of a run.
FITS = 8
GOAL = 0.03
SHAPES = {"melspec 160 x 64, float16": (160, 64, "float16"), "frames 550 x 20, float32": (550, 20, "float32")}


def store(folder: Path, n_clips: int, n_frames: int, n_columns: int, dtype: str) -> list[ArrayRef]:
    """Write arrays to a store and return references to them."""
    codec, rng = ArrayCodec(n_columns, dtype), np.random.default_rng(0)
    table = codec.table(folder)
    keys = [number.to_bytes(16, "big") for number in range(n_clips)]
    for first in range(0, n_clips, 500):
        some = keys[first : first + 500]
        codec.append(table, some, [rng.normal(size=(n_frames, n_columns)).astype(dtype) for _ in some])
    cells = np.empty(n_clips, dtype=object)
    codec.fill(table, {key: [place] for place, key in enumerate(keys)}, cells)
    return list(cells)


def unchecked(refs: list[ArrayRef]) -> list[ArrayRef]:
    """Return the same references without checksums, as those of a version before."""
    made = []
    for ref in refs:
        kind, (folder, key, place, *rest) = ref.__reduce__()
        made.append(kind(folder, key, place._replace(checksum=None), *rest))
    return made


def reading(refs: list[ArrayRef], n_fits: int) -> float:
    """Return the seconds that so many fits of a process read for, which never read these arrays before."""
    references._SHARDS = references._Shards()
    began = time.process_time()
    for _ in range(n_fits):
        clips = Clips(refs)
        clips.moments(np.arange(len(clips)))
        clips.frames()
    return time.process_time() - began


def best(rounds: int, *measure: Callable[[], float]) -> list[float]:
    """Return the best of several rounds of each, taking turns."""
    found = [[one() for one in measure] for _ in range(rounds)]
    return [min(each) for each in zip(*found, strict=True)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = {}
    for name, shape in SHAPES.items():
        with tempfile.TemporaryDirectory() as folder:
            refs = store(Path(folder) / "tables" / "x" / "d", options.clips, *shape)
            plain = unchecked(refs)
            told = {}
            for n_fits in (1, FITS):
                without, with_them = best(
                    options.rounds, partial(reading, plain, n_fits), partial(reading, refs, n_fits)
                )
                told[n_fits] = {"without_s": without, "with_s": with_them, "more": with_them / without - 1}
            result[name] = told
    if options.json:
        print(json.dumps(result))
    else:
        for name, told in result.items():
            for n_fits, found in told.items():
                print(
                    f"{name}, {options.clips} arrays, {n_fits} fits: reading {found['without_s']:.3f} s, "
                    f"with checksums {found['with_s']:.3f} s: {100 * found['more']:+.1f} %"
                )
        print(f"goal of the {FITS} fits: below {100 * GOAL:.0f} %")
    return 0 if all(told[FITS]["more"] < GOAL for told in result.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
