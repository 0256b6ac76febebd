"""What a run came from: commit, dirtiness, versions, machine."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

_PACKAGE = "ser_experiments"
#: Extras whose packages take no part in a run.
_WITHOUT = ("dev", "app")


def environment(folder: Path) -> dict[str, object]:
    """Return everything about the program and the machine, for ``environment.json``.

    Parameters
    ----------
    folder : Path
        Of the project; the commit is that of the checkout it belongs to.
    """
    return {
        "packages": package_versions(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        **git_state(folder),
    }


def package_versions() -> dict[str, str]:
    """Return the versions of this package and of what it is built on, where they are installed."""
    found = {}
    for name in [_PACKAGE, *_requirements()]:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _requirements() -> list[str]:
    try:
        lines = requires(_PACKAGE) or []
    except PackageNotFoundError:
        return []
    wanted = [line for line in lines if not any(f'extra == "{name}"' in line for name in _WITHOUT)]
    return sorted({re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in wanted})


def git_state(folder: Path) -> dict[str, str]:
    """Return ``git.commit`` and ``git.dirty`` of the checkout a folder belongs to, or nothing outside of one."""
    said = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no").splitlines()
    head = {line.split(" ")[1]: line.split(" ")[2] for line in said if line.startswith("# branch.oid ")}
    commit = head.get("branch.oid", "(initial)")
    if commit == "(initial)":
        return {}
    return {"git.commit": commit, "git.dirty": str(any(not line.startswith("#") for line in said)).lower()}


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
