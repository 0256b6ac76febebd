"""A file system that cannot rename, as network ones at times: one line, nothing half, and all is well afterwards."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ser_experiments import project
from ser_experiments.corpora._demo import build as build_demo
from ser_experiments.corpora._demo import builder
from ser_experiments.errors import SerError, StoreError
from ser_experiments.features.table import build
from ser_experiments.tracking import connect, open_store, start
from ser_experiments.tracking.backends._mlflow.template import begin_database
from ser_experiments.tracking.sync import deliver_abandoned
from tests.tiny_set import extractor, write_recordings
from tests.tracking.test_outbox import RECORD, RUN, everything_is_there, logged_away_from, outboxes

NUMBERS = [errno.EXDEV, errno.ESTALE, errno.EIO]
pytestmark = pytest.mark.parametrize("number", NUMBERS)


@contextmanager
def no_renaming(number: int, *, after: int = 0) -> Iterator[None]:
    """Let renaming fail, from the n-th time on."""
    left = after

    def failing(original: Callable[..., object]) -> Callable[..., object]:
        def rename(self: Path, target: object) -> object:
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(number, os.strerror(number))
            return original(self, target)

        return rename

    with pytest.MonkeyPatch.context() as patch:
        for name in ("replace", "rename"):
            patch.setattr(Path, name, failing(getattr(Path, name)))
        yield


def one_line(error: SerError, number: int) -> None:
    assert os.strerror(number) in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize("layout", ["row", "array"])
def test_tables(tmp_path: Path, number: int, layout: str) -> None:
    utterances = write_recordings(tmp_path / "audio", 3)
    measure = [extractor(layout=layout)]
    with no_renaming(number), pytest.raises(StoreError) as told:
        build(measure, utterances, cache=tmp_path / "cache", jobs=1)
    one_line(told.value, number)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []
    assert len(build(measure, utterances, cache=tmp_path / "cache", jobs=1)) == 3


@pytest.mark.parametrize("after", [0, 1, 2, 3, 4, 6, 9])
def test_a_run(project_folder: Path, number: int, after: int) -> None:
    open_store(project.find())
    with no_renaming(number, after=after):
        try:
            with start(project.find(), **RUN) as run:
                run.log(RECORD)
        except StoreError as told:
            one_line(told, number)
    deliver_abandoned(project.find(), connect(project.find()))
    assert outboxes() == []
    runs = connect(project.find()).client.search_runs(["1"]) if after > 1 else []
    assert {one.info.status for one in runs} <= {"KILLED", "FAILED", "FINISHED"}


def test_what_waits_is_delivered_where_it_cannot_be_forgotten(project_folder: Path, number: int) -> None:
    run_id = logged_away_from(1).run_id
    with no_renaming(number):
        deliver_abandoned(project.find(), connect(project.find()))
    everything_is_there(run_id)
    assert outboxes() == []


@pytest.mark.slow
def test_the_first_opening(tmp_path: Path, number: int) -> None:
    begin_database(tmp_path / "other.db", tmp_path / "kept")
    with no_renaming(number), pytest.raises(OSError, match=os.strerror(number)):
        begin_database(tmp_path / "mlflow.db", tmp_path / "kept")
    assert not (tmp_path / "mlflow.db").exists()
    begin_database(tmp_path / "mlflow.db", tmp_path / "kept")
    assert (tmp_path / "mlflow.db").stat().st_size > 0


def test_the_demo(tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "_write", lambda root, *_: (root / "Session1").mkdir())
    with no_renaming(number), pytest.raises(StoreError, match="cannot be built under") as told:
        build_demo(tmp_path / "demo")
    one_line(told.value, number)
    assert list((tmp_path / "demo").iterdir()) == []
