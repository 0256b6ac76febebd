"""Whole runs give the out-of-fold predictions that they gave before: what a change of the code must not move.

``tests/golden`` holds the predictions of six kinds of experiment on the demo corpus and two on real speech, made by the
code as it stood before the core was redesigned, with an empty cache. ``python -m tests.golden_run FOLDER`` makes them
anew; do so only where a number was wrong, and say which in the changelog.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.golden_run import GOLDEN, RUNS, machine, predict

pytestmark = [pytest.mark.slow]


@pytest.fixture(scope="module")
def same_machine() -> bool:
    made_on = json.loads((GOLDEN / "machine.json").read_text(encoding="utf-8"))
    return bool(made_on == machine())


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache that is empty at first: one demo corpus and one table for all runs."""
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize(("experiment", "corpus"), RUNS, ids=[f"{name}@{corpus}" for name, corpus in RUNS])
def test_predictions_are_what_they_were(
    experiment: str,
    corpus: str,
    project_folder: Path,
    cache: Path,
    same_machine: bool,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.setenv("SER_CACHE", str(cache))
    speech = None if corpus == "demo" else request.getfixturevalue("speech_corpora")
    before = pd.read_parquet(GOLDEN / f"{experiment}@{corpus}.parquet")
    now = predict(experiment, corpus, speech)
    assert list(now.index) == list(before.index)
    words = ["fold", "speaker", "label", "group"]
    pd.testing.assert_frame_equal(now[words].astype(str), before[words].astype(str))
    columns = [name for name in before if name.startswith("p_")]  # type: ignore[attr-defined]
    assert len(columns) >= 4
    assert [name for name in now if name.startswith("p_")] == columns  # type: ignore[attr-defined]
    moved = np.abs(now[columns].to_numpy() - before[columns].to_numpy())
    if same_machine:
        assert moved.max() <= 1e-9
        assert (now["predicted"] == before["predicted"]).all()
    else:
        # Another processor's linear algebra sums in another order; splits of trees may fall elsewhere for a row or two.
        assert np.median(moved) <= 1e-4
        assert (now["predicted"] == before["predicted"]).mean() >= 0.97
