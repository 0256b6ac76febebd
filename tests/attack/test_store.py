"""What is kept is believed only where it is what was written: fits, trials, rows and arrays."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from joblib import Parallel, delayed

from ser_experiments.errors import StoreError
from ser_experiments.features.store import compaction, references
from ser_experiments.features.store.arrays import ShardedTable
from ser_experiments.features.store.checksum import checksum
from ser_experiments.features.store.codecs import codec_of
from ser_experiments.features.store.files import table_folder
from ser_experiments.features.store.parts import shard_of
from ser_experiments.features.store.references import UNCHECKED
from ser_experiments.features.table import build
from ser_experiments.models import fits, remember
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.models.remember import Remembered
from ser_experiments.models.tuned import Tuned
from tests.tiny_set import extractor, measured, write_recordings

ROOT = Path(__file__).parents[2]
Y = np.array(["angry", "sad"] * 12)


def rows(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(24, 3)).astype(np.float32), columns=list("abc"))
    return frame.assign(group=[f"s{i // 2 % 3}" for i in range(24)])


def kept(folder: Path, X: pd.DataFrame) -> Remembered:
    return Remembered(build_pipeline("logreg"), str(folder)).fit(X, Y)


@pytest.fixture
def every_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every fit, however quick."""
    monkeypatch.setattr(remember, "WORTH_S", -1.0)


# --- fits --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("every_fit")
def test_a_fit_under_the_name_of_another_is_made_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, second = rows(1), rows(2)
    kept(tmp_path, first)
    (of_first,) = tmp_path.glob("*.skops")
    right = kept(tmp_path, second).predict_proba(second)
    (of_second,) = {*tmp_path.glob("*.skops")} - {of_first}
    shutil.copyfile(of_first, of_second)
    again = kept(tmp_path, second)
    assert not again.reused_
    np.testing.assert_array_equal(again.predict_proba(second), right)
    assert f"{of_second} holds another one, '{of_first.stem}'" in caplog.text
    assert of_second.with_name(f"{of_second.name}.aside").is_file()
    # What was made in its place is found.
    assert kept(tmp_path, second).reused_
    assert kept(tmp_path, first).reused_


@pytest.mark.slow
@pytest.mark.usefixtures("every_fit")
def test_no_flipped_bit_of_a_fit_changes_an_answer(tmp_path: Path) -> None:
    X = rows(1)
    right = kept(tmp_path, X).predict_proba(X)
    (path,) = tmp_path.glob("*.skops")
    content, draw = path.read_bytes(), random.Random(0)
    n_reused = 0
    for _ in range(60):
        place = draw.randrange(len(content))
        spoilt = bytearray(content)
        spoilt[place] ^= 1 << draw.randrange(8)
        path.write_bytes(bytes(spoilt))
        found = kept(tmp_path, X)
        n_reused += found.reused_
        np.testing.assert_array_equal(found.predict_proba(X), right, err_msg=str(place))
    # Some bits of a zip file mean nothing.
    assert n_reused < 30


@pytest.mark.usefixtures("every_fit")
@pytest.mark.parametrize("number", [errno.EXDEV, errno.ESTALE, errno.EIO])
def test_a_file_system_that_cannot_rename_costs_time_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    X = rows(1)

    def refuse(self: Path, target: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        found = kept(tmp_path, X)
    assert "a fit could not be kept" in caplog.text
    assert list(tmp_path.iterdir()) == []
    np.testing.assert_array_equal(found.predict_proba(X), kept(tmp_path, X).predict_proba(X))


def test_a_clock_that_went_backwards_removes_nothing_in_use(tmp_path: Path) -> None:
    names = ["1.skops", "2.skops", "3.tmp", "4.trials"]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (time.time() + 1e6, time.time() + 1e6))
    assert fits.prune_fits(tmp_path, days=30).empty
    assert sorted(path.name for path in tmp_path.iterdir()) == names


# --- trials ------------------------------------------------------------------------------------------------------

SEARCH = {"model.C": {"low": 0.01, "high": 10.0, "log": True}}


def searched(folder: Path, trials: int = 4) -> Tuned:
    return Tuned({"model": "logreg", "params": {}}, SEARCH, trials=trials, folder=str(folder)).fit(rows(1), Y)


def half_a_line(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b'{"op_code":4,"worker_id":"w","study_')


def another_score(path: Path) -> None:
    text = path.read_text()
    place = text.index('"values":[') + len('"values":[')
    assert text[place] in "01"
    path.write_text(f"{text[:place]}{'10'[int(text[place])]}{text[place + 1 :]}")


def nonsense(path: Path) -> None:
    path.write_bytes(b'[]\n{"op_code": 99}\nno line\n')


def no_text(path: Path) -> None:
    path.write_bytes(os.urandom(2000))


@pytest.mark.parametrize("damage", [half_a_line, another_score, nonsense, no_text])
def test_trials_that_are_damaged_change_no_choice(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    right = searched(tmp_path / "whole")
    searched(tmp_path / "damaged", trials=4)
    (path,) = (tmp_path / "damaged").glob("*.trials")
    damage(path)
    again = searched(tmp_path / "damaged")
    assert again.best_params_ == right.best_params_
    assert [t["params"] for t in again.cv_results_] == [t["params"] for t in right.cv_results_]
    assert [t["uar"] for t in again.cv_results_] == [t["uar"] for t in right.cv_results_]
    assert (damage is half_a_line) != path.with_name(f"{path.name}.aside").exists()


def test_the_lock_of_a_dead_process_is_not_waited_for(tmp_path: Path) -> None:
    """As Optuna leaves one, and as the system does after it lost its power."""
    searched(tmp_path)
    (path,) = tmp_path.glob("*.trials")
    os.symlink(path, f"{path}.lock")
    path.with_suffix(".searching").write_text("4711 elsewhere")
    began = time.monotonic()
    searched(tmp_path)
    assert time.monotonic() - began < 10
    assert path.stat().st_size > 100
    assert not path.with_suffix(".searching").exists()


@pytest.mark.slow
def test_processes_that_ask_for_one_search_make_it_once(tmp_path: Path) -> None:
    """As two folds of a stack do: what is left without both of them is the inner rows of either."""
    right = searched(tmp_path / "alone", trials=6).cv_results_
    found = Parallel(n_jobs=4)(delayed(searched)(tmp_path / "together", trials=6) for _ in range(4))
    for one in found:
        assert [(t["params"], t["uar"]) for t in one.cv_results_] == [(t["params"], t["uar"]) for t in right]
    # Each trial was made by one of them alone: all saw it take as long.
    assert len({tuple(t["seconds"] for t in one.cv_results_) for one in found}) == 1
    assert [path.suffix for path in (tmp_path / "together").iterdir()] == [".trials"]


@pytest.mark.slow
def test_a_search_whose_process_was_killed_is_gone_on_with(tmp_path: Path) -> None:
    right = searched(tmp_path / "whole", trials=6).cv_results_
    code = f"""
import os, signal
from pathlib import Path
from ser_experiments.models.tuned import Tuned
from tests.attack.test_store import searched
score, made = Tuned._score, []
def killed(self, *args):
    made.append(1)
    if len(made) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return score(self, *args)
Tuned._score = killed
searched(Path({str(tmp_path / "killed")!r}), trials=6)
"""
    dead = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert dead.returncode == -signal.SIGKILL
    assert len(list((tmp_path / "killed").glob("*.searching"))) == 1
    again = searched(tmp_path / "killed", trials=6).cv_results_
    assert [(t["params"], t["uar"]) for t in again] == [(t["params"], t["uar"]) for t in right]
    assert [path.suffix for path in (tmp_path / "killed").iterdir()] == [".trials"]


# --- rows and arrays ---------------------------------------------------------------------------------------------


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[pd.DataFrame, Path, Path]:
    """Return utterances, the store with their arrays in one shard and their rows, and the log."""
    monkeypatch.setattr(references, "_SHARDS", references._Shards())
    utterances = write_recordings(tmp_path / "audio", 6)
    read(utterances, tmp_path / "cache", tmp_path / "log")
    assert len(measured(tmp_path / "log")) == 12
    for layout in ("row", "array"):
        measure = extractor(name=f"tiny_{layout}", layout=layout)
        table = codec_of(measure.output).table(table_folder(tmp_path / "cache", measure.name, measure.digest))
        compaction.compact_if_due(table, many=2)
    return utterances, tmp_path / "cache", tmp_path / "log"


def read(utterances: pd.DataFrame, cache: Path, log: Path | None = None) -> pd.DataFrame:
    both = [extractor(name=f"tiny_{layout}", layout=layout, log=log) for layout in ("row", "array")]
    return build(both, utterances, cache=cache, jobs=1)


def numbers(table: pd.DataFrame) -> list[bytes]:
    arrays = [np.asarray(cell).tobytes() for cell in table["tiny_array"]]
    return [*arrays, table.drop(columns="tiny_array").to_numpy().tobytes()]


def the_part(cache: Path, name: str) -> Path:
    (part,) = (cache / "tables" / name).glob("*/part-*.parquet")
    return part


def flip(path: Path, place: int, bit: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(bytes(content))


def test_one_flipped_bit_of_an_array_is_noticed_and_measured_again(
    stored: tuple[pd.DataFrame, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    utterances, cache, log = stored
    right = numbers(read(utterances, cache))
    monkeypatch.setattr(references, "_SHARDS", references._Shards())
    shard = shard_of(the_part(cache, "tiny_array"))
    flip(shard, shard.stat().st_size // 2)
    table = read(utterances, cache, log)
    assert len(measured(log)) == 12
    with pytest.raises(
        StoreError, match="an array in it is not what was written; it was taken out .* run again"
    ) as told:
        numbers(table)
    assert "\n" not in str(told.value)
    again = read(utterances, cache, log)
    # The five others are still there.
    assert len(measured(log)) == 13
    assert numbers(again) == right


def test_a_merge_takes_no_damaged_array_along(
    stored: tuple[pd.DataFrame, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    utterances, cache, log = stored
    right = numbers(read(utterances, cache))
    monkeypatch.setattr(references, "_SHARDS", references._Shards())
    part = the_part(cache, "tiny_array")
    flip(shard_of(part), 3)
    table = ShardedTable(part.parent)
    assert table.merge([part.name]) == [part.name]
    table.remove(part.name)
    assert numbers(read(utterances, cache, log)) == right
    assert len(measured(log)) == 13


def test_where_nothing_can_be_taken_out_it_is_said(
    stored: tuple[pd.DataFrame, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    utterances, cache, _ = stored
    monkeypatch.setattr(references, "_SHARDS", references._Shards())
    shard = shard_of(the_part(cache, "tiny_array"))
    flip(shard, 3)
    table = read(utterances, cache)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StoreError, match="is not what was written; remove that file"):
        numbers(table)
    assert shard.is_file()


def test_arrays_of_a_version_without_checksums_are_read_and_merged(
    stored: tuple[pd.DataFrame, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    utterances, cache, log = stored
    right = numbers(read(utterances, cache))
    part = the_part(cache, "tiny_array")
    pq.write_table(pq.read_table(part).drop_columns("checksum").cast(UNCHECKED), part, write_page_checksum=True)
    for _ in range(2):
        monkeypatch.setattr(references, "_SHARDS", references._Shards())
        assert numbers(read(utterances, cache, log)) == right
        table, (name,) = ShardedTable(part.parent), ShardedTable(part.parent).names()
        assert table.merge([name]) == [name]
        table.remove(name)
    assert len(measured(log)) == 12
    assert "checksum" in pq.read_schema(the_part(cache, "tiny_array")).names


@pytest.mark.slow
@pytest.mark.parametrize(("name", "n_tried"), [("tiny_row", 40), ("tiny_array", 40)])
def test_no_flipped_bit_of_an_index_changes_a_number(
    stored: tuple[pd.DataFrame, Path, Path], monkeypatch: pytest.MonkeyPatch, name: str, n_tried: int
) -> None:
    utterances, cache, _ = stored
    right = numbers(read(utterances, cache))
    part, draw = the_part(cache, name), random.Random(1)
    content = part.read_bytes()
    n_noticed = 0
    for _ in range(n_tried):
        monkeypatch.setattr(references, "_SHARDS", references._Shards())
        shutil.copytree(cache, cache.with_name("copy"))
        there = the_part(cache.with_name("copy"), name)
        place = draw.randrange(len(content))
        flip(there, place, draw.randrange(8))
        log = cache.with_name("noticed")
        assert numbers(read(utterances, cache.with_name("copy"), log)) == right, place
        n_noticed += log.exists()
        log.unlink(missing_ok=True)
        shutil.rmtree(cache.with_name("copy"))
    assert n_noticed > n_tried / 4


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 4095, 4096, 4097, 20_000])
@pytest.mark.parametrize("shift", [0, 2])
def test_the_checksum_tells_every_accident(size: int, shift: int) -> None:
    content = np.random.default_rng(size).bytes(size + shift)
    right = checksum(memoryview(content)[shift:])
    assert right == checksum(memoryview(content[shift:]))
    draw, others = random.Random(size), []
    for _ in range(100 if size else 0):
        spoilt = bytearray(content[shift:])
        spoilt[draw.randrange(size)] ^= 1 << draw.randrange(8)
        others.append(spoilt)
    if size > 8192:
        page, next_page = content[shift : shift + 4096], content[shift + 4096 : shift + 8192]
        rest = content[shift + 8192 :]
        others += [bytearray(next_page + page + rest), bytearray(bytes(4096) + next_page + rest)]
    assert all(checksum(memoryview(other)) != right for other in others)


def test_the_index_says_the_checksum(stored: tuple[pd.DataFrame, Path, Path]) -> None:
    _, cache, _ = stored
    index = pq.read_table(the_part(cache, "tiny_array"))
    assert index.schema.field("checksum").type == pa.uint32()
    assert len(set(index["checksum"].to_pylist())) == 6
