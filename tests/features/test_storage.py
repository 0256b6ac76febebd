"""Tables on object storage and elsewhere: written whole or not at all, and read as if they lay here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pytest

from ser_experiments import run_experiment
from ser_experiments.errors import InputError
from ser_experiments.features import read_table, write_table
from tests.iemocap_tree import small_tree


@pytest.fixture
def storage() -> Iterator[fsspec.AbstractFileSystem]:
    """Return a storage that is no disk."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    yield files
    files.store.clear()


@pytest.fixture
def table() -> pd.DataFrame:
    values = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    found = pd.DataFrame(values, index=["03", "NA", "c", "d"], columns=["x", "y", "z"])
    found["group"] = ["s", "s", "t", "t"]
    return found


def utterances(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"path": [f"{i}.wav" for i in table.index], "speaker": table["group"]}, index=table.index)


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_what_is_written_is_read(name: str, table: pd.DataFrame, tmp_path: Path, storage: object) -> None:
    for place in (tmp_path / name, f"memory://bucket/{name}", f"file://{tmp_path}/other-{name}"):
        write_table(table, place)
        read = read_table(place, utterances(table))
        pd.testing.assert_frame_equal(read, table.drop(columns="group"), check_names=False, rtol=1e-6)


def test_a_run_takes_a_table_from_a_storage(
    tmp_path: Path, project_folder: Path, storage: fsspec.AbstractFileSystem
) -> None:
    tree = small_tree(tmp_path / "IEMOCAP_full_release")
    plain = run_experiment("dummy", corpus="iemocap", root=tree, log_run=False)
    ids = plain.predictions.index
    values = np.random.default_rng(0).normal(size=(len(ids), 6))
    write_table(pd.DataFrame(values, index=ids, columns=list("abcdef")), "memory://bucket/mine.parquet")
    result = run_experiment("svm_lld", corpus="iemocap", root=tree, table="memory://bucket/mine.parquet", log_run=False)
    assert result.prepared.features == "table:mine.parquet"
    assert result.prepared.table.shape == (len(ids), 6)


def test_nothing_is_there(table: pd.DataFrame, tmp_path: Path, storage: object) -> None:
    with pytest.raises(InputError, match=r"table memory://bucket/no\.csv: cannot be read: nothing is there"):
        read_table("memory://bucket/no.csv", utterances(table))
    with pytest.raises(InputError, match="cannot be written: no such folder"):
        write_table(table, tmp_path / "no" / "t.csv")
    with pytest.raises(InputError, match="cannot be read: Protocol not known"):
        read_table("carrier-pigeon://x/t.csv", utterances(table))
    with pytest.raises(InputError, match=r"ends in '\.txt'; expected \.parquet or \.csv"):
        write_table(table, "memory://bucket/t.txt")


def test_a_table_that_cannot_be_written_leaves_the_former_one(
    table: pd.DataFrame, tmp_path: Path, storage: fsspec.AbstractFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: pd.DataFrame, path: Path, **_: object) -> None:
        Path(path).write_text("half of")
        raise OSError(28, "No space left on device")

    for place in (tmp_path / "t.csv", "memory://bucket/t.csv"):
        write_table(table, place)
        monkeypatch.setattr(pd.DataFrame, "to_csv", full)
        with pytest.raises(InputError, match="cannot be written: .*No space left"):
            write_table(table, place)
        monkeypatch.undo()
        assert len(read_table(place, utterances(table))) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_arrays_over_time_are_no_table(table: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'melspec' holds arrays over time"):
        write_table(table.assign(melspec=object()), tmp_path / "t.csv")
