"""What a run came from: commit, dirtiness, versions, machine."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: The distributions whose versions can change a score.
PACKAGES = (
    "ser_experiments",
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "librosa",
    "soundfile",
    "soxr",
    "xgboost",
    "xgboost-cpu",
    "lightgbm",
    "torch",
    "mlflow",
    "skops",
    "optuna",
)


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that can change a score, where they are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_state(folder: Path) -> dict[str, str]:
    """Return ``git.commit`` and ``git.dirty`` of the checkout a folder belongs to, or nothing outside of one."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return {}
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"git.commit": commit, "git.dirty": str(bool(changes)).lower()}


def environment(folder: Path) -> dict[str, object]:
    """Return everything about the program and the machine, for ``environment.json``."""
    return {
        "packages": package_versions(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        **git_state(folder),
    }


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
