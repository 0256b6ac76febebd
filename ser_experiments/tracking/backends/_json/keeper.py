"""List, rename and delete the runs of a folder of JSON files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

from ser_experiments.errors import StoreError
from ser_experiments.tracking.backend import EXPERIMENT_TAG, RUN_NAME, StoreAway
from ser_experiments.tracking.backends._json.files import RUN, SETTING, read, read_aloud, write
from ser_experiments.tracking.keeper import Held, KeptRun
from ser_experiments.tracking.names import told

#: The folder that takes a run in one step, so that nobody sees half of one, until its files are gone.
_GOING = "deleted"


class JsonKeeper:
    """Runs of a folder of JSON files; see :class:`~ser_experiments.tracking.keeper.Keeper`.

    Parameters
    ----------
    folder : Path
        Holds ``settings`` and ``models``.
    lock : callable
        Returns the lock of what several processes may write.
    """

    def __init__(self, folder: Path, lock: Callable[[], FileLock]) -> None:
        self.folder, self._lock = folder, lock

    def runs(self) -> list[KeptRun]:
        """List every run of this project's experiments, the latest first."""
        found: list[tuple[int, KeptRun]] = []
        for about in sorted((self.folder / "settings").glob(f"*/{SETTING}")):
            setting = read_aloud(about)
            for path in about.parent.glob(f"*/{RUN}") if setting else ():
                run = read_aloud(path)
                if setting and run and EXPERIMENT_TAG in run["tags"]:
                    found.append((run["started_ns"], _kept(run, str(setting["name"]))))
        return [run for _, run in sorted(found, key=lambda pair: -pair[0])]

    def held(self, run_id: str) -> Held:
        """Say what there is of a run besides its numbers."""
        folder = self._of(run_id)
        models = {str(folder / "model"): sum(_sizes(folder / "model").values())} if (folder / "model").is_dir() else {}
        n_parts = sum(1 for _ in (folder / "children").glob("*.json"))
        return Held(str(folder / "artifacts"), _sizes(folder / "artifacts"), models, n_parts)

    def steps(self, run_id: str, metric: str) -> Sequence[float]:
        """Return the values of a metric in the order of its steps."""
        values = read(self._of(run_id) / RUN).get("steps", {}).get(metric, {})
        return [values[step] for step in sorted(values, key=int)]

    def rename(self, run_id: str, title: str) -> None:
        """Call a run otherwise."""
        path = self._of(run_id) / RUN
        with _answering(path):
            run = read(path)
            write(path, {**run, "tags": {**run["tags"], RUN_NAME: title}})

    def delete(self, run_id: str) -> int:
        """Remove a run for good, with everything in its folder."""
        folder, place = self._of(run_id), self.folder / _GOING / run_id
        with _answering(folder):
            place.parent.mkdir(exist_ok=True)
            folder.rename(place)
        return self.finish()

    def finish(self) -> int:
        """Remove what is left of runs whose deletion was interrupted."""
        freed = 0
        for folder in sorted((self.folder / _GOING).glob("*")):
            # Two that delete at once find it gone.
            with _answering(folder), suppress(FileNotFoundError):
                weights = [path.stat() for path in folder.rglob("*") if path.is_file()]
                shutil.rmtree(folder)
                freed += sum(one.st_size for one in weights if one.st_nlink == 1)
        return freed

    def remove_version(self, name: str, version: int) -> None:
        """Take a version out of the registry, and the aliases that mean it."""
        folder = self.folder / "models" / name
        aliases = folder / "aliases.json"
        with _answering(folder), self._lock():
            if aliases.is_file():
                write(aliases, {alias: number for alias, number in read(aliases).items() if number != version})
            (folder / f"{version}.json").unlink(missing_ok=True)

    def _of(self, run_id: str) -> Path:
        """Return the folder of a run."""
        found = next((self.folder / "settings").glob(f"*/{run_id}/{RUN}"), None)
        if found is None:
            raise StoreError(f"{self.folder}: no run {run_id}")
        return found.parent


def _kept(run: dict[str, Any], setting: str) -> KeptRun:
    tags = told(run["tags"])
    return KeptRun(
        run["run_id"],
        tags.get(RUN_NAME, run["name"]),
        tags[EXPERIMENT_TAG],
        setting,
        run["status"],
        run["started_ns"] // 1_000_000,
        run.get("ended_ms"),
        tags,
        told(run.get("params", {})),
        told(run.get("metrics", {})),
    )


def _sizes(folder: Path) -> dict[str, int]:
    there = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in there}


@contextmanager
def _answering(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreAway(f"{place}: cannot be written ({error.strerror or error}); make room or give leave") from error
