"""References to arrays in the store: what they are told apart by."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import pandas as pd

from ser_experiments import identity
from ser_experiments.features.table import build
from tests.tiny_set import extractor, measured, write_recordings


def test_recordings_of_one_length_are_told_apart(tmp_path: Path) -> None:
    utterances = write_recordings(tmp_path / "audio", 2)
    audio = Path(utterances["path"].iloc[0]).read_bytes()
    # The same number of samples, each another one.
    Path(utterances["path"].iloc[1]).write_bytes(audio[:44] + audio[:43:-1])
    one, other = build([extractor(layout="array")], utterances, cache=tmp_path / "cache")["tiny"]
    assert one.shape == other.shape
    assert one.identity != other.identity
    assert identity.of_column(pd.Series([one])) != identity.of_column(pd.Series([other]))
    assert identity.of_column(pd.Series([one])) == identity.of_column(pd.Series([pickle.loads(pickle.dumps(one))]))


def test_the_version_of_a_set_counts_and_where_it_lies_does_not(tmp_path: Path) -> None:
    utterances, log = write_recordings(tmp_path / "audio", 3), tmp_path / "log"
    first, second = ({"layout": "array", "version": version, "log": log} for version in "12")
    column = build([extractor(**first)], utterances, cache=tmp_path / "cache")["tiny"]
    other = build([extractor(**second)], utterances, cache=tmp_path / "cache")["tiny"]
    assert identity.of_column(column) != identity.of_column(other)
    done = len(measured(log))
    shutil.copytree(tmp_path / "cache", tmp_path / "elsewhere")
    (tmp_path / "audio").rename(tmp_path / "moved")
    utterances["path"] = utterances["path"].str.replace("/audio/", "/moved/")
    moved = build([extractor(**first)], utterances, cache=tmp_path / "elsewhere")["tiny"]
    assert len(measured(log)) == done
    assert identity.of_column(moved) == identity.of_column(column)
