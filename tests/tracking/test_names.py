"""A user's words become names that every store takes, without collision, and can be read back."""

from __future__ import annotations

import json
import posixpath
from pathlib import Path

import mlflow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric_name, _validate_param_name, _validate_tag_name

from ser_experiments import project
from ser_experiments.errors import InputError
from ser_experiments.experiment import run_experiment
from ser_experiments.tracking import connect
from ser_experiments.tracking.names import as_stored, as_told, check_names
from tests.command import ser
from tests.iemocap_tree import tone

WORDS = ["anger (hot)", "50 %", "a/b", "../c", "happy [bold]", "joy: high", "=sum(a1)", "l'été, 'tendre'", "😀", "c\\d"]


@given(st.text(max_size=60), st.text(max_size=60))
def test_names_are_taken_apart_and_come_back(one: str, other: str) -> None:
    stored = as_stored(f"recall_{one}")
    for check in (_validate_metric_name, _validate_param_name, _validate_tag_name):
        check(stored)
    assert posixpath.normpath(stored) == stored
    assert as_told(stored) == f"recall_{one}"
    assert (as_stored(one) == as_stored(other)) == (one == other)


@pytest.mark.parametrize(
    "name", ["uar", "fold_uar", "recall_happy", "mlflow.runName", "model.C", "recall_pleasant surprise"]
)
def test_plain_names_stay(name: str) -> None:
    assert as_stored(name) == as_told(name) == name


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    lines = ["path,label,speaker,session"]
    for session in ("one (1/2)", "two: [b]", "three = 3 %"):
        for i, word in enumerate(WORDS * 2):
            path = f"{session[:3]}{i}.wav"
            tone(tmp_path / "own (1)" / path, 100 * len(session) + i, seconds=0.1)
            quoted = '"' + word.replace('"', '""') + '"'
            lines.append(f"{path},{quoted},{session} a,{session}")
    (tmp_path / "own (1)" / "metadata.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path / "own (1)"


@pytest.mark.slow
@pytest.mark.parametrize("tracker", ["mlflow", "json"])
def test_a_run_with_any_words_is_logged_and_read_back(
    mine: Path, project_folder: Path, tracker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SER_TRACKER", tracker)
    where = ["--corpus", "manifest", "--root", str(mine)]
    for name in ("a (dummy)", "b [dummy]"):
        (project_folder / "experiments" / f"{name}.toml").write_text(
            '[features]\nsets = ["mfcc"]\n[model]\ntype = "dummy"\nstrategy = "stratified"\n'
        )
        done = ser("run", name, *where)
        assert done.returncode == 0, done.stderr
        assert "happy [bold] 0." in done.stdout
        assert f"{name} on own_1_-as-is" in done.stdout
    backend = connect(project.find())
    (setting,) = backend.settings()
    for run in setting.runs:
        assert {f"recall_{word}" for word in WORDS} <= set(run.metrics)
    compared = ser("compare", "--json")
    assert compared.returncode == 0, compared.stderr
    shown = ser("compare")
    assert "b [dummy]" in shown.stdout
    assert {one["experiment"] for one in json.loads(compared.stdout)["runs"]} == {"a (dummy)", "b [dummy]"}


@pytest.mark.slow
def test_a_stack_of_members_and_a_search_with_any_words(mine: Path, project_folder: Path) -> None:
    folder = project_folder / "experiments"
    plain = '[features]\nsets = ["mfcc"]\n[pipeline]\ncalibrate = "temperature"\n[model]\ntype = "svm"\n'
    (folder / "one (a).toml").write_text(
        plain + '[search]\ntrials = 2\nfolds = 2\n[search.space]\n"model.C" = [0.1, 1.0]\n'
    )
    (folder / "two/b.toml".replace("/", " ")).write_text(plain)
    (folder / "both (ab).toml").write_text('members = ["one (a)", "two b"]\n[model]\ntype = "average"\n')
    result = run_experiment("both (ab)", corpus="manifest", root=mine, jobs=1)
    client = mlflow.MlflowClient()
    children = client.search_runs([result.experiment_id], f"tags.`mlflow.parentRunId` = '{result.run_id}'")
    assert {run.info.run_name for run in children} >= {"member one (a)", "member two b"}
    found = run_experiment("one (a)", corpus="manifest", root=mine, jobs=1)
    params = client.get_run(found.run_id).data.params
    assert {"best.one (1/2).model.C", "best.two: [b].model.C"} <= {as_told(name) for name in params}


@pytest.mark.parametrize(
    ("label", "session", "name", "words"),
    [("x" * 300, "s", "own", "has 300 characters"), ("%" * 80, "s", "own", "is 80 characters long"),
     ("x", "s" * 300, "own", "has 301 characters"), ("x", "s" * 190, "own", "is 191 characters long"),
     ("x", "s", "n" * 260, "has 260 characters"), ("x", "s", "ü" * 120, "the setting's name has")],
)  # fmt: skip
def test_what_cannot_be_named_is_said_before_anything_is_measured(
    tmp_path: Path,
    project_folder: Path,
    label: str,
    session: str,
    name: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def measured(*args: object, **kwargs: object) -> None:
        pytest.fail("measured")

    monkeypatch.setattr("ser_experiments.experiment.run.measure", measured)
    lines = ["path,label,speaker,session"]
    for i in range(8):
        tone(tmp_path / f"{i}.wav", i, seconds=0.1)
        lines.append(f"{i}.wav,{label if i % 2 else 'y'},p{i // 4},{session}{i // 4}")
    (tmp_path / "metadata.csv").write_text("\n".join(lines))
    with pytest.raises(InputError, match=words) as caught:
        run_experiment("dummy", corpus="manifest", root=tmp_path, name=name, jobs=1)
    assert "\n" not in str(caught.value)
    check_names("mine", ["x" * 200], ["Session1"])
