"""The page of published claims is what its lists and measurements say."""

from __future__ import annotations

from importlib import import_module

import pandas as pd
import pytest

from ser_experiments.corpora import get_corpus
from ser_experiments.csvfile import read_csv
from tests.generated_docs import DOCS, page, script


@pytest.mark.slow
def test_the_page_is_what_its_lists_say() -> None:
    made = script("claims").render()
    assert page("claims") == made, "stale: run python docs/build_claims.py"
    assert "{" not in made


def test_the_list_of_emodb_is_the_whole_corpus() -> None:
    told = read_csv(DOCS / "claims" / "emobox_emodb.csv")
    tells = get_corpus("emodb").told_by
    assert tells is not None
    rows = pd.DataFrame([tells(one) for one in told["file"]])
    expected = get_corpus("emodb").expected
    assert expected is not None
    counts = expected()
    exact = counts[(counts["value"] == "recognised") & (counts["how"] == "equal")]
    assert len(exact) == 27
    assert [(rows[one.column] == one.what).sum() for one in exact.itertuples()] == list(exact["expected"])
    assert len(rows) == 535
    assert list(told["fold"].value_counts()) == [107] * 5


@pytest.mark.parametrize("corpus", ["cafe", "emovo", "jl_corpus", "ravdess", "savee", "subesco"])
def test_the_counts_are_those_of_the_folds_that_are_kept(corpus: str) -> None:
    release = import_module(f"ser_experiments.corpora.{corpus}").RELEASE
    folds = release.published["emobox"]
    every = [speaker for speakers in folds.values() for speaker in speakers]
    rows = read_csv(DOCS / "claims" / "emobox.csv").set_index("corpus")
    row = rows.loc[next(one for one in rows.index if one.lower().replace("-", "_") == corpus)]
    assert list(row[["folds", "speakers_on_both_sides", "speakers"]]) == [
        str(len(folds)),
        str(len(every) - len(set(every))),
        str(len(set(every))),
    ]
