"""Plug-ins: found in a project's folder and in installed packages, named in messages, and never in anybody's way."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from ser_experiments import plugins
from ser_experiments.audio.conditions import changed, conditions
from ser_experiments.corpora import corpus_names, load_corpus
from ser_experiments.errors import InputError
from ser_experiments.features.extractor import get_extractor, set_names
from ser_experiments.models.fit_key import fit_key
from ser_experiments.models.grouping import columns_of
from ser_experiments.models.persistence import load_estimator, save_estimator, trusted_types
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.models.spec import ZOO, families_of, get_model, model_names
from ser_experiments.parallel import as_completed
from ser_experiments.project import Project
from ser_experiments.tracking.backend import check_chosen, connect
from tests.command import ser

FAMILY = '''"""A family of one's own."""

from sklearn.dummy import DummyClassifier

from ser_experiments.models.spec import ModelSpec


class Own(DummyClassifier):
    """A class that only this file has."""


OWN = f"{__name__}.Own"
SPEC = ModelSpec(build=Own, params=lambda: ("random_state",), estimator=OWN, trusted_types=(OWN,))
'''


@pytest.fixture(autouse=True)
def left_as_found() -> Iterator[None]:
    before = plugins.folder()
    yield
    plugins.use(before)


def write(folder: Path, kind: str, name: str, text: str) -> Path:
    path = folder / "plugins" / kind / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    plugins.use(folder / "plugins")
    return path


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, group: str, points: dict[str, str], **files: str) -> None:
    """Put modules and the metadata of a distribution on the path, as an installer leaves them."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    info = folder / f"{folder.name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {folder.name}\nVersion: 1\n")
    lines = [f"[ser_experiments.{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(folder)


def test_a_file_of_the_project_is_found_and_left_again(tmp_path: Path) -> None:
    write(tmp_path, "models", "own", FAMILY)
    write(tmp_path, "models", "_shared", "X = 1\n")
    assert "own" in model_names()
    assert "_shared" not in model_names()
    assert get_model("own").trusted_types == ("ser_experiments.plugins.models.own.Own",)
    plugins.use(None)
    assert "own" not in model_names()
    assert "ser_experiments.plugins.models.own" not in sys.modules
    with pytest.raises(InputError, match="unknown model 'own'"):
        get_model("own")


def test_a_file_that_is_added_or_removed_later_is_seen(tmp_path: Path) -> None:
    path = write(tmp_path, "models", "first", FAMILY)
    assert "first" in model_names()
    # Folders change at the resolution of the file system's clock.
    time.sleep(0.05)
    path.with_name("second.py").write_text(FAMILY)
    assert {"first", "second"} <= set(model_names())
    time.sleep(0.05)
    path.unlink()
    assert "first" not in model_names()


def test_another_project_has_its_own_file_of_the_same_name(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, "models", "own", FAMILY + f"letter = {name!r}\n")
        module = plugins.load(ZOO, "own", "model")
        assert module.letter == name


COMMON = """
from sklearn.dummy import DummyClassifier
from ser_experiments.models.spec import ModelSpec

SPEC = ModelSpec(
    build=DummyClassifier, params=lambda: (), estimator="sklearn.dummy.DummyClassifier", version={version!r}
)
"""


def test_two_projects_of_one_process_share_nothing_by_name(tmp_path: Path) -> None:
    """A class of a library that both build, a class of their own, and the columns of a set."""
    table = pd.DataFrame({"a": [0.0, 1.0]})
    versions, keys, columns = [], [], []
    for name, n_mfcc in (("a", 2), ("b", 3)):
        (tmp_path / name).mkdir()
        write(tmp_path / name, "models", "common", COMMON.format(version=name))
        write(tmp_path / name, "models", "own", FAMILY + f"letter = {name!r}\n")
        text = f"def extractor():\n    return mfcc.extractor(n_mfcc={n_mfcc})\n"
        write(tmp_path / name, "features", "own", "from ser_experiments.features.sets import mfcc\n" + text)
        versions.append(families_of(DummyClassifier)["common"].version)
        keys.append(fit_key(build_pipeline("own"), table, ["x", "y"]))
        columns.append(columns_of(["own"])[0])
    assert versions == ["a", "b"]
    assert keys[0] != keys[1], "their own classes have the same name, and not the same source"
    assert len(columns[0]) == 2 * 4
    assert len(columns[1]) == 3 * 4
    plugins.use(None)
    assert "common" not in families_of(DummyClassifier)


def test_a_tracking_store_of_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "def connect(project):\n    return project.folder, 'theirs'\n"
    write(tmp_path, "backends", "own", text)
    write(tmp_path, "backends", "empty", "")
    here = Project(tmp_path, {})
    monkeypatch.setenv("SER_TRACKER", "own")
    check_chosen()
    assert connect(here) == (tmp_path, "theirs")
    monkeypatch.setenv("SER_TRACKER", "empty")
    with pytest.raises(InputError, match=r"empty.py defines no 'connect'; see docs/plugins.md"):
        connect(here)
    monkeypatch.setenv("SER_TRACKER", "owm")
    for asked in (check_chosen, lambda: connect(here)):
        with pytest.raises(InputError, match="unknown SER_TRACKER 'owm'; did you mean 'own'?"):
            asked()


def test_files_may_share_a_helper_and_be_folders(tmp_path: Path) -> None:
    write(tmp_path, "models", "_shared", "X = 1\n")
    write(tmp_path, "models", "own/__init__", "from .._shared import X\n" + FAMILY)
    assert plugins.load(ZOO, "own", "model").X == 1


def test_an_installed_package_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "models", {"own-forest": "their_forest"}, their_forest=FAMILY)
    assert "own_forest" in model_names()
    assert "their_forest" not in sys.modules
    assert get_model("own-forest").trusted_types == ("their_forest.Own",)


CONDITION = """
from ser_experiments.audio.conditions import Condition

CONDITIONS = (Condition("upside down", lambda audio, rate, rng, voices: (-audio, rate), "a plug the wrong way round"),)
"""


def test_a_condition_of_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "conditions", {"plug": "their_plug"}, their_plug=CONDITION)
    (one,) = conditions(["plug"])
    assert one == conditions(["upside down"])[0]
    heard, rate = changed(one, np.ones(3, np.float32), 8000, "u", [])
    assert (heard.tolist(), rate) == ([-1.0, -1.0, -1.0], 8000)


def test_a_name_in_two_places_is_refused_naming_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "models", "svm", FAMILY)
    with pytest.raises(InputError) as error:
        get_model("svm")
    assert str(error.value) == (
        f"model 'svm' is offered twice, by ser_experiments.models.zoo.svm and by {path}; rename or remove one"
    )
    package = tmp_path / "theirs"
    package.mkdir()
    install(package, monkeypatch, "models", {"own": "theirs_own"}, theirs_own=FAMILY)
    path = write(tmp_path, "models", "own", FAMILY)
    with pytest.raises(InputError, match=f"by theirs_own of the package theirs and by {path}"):
        get_model("own")
    assert model_names().count("own") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nothing_of_that_name\n", "cannot be loaded: ModuleNotFoundError: No module named"),
        ("def f(:\n", r"cannot be loaded: SyntaxError: .*line 1"),
        ("raise SystemExit('good bye')\n", "cannot be loaded: SystemExit: good bye"),
        ("spec = 1\n", "defines no 'SPEC'; see docs/plugins.md"),
        ("SPEC = 1\n", "defines 'SPEC' as an int; it must be a ModelSpec; see docs/plugins.md"),
        ("SPEC = dict\n", "defines 'SPEC' as a type; it must be a ModelSpec"),
        ("from ser_experiments.evaluation.scores.wa import SCORE as SPEC\n", "'SPEC' as a Score; it must be a ModelS"),
    ],
)
def test_a_broken_plug_in_is_one_line_that_names_the_file(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, "models", "own", text)
    with pytest.raises(InputError, match=message) as error:
        get_model("own")
    assert str(error.value).startswith(f"model 'own': plug-in {path} ")
    assert "\n" not in str(error.value)


def test_a_broken_plug_in_spoils_nothing_else(project_folder: Path) -> None:
    for kind in plugins.KINDS:
        write(project_folder, kind, "broken", "1 / 0\n")
    plugins.use(None)
    assert ser("list").returncode == 0
    assert ser("run", "--help").returncode == 0
    for group in ("corpora", "features"):
        done = ser(group, "list")
        assert done.returncode == 0
        assert "broken.py cannot be loaded: ZeroDivisionError: division by zero" in done.stderr
        assert "broken" not in done.stdout
    assert "sklearn.tree._tree.Tree" in trusted_types()
    assert fit_key(build_pipeline("dummy"), pd.DataFrame({"a": [0.0, 1.0]}), ["x", "y"])
    # What a set that cannot be imported has measured must not count as nobody's.
    done = ser("features", "prune")
    assert done.returncode == 2
    assert "features/broken.py cannot be loaded" in done.stderr
    done = ser("run", "dummy", "--corpus", "broken")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_only_the_folder_of_a_ser_toml_is_run(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project_folder, "corpora", "own", "from ser_experiments.corpora.manifest import SPEC\n")
    plugins.use(None)
    below = project_folder / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    assert "\nown:" in ser("corpora", "list").stdout
    plugins.use(None)
    monkeypatch.chdir(project_folder)
    (project_folder / "ser.toml").unlink()
    assert "\nown:" not in ser("corpora", "list").stdout
    assert "ser_experiments.plugins.corpora" not in sys.modules


def _class_of(name: str) -> type:
    return type(get_model(name).build())


@pytest.mark.slow
def test_worker_processes_find_the_plug_ins_of_the_project_in_use(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, "models", f"own_{name}", FAMILY)
        # A class comes back by its name: here and there it is the same file.
        (found,) = as_completed([joblib.delayed(_class_of)(f"own_{name}")], 2)
        assert found is _class_of(f"own_{name}")


def test_a_model_of_a_plug_in_is_saved_and_read_without_trusting_the_file(tmp_path: Path) -> None:
    write(tmp_path, "models", "own", FAMILY)
    table = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "group": list("wxyz")})
    fitted = build_pipeline("own").fit(table, ["x", "y", "x", "y"])
    save_estimator(fitted, tmp_path / "own.skops")
    assert type(load_estimator(tmp_path / "own.skops")[-1]).__name__ == "Own"
    plugins.use(None)
    with pytest.raises(InputError, match="a plug-in of another project"):
        load_estimator(tmp_path / "own.skops")


def test_corpora_and_feature_sets_are_found_too(tmp_path: Path) -> None:
    write(tmp_path, "corpora", "own", "from ser_experiments.corpora.manifest import SPEC\n")
    write(tmp_path, "features", "own", "from ser_experiments.features.sets.mfcc import extractor\n")
    assert "own" in corpus_names()
    assert "own" in set_names()
    assert get_extractor("own", n_mfcc=3).params == {"n_mfcc": 3}
    with pytest.raises(InputError, match="no file"):
        load_corpus("own", tmp_path / "none.csv")


def test_the_environment_names_the_folder_for_programs_that_start_workers(tmp_path: Path) -> None:
    import os
    import subprocess

    write(tmp_path, "models", "own", FAMILY)
    code = "from ser_experiments.models.spec import get_model; print(get_model('own').trusted_types[0])"
    environment = {**os.environ, plugins.VARIABLE: str(tmp_path / "plugins")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "ser_experiments.plugins.models.own.Own\n"
