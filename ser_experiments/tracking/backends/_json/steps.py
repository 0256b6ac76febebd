"""Log the steps of a run to its folder; doing one twice changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ser_experiments.tracking.backend import FINISHED, RUN_NAME
from ser_experiments.tracking.backends._json.files import RUN, read, write
from ser_experiments.tracking.outbox import Step


def _params(step: Step, run: Path) -> None:
    _merge(run, "params", step.arguments)


def _tags(step: Step, run: Path) -> None:
    _merge(run, "tags", step.arguments)


def _metrics(step: Step, run: Path) -> None:
    known = read(run / RUN).get("steps", {})
    for name, value, _, number in step.arguments["values"]:
        known.setdefault(name, {})[str(number)] = value
    _merge(run, "steps", known)
    _merge(run, "metrics", {name: values[max(values, key=int)] for name, values in known.items()})


def _artifacts(step: Step, run: Path) -> None:
    for path in sorted(step.files.rglob("*")):
        if path.is_file():
            place = run / "artifacts" / path.relative_to(step.files)
            place.parent.mkdir(parents=True, exist_ok=True)
            half = place.with_name(f".{place.name}")
            shutil.copyfile(path, half)
            half.replace(place)


def _dataset(step: Step, run: Path) -> None:
    _merge(run, "datasets", {step.arguments["name"]: step.arguments})


def _nested(step: Step, run: Path) -> None:
    told = step.arguments
    about = {"name": told["tags"][RUN_NAME], "status": FINISHED, "parent": run.name}
    write(run / "children" / f"{step.folder.name}.json", {**about, **told})


def _model(step: Step, run: Path) -> str:
    (written,) = step.files.iterdir()
    half = run / ".model"
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(written, half)
    shutil.rmtree(run / "model", ignore_errors=True)
    half.rename(run / "model")
    return f"runs:/{run.name}/model"


def _end(step: Step, run: Path) -> None:
    told = step.arguments
    if told["error"]:
        _merge(run, "tags", {"ser.error": told["error"]})
    write(run / RUN, {**read(run / RUN), "status": told["status"], "ended_ms": told["time"]})


#: What can be logged: a function of the step and the run's folder by its kind.
STEPS: dict[str, Callable[[Step, Path], Any]] = {
    "params": _params,
    "tags": _tags,
    "metrics": _metrics,
    "artifacts": _artifacts,
    "dataset": _dataset,
    "nested": _nested,
    "model": _model,
    "end": _end,
}


def _merge(run: Path, key: str, values: Mapping[str, Any]) -> None:
    about = read(run / RUN)
    write(run / RUN, {**about, key: {**about.get(key, {}), **values}})
