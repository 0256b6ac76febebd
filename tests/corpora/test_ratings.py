"""Numbers that raters gave: which columns, which utterances, on whose scale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from ser_experiments.corpora import Corpus, get_corpus, load_corpus, pool, transfer
from ser_experiments.corpora._rules import offered, rule_of
from ser_experiments.corpora._rules.ratings import COLUMNS, NAMES
from ser_experiments.errors import InputError
from ser_experiments.tasks.dimensions import Dimensions


def listed(folder: Path, *, name: str = "", **columns: object) -> Path:
    """Write six recordings of two speakers with columns of a list."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(str(folder)))
    for i in range(6):
        soundfile.write(folder / f"r{i}.wav", rng.normal(0, 0.1, 8000).astype(np.float32), 16_000)
    table = pd.DataFrame({"path": [f"r{i}.wav" for i in range(6)], "speaker": list("aabbab"), **columns})
    path = folder / (name or "list.csv")
    table.to_csv(path, index=False)
    return path


def loaded(path: Path, labels: str = "dimensions") -> Corpus:
    return load_corpus("manifest", path, labels)


VALENCE = [1, 2, 3, 4, 5, 2.5]


def test_the_dimensions_are_those_that_were_rated(tmp_path: Path) -> None:
    corpus = loaded(listed(tmp_path, valence=VALENCE, activation=[3, 1, 4, 1, 5, 2]))
    assert corpus.task == Dimensions(("valence", "arousal"))
    assert corpus.utterances["arousal"].tolist() == [3, 1, 4, 1, 5, 2]
    assert corpus.task.truth(corpus.utterances).shape == (6, 2)
    assert corpus.left_out.lines == []
    assert loaded(listed(tmp_path, valence=VALENCE, arousal=VALENCE), "arousal").task == Dimensions(("arousal",))


@pytest.mark.parametrize("gap", ["", "n/a", "NaN", "-"])
def test_who_was_not_rated_is_left_out_and_said(gap: str, tmp_path: Path) -> None:
    path = listed(tmp_path, valence=[1, gap, 3, 4, 5, 2], dominance=[1, 2, 3, gap, gap, 2])
    corpus = loaded(path)
    assert len(corpus.utterances) == 3
    assert corpus.left_out.lines == [
        "labels dimensions left out 3 of 6 utterances: without valence 1, without dominance 2"
    ]
    assert corpus.left_out.as_dict()["without"] == {"valence": 1, "dominance": 2}
    assert len(loaded(path, "valence").utterances) == 5


@pytest.mark.parametrize("bad", ["high", "3,5", "inf", "4 of 5"])
def test_what_is_no_number_is_named(bad: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"valence of utterance '.*r2.*' is .* it must be a number or empty"):
        loaded(listed(tmp_path, valence=[1, 2, bad, 4, 5, 2]))


def test_nobody_is_asked_for_what_nobody_rated(tmp_path: Path) -> None:
    path = listed(tmp_path, label=["a", "b"] * 3)
    with pytest.raises(InputError, match="labels dimensions: nobody rated valence in this copy"):
        loaded(path)
    with pytest.raises(InputError, match=r"labels arousal: nobody rated arousal .* 'arousal' or 'activation'"):
        loaded(listed(tmp_path, valence=VALENCE), "arousal")
    with pytest.raises(InputError, match="every valence is 3; there is nothing to predict"):
        loaded(listed(tmp_path, valence=[3] * 6))


def test_a_number_beyond_the_scale_is_kept(tmp_path: Path) -> None:
    corpus = loaded(listed(tmp_path, valence=[1, 2, 3, 4, 5, 5.5]))
    assert corpus.utterances["valence"].max() == 5.5


def test_another_truth_is_another_setting(tmp_path: Path) -> None:
    one = loaded(listed(tmp_path, valence=VALENCE))
    other = loaded(listed(tmp_path, valence=[*VALENCE[:-1], 2.6]))
    assert one.row_digest != other.row_digest


def test_every_corpus_offers_them_and_words_are_left_alone() -> None:
    spec = get_corpus("iemocap")
    assert {*NAMES} <= {*offered(spec)}
    assert rule_of(spec, "activation").name == "arousal"
    assert rule_of(spec, "dimensions").own == {}
    assert {*COLUMNS} == {"valence", "arousal", "dominance"}


def test_pools_share_dimensions_and_say_where_scales_differ(tmp_path: Path) -> None:
    five = loaded(listed(tmp_path / "five", valence=VALENCE, arousal=VALENCE))
    seven = loaded(listed(tmp_path / "seven", valence=[1, 2, 3, 4, 7, 6]))
    for merged in (pool([five, seven]), transfer(five, seven)):
        assert merged.task == Dimensions(("valence",))
        assert len(merged.utterances) == 12
        notes = "\n".join(merged.notes)
        assert "five: arousal, which seven does not have, is not predicted" in notes
        assert "valence lies from 1 to 5 in five, 1 to 7 in seven: if these are two scales" in notes
    same = loaded(listed(tmp_path / "same", valence=[1.2, 2, 3, 4, 4.9, 2]))
    assert not any("two scales" in line for line in pool([five, same]).notes)
    dominant = loaded(listed(tmp_path / "dominant", dominance=VALENCE))
    with pytest.raises(InputError, match="at least 1 must be in both"):
        pool([five, dominant])


def test_thirds_of_the_first_dimension_are_strata(tmp_path: Path) -> None:
    corpus = loaded(listed(tmp_path, valence=VALENCE))
    told = corpus.task.strata(corpus.utterances)
    assert told.value_counts().to_dict() == {"valence low": 2, "valence middle": 2, "valence high": 2}
    assert told[corpus.utterances["valence"] == 5].tolist() == ["valence high"]
    assert corpus.task.described(corpus.utterances) == "valence 2.92 (1 to 5)"
