"""Kept fits: what is safe to read, what goes first when there is no room, and what saving does not import."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from skops import io

from ser_experiments.errors import InputError
from ser_experiments.models import fits, remember
from ser_experiments.models.fits import find_fit, keep_fit, prune_fits
from ser_experiments.models.persistence import load_estimator
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.models.remember import Remembered


def write(folder: Path, name: str, *, days: float, size: int = 100) -> Path:
    path = folder / name
    path.write_bytes(b"x" * size)
    used = time.time() - days * 86400
    os.utime(path, (used, used))
    return path


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    names = [write(tmp_path, f"{i}.skops", days=i) for i in range(5)]
    write(tmp_path, "notes.txt", days=99)
    shown = prune_fits(tmp_path, most_bytes=300, dry_run=True)
    assert [path.exists() for path in names] == [True] * 5
    gone = prune_fits(tmp_path, most_bytes=300)
    pd.testing.assert_frame_equal(gone, shown)
    assert sorted(gone["path"]) == [str(names[3]), str(names[4])]
    assert gone["bytes"].sum() == 200
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.skops", "1.skops", "2.skops", "notes.txt"]


def test_what_was_not_used_for_days_goes_with_its_trials_and_leftovers(tmp_path: Path) -> None:
    write(tmp_path, "a.skops", days=3)
    old = [write(tmp_path, name, days=31) for name in ("b.skops", "b.trials")]
    left = [write(tmp_path, name, days=1) for name in ("c.tmp", "c.searching")]
    write(tmp_path, "d.tmp", days=0)
    held = write(tmp_path, "d.searching", days=1)
    with FileLock(held):
        os.utime(held, (time.time() - 86400,) * 2)
        gone = prune_fits(tmp_path, days=30)
    assert set(gone["path"]) == {*map(str, old), *map(str, left)}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.skops", "d.searching", "d.tmp"]
    assert "not used for 31 days" in set(gone["why"])
    assert prune_fits(tmp_path / "none").empty


def test_a_fit_that_is_used_is_kept_and_room_is_made_for_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remember, "WORTH_S", 0.0)
    y = np.array(["angry", "sad"] * 6)
    X = pd.DataFrame({"a": np.arange(12.0), "b": np.arange(12.0) % 5, "group": [f"s{i % 3}" for i in range(12)]})

    def fit(C: float) -> Remembered:
        return Remembered(build_pipeline("logreg", {"C": C}), str(tmp_path)).fit(X, y)

    fit(1.0)
    fit(2.0)
    size = max(path.stat().st_size for path in tmp_path.iterdir())
    for path in tmp_path.iterdir():
        os.utime(path, (time.time() - 1000, time.time() - 1000))
    assert fit(1.0).reused_
    monkeypatch.setattr(fits, "MOST_BYTES", int(2.5 * size))
    assert not fit(3.0).reused_
    assert len(list(tmp_path.glob("*.skops"))) == 2
    assert fit(1.0).reused_
    assert not fit(2.0).reused_


def test_a_fit_that_cannot_be_written_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "fits").write_text("a file where a folder should be")
    keep_fit(build_pipeline("dummy"), tmp_path / "fits" / "a.skops")
    assert "a fit could not be kept" in caplog.text
    assert find_fit(tmp_path / "fits" / "a.skops") is None


def test_a_type_of_another_version_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = type("Gone", (Remembered,), {"__module__": "ser_experiments.models.remember"})
    monkeypatch.setattr(remember, "Gone", gone, raising=False)
    io.dump(gone(build_pipeline("dummy")), tmp_path / "m.skops")
    with pytest.raises(InputError, match=r"made by another version, with .*Gone', which is gone; run its experiment"):
        load_estimator(tmp_path / "m.skops")


@pytest.mark.slow
def test_keeping_a_fit_imports_neither_torch_nor_dask(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from ser_experiments.models.persistence import load_estimator, save_estimator\n"
        "from ser_experiments.models.pipeline import build_pipeline\n"
        "path = Path(sys.argv[1]); save_estimator(build_pipeline('svm'), path); load_estimator(path)\n"
        "print(*sorted({'torch', 'dask', 'lightgbm', 'xgboost', 'mlflow'} & set(sys.modules)))\n"
        "import sklearn.externals.array_api_compat.torch\n"
    )
    asked = [sys.executable, "-c", code, str(tmp_path / "m.skops")]
    done = subprocess.run(asked, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


#: Made by commit d8cf51a, before attributes and classes had their present names.
SAVED = Path(__file__).parent / "saved"


def test_a_search_that_was_saved_before_is_read() -> None:
    X = pd.DataFrame({"a": np.arange(12.0), "b": np.arange(12.0) % 5}).astype(np.float32)
    X["group"] = [f"s{i % 3}" for i in range(12)]
    found = load_estimator(SAVED / "tuned.skops")
    assert found.predict_proba(X)[:2, 0] == pytest.approx([0.500490600661846, 0.5001444043073244], abs=1e-9)
    search = found.fit_report_.search
    assert search is not None
    assert len(search.trials) == 2
    assert search.best_score == max(trial["uar"] for trial in search.trials)


def test_a_network_that_was_saved_before_is_read() -> None:
    pytest.importorskip("torch")
    cells = np.empty(12, dtype=object)
    for i in range(12):
        cells[i] = (np.arange(20, dtype=np.float16).reshape(10, 2) + i) % 7
    found = load_estimator(SAVED / "cnn.skops")
    X = pd.DataFrame({"melspec": cells, "group": "s"})
    assert found.predict_proba(X)[:2, 0] == pytest.approx([0.4921730370875469, 0.4956402393469203], abs=1e-6)


def test_a_class_that_has_moved_is_said_in_one_line_with_what_to_do() -> None:
    with pytest.raises(InputError, match=r"another version, with '.*ResNet18Classifier', which is gone; run its exp"):
        load_estimator(SAVED / "resnet18.skops")
