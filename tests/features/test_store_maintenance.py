"""What the store says of itself, and what is removed from it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from ser_experiments import identity
from ser_experiments.errors import StoreError
from ser_experiments.features.store import files as store_files
from ser_experiments.features.store import maintenance
from ser_experiments.features.store.compaction import LOCK
from ser_experiments.features.store.maintenance import LEFTOVER_S, prune, status
from ser_experiments.features.table import build
from tests.tiny_set import extractor, measured, write_recordings

ROWS = 6


@pytest.fixture
def utterances(tmp_path: Path) -> pd.DataFrame:
    return write_recordings(tmp_path / "audio", ROWS)


@pytest.fixture
def cache(tmp_path: Path, utterances: pd.DataFrame) -> Path:
    """Return a store with a row set of two versions and an array set."""
    cache = tmp_path / "cache"
    build([extractor(version="1")], utterances, cache=cache)
    build([extractor(version="2", scale=2.0), extractor(name="over", layout="array")], utterances, cache=cache)
    return cache


def identity_of(**options: object) -> tuple[str, str]:
    measure = extractor(**options)  # type: ignore[arg-type]
    return measure.name, measure.digest


CURRENT = {"version": "2", "scale": 2.0}
ARRAY = {"name": "over", "layout": "array"}


def in_use() -> set[tuple[str, str]]:
    return {identity_of(**CURRENT), identity_of(**ARRAY)}


def folder_of(cache: Path, **options: object) -> Path:
    return cache.joinpath("tables", *identity_of(**options))


def make_old(path: Path) -> Path:
    past = time.time() - LEFTOVER_S - 60
    os.utime(path, (past, past))
    return path


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_status_tells_what_is_there(cache: Path) -> None:
    found = status(cache).set_index(["set", "digest"])
    assert tuple(found.reset_index().columns) == maintenance.COLUMNS
    assert not found.index.has_duplicates
    for options in ({"version": "1"}, CURRENT, ARRAY):
        row, folder = found.loc[identity_of(**options)], folder_of(cache, **options)
        assert row["rows"] == ROWS
        assert row["version"] == options.get("version", "1")
        assert row["params"] == {"scale": options.get("scale", 1.0)}
        assert row["damaged"] == 0
        assert row["parts"] == len(list(folder.glob("part-*.parquet"))) > 0
        assert row["bytes"] == sum(path.stat().st_size for path in files(folder))
        assert row["folder"] == str(folder)
        assert abs((pd.Timestamp.now("UTC") - row["changed"]).total_seconds()) < 300
    assert {"_survey"} <= set(found.index.get_level_values("set")) <= {"_survey", "_contents", "tiny", "over"}


def test_status_of_no_store(tmp_path: Path) -> None:
    found = status(tmp_path / "nothing")
    assert found.empty
    assert tuple(found.columns) == maintenance.COLUMNS
    assert prune(tmp_path / "nothing", keep=set()).empty


def test_status_counts_damaged_parts_and_bears_a_lost_identity(cache: Path) -> None:
    folder = folder_of(cache, **CURRENT)
    next(folder.glob("part-*.parquet")).write_bytes(b"no part")
    (folder / store_files.IDENTITY_FILE).write_text("{")
    row = status(cache).set_index(["set", "digest"]).loc[identity_of(**CURRENT)]
    assert row["damaged"] == 1
    assert row["rows"] < ROWS
    assert (row["version"], row["params"]) == ("", {})


def test_prune_removes_identities_that_are_not_in_use(
    cache: Path, utterances: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    current, log = folder_of(cache, **CURRENT), tmp_path / "log"
    old, kept = folder_of(cache, version="1"), files(cache) - files(folder_of(cache, version="1"))
    weight = sum(path.stat().st_size for path in files(old))
    would = prune(cache, keep=in_use(), dry_run=True)
    assert old.is_dir()
    done = prune(cache, keep=in_use())
    pd.testing.assert_frame_equal(would, done)
    assert done.to_dict("records") == [
        {"path": str(old), "why": "of an identity that is not in use", "bytes": weight}
    ]  # fmt: skip
    assert not old.exists()
    assert current.is_dir()
    assert files(cache) == kept
    assert prune(cache, keep=in_use()).empty
    # What stays is still served, facts and hashes included.
    build([extractor(**CURRENT, log=log), extractor(**ARRAY, log=log)], utterances, cache=cache)
    assert measured(log) == []
    # A set of other libraries is another identity.
    monkeypatch.setattr(identity, "_version", lambda name: "99")
    assert identity_of(**CURRENT) not in {(row["set"], row["digest"]) for _, row in status(cache).iterrows()}


def test_prune_removes_what_killed_processes_left(cache: Path, utterances: pd.DataFrame, tmp_path: Path) -> None:
    prune(cache, keep=in_use())
    rows, over, log = folder_of(cache, **CURRENT), folder_of(cache, **ARRAY), tmp_path / "log"
    before = files(cache)
    for folder in (rows, over):
        (folder / LOCK).touch()
        make_old(folder / LOCK)
    leftovers = {
        make_old(_written(rows / f"{store_files.TEMPORARY}abc", 10)): "unfinished",
        make_old(_written(over / "shard-0123.bin", 20)): "without an index",
    }
    # Another process may be writing these at the moment: a shard lies there before its index does.
    young = {_written(rows / f"{store_files.TEMPORARY}def", 10), _written(over / "shard-4567.bin", 20)}
    done = prune(cache, keep=in_use())
    assert dict(zip(done["path"], done["why"], strict=True)) == {str(p): why for p, why in leftovers.items()}
    assert dict(zip(done["path"], done["bytes"], strict=True)) == {
        str(path): 10 if why == "unfinished" else 20 for path, why in leftovers.items()
    }
    assert files(cache) == before | young | {rows / LOCK, over / LOCK}
    build([extractor(**CURRENT, log=log), extractor(**ARRAY, log=log)], utterances, cache=cache)
    assert measured(log) == []


def test_prune_removes_damaged_parts_whatever_their_age(cache: Path, utterances: pd.DataFrame, tmp_path: Path) -> None:
    prune(cache, keep=in_use())
    folder, log = folder_of(cache, **CURRENT), tmp_path / "log"
    part = max(folder.glob("part-*.parquet"), key=lambda path: path.stat().st_size)
    lost = pq.read_table(part)["key"].to_pylist()
    content = bytearray(part.read_bytes())
    # The footer stays right, so only the checksum of the page tells.
    content[content.index(lost[0])] ^= 0xFF
    part.write_bytes(content)
    assert status(cache)["damaged"].sum() == 0
    assert prune(cache, keep=in_use())[["path", "why"]].to_dict("records") == [{"path": str(part), "why": "damaged"}]
    table = build([extractor(**CURRENT, log=log)], utterances, cache=cache)
    assert len(measured(log)) == len(lost)
    fresh = build([extractor(**CURRENT)], utterances, cache=tmp_path / "fresh")
    pd.testing.assert_frame_equal(table, fresh)


def test_arrays_in_use_that_were_pruned_are_one_message(cache: Path, utterances: pd.DataFrame) -> None:
    table = build([extractor(**ARRAY)], utterances, cache=cache)
    prune(cache, keep={identity_of(**CURRENT)})
    with pytest.raises(StoreError, match="an array was removed from the store while it was in use; run again") as error:
        np.asarray(table["over"].iloc[0])
    assert "\n" not in str(error.value)


def test_what_cannot_be_removed_is_one_message(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(maintenance.shutil, "rmtree", refuse)
    with pytest.raises(StoreError, match=r"cannot be written \(Permission denied\)") as error:
        prune(cache, keep=in_use())
    assert "\n" not in str(error.value)


def _written(path: Path, n_bytes: int) -> Path:
    path.write_bytes(b"\0" * n_bytes)
    return path
