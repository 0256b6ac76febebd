"""Trained on one corpus, tested on another: nothing of the other enters, and every command knows such a setting."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_experiments import run_experiment
from ser_experiments.corpora import Place, load_corpus, place_of, transfer
from ser_experiments.errors import InputError
from ser_experiments.experiment import Result
from tests.command import ser
from tests.iemocap_tree import tone


def corpus(folder: Path, words: str, *, first: int, n_each: int = 3, speakers: str = "ab") -> Path:
    """Write a manifest of speakers who say each word some times."""
    lines = ["path,label,speaker,session"]
    for n, speaker in enumerate(speakers):
        for place, word in enumerate(words.split()):
            for take in range(n_each):
                path = f"{speaker}{word}{take}.wav"
                tone(folder / path, first + 97 * n + 11 * place + take, seconds=0.3)
                lines.append(f"{path},{word},{speaker},{n}")
    (folder / "list.csv").write_text("\n".join(lines) + "\n")
    return folder / "list.csv"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return corpus(tmp_path / "here", "angry sad happy", first=1)


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return corpus(tmp_path / "there", "angry sad bored", first=1000, speakers="abcd")


def run(here: Path, there: Path, **fields: object) -> Result:
    told = {"corpus": "manifest", "root": here, "test_root": there, "log_run": False}
    return run_experiment("svm_lld", **{**told, **fields})  # type: ignore[arg-type]


def test_the_other_corpus_is_tested_once_and_enters_nothing(
    here: Path, there: Path, tmp_path: Path, project_folder: Path
) -> None:
    result = run(here, there)
    assert result.prepared.setting.name == "here-to-there-as-is-transfer"
    assert list(result.prepared.task.targets) == ["angry", "sad"]
    (fold,) = result.prepared.folds.folds
    utterances = result.prepared.corpus.utterances
    assert set(utterances.index[fold.train].str.split("/").str[0]) == {"here"}
    assert set(utterances["label"]) == {"angry", "sad"}
    assert len(result.predictions) == 24
    assert all(one.startswith("there/") for one in result.predictions.index)
    assert result.interval.n_groups == 4
    said = "\n".join(result.warnings)
    assert "here: 6 utterances of classes that there does not have were left out: happy 6" in said
    assert "there: 12 utterances of classes that here does not have were left out: bored 12" in said
    # Without half of what is tested, the other half gets the same answers: nothing of it was scaled or chosen by.
    rows = pd.read_csv(there)
    half = rows[rows["speaker"].isin(["a", "b"])]
    half.to_csv(there.parent / "half.csv", index=False)
    again = run(here, there.parent / "half.csv")
    columns = ["p_angry", "p_sad"]
    assert len(again.predictions) == 12
    whole = result.predictions.loc[again.predictions.index]
    np.testing.assert_allclose(again.predictions[columns], whole[columns], atol=1e-9)


@pytest.mark.slow
def test_every_command_knows_such_a_setting(here: Path, there: Path, project_folder: Path) -> None:
    which = ["--corpus", "manifest", "--root", str(here), "--test-corpus", "manifest", "--test-root", str(there)]
    for name in ("dummy", "logreg_lld"):
        done = ser("run", name, *which, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["setting"] == "here-to-there-as-is-transfer"
    compared = json.loads(ser("compare", "--json").stdout)
    assert compared["protocol"] == "transfer"
    assert compared["n_utterances"] == 24
    assert {row["experiment"] for row in compared["runs"]} == {"dummy", "logreg_lld"}
    exported = ser("protocol", *which, "--export", "card.json")
    assert exported.returncode == 0, exported.stderr
    result = run(here, there)
    result.predictions.to_csv("predictions.csv")
    verified = ser("verify", "predictions.csv", "--card", "card.json", "--json")
    assert verified.returncode == 0, verified.stderr
    assert json.loads(verified.stdout)["metrics"]["uar"] == pytest.approx(result.metrics["uar"])
    imported = ser("protocol", *which, "--import", "card.json")
    assert imported.returncode == 0, imported.stderr
    assert ser("register", "logreg_lld").returncode == 0
    told = json.loads(ser("predict", str(there.parent / "aangry0.wav"), "--json").stdout)
    assert {"angry", "sad"} == set(told[0]["probabilities"])
    assert ser("check", "logreg_lld", *which).returncode == 0


def test_a_class_that_is_another_emotion_elsewhere_is_said(here: Path, there: Path, project_folder: Path) -> None:
    one, other = (load_corpus("manifest", root, "4class") for root in (here, there))
    assert not any("is ang" in note for note in transfer(one, other).notes)
    without = {code: label for code, label in other.labels.classes.items() if code != "exc"}
    without["fru"] = "angry"
    told = transfer(one, replace(other, labels=replace(other.labels, classes=without))).notes  # type: ignore[type-var]
    assert "labels 4class: 'angry' is ang in here, ang or fru in there" in told
    # Nobody is happy in the other corpus.
    assert not any("'happy' is" in note for note in told)


def test_what_cannot_be_transferred_is_said(here: Path, there: Path, tmp_path: Path, project_folder: Path) -> None:
    with pytest.raises(InputError, match="'here' is what is trained on, too"):
        run(here, here)
    strange = corpus(tmp_path / "strange", "furious gloomy", first=2000)
    with pytest.raises(
        InputError, match="'here' has the classes angry, happy, sad, 'strange' furious, gloomy; at least"
    ):
        run(here, strange)
    with pytest.raises(InputError, match=r"--protocol random: with --test-corpus it is transfer"):
        run(here, there, protocol="random")
    with pytest.raises(InputError, match="protocol 'transfer': there is one corpus; say which is tested"):
        run(here, there, test_root=None, protocol="transfer")


@pytest.mark.slow
def test_a_matrix_of_corpora_goes_on_where_it_was_interrupted(
    here: Path, there: Path, tmp_path: Path, project_folder: Path
) -> None:
    more = corpus(tmp_path / "more", "angry sad bored", first=3000, speakers="xyz")
    first = ser("transfer", "dummy", str(here), f"manifest={there}", "--json")
    assert first.returncode == 0, first.stderr
    cells = json.loads(first.stdout)
    assert [(one["trained"], one["tested"]) for one in cells] == [("here", "there"), ("there", "here")]
    assert not any(one["earlier"] for one in cells)
    again = ser("transfer", "dummy", str(here), str(there), str(more), "--json", "--picture", "matrix.png")
    assert again.returncode == 0, again.stderr
    known = {(one["trained"], one["tested"]): one for one in json.loads(again.stdout)}
    assert len(known) == 6
    assert sorted(pair for pair, one in known.items() if one["earlier"]) == [("here", "there"), ("there", "here")]
    assert known["here", "there"]["run_id"] == cells[0]["run_id"]
    assert known["here", "there"]["value"] == pytest.approx(cells[0]["value"])
    # Three classes are in both of the others.
    assert known["there", "more"]["chance"] == pytest.approx(1 / 3)
    assert Path("matrix.png").stat().st_size > 10_000
    shown = ser("transfer", "dummy", str(here), str(there), str(more))
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert ["here", "-"] in [line[:2] for line in lines]
    assert "chance: 0.333 to 0.500" in shown.stdout
    another = json.loads(ser("transfer", "dummy", str(here), str(there), "--seed", "1", "--json").stdout)
    assert not any(one["earlier"] for one in another)


def test_corpora_of_a_matrix_are_named_by_name_or_by_root(here: Path, project_folder: Path) -> None:
    assert place_of("demo") == Place("demo", None)
    assert place_of(f"manifest={here}") == Place("manifest", str(here))
    assert place_of(str(here)) == Place("manifest", str(here))
    with pytest.raises(InputError, match="unknown corpus 'nowhere'"):
        place_of("nowhere")
    alone = ser("transfer", "dummy", str(here))
    assert alone.returncode == 2
    assert "a transfer needs at least two corpora, got 1" in alone.stderr
