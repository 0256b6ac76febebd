"""``ser cache status`` and what ``ser cache prune`` takes by kind and age; tests/attack/test_cache.py has the rest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ser_experiments import project
from ser_experiments.cli._cached import KINDS
from ser_experiments.features.store import keys, quality, survey
from ser_experiments.features.store.in_use import LOCK, alone, hold
from tests.command import ser

DAY = 86400.0


def aged(path: Path, days: float, size: int = 1000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (time.time() - days * DAY,) * 2)
    return path


@pytest.fixture
def cache(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(project_folder / "user"))
    monkeypatch.setenv("HF_HUB_CACHE", str(project_folder / "hub"))
    cache = project.find().cache
    aged(cache / "fits" / "a.skops", 40)
    aged(cache / "fits" / "b.skops", 2)
    aged(cache / "fits" / "c.trials", 40)
    aged(cache / "demo" / "demo-v0-seed0" / "demo.json", 2)
    aged(cache / "iemocap" / "abc" / "Ses01F_impro01_M000.wav", 50)
    aged(cache / "errors" / "ser-1.log", 31)
    aged(cache / "somebody's" / "x", 99)
    aged(project_folder / "user" / "ser_experiments" / "mlflow-0.1.db", 3)
    for name, family in (("openai--whisper-tiny", "whisper"), ("org--a-language-model", "llama")):
        config = project_folder / "hub" / f"models--{name}" / "snapshots" / "c0ffee" / "config.json"
        aged(config, 1).write_text(json.dumps({"model_type": family}))
    return cache


def kinds() -> dict[str, dict[str, object]]:
    told: dict[str, dict[str, object]] = json.loads(ser("cache", "status", "--json").stdout)["kinds"]
    return told


def test_the_status_names_everything_that_lies_there(cache: Path) -> None:
    told = kinds()
    assert list(told) == list(KINDS)
    numbers = {name: one["number"] for name, one in told.items() if one["number"]}
    assert numbers == {
        "fits": 2, "searches": 1, "demo": 1, "recordings": 1, "encoders": 1, "mlflow": 1, "errors": 1, "others": 1,
    }  # fmt: skip
    assert told["fits"]["bytes"] == 2000
    assert {name for name, one in told.items() if one["unused"]} == {"demo", "mlflow", "errors"}
    shown = ser("cache", "status").stdout  # the first line is the folder
    assert max(map(len, shown.splitlines()[1:])) <= 80
    assert "fitting again" in shown


def test_what_is_known_of_recordings_is_always_in_use(cache: Path) -> None:
    for table in (keys.fingerprints_table(cache), survey.table(cache), quality.table(cache)):
        aged(table.folder / "part-0.parquet", 1)
    assert (kinds()["tables"]["number"], kinds()["tables"]["unused"]) == (3, 0)
    assert ser("cache", "prune", "tables").stdout == "nothing to remove\n"


def test_whatever_the_program_writes_into_its_cache_is_of_a_kind(cache: Path) -> None:
    """A new folder of the cache that nobody told `ser cache` of is found here: it would be of no known kind."""
    package = Path(project.__file__).parent
    named = {
        word
        for path in package.rglob("*.py")
        for line in path.read_text().splitlines()
        for word in [line.partition('cache / "')[2].partition('"')[0]]
        if word
    }
    assert named >= {"fits", "demo", "iemocap", "errors"}
    for name in named:
        aged(cache / name / "x" / "y", 1)
    assert kinds()["others"]["number"] == 1


def test_what_goes_by_its_age(cache: Path, project_folder: Path) -> None:
    would = ser("cache", "prune", "fits", "searches", "--older-than", "30d", "--dry-run")
    assert would.returncode == 0, would.stderr
    assert "if they are needed: fitting again" in would.stdout
    assert would.stdout.splitlines()[-1] == "would free 0.0 MB"
    assert (cache / "fits" / "a.skops").exists()
    done = json.loads(ser("cache", "prune", "--older-than", "30d", "--json").stdout)
    gone = {Path(row["path"]).name for row in done["removed"]}
    assert gone == {"a.skops", "c.trials", "ser-1.log"}
    assert (cache / "fits" / "b.skops").exists()
    assert json.loads(ser("cache", "prune", "fits", "--older-than", "0d", "--json").stdout)["removed"]
    assert not list((cache / "fits").glob("*.skops"))
    assert (project_folder / "hub" / "models--openai--whisper-tiny").exists(), "goes by its name alone"
    assert ser("cache", "prune", "encoders", "--older-than", "0d").returncode == 0
    assert not (project_folder / "hub" / "models--openai--whisper-tiny").exists()
    assert (project_folder / "hub" / "models--org--a-language-model").exists()


def test_of_kinds_without_an_age_goes_what_nothing_uses(cache: Path) -> None:
    done = json.loads(ser("cache", "prune", "demo", "fits", "--json").stdout)
    assert [Path(row["path"]).name for row in done["removed"]] == ["demo-v0-seed0"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "unknown kind 'nonsense'"),
        (["fit"], "did you mean 'fits'"),
        (["--older-than", "30"], "'30' is no age; say a number with m, h, d or w, e.g. 30d"),
    ],
)
def test_what_cannot_be_meant(cache: Path, words: list[str], said: str) -> None:
    done = ser("cache", "prune", *words)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_a_process_that_uses_the_cache_loses_nothing(cache: Path) -> None:
    """A run fits for hours on arrays that it measured at its beginning."""
    code = (
        "import sys, pathlib\nfrom ser_experiments.features.store.in_use import hold\n"
        f"hold(pathlib.Path({str(cache)!r}))\nprint('held', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        done = ser("cache", "prune", "demo", "recordings", "--older-than", "0d")
        assert "another process uses the cache" in done.stderr
        assert "in use by a process" in ser("cache", "status").stdout
        other.kill()
    assert (cache / "demo" / "demo-v0-seed0").exists()
    assert ser("cache", "prune", "demo", "--older-than", "0d").returncode == 0
    assert not (cache / "demo" / "demo-v0-seed0").exists()


def test_who_cleans_does_not_stand_in_its_own_way(tmp_path: Path) -> None:
    hold(tmp_path)
    with alone(tmp_path) as free:
        assert free
    assert (tmp_path / LOCK).exists()
    with alone(tmp_path / "nowhere") as free:
        assert free
    assert not (tmp_path / "nowhere").exists()
