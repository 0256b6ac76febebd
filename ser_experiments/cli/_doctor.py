"""What a machine has of what the program needs: facts for ``ser doctor``, and what is wrong with them."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, NamedTuple

from ser_experiments import project as projects
from ser_experiments.cli._sizes import home_hidden, size, weight
from ser_experiments.errors import SerError
from ser_experiments.project import Project
from ser_experiments.secret import hidden, reason, shown

PACKAGE = "ser_experiments"
#: What each extra is for; those of developers are left out.
_FOR = {
    "app": "the page of ser app",
    "av": "recordings of phones and browsers: m4a, webm, 3gp",
    "encoders": "pretrained speech encoders as features",
    "dask": "runs on a cluster: --scheduler",
    "demo": "building the demo corpus",
    "cpu": "XGBoost (experiments xgb_*), light; or [gpu], with CUDA",
}
#: Extras of which one does for another, by the distributions that they bring.
_EITHER = {"cpu": ("xgboost-cpu", "xgboost")}
_DEVELOPERS = ("dev", "mutate", "gpu", "docs", "test")
_VARIABLES = re.compile(
    r"(SER|MLFLOW|HF|HUGGINGFACE|DASK|OMP|MKL|OPENBLAS|NUMBA|CUDA)_\w+|(HTTPS?|ALL|NO)_PROXY|XDG_CACHE_HOME|PYTHONPATH",
    re.IGNORECASE,
)
_LEAST_FREE = 1_000_000_000


class Problem(NamedTuple):
    """Something that is wrong: in words with what to do, and whether nothing works without it."""

    what: str
    essential: bool


def examined(*, environment: bool = True) -> tuple[dict[str, Any], list[Problem]]:
    """Return what was found and what is wrong.

    Parameters
    ----------
    environment : bool
        Whether the installed packages are weighed, which reads a hundred thousand names of files.
    """
    problems: list[Problem] = []
    # First: libraries set some of their own when they are imported.
    variables = {
        name: home_hidden(shown(name, value))
        for name, value in sorted(os.environ.items())
        if _VARIABLES.fullmatch(name)
    }
    where = _project(problems)
    facts: dict[str, Any] = {
        "ser": _version(PACKAGE) or "unknown",
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "libraries": _libraries(problems),
        "devices": _devices(problems),
        "audio": _audio(problems),
        "extras": _extras(),
        "project": home_hidden(str(where.folder)),
        "store": _store(where, problems),
        "disk": _disk(where, problems, environment=environment),
        "variables": variables,
    }
    return facts, [Problem(home_hidden(hidden(one.what)), one.essential) for one in problems]


def _project(problems: list[Problem]) -> Project:
    try:
        return projects.find()
    except SerError as error:
        problems.append(Problem(str(error), True))
        return projects.locate()


# --- packages --------------------------------------------------------------------------------------------------------


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _requirements() -> Iterator[tuple[str, str, str]]:
    """Yield the name, the lowest version and the extra of what the package needs."""
    try:
        lines = requires(PACKAGE) or []
    except PackageNotFoundError:
        lines = []
    for line in lines:
        need, _, marker = line.partition(";")
        extra = re.search(r'extra == "([^"]+)"', marker)
        lowest = re.search(r">=\s*([\d.]+)", need)
        yield re.split(r"[^\w.-]", need, maxsplit=1)[0], lowest[1] if lowest else "", extra[1] if extra else ""


def _libraries(problems: list[Problem]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name, lowest, extra in _requirements():
        if extra:
            continue
        found[name] = _version(name)
        cure = f"pip install '{name}>={lowest}'" if lowest else f"pip install {name}"
        if found[name] is None:
            problems.append(Problem(f"{name} is missing: {cure}", True))
        elif lowest and _numbers(found[name] or "") < _numbers(lowest):
            problems.append(Problem(f"{name} {found[name]} is older than {lowest}: {cure}", True))
    if not found:
        problems.append(
            Problem(f"{PACKAGE} is not installed, so that nobody knows what it needs: pip install it", False)
        )
    return found


def _numbers(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", text.partition("+")[0])[:3]]


def _extras() -> dict[str, dict[str, Any]]:
    """Return the optional parts: what each is for, what is installed of it and how to get it."""
    parts: dict[str, dict[str, str | None]] = {}
    for name, _, extra in _requirements():
        if extra and extra not in _DEVELOPERS:
            parts.setdefault(extra, {})[name] = _version(name)
    for extra, names in _EITHER.items():
        if extra in parts:
            found = {name: there for name in names if (there := _version(name))}
            parts[extra] = dict(found) or {names[0]: None}
    return {
        extra: {
            "for": _FOR.get(extra, ""),
            "packages": own,
            "missing": [name for name, there in own.items() if there is None],
            "get": f"pip install '{PACKAGE}[{extra}]'",
        }
        for extra, own in parts.items()
    }


# --- the machine -----------------------------------------------------------------------------------------------------


def _devices(problems: list[Problem]) -> dict[str, Any]:
    told: dict[str, Any] = {"threads": os.cpu_count()}
    if hasattr(os, "sched_getaffinity"):
        told["usable"] = len(os.sched_getaffinity(0))
    try:
        import psutil

        memory = psutil.virtual_memory()
        told |= {"cores": psutil.cpu_count(logical=False), "memory": memory.total, "memory_free": memory.available}
    except ImportError:
        pass
    if importlib.util.find_spec("torch") is None:
        return {**told, "torch": None}
    try:
        from ser_experiments.models.nets.hardware import seen

        return {**told, "torch": seen()}
    except Exception as error:  # whatever a driver or a broken build does
        problems.append(Problem(f"torch cannot be used: {reason(error)}; install it anew", True))
        return {**told, "torch": None}


def _audio(problems: list[Problem]) -> dict[str, Any]:
    """Return by library which formats were tried and read; see :mod:`ser_experiments.audio.tried`."""
    try:
        import soundfile

        from ser_experiments.audio.tried import foreign, tried

        found = list(tried())
    except (ImportError, OSError) as error:
        problems.append(Problem(f"no recording can be read: {reason(error)}; pip install soundfile", True))
        return {}
    by: dict[str, dict[str, list[str]]] = {}
    for one in found:
        by.setdefault(one.by, {"read": [], "refused": [], "not made": []})[one.outcome].append(one.name)
        if one.outcome == "refused":
            problems.append(
                Problem(f"{one.name} is not read by {one.by} as it should be: {one.why}", one.name == "WAV")
            )
    told = {"libsndfile": {"version": soundfile.__libsndfile_version__, **by.get("libsndfile", {})}}
    av = {"version": _version("av"), **by["av"]} if "av" in by else {"version": None, "would_read": foreign()}
    return {**told, "av": av}


# --- the project -----------------------------------------------------------------------------------------------------


def _store(where: Project, problems: list[Problem]) -> dict[str, Any]:
    """Say whether runs can be logged; a store that is not there yet is not made."""
    from ser_experiments.tracking import backend

    tracker = os.environ.get(backend.VARIABLE) or backend.DEFAULT
    elsewhere = os.environ.get("MLFLOW_TRACKING_URI") if tracker == backend.DEFAULT else None
    if not elsewhere and not where.mlruns.is_dir():
        return {"tracker": tracker, "uri": None, "answers": None}
    try:
        store = backend.connect(where)
        store.check_writable()
    except SerError as error:
        problems.append(Problem(f"no run can be logged: {error}", True))
        return {"tracker": tracker, "uri": hidden(elsewhere or home_hidden(str(where.mlruns))), "answers": False}
    waiting = sum(1 for _ in (where.mlruns / "outbox").glob("*/run.json"))
    if waiting:
        problems.append(Problem(f"{waiting} runs wait to be logged, or are running: ser sync", False))
    return {"tracker": tracker, "uri": home_hidden(hidden(store.uri)), "answers": True}


def _disk(where: Project, problems: list[Problem], *, environment: bool) -> dict[str, Any]:
    """Return the bytes of each part, and what is free where the cache and the runs lie."""
    from ser_experiments.cli._cached import KINDS

    told = {"environment": weight(Path(sys.prefix))[0]} if environment and sys.prefix != sys.base_prefix else {}
    for name, kind in KINDS.items():
        told[f"cache: {name}"] = (
            sum(one.n_bytes for one in kind.items(where.cache))
            if name != "tables"
            else (weight(where.cache / "tables")[0])
        )
    told["runs (mlruns)"] = weight(where.mlruns)[0]
    free = shutil.disk_usage(_there(where.cache)).free
    if free < _LEAST_FREE:
        problems.append(
            Problem(f"{size(free)} are free where the cache lies: ser cache prune", free < _LEAST_FREE / 10)
        )
    if not os.access(_there(where.cache), os.W_OK):
        problems.append(Problem(f"{where.cache} cannot be written: let SER_CACHE name a folder that can", True))
    return {"parts": {name: n_bytes for name, n_bytes in told.items() if n_bytes}, "free": free}


def _there(folder: Path) -> Path:
    """Return a folder, or the first above it that is there."""
    return next(one for one in (folder, *folder.parents) if one.exists())
