"""The wheel in an empty environment, an empty home and an empty folder: from nothing to a model in use."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import ser_experiments

CLONE = Path(__file__).parents[1]
NAMES = {path.name for path in (CLONE / "experiments").glob("*.toml")}
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def quiet(*words: str | Path, cwd: Path) -> str:
    """Run a program without what the environment says of this checkout; return what it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SER_", "PYTHON"))}
    done = subprocess.run([*map(str, words)], cwd=cwd, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what is built: builds leave things behind, and take in what earlier ones left."""
    folder = tmp_path_factory.mktemp("source")
    for name in ("ser_experiments", "experiments"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CLONE / name, folder / name, symlinks=True, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CLONE / name, folder)
    return folder


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built with what is here."""
    folder = tmp_path_factory.mktemp("wheel")
    quiet(*PIP, "wheel", ".", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, cwd=source)
    (found,) = folder.glob("*.whl")
    return found


@pytest.mark.slow
def test_the_definitions_are_in_what_is_built(wheel: Path, source: Path, tmp_path: Path) -> None:
    shipped = "ser_experiments/shipped/"
    assert {name.removeprefix(shipped) for name in zipfile.ZipFile(wheel).namelist() if shipped in name} == NAMES
    assert f"-{ser_experiments.__version__}-" in wheel.name
    code = f"import setuptools.build_meta as build; build.build_sdist({str(tmp_path)!r})"
    quiet(sys.executable, "-c", code, cwd=source)
    (packed,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(packed) as inside:
        held = [one for one in inside.getmembers() if f"/{shipped}" in one.name]
    assert {Path(one.name).name for one in held} == NAMES
    assert all(one.isfile() for one in held), "a link would lead nowhere"


class Fresh:
    """An environment with the wheel in it, a home and a current folder, all of them empty before."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.home, self.work, self.venv = folder / "home", folder / "work", folder / "venv"
        for one in (self.home, self.work):
            one.mkdir()
        venv.create(self.venv)
        self.bin = self.venv / "bin"
        # Two answers: whether there is a registry, and whether what is installed from it is enough.
        probe = [*PIP, "download", "--no-deps", "--no-cache-dir", "--dest", str(folder), "lazy-loader"]
        if subprocess.run(probe, capture_output=True, check=False).returncode:
            pytest.skip("no package registry answers")
        into = [*PIP, "--python", self.bin / "python", "install", "--no-compile"]
        quiet(*into, "-c", CLONE / "constraints.txt", f"{wheel}[demo]", cwd=self.work)

    def ser(self, *arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run the command as it was installed."""
        environment = {"HOME": str(self.home), "PATH": f"{self.bin}:/usr/bin:/bin", "LANG": "C.UTF-8"}
        words = [str(self.bin / "ser"), *map(str, arguments)]
        done = subprocess.run(words, cwd=self.work, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == code, done.stderr
        return done


@pytest.mark.slow
def test_from_nothing_to_a_model_in_use(wheel: Path, tmp_path: Path) -> None:
    fresh = Fresh(tmp_path, wheel)
    ser, work = fresh.ser, fresh.work
    assert ser("--version").stdout == f"ser, version {ser_experiments.__version__}\n"
    assert "no runs in" in ser("compare", code=2).stderr
    assert list(work.iterdir()) == []
    assert "made: ser.toml" in ser("init").stdout
    listed = json.loads(ser("list", "--json").stdout)
    assert {name for name, one in listed.items() if one["own"]} == {"my_first"}
    assert {Path(one["file"]).name for one in listed.values() if not one["own"]} == NAMES
    assert all(fresh.venv in Path(one["file"]).parents for one in listed.values() if not one["own"])
    # Networks are an extra, and it is said before anything is measured.
    assert ser("run", "mlp_mfcc", code=2).stderr == (
        "error: experiments/mlp_mfcc.toml: model: 'mlp' needs torch, which is not here; say pip install "
        "'ser_experiments[nets]'\n"
    )
    result = json.loads(ser("run", "my_first", "--subset", "improvised", "--json").stdout)
    assert result["metrics"]["uar"] > 0.4
    assert [row["experiment"] for row in json.loads(ser("compare", "--json").stdout)["runs"]] == ["my_first"]
    assert json.loads(ser("register", "--allow-demo", "--json").stdout)["aliases"] == ["champion"]
    recording = next((work / "cache" / "demo").rglob("sentences/wav/*/*.wav"))
    (answer,) = json.loads(ser("predict", recording, "--json").stdout)
    assert answer["label"] in {"angry", "happy", "neutral", "sad"}
    assert answer["error"] == ""
    assert not any(str(CLONE) in line for line in _paths_of(fresh)), "the checkout is used"


def _paths_of(fresh: Fresh) -> list[str]:
    """Return where modules come from, and from where others would."""
    code = (
        "import sys, ser_experiments.cli; print(*sys.path, *(getattr(m, '__file__', '') for m in sys.modules.values()))"
    )
    return quiet(fresh.bin / "python", "-c", code, cwd=fresh.work).split()
