"""Several corpora as one: whose rows, under which names, cut how, and what every command makes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ser_experiments import run_experiment
from ser_experiments.corpora import load_corpus, pool, transfer
from ser_experiments.errors import InputError
from ser_experiments.experiment.request import RunRequest
from ser_experiments.experiment.selection import load_setting, select
from ser_experiments.project import find
from tests.command import ser
from tests.corpora.trees import audformat, emodb
from tests.experiment.test_transfer import corpus
from tests.iemocap_tree import small_tree


@pytest.fixture
def lists(tmp_path: Path, project_folder: Path) -> dict[str, Path]:
    return {
        "a": corpus(tmp_path / "a", "angry sad happy", first=1),
        "b": corpus(tmp_path / "b", "angry sad bored", first=1000, speakers="abc"),
        "c": corpus(tmp_path / "c", "angry sad happy", first=2000),
    }


@pytest.fixture
def berlin(tmp_path: Path) -> Path:
    (tmp_path / "berlin").mkdir()
    return emodb.build(tmp_path / "berlin")


def said(lists: dict[str, Path], *names: str) -> tuple[str, ...]:
    return tuple(f"manifest={lists[name]}" for name in names)


def test_corpora_are_one_with_names_of_their_own(lists: dict[str, Path]) -> None:
    result = run_experiment("dummy", corpus=said(lists, "b", "a"), log_run=False)
    prepared = result.prepared
    assert prepared.setting.name == "a-and-b-as-is-leave-one-speaker-out"
    assert prepared.corpus.parts == ("a", "b")
    assert list(prepared.task.targets) == ["angry", "sad"]
    # The speaker "a" of one is not that of the other.
    assert [fold.name for fold in prepared.folds.folds] == ["a/a", "a/b", "b/a", "b/b", "b/c"]
    assert set(prepared.utterances["speaker"].str.split("/").str[0]) == {"a", "b"}
    notes = "\n".join(result.warnings)
    assert "a: 6 utterances of classes that b does not have were left out: happy 6" in notes
    assert "b: 9 utterances of classes that a does not have were left out: bored 9" in notes
    assert {"uar_in_a", "uar_in_b"} <= result.metrics.keys()
    # Whatever order they are named in, it is the same setting.
    again = run_experiment("dummy", corpus=said(lists, "a", "b"), log_run=False)
    assert again.prepared.setting == prepared.setting


def test_the_score_of_each_corpus_is_that_of_its_rows(lists: dict[str, Path]) -> None:
    result = run_experiment("svm_lld", corpus=said(lists, "a", "c"), log_run=False)
    for name in ("a", "c"):
        rows = result.predictions[result.predictions.index.str.startswith(f"{name}/")]
        recalls = [(part["predicted"] == label).mean() for label, part in rows.groupby("label")]
        assert result.metrics[f"uar_in_{name}"] == pytest.approx(sum(recalls) / len(recalls))


def test_what_is_trained_on_may_be_pooled(lists: dict[str, Path]) -> None:
    result = run_experiment("dummy", corpus=said(lists, "a", "b"), test_corpus=f"manifest={lists['c']}", log_run=False)
    assert result.prepared.setting.name == "a-and-b-to-c-as-is-transfer"
    utterances = result.prepared.utterances
    assert {one.split("/")[0] for one in utterances.index} == {"a", "b", "c"}
    assert not any(one.count("/") > 1 for one in [*utterances.index, *utterances["speaker"]])
    (fold,) = result.prepared.folds.folds
    assert {one.split("/")[0] for one in utterances.index[fold.train]} == {"a", "b"}
    assert result.prepared.corpus.names == ("a", "b", "c")
    with pytest.raises(InputError, match="'b' is what is trained on, too"):
        run_experiment("dummy", corpus=said(lists, "a", "b"), test_corpus=f"manifest={lists['b']}", log_run=False)


def test_a_room_that_is_shared_is_shared_in_a_pool(lists: dict[str, Path], tmp_path: Path) -> None:
    """Partners of a dialog are heard in each other's recordings; who has no session has a room alone."""
    small_tree(tmp_path / "IEMOCAP_full_release")
    no_sessions = lists["a"].read_text().splitlines()
    lists["a"].write_text("\n".join(line.rsplit(",", 1)[0] for line in no_sessions) + "\n")
    request = RunRequest(
        experiment="dummy",
        corpus=(f"iemocap={tmp_path / 'IEMOCAP_full_release'}", *said(lists, "a")),
        labels="4class",
    )
    loaded = load_setting(request, find())
    folds = select(request, loaded).folds
    assert folds.protocol == "leave-one-speaker-out"
    assert loaded.utterances["session"].notna().all()
    for fold in folds.folds:
        tested = set(loaded.utterances["session"].iloc[fold.test])
        assert not tested & set(loaded.utterances["session"].iloc[fold.train])
    assert {"a/a", "a/b"} <= {fold.name for fold in folds.folds}


def test_own_words_may_be_of_one_corpus(lists: dict[str, Path]) -> None:
    more = {"corpus": said(lists, "a", "b"), "log_run": False}
    result = run_experiment("dummy", map=["bored=happy"], **more)  # type: ignore[arg-type]
    assert list(result.prepared.task.targets) == ["angry", "happy", "sad"]
    result = run_experiment("dummy", drop=["bored", "happy"], **more)  # type: ignore[arg-type]
    assert not any("were left out: " in line and "does not have" in line for line in result.warnings)
    with pytest.raises(InputError, match="no utterance of a or b is labelled 'gloomy'"):
        run_experiment("dummy", drop=["gloomy"], **more)  # type: ignore[arg-type]
    # One corpus alone is asked as ever; so is what is tested elsewhere.
    with pytest.raises(InputError, match="--drop bored: no utterance is labelled 'bored'"):
        run_experiment("dummy", corpus=said(lists, "a"), drop=["bored"], log_run=False)
    moved = run_experiment(
        "dummy", corpus=said(lists, "a"), test_corpus=said(lists, "b")[0], map=["bored=happy"], log_run=False
    )
    assert list(moved.prepared.task.targets) == ["angry", "happy", "sad"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--corpus", "A", "--corpus", "B", "--root", "x"],
            "--root x is of one corpus; of several, say --corpus",
        ),
        (["--corpus", "A", "--root", "x"], "say one of them"),
        (["--corpus", "A", "--corpus", "A"], "--corpus: 'a' is there twice"),
        (["--corpus", "A", "--corpus", "nowhere"], "unknown corpus 'nowhere'"),
        (["--corpus", "A", "--corpus", "B", "--partner", "x"], "No such option"),
        (["--corpus", "A", "--corpus", "E"], "are no one rule; say --labels with a scheme that both have"),
        (["--corpus", "A", "--corpus", "E", "--labels", "4class", "--protocol", "official"], "no official split"),
    ],
)
def test_what_cannot_be_pooled_is_one_line(
    lists: dict[str, Path], berlin: Path, arguments: list[str], message: str
) -> None:
    places = {"A": f"manifest={lists['a']}", "B": f"manifest={lists['b']}", "E": f"emodb={berlin}"}
    done = ser("run", "dummy", *(places.get(one, one) for one in arguments))
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 4


def test_options_go_to_the_corpus_that_has_them(lists: dict[str, Path], berlin: Path) -> None:
    which = ["--corpus", f"manifest={lists['a']}", "--corpus", str(berlin), "--labels", "4class"]
    done = ser("protocol", *which, "--name", "mine", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["setting"]["corpus"] == "emodb-and-mine"


def test_three_corpora_have_the_classes_of_all(lists: dict[str, Path]) -> None:
    every = [load_corpus("manifest", path) for path in lists.values()]
    together = pool(every)
    assert together.name == "a-and-b-and-c"
    assert together.classes == ["angry", "sad"]
    assert "c: 6 utterances of classes that b does not have were left out: happy 6" in together.notes
    assert transfer(pool(every[:2]), every[2]).parts == ("a", "b")


@pytest.mark.slow
def test_every_command_knows_a_pool(lists: dict[str, Path]) -> None:
    which = [word for one in said(lists, "a", "b") for word in ("--corpus", one)]
    for name in ("dummy", "logreg_lld"):
        done = ser("run", name, *which, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["corpus"] == "a-and-b"
    compared = json.loads(ser("compare", "--json").stdout)
    assert {row["experiment"] for row in compared["runs"]} == {"dummy", "logreg_lld"}
    exported = ser("protocol", *which, "--export", "card.json")
    assert exported.returncode == 0, exported.stderr
    again = ser("protocol", *which[2:], *which[:2], "--import", "card.json")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "same card as card.json" in again.stdout
    run_experiment("dummy", corpus=said(lists, "a", "b"), log_run=False).predictions.to_csv("predictions.csv")
    assert ser("verify", "predictions.csv", "--card", "card.json").returncode == 0
    assert ser("register", "logreg_lld").returncode == 0
    told = json.loads(ser("predict", str(lists["b"].parent / "aangry0.wav"), "--json").stdout)
    assert {"angry", "sad"} == set(told[0]["probabilities"])
    assert ser("check", "logreg_lld", *which).returncode == 0


@pytest.mark.slow
def test_a_card_knows_which_corpus_read_a_copy(project_folder: Path, tmp_path: Path) -> None:
    """The name of a copy, such as that of a database in audformat, is not the name of its corpus."""
    root = audformat.build(tmp_path / "db")
    made = ser("protocol", "--root", str(root), "--labels", "4class", "--export", "card.json")
    assert made.returncode == 0, made.stderr
    assert json.loads(Path("card.json").read_text())["readers"] == {"audformat-small": "audformat"}
    again = ser("protocol", "--import", "card.json", "--root", str(root))
    assert again.returncode == 0, again.stdout + again.stderr
    assert "same card as card.json" in again.stdout


@pytest.mark.parametrize("facts", [{"corpora": [1]}, {"corpora": "a"}, {"tested_corpus": ["a"]}, {"readers": {"a": 1}}])
def test_a_card_whose_corpora_are_none_is_refused(lists: dict[str, Path], facts: dict[str, object]) -> None:
    assert ser("protocol", "--corpus", said(lists, "a")[0], "--export", "card.json").returncode == 0
    card = json.loads(Path("card.json").read_text())
    Path("card.json").write_text(json.dumps({**card, **facts}))
    done = ser("protocol", "--import", "card.json")
    assert done.returncode == 2
    assert "are no names of corpora; get it again" in done.stderr
