"""What grows with the corpus: extraction, table training and spectrogram training at 1,000, 10,000 and 100,000.

    make bench-scale

Each measurement runs in a process of its own, whose peak resident memory counts. Audio, tables and spectrograms are
generated. Trees are few: their number changes the time and not the memory. The booster alone, on the same array in one
thread, is the measure of what a pipeline adds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

RATE, SEGMENT_S, FILE_S = 16_000, 1.0, 600
N_COLUMNS, N_TREES = 1000, 10
SIZES = (1_000, 10_000, 100_000)
#: Peak of a pipeline over the peak of the bare booster, and of spectrogram training in bytes.
MOST_OVER_BARE, MOST_SPECTROGRAMS = 1.25, 2 * 2**30

PREAMBLE = (
    f"N_COLUMNS, N_TREES = {N_COLUMNS}, {N_TREES}"
    + """
import json, sys, time
from pathlib import Path
import numpy as np
def done(began, **more):
    # getrusage would count what the parent held when it started this process.
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    peak = int(line.split()[1]) * 1024
    print(json.dumps({"s": time.perf_counter() - began, "peak": peak, **more}))
folder, size = Path(sys.argv[1]), int(sys.argv[2])
"""
)
EXTRACT = (
    PREAMBLE
    + """
import pandas as pd
from ser_experiments.features import feature_table
utterances = pd.read_parquet(folder / "segments.parquet").iloc[:size]
began = time.perf_counter()
table = feature_table(["lld"], utterances, cache=folder / f"cache-{size}", jobs=int(sys.argv[3]))
done(began, table=int(table.memory_usage(index=False).sum()))
"""
)
MAKE_TABLE = """
rng = np.random.default_rng(0)
X = np.empty((size, N_COLUMNS), dtype=np.float32)
y = rng.integers(0, 4, size)
for start in range(0, size, 5000):  # no piece in double precision is ever whole
    X[start : start + 5000] = rng.standard_normal((len(X[start : start + 5000]), N_COLUMNS), dtype=np.float32)
X[:, :20] += y[:, None] * 0.1
"""
PIPELINE = (
    PREAMBLE
    + MAKE_TABLE
    + """
import pandas as pd
from ser_experiments.models.pipeline import build_pipeline
labels = np.array(["angry", "happy", "neutral", "sad"])[y]
table = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])], copy=False)
table["group"] = np.array([f"g{i}" for i in range(10)])[np.arange(size) % 10]
params = {"n_estimators": N_TREES, "learning_rate": 0.08, "class_weight": "balanced"}
pipeline = build_pipeline(sys.argv[3], params, scale="none", random_state=0)
began = time.perf_counter()
pipeline.fit(table, labels)
done(began)
"""
)
BARE = (
    PREAMBLE
    + MAKE_TABLE
    + """
common = {"n_estimators": N_TREES, "learning_rate": 0.08, "n_jobs": 1}
if sys.argv[3] == "xgboost":
    from xgboost import XGBClassifier
    model = XGBClassifier(max_depth=4, max_bin=64, subsample=0.7, colsample_bytree=0.1, tree_method="hist", **common)
else:
    from lightgbm import LGBMClassifier
    model = LGBMClassifier(num_leaves=15, max_bin=63, subsample=0.7, subsample_freq=1, colsample_bytree=0.1,
                           verbose=-1, **common)
began = time.perf_counter()
model.fit(X, y)
done(began)
"""
)
NETWORK = (
    PREAMBLE
    + """
import pandas as pd
from ser_experiments.features import feature_table
from ser_experiments.models.pipeline import build_pipeline
utterances = pd.read_parquet(folder / "segments.parquet").iloc[:size]
table = feature_table(["melspec"], utterances, cache=folder / "melspec", jobs=2)
table["group"] = np.array([f"g{i}" for i in range(10)])[np.arange(size) % 10]
labels = np.array(["angry", "sad"])[np.arange(size) % 2]
pipeline = build_pipeline("cnn", {"n_epochs": 1}, sets=["melspec"], scale="none", random_state=0)
began = time.perf_counter()
pipeline.fit(table, labels)
done(began, disk=sum(path.stat().st_size for path in (folder / "melspec").rglob("*") if path.is_file()))
"""
)


def measure(program: str, *arguments: object) -> dict[str, float]:
    """Run a program in a process of its own and return what it says of itself."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def make_segments(folder: Path, n_segments: int) -> None:
    """Write long files and list overlapping pieces of them."""
    import pandas as pd

    rng = np.random.default_rng(0)
    rows = []
    while len(rows) < n_segments:
        path = folder / f"long{len(rows):06d}.wav"
        time_s = np.arange(FILE_S * RATE) / RATE
        buzz = np.sign(np.sin(2 * np.pi * np.cumsum(120 + 60 * np.sin(time_s + len(rows))) / RATE))
        loud = np.sin(2 * np.pi * 2.1 * time_s) > -0.3
        audio = 0.1 * buzz * loud + 0.02 * rng.standard_normal(len(time_s), dtype=np.float32)
        soundfile.write(path, audio.astype(np.float32), RATE, subtype="PCM_16")
        starts = np.arange(0, FILE_S - SEGMENT_S, 0.1)
        rows += [(str(path), round(float(start), 1), round(float(start + SEGMENT_S), 1)) for start in starts]
    listing = pd.DataFrame(rows[:n_segments], columns=["path", "start_s", "end_s"])
    listing["speaker"] = "a"
    listing.index = pd.Index([f"u{i:06d}" for i in range(len(listing))], name="utterance_id")
    listing.to_parquet(folder / "segments.parquet")


def mib(number: float) -> str:
    """Write bytes."""
    return f"{number / 2**20:,.0f} MiB"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--networks", type=int, nargs="+", default=SIZES[:2], help="sizes of spectrogram training")
    options = parser.parse_args()
    bad = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_segments(folder, max(*options.sizes, *options.networks))
        print(f"extraction of lld, utterances of {SEGMENT_S:g} s, two workers; peak of the process that hands out work")
        print(f"{'utterances':>12} {'time':>9} {'peak':>12} {'table in it':>12} {'peak - 2 tables':>16}")
        for size in options.sizes:
            got = measure(EXTRACT, folder, size, 2)
            rest = got["peak"] - 2 * got["table"]
            print(f"{size:>12,} {got['s']:>7.1f} s {mib(got['peak']):>12} {mib(got['table']):>12} {mib(rest):>16}")
        print(f"\ntraining on a table of {N_COLUMNS} columns (float32), {N_TREES} rounds, one thread")
        print(f"{'model':>9} {'utterances':>12} {'time':>9} {'peak':>12} {'bare booster':>13} {'ratio':>6}")
        for model in ("xgboost", "lightgbm"):
            for size in options.sizes:
                got, bare = measure(PIPELINE, folder, size, model), measure(BARE, folder, size, model)
                ratio = got["peak"] / bare["peak"]
                peaks = f"{mib(got['peak']):>12} {mib(bare['peak']):>13} {ratio:>6.2f}"
                print(f"{model:>9} {size:>12,} {got['s']:>7.1f} s {peaks}")
                if size == max(options.sizes) and ratio > MOST_OVER_BARE:
                    bad.append(f"{model}: {ratio:.2f} times the bare booster, at most {MOST_OVER_BARE}")
        print("\none epoch of the CNN on spectrograms of 1 s from disk")
        print(f"{'utterances':>12} {'time':>9} {'peak':>12} {'on disk':>12}")
        for size in options.networks:
            got = measure(NETWORK, folder, size)
            print(f"{size:>12,} {got['s']:>7.1f} s {mib(got['peak']):>12} {mib(got['disk']):>12}")
            if got["peak"] > MOST_SPECTROGRAMS:
                bad.append(f"spectrograms: {mib(got['peak'])}, at most {mib(MOST_SPECTROGRAMS)}")
    for line in bad:
        print(line, file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
