"""What an exported folder needs to predict: it is asked once, and tells which packages it used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

from ser_experiments.errors import SerError

#: Runs the script without MLflow, as where it is not installed, and says what was imported.
_PROGRAM = """
import importlib.abc, json, runpy, sys

class Nothing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {forbidden}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Nothing())
sys.argv = [{script!r}, *{sounds!r}, *{enrol!r}]
try:
    runpy.run_path({script!r}, run_name="__main__")
except SystemExit as end:
    code = end.code
with open({told!r}, "w") as file:
    json.dump(sorted({{name.partition(".")[0] for name in sys.modules}}), file)
sys.exit(code)
"""
#: What is never needed to predict: stores of runs, pages, and what tests and installs.
FORBIDDEN = (
    "mlflow",
    "mlflow_skinny",
    "gradio",
    "optuna",
    "matplotlib",
    "pytest",
    "setuptools",
    "pip",
    "_distutils_hack",
)
_OWN = "ser_experiments"
_RATE = 16_000


class Traced(NamedTuple):
    """What a folder answered, and the packages that it used: their names and versions, in alphabetical order."""

    answers: list[dict[str, Any]]
    packages: dict[str, str]


def sounds(folder: Path, n: int) -> list[Path]:
    """Write so many sounds that are like a voice, which every model answers."""
    found = []
    for number in range(n):
        time_s = np.arange(2 * _RATE) / _RATE
        pitch = (110.0 + 40.0 * number) * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * time_s))
        phase = 2 * np.pi * np.cumsum(pitch) / _RATE
        buzz = sum(np.sin(k * phase) / k for k in range(1, 12))
        path = folder / f"sound{number}.wav"
        soundfile.write(path, 0.1 * buzz * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * time_s)), _RATE)
        found.append(path)
    return found


def trace(folder: Path, recordings: Iterable[Path], enrol: Iterable[Path] = ()) -> Traced:
    """Let an exported folder answer recordings in a process of its own, in which there is no MLflow.

    Parameters
    ----------
    folder : Path
        With ``predict.py``.
    recordings, enrol : iterable of Path
        What is predicted, and what the speaker said where the model asks for it.

    Raises
    ------
    SerError
        It did not answer.
    """
    with tempfile.TemporaryDirectory() as scratch:
        told = Path(scratch, "told.json")
        program = _PROGRAM.format(
            forbidden=set(FORBIDDEN),
            script=str((folder / "predict.py").resolve()),
            sounds=[str(one) for one in recordings],
            enrol=["--enrol", *map(str, enrol)] if enrol else [],
            told=str(told),
        )
        # Isolated, and without what this process was told: it is to find nothing but what lies in the folder.
        asked = subprocess.run(
            [sys.executable, "-I", "-B", "-c", program],
            capture_output=True, text=True, check=False, cwd=scratch,
            env={name: value for name, value in os.environ.items() if not name.startswith("SER_")},
        )  # fmt: skip
        if asked.returncode or not told.is_file():
            said = (asked.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise SerError(f"the exported folder does not predict: {said}")
        imported = json.loads(told.read_text(encoding="utf-8"))
    return Traced([json.loads(line) for line in asked.stdout.splitlines()], _packages(imported))


def _packages(modules: Iterable[str]) -> dict[str, str]:
    """Return the installed packages that modules are of, with their versions."""
    by_module = packages_distributions()
    named = {name for module in modules for name in by_module.get(module, ())}
    found = {}
    for name in sorted(named, key=str.lower):
        if name.replace("-", "_") not in (_OWN, *FORBIDDEN):
            # A build for one kind of machine (+cpu) is not published under that name everywhere.
            found[name] = version(name).partition("+")[0]
    return found


def installed(*names: str) -> dict[str, str]:
    """Return the versions of packages, of those that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = version(name).partition("+")[0]
        except PackageNotFoundError:
            continue
    return found
