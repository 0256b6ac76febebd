"""Projects: where the command works, what it finds there, and what it leaves behind."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from ser_experiments import run_experiment
from ser_experiments.errors import InputError
from ser_experiments.experiment import experiment_names, load_experiment
from ser_experiments.experiment.estimator import members_of
from ser_experiments.project import locate
from tests.command import ser
from tests.iemocap_tree import small_tree

CLONE = Path(__file__).parents[2]
DUMMY = 'description = "mine"\n[features]\nsets = ["mfcc"]\n[model]\ntype = "dummy"\n'
ENSEMBLE = 'members = ["svm_lld", "dummy"]\n[model]\ntype = "average"\n'


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is the current one, outside of any project."""
    for name in list(os.environ):
        if name.startswith(("SER_", "MLFLOW_")):
            monkeypatch.delenv(name)
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a small copy of a corpus, outside of the project."""
    return small_tree(tmp_path / "corpus")


def add(folder: Path, text: str, name: str) -> Path:
    """Write a definition."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


# --- what only reads ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tracker", ["mlflow", "json"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("compare",), ("register",), ("register", "--list"), ("register", "--rollback"), ("predict", "a.wav"), ("ui",),
            ("runs", "list"), ("runs", "show", "abcdef12"), ("runs", "rename", "abcdef12", "x"), ("report",),
            ("runs", "delete", "abcdef12", "--yes"),
        ("serve",), pytest.param(("app", "--no-open"), marks=pytest.mark.slow), ("sync",),
    ],
)  # fmt: skip
def test_where_there_are_no_runs_it_is_said_and_nothing_left(
    arguments: tuple[str, ...], tracker: str, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if arguments[0] == "app":
        pytest.importorskip("gradio")
    monkeypatch.setenv("SER_TRACKER", tracker)
    done = ser(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(
        f"error: no runs in {empty} yet; it is no project: change to one (cd, or ser -C FOLDER)"
    )
    assert "ser init" in done.stderr
    assert "ser run" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",), ("list", "--json"), ("corpora", "list"), ("features", "list"), ("features", "status"),
        ("features", "describe", "prosody"), ("encoders", "list"), ("cache", "prune"), ("cache", "prune", "--dry-run"),
            ("cache", "status"), ("doctor",), ("doctor", "--json"), ("completion", "bash"),
        ("protocol", "--root", "TREE"), ("corpora", "describe", "iemocap", "--root", "TREE"), ("--version",),
    ],
)  # fmt: skip
def test_what_reads_leaves_nothing_behind(arguments: tuple[str, ...], empty: Path, tree: Path) -> None:
    done = ser(*(str(tree) if one == "TREE" else one for one in arguments))
    assert done.returncode == 0, done.stderr
    assert list(empty.iterdir()) == []


def test_the_demo_that_a_card_needs_is_gone_with_it(empty: Path, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Built in seconds, it would else stand in whichever folder one happens to be in."""
    from dataclasses import replace

    from ser_experiments.corpora import demo, iemocap

    built = []

    def make(folder: Path, **options: object) -> Path:
        built.append(folder)
        return Path(shutil.copytree(tree, folder / "IEMOCAP_full_release"))

    monkeypatch.setattr(demo, "SPEC", replace(demo.SPEC, make=make, read=iemocap.SPEC.read))
    done = ser("protocol", "--json")
    assert done.returncode == 0, done.stderr
    assert len(built) == 1
    assert not built[0].exists()
    assert list(empty.iterdir()) == []
    # A project keeps it.
    assert ser("init").returncode == 0
    assert ser("protocol").returncode == 0
    assert (empty / "cache" / "demo").is_dir()


# --- which project ------------------------------------------------------------------------------------------------


def test_c_goes_there_first(empty: Path, tree: Path) -> None:
    assert ser("-C", "nowhere", "list").stderr == "error: -C nowhere: cannot be gone to: No such file or directory\n"
    assert ser("-C", "nowhere", "list").returncode == 2
    assert ser("init", "a/b").returncode == 0
    add(empty / "a" / "b" / "experiments", DUMMY, "there")
    rows = json.loads(ser("-C", "a", "-C", "b", "list", "--json").stdout)
    assert rows["there"]["own"]
    assert Path.cwd() == empty, "the next command is not there"
    # What is named is relative to it.
    shutil.move(tree, empty / "a" / "b" / "copy")
    done = ser("-C", "a/b", "protocol", "--root", "copy", "--export", "card.json")
    assert done.returncode == 0, done.stderr
    assert (empty / "a" / "b" / "card.json").is_file()


def test_from_below_it_is_said_which_project_is_used(empty: Path) -> None:
    ser("init")
    (empty / "notes").mkdir()
    done = ser("-C", "notes", "compare")
    project, error = done.stderr.splitlines()
    assert project == f"project: {empty}"
    assert error == f"error: no runs in {empty} yet; begin with: ser run svm_lld"
    assert [one for one in ("mlruns", "cache") if (empty / one).exists() or (empty / "notes" / one).exists()] == []


def test_a_checkout_is_a_project_without_a_marker(tmp_path: Path) -> None:
    assert locate(CLONE / "tests" / "cli").folder == CLONE
    (tmp_path / "ser_experiments").mkdir()
    (tmp_path / "ser_experiments" / "project.py").touch()
    assert locate(tmp_path / "ser_experiments").folder == tmp_path / "ser_experiments"
    (tmp_path / "pyproject.toml").touch()
    assert locate(tmp_path / "ser_experiments").folder == tmp_path
    assert locate(tmp_path).plugins is None, "code is run only where a ser.toml says so"


# --- init ---------------------------------------------------------------------------------------------------------


def test_init_makes_what_can_be_used_at_once(empty: Path) -> None:
    done = ser("init", "mine")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(str(path.relative_to(empty)) for path in empty.rglob("*") if path.is_file()) == [
        "mine/.gitignore", "mine/experiments/my_first.toml", "mine/ser.toml",
    ]  # fmt: skip
    assert "cd mine, then ser list, ser run my_first" in done.stdout
    assert {"/cache/", "/mlruns/"} <= set((empty / "mine" / ".gitignore").read_text().splitlines())
    own = load_experiment("my_first", empty / "mine" / "experiments")
    assert own.definition.features.sets == ("prosody",)
    found = locate(empty / "mine" / "experiments")
    assert found.folder == empty / "mine"
    assert found.is_marked


def test_init_overwrites_nothing(empty: Path) -> None:
    add(empty / "experiments", DUMMY, "theirs")
    (empty / ".gitignore").write_text("mine\n")
    (empty / "ser.toml").symlink_to(empty / "elsewhere.toml")
    done = ser("init")
    assert done.returncode == 0
    assert done.stdout.count("there already, left as it is") == 2
    assert (empty / ".gitignore").read_text() == "mine\n"
    assert not (empty / "elsewhere.toml").exists()
    assert [path.name for path in (empty / "experiments").iterdir()] == ["theirs.toml"]


def test_init_where_there_is_a_file_is_one_line(empty: Path) -> None:
    (empty / "file").touch()
    done = ser("init", "file")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "file" in done.stderr


def test_init_in_a_project_says_so(empty: Path) -> None:
    ser("init")
    assert f"note: it lies in another project, {empty}," in ser("init", "below").stdout


# --- definitions --------------------------------------------------------------------------------------------------


def test_own_definitions_stand_before_the_shipped_ones(empty: Path) -> None:
    add(empty / "experiments", DUMMY, "svm_lld")
    add(empty / "experiments", ENSEMBLE, "pair")
    rows = json.loads(ser("list", "--json").stdout)
    assert rows["svm_lld"]["description"] == "mine"
    assert {name for name, row in rows.items() if row["own"]} == {"svm_lld", "pair"}
    listed = ser("list")
    lines = {line.split()[0]: line.split()[1] for line in listed.stdout.splitlines()}
    assert (lines["svm_lld"], lines["pair"]) == ("own", "own")
    assert lines["xgb_lld"] != "own"
    assert "own: of this project" in listed.stderr
    # Members too, of a definition of one's own and of a shipped one.
    mine, shipped = members_of(load_experiment("pair"))
    assert (mine.definition.description, shipped.name) == ("mine", "dummy")
    assert "mine" in {one.definition.description for one in members_of(load_experiment("average_tables"))}


def test_in_a_folder_without_definitions_there_are_the_shipped_ones(empty: Path) -> None:
    assert {path.stem for path in (CLONE / "experiments").glob("*.toml")} == set(experiment_names())
    assert load_experiment("xgb_lld").definition.model.type == "xgboost"
    assert " own " not in ser("list").stdout


def test_a_file_is_an_experiment(empty: Path, tmp_path: Path) -> None:
    add(tmp_path / "else", DUMMY.replace("mine", "beside"), "svm_lld")
    path = add(tmp_path / "else", ENSEMBLE, "pair")
    add(empty / "experiments", DUMMY, "dummy")
    beside, own = members_of(load_experiment(path))
    assert (beside.definition.description, own.definition.description) == ("beside", "mine")
    assert load_experiment(str(path)).name == "pair"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.toml", "nowhere.toml: no such file"),
        ("xgb_lld.toml", "xgb_lld.toml: no such file; the experiment is called 'xgb_lld'"),
        ("experiments/xgb_lld", "unknown experiment 'experiments/xgb_lld'; a file is named with its ending .toml"),
        (Path("xgb_lld"), "the file of a definition ends in .toml"),
    ],
)
def test_what_is_no_definition(name: str | Path, message: str, empty: Path) -> None:
    with pytest.raises(InputError, match=message):
        load_experiment(name)


def test_a_member_is_no_file(empty: Path) -> None:
    path = add(empty, ENSEMBLE.replace('"dummy"', '"dummy.toml"'), "pair")
    with pytest.raises(InputError, match="name the experiment, without .toml"):
        members_of(load_experiment(path))


# --- runs ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(project_folder: Path, tree: Path) -> tuple[str, ...]:
    """Return the words that run an experiment in a second."""
    add(project_folder / "experiments", DUMMY, "mine")
    return ("--corpus", "iemocap", "--root", str(tree), "--jobs", "1", "--no-log")


def test_several_names_that_are_none_are_refused_before_anything_runs(
    small: tuple[str, ...], project_folder: Path
) -> None:
    done = ser("run", "mine", "xgb_ldd", "svm_ldd", *small)
    assert done.returncode == 2
    assert "unknown experiment 'xgb_ldd'" in done.stderr
    assert "unknown experiment 'svm_ldd'" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (project_folder / "cache").exists()


def test_two_files_of_one_name_are_refused(small: tuple[str, ...], project_folder: Path) -> None:
    add(project_folder / "other", DUMMY, "mine")
    done = ser("run", "mine", "other/mine.toml", *small)
    assert done.returncode == 2
    assert "mine and other/mine.toml are both called 'mine'" in done.stderr


def test_what_stops_one_does_not_stop_the_others(small: tuple[str, ...], project_folder: Path) -> None:
    bad = DUMMY.replace('"dummy"\n', '"svm"\nC = -1\n') + '[pipeline]\ncalibrate = "temperature"\n'
    add(project_folder / "experiments", bad, "bad")
    add(project_folder / "other", DUMMY, "elsewhere")
    done = ser("run", "bad", "mine", "other/elsewhere.toml", *small)
    assert done.returncode == 1
    assert "error: bad: experiments/bad.toml: model: The 'C' parameter of SVC" in done.stderr
    assert done.stderr.splitlines()[-1] == "failed: 1 of 3: bad; see above"
    board = done.stdout[done.stdout.rindex("\niemocap-4class") :]
    assert [line.split()[0] for line in board.splitlines()[3:5]] == ["mine", "elsewhere"]
    told = json.loads(ser("run", "bad", "mine", *small, "--json").stdout)
    assert [run["experiment"] for run in told["runs"]] == ["mine"]
    assert list(told["failed"]) == ["bad"]


def test_seeds_are_runs_of_their_own_and_their_spread_is_told(small: tuple[str, ...], project_folder: Path) -> None:
    add(project_folder / "experiments", DUMMY.replace("dummy", "extra_trees") + "n_estimators = 2\n", "random")
    done = ser("run", "random", *small, "--seeds", "3", "--seed", "4", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    scores = [run["metrics"]["uar"] for run in told["runs"]]
    assert [run["seed"] for run in told["runs"]] == [4, 5, 6]
    spread = told["spread"]["random"]
    assert spread["seeds"] == [4, 5, 6]
    np.testing.assert_allclose(
        [spread[key] for key in ("mean", "std", "min", "max")],
        [np.mean(scores), np.std(scores, ddof=1), min(scores), max(scores)],
    )
    assert len(set(scores)) > 1
    lows = [run["metrics"]["uar_ci_low"] for run in told["runs"]]
    np.testing.assert_allclose(spread["ci_low"], np.mean(lows))
    shown = ser("run", "random", *small, "--seeds", "3", "--seed", "4").stdout
    assert f"{np.mean(scores):.3f}  {np.std(scores, ddof=1):.3f}" in shown
    assert "over seeds, which is not what another speaker would change" in shown


def test_from_python_a_path_will_do(small: tuple[str, ...], project_folder: Path, tree: Path) -> None:
    path = add(project_folder / "other", DUMMY, "elsewhere")
    result = run_experiment(path, corpus="iemocap", root=tree, log_run=False)
    assert result.as_dict()["experiment"] == "elsewhere"
