"""Log the steps of a run to its folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ser_experiments.tracking.backend import ERROR_TAG, FINISHED, RUN_NAME
from ser_experiments.tracking.backends._json.files import RUN, read, write
from ser_experiments.tracking.kept import Step


class RunFolder:
    """A run that is being written; see :class:`~ser_experiments.tracking.steps.Steps`.

    Parameters
    ----------
    folder : Path
        The run's, with its file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def params(self, step: Step) -> None:
        """Set parameters."""
        self._merge("params", step.arguments)

    def tags(self, step: Step) -> None:
        """Set tags."""
        self._merge("tags", step.arguments)

    def metrics(self, step: Step) -> None:
        """Log values; of each metric the one of the last step counts."""
        known = read(self.folder / RUN).get("steps", {})
        for name, value, _, number in step.arguments["values"]:
            known.setdefault(name, {})[str(number)] = value
        self._merge("steps", known)
        self._merge("metrics", {name: values[max(values, key=int)] for name, values in known.items()})

    def artifacts(self, step: Step) -> None:
        """Keep files, each whole or not at all."""
        for path in sorted(step.files.rglob("*")):
            if path.is_file():
                place = self.folder / "artifacts" / path.relative_to(step.files)
                place.parent.mkdir(parents=True, exist_ok=True)
                half = place.with_name(f".{place.name}")
                shutil.copyfile(path, half)
                half.replace(place)

    def dataset(self, step: Step) -> None:
        """Say what was learned from."""
        self._merge("datasets", {step.arguments["name"]: step.arguments})

    def nested(self, step: Step) -> None:
        """Log a finished run below this one."""
        told = step.arguments
        about = {"name": told["tags"][RUN_NAME], "status": FINISHED, "parent": self.folder.name}
        write(self.folder / "children" / f"{step.folder.name}.json", {**about, **told})

    def model(self, step: Step) -> str:
        """Keep the model's folder."""
        (written,) = step.files.iterdir()
        half, place = self.folder / ".model", self.folder / "model"
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(written, half)
        shutil.rmtree(place, ignore_errors=True)
        half.rename(place)
        return f"runs:/{self.folder.name}/model"

    def end(self, step: Step) -> None:
        """Say how the run ended."""
        told = step.arguments
        if told["error"]:
            self._merge("tags", {ERROR_TAG: told["error"]})
        write(self.folder / RUN, {**read(self.folder / RUN), "status": told["status"], "ended_ms": told["time"]})

    def _merge(self, key: str, values: Mapping[str, Any]) -> None:
        about = read(self.folder / RUN)
        write(self.folder / RUN, {**about, key: {**about.get(key, {}), **values}})
