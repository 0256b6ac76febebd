"""What a Dask cluster of two workers on this machine costs over two local processes.

    make bench-scale

Both do the same work, one after the other and more than once; the best of each counts. Workers of both kinds are warm:
they have imported what they need.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.scale import make_segments
from ser_experiments.evaluation.crossval import cross_validate
from ser_experiments.evaluation.cutting import make_folds
from ser_experiments.evaluation.rows import Rows
from ser_experiments.features import feature_table
from ser_experiments.models.grouping import TakeColumns
from ser_experiments.parallel import on_cluster
from ser_experiments.tasks.classes import Classes
from tests.dask_cluster import Cluster

N_SEGMENTS, N_ROWS, N_SPEAKERS, ROUNDS = 6_000, 6_000, 10, 3
MOST_OVER_LOCAL = 1.15


def extraction(folder: Path) -> Callable[[str, int], None]:
    """Return the extraction of `lld` from generated speech into a new store each time."""
    make_segments(folder, N_SEGMENTS)
    utterances = pd.read_parquet(folder / "segments.parquet")

    def work(where: str, size: int) -> None:
        feature_table(
            ["lld"], utterances.iloc[: N_SEGMENTS // size], cache=folder / f"{where} {time.time_ns()}", jobs=2
        )

    return work


def folds() -> Callable[[str, int], None]:
    """Return a cross-validation of a forest over ten speakers."""
    rng = np.random.default_rng(0)
    speakers = np.array([f"s{i % N_SPEAKERS}" for i in range(N_ROWS)])
    index = pd.Index([f"u{i}" for i in range(N_ROWS)], name="utterance_id")
    utterances = pd.DataFrame(
        {"label": rng.choice(["angry", "sad"], N_ROWS), "speaker": speakers, "session": speakers}, index=index
    )
    table = pd.DataFrame(rng.standard_normal((N_ROWS, 400), dtype=np.float32), index=index).add_prefix("x")
    cut = make_folds(utterances, "leave-one-speaker-out", n_splits=5, shares_room=False)
    rows = Rows.align(table, utterances, cut, Classes(("angry", "sad")))

    def work(where: str, size: int) -> None:
        forest = RandomForestClassifier(200 // size, random_state=0)
        cross_validate(make_pipeline(TakeColumns(), forest), rows, jobs=2)

    return work


def main() -> int:
    bad = []
    with tempfile.TemporaryDirectory() as name:
        cluster = Cluster(Path(name))
        try:
            cluster.wait()
            print(f"{'work':<12} {'two processes':>14} {'two Dask workers':>17} {'ratio':>6}")
            for what, work in (("extraction", extraction(Path(name))), ("folds", folds())):
                best: dict[str, float] = {}
                for turn in range(ROUNDS + 1):
                    for where in ("local", "dask"):
                        with on_cluster(cluster.address) if where == "dask" else nullcontext():
                            began = time.perf_counter()
                            work(where, 1 if turn else 4)  # the first turn, a smaller one, warms both up
                            took = time.perf_counter() - began
                        best[where] = min(best.get(where, took), took) if turn else np.inf
                ratio = best["dask"] / best["local"]
                print(f"{what:<12} {best['local']:>12.1f} s {best['dask']:>15.1f} s {ratio:>6.2f}", flush=True)
                if ratio > MOST_OVER_LOCAL:
                    bad.append(f"{what}: {ratio:.2f} times two local processes, at most {MOST_OVER_LOCAL}")
        finally:
            cluster.stop()
    for line in bad:
        print(line, file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
