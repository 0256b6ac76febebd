"""A folder of JSON files, ``mlruns/json``: for tests, and for people without MLflow.

``settings/SETTING/RUN/run.json`` is a run; beside it lie ``artifacts/``, ``children/`` and ``model/``.
``models/NAME/VERSION.json`` and ``aliases.json`` are the registry. A run is written by its own process alone, file by
file whole or not at all; what several processes may write is guarded by one lock.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from filelock import FileLock

from ser_experiments.errors import InputError, StoreError
from ser_experiments.project import Project
from ser_experiments.tracking.backend import (
    EXPERIMENT_TAG,
    FINISHED,
    NOTE,
    OUTBOX_TAG,
    ROWS_TAG,
    RUNNING,
    Registered,
    StoreAway,
    StoredRun,
    StoredSetting,
    now_ms,
    setting_names,
)
from ser_experiments.tracking.backends._json.files import RUN, SETTING, read, read_aloud, write
from ser_experiments.tracking.backends._json.keeper import JsonKeeper
from ser_experiments.tracking.backends._json.steps import RunFolder
from ser_experiments.tracking.keeper import Keeper
from ser_experiments.tracking.kept import Step
from ser_experiments.tracking.names import told
from ser_experiments.tracking.placing import place, probe
from ser_experiments.tracking.steps import perform
from ser_experiments.tracking.view import View

_ALIASES = "aliases.json"
_MODEL_URI = re.compile(r"models:/(?P<name>[\w.-]+)(@(?P<alias>[\w.-]+)|/(?P<version>\d+))|runs:/(?P<run>\w+)/model")


def connect(project: Project) -> JsonFolder:
    """Return the project's folder of JSON files, which is made where it is not there."""
    folder = project.mlruns / "json"
    with _answering(folder):
        for part in ("settings", "models"):
            (folder / part).mkdir(parents=True, exist_ok=True)
    return JsonFolder(folder)


def there(project: Project) -> bool:
    """Whether the project has such a folder."""
    return (project.mlruns / "json").is_dir()


class JsonFolder:
    """A folder of JSON files; see :class:`~ser_experiments.tracking.backend.Backend`.

    Parameters
    ----------
    folder : Path
        Holds ``settings`` and ``models``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def uri(self) -> str:
        """Return the folder's address."""
        return self.folder.resolve().as_uri()

    def check_writable(self) -> None:
        """Find out whether a run could be written."""
        probe(self.folder)

    # --- runs ----------------------------------------------------------------------------------------------------

    def setting_id(self, setting: str, rows: str) -> str:
        """Return the name of the folder of a setting on these rows."""
        with _answering(self.folder), self._lock():
            for name in setting_names(setting, rows):
                folder = self.folder / "settings" / re.sub(r"[^\w.-]+", "_", name)
                if not (folder / SETTING).is_file():
                    write(folder / SETTING, {"name": name, ROWS_TAG: rows})
                if read(folder / SETTING)[ROWS_TAG] == rows:
                    return folder.name
        raise StoreError(f"{self.folder}: setting {setting!r} holds other rows; move its folder away")

    def show(self, setting_id: str, view: View) -> None:
        """Keep the setting in words; there are no pages."""
        path = self.folder / "settings" / setting_id / SETTING
        with _answering(self.folder), self._lock():
            about = read(path)
            if NOTE not in about:
                write(path, {**about, NOTE: view.note})

    def link(self, setting_id: str, address: str = "") -> str:
        """Return no address: there are no pages."""
        return ""

    def create_run(self, setting_id: str, name: str, tags: Mapping[str, str]) -> str:
        """Open a run."""
        run_id = uuid.uuid4().hex
        with _answering(self.folder):
            told = {"run_id": run_id, "name": name, "status": RUNNING, "started_ns": time.time_ns(), "tags": dict(tags)}
            write(self.folder / "settings" / setting_id / run_id / RUN, told)
        return run_id

    def run_of_outbox(self, setting_id: str, outbox: str) -> str | None:
        """Return the id of the run that was made with an outbox."""
        runs = self._runs(setting_id)
        return next((str(run["run_id"]) for run in runs if run["tags"].get(OUTBOX_TAG) == outbox), None)

    def status(self, run_id: str) -> str | None:
        """Return how a run stands; None where it is not there any more."""
        try:
            return str(read(self._of(run_id) / RUN)["status"])
        except StoreError:
            return None

    def perform(self, step: Step, run_id: str) -> str | None:
        """Do one step of logging a run."""
        with _answering(self.folder):
            return perform(step, RunFolder(self._of(run_id)))

    def watched(self, run_id: str) -> AbstractContextManager[None]:
        """Watch nothing: this store keeps no metrics of the machine."""
        return nullcontext()

    # --- reading -------------------------------------------------------------------------------------------------

    def settings(self) -> list[StoredSetting]:
        """List the settings that have finished runs, that of the latest run first."""
        found: list[tuple[int, StoredSetting]] = []
        for folder in sorted((self.folder / "settings").glob(f"*/{SETTING}")):
            runs = [run for run in self._runs(folder.parent.name) if run["status"] == FINISHED]
            runs = sorted((run for run in runs if EXPERIMENT_TAG in run["tags"]), key=lambda run: -run["started_ns"])
            about = read_aloud(folder) if runs else None
            if about is not None:
                setting = StoredSetting(about["name"], folder.parent.name, [_stored(run) for run in runs])
                found.append((-runs[0]["started_ns"], setting))
        return [setting for _, setting in sorted(found, key=lambda pair: pair[0])]

    def artifact(self, run_id: str, name: str, folder: Path) -> Path:
        """Return where a file of a run lies."""
        path = self._of(run_id) / "artifacts" / name
        if not path.is_file():
            raise StoreError(f"{path}: no such file")
        return path

    def keeper(self) -> Keeper:
        """Return what looks after runs that are there."""
        return JsonKeeper(self.folder, self._lock)

    # --- models --------------------------------------------------------------------------------------------------

    def versions(self, name: str | None = None) -> list[Registered]:
        """List what is registered under a name, or at all."""
        found = []
        for folder in sorted((self.folder / "models").iterdir()):
            if name not in (None, folder.name):
                continue
            aliases = (read_aloud(folder / _ALIASES) if (folder / _ALIASES).is_file() else None) or {}
            for number in sorted(_numbers(folder), reverse=True):
                told = read_aloud(folder / f"{number}.json")
                if told is None:
                    continue
                own = tuple(sorted(alias for alias, version in aliases.items() if version == number))
                found.append(Registered(folder.name, number, own, told["run_id"], told["tags"], told["created_ms"]))
        return found

    def register(self, name: str, run_id: str, *, description: str, tags: Mapping[str, str]) -> int:
        """Register the model of a run under a name."""
        if not (self._of(run_id) / "model").is_dir():
            raise StoreError(f"run {run_id} holds no model; run the experiment again")
        with _answering(self.folder), self._lock():
            number = max(_numbers(self.folder / "models" / name), default=0) + 1
            told = {"run_id": run_id, "tags": dict(tags), "created_ms": now_ms(), "description": description}
            write(self.folder / "models" / name / f"{number}.json", told)
        return number

    def add_to_model(self, run_id: str, files: Mapping[str, Path]) -> int:
        """Put files beside a run's model."""
        with _answering(self.folder):
            return place(files, self._of(run_id) / "model", self.folder.glob("settings/*/*/model"))

    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Let an alias mean a version from now on."""
        path = self.folder / "models" / name / _ALIASES
        with _answering(self.folder), self._lock():
            write(path, {**(read(path) if path.is_file() else {}), alias: version})

    def model_folder(self, uri: str) -> Path:
        """Return the folder of a logged or registered model's files.

        Raises
        ------
        InputError
            There is no such model.
        """
        asked = _MODEL_URI.fullmatch(uri)
        run_id = asked["run"] if asked else None
        if asked and asked["name"]:
            versions = self.versions(asked["name"])
            wanted = [v for v in versions if asked["alias"] in v.aliases or asked["version"] == str(v.version)]
            run_id = wanted[0].run_id if wanted else None
        if run_id is None or self.status(run_id) is None or not (self._of(run_id) / "model").is_dir():
            raise InputError(f"{uri}: not a model that can be loaded (nothing of that name is in {self.folder})")
        return self._of(run_id) / "model"

    # --- programs ------------------------------------------------------------------------------------------------

    def ui(self, host: str, port: int) -> str:
        """Say where the runs are."""
        return f"the runs are JSON files in {self.folder}; set them side by side with: ser compare"

    # --- files ---------------------------------------------------------------------------------------------------

    def _runs(self, setting_id: str) -> Iterator[dict[str, Any]]:
        for path in (self.folder / "settings" / setting_id).glob(f"*/{RUN}"):
            run = read_aloud(path)
            if run is not None:
                yield run

    def _of(self, run_id: str) -> Path:
        """Return the folder of a run."""
        found = next((self.folder / "settings").glob(f"*/{run_id}/{RUN}"), None)
        if found is None:
            raise StoreError(f"{self.folder}: no run {run_id}")
        return found.parent

    def _lock(self) -> FileLock:
        return FileLock(self.folder / "lock", thread_local=False)


def _numbers(folder: Path) -> list[int]:
    """List the versions that a registered model has, those that cannot be read included."""
    return [int(path.stem) for path in folder.glob("[0-9]*.json")]


def _stored(run: Mapping[str, Any]) -> StoredRun:
    started_ms, tags = run["started_ns"] // 1_000_000, told(run["tags"])
    name = tags.get(EXPERIMENT_TAG) or run["name"]
    return StoredRun(run["run_id"], name, started_ms, tags, told(run.get("metrics", {})))


@contextmanager
def _answering(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreAway(f"{folder}: cannot be written ({error.strerror or error}); make room or give leave") from error
