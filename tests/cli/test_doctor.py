"""What a machine has: said in 80 columns, tried and not assumed, without secrets; what is wrong is marked."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from ser_experiments.audio import tried as trying
from ser_experiments.cli import _doctor
from ser_experiments.cli._sizes import home_hidden, size
from tests.command import ser


@pytest.fixture
def told(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project on a machine whose environment is small, and whose home is the project's parent."""
    (project_folder / "venv" / "lib").mkdir(parents=True)
    (project_folder / "venv" / "lib" / "x").write_bytes(b"x" * 2000)
    monkeypatch.setattr(sys, "prefix", str(project_folder / "venv"))
    monkeypatch.setenv("HOME", str(project_folder.parent))
    return project_folder


def test_what_is_said_fits_a_terminal_and_names_nobody(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_abc")
    monkeypatch.setenv("HTTPS_PROXY", "http://anna:secretword@proxy:3128")
    monkeypatch.setenv("SER_CACHE", str(told / "cache"))
    done = ser("doctor")
    assert done.returncode == 0, done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    text = " ".join(done.stdout.split())
    for words in ("Python 3.", "libraries click ", "project ~/project", "HF_TOKEN=***", "environment 2.0 kB", "free"):
        assert words in text
    for secret in ("hf_abc", "secretword", str(told.parent)):
        assert secret not in done.stdout
    facts = json.loads(ser("doctor", "--json").stdout)
    assert facts["store"]["answers"] is True
    assert facts["disk"]["parts"]["environment"] == 2000
    assert {"WAV", "FLAC", "MP3", "OGG"} <= set(facts["audio"]["libsndfile"]["read"])
    assert facts["libraries"]["numpy"]
    assert not [one for one in facts["problems"] if one["essential"]]


def test_every_format_that_is_made_here_is_read_here() -> None:
    found = list(trying.tried())
    assert len(found) > 20
    assert [one for one in found if one.outcome == "refused"] == []


def test_a_format_that_is_not_read_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    made = trying._by_libsndfile
    monkeypatch.setattr(
        trying, "_by_libsndfile", lambda form, codec: b"RIFFnonsense" if form == "FLAC" else made(form, codec)
    )
    problems: list[_doctor.Problem] = []
    told = _doctor._audio(problems)
    assert told["libsndfile"]["refused"] == ["FLAC"]
    assert [one.essential for one in problems] == [False]
    assert problems[0].what.startswith("FLAC is not read by libsndfile as it should be: ")


def test_what_is_missing_comes_with_what_it_is_for_and_how_to_get_it(
    told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = _doctor._version
    away = {"av", "gradio", "xgboost", "xgboost-cpu", "dask", "sounddevice"}
    monkeypatch.setattr(_doctor, "_version", lambda name: None if name in away else known(name))
    monkeypatch.setattr(trying, "is_installed", lambda: False)
    done = ser("doctor")
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    assert (
        "- av is missing: recordings of phones and browsers: m4a, webm, 3gp; pip install 'ser_experiments[av]'" in text
    )
    assert "av: missing; it would add m4a, aac, webm" in text
    assert "- cpu is missing: XGBoost (experiments xgb_*)" in text
    assert {name for name, one in _doctor._extras().items() if one["missing"]} == {
        "app",
        "av",
        "cpu",
        "dask",
        "listen",
    }


@pytest.mark.parametrize("name", [name for name, _, extra in _doctor._requirements() if not extra][::9])
def test_without_a_library_nothing_works(told: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    known = _doctor._version
    monkeypatch.setattr(_doctor, "_version", lambda one: None if one == name else known(one))
    monkeypatch.setattr(_doctor, "_audio", lambda problems: {})
    done = ser("doctor")
    assert done.returncode == 1
    assert f"! {name} is missing: pip install '{name}>=" in done.stdout
    assert "1 to look at, marked with !" in done.stdout


def test_an_old_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_doctor, "_version", lambda name: "0.9.1" if name == "numpy" else "9999.0")
    problems: list[_doctor.Problem] = []
    _doctor._libraries(problems)
    assert [one.what for one in problems] == ["numpy 0.9.1 is older than 2.0: pip install 'numpy>=2.0'"]


def test_a_store_that_does_not_answer(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_doctor, "_audio", lambda problems: {})
    (told / "mlruns" / "mlflow.db").write_bytes(b"nonsense " * 100)
    done = ser("doctor")
    assert done.returncode == 1
    assert "! no run can be logged: ~/project/mlruns/mlflow.db" in done.stdout


def test_a_folder_without_a_project_stays_empty(told: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_doctor, "_audio", lambda problems: {})
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    done = ser("doctor")
    assert done.returncode == 0, done.stdout
    assert "none yet; mlflow, the first run makes it" in done.stdout
    assert list(Path().iterdir()) == []


def test_a_project_that_cannot_be_read(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_doctor, "_audio", lambda problems: {})
    (told / "ser.toml").write_text("nonsense")
    done = ser("doctor")
    assert done.returncode == 1
    assert "ser.toml: cannot be read as TOML" in " ".join(done.stdout.split())


def test_sizes_and_homes_as_people_read_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [size(n) for n in (0, 999, 1000, 1234567, 99_960_000, 5e9)] == [
        "0 B", "999 B", "1.0 kB", "1.2 MB", "100 MB", "5.0 GB"
    ]  # fmt: skip
    monkeypatch.setenv("HOME", "/home/anna")
    assert home_hidden("/home/anna/x and /home/annabel:/home/anna") == "~/x and /home/annabel:~"
    monkeypatch.setenv("HOME", "/")
    assert home_hidden(f"/x{os.sep}") == "/x/"
