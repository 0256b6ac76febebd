"""List, rename and delete runs through MLflow's client."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser_experiments.errors import StoreError
from ser_experiments.tracking.backend import EXPERIMENT_TAG, PARENT, RUN_NAME
from ser_experiments.tracking.backends._mlflow.answers import answering, is_gone
from ser_experiments.tracking.backends._mlflow.searching import every
from ser_experiments.tracking.backends._mlflow.store import folder_of, sqlite_file
from ser_experiments.tracking.keeper import Held, KeptRun
from ser_experiments.tracking.names import told

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities import Run as MlflowRun

#: A run whose deletion has begun. It stands in the store until its files are gone, so that they can always be found.
DELETING = "ser.deleting"


class MlflowKeeper:
    """Runs of an MLflow store; see :class:`~ser_experiments.tracking.keeper.Keeper`.

    Parameters
    ----------
    client : MlflowClient
        The store.
    uri : str
        Its address.
    """

    def __init__(self, client: MlflowClient, uri: str) -> None:
        self.client, self.uri = client, uri

    def runs(self) -> list[KeptRun]:
        """List every run of this project's experiments, the latest first."""
        with answering():
            settings = {str(e.experiment_id): e.name for e in every(self.client.search_experiments)}
            found = self._search(list(settings), "", order_by=["attributes.start_time DESC"]) if settings else []
        ours = [run for run in found if PARENT not in run.data.tags and EXPERIMENT_TAG in run.data.tags]
        return [_kept(run, settings[str(run.info.experiment_id)]) for run in ours]

    def held(self, run_id: str) -> Held:
        """Say what there is of a run besides its numbers."""
        with answering(f"run {run_id}"):
            run = self.client.get_run(run_id)
            place = str(run.info.artifact_uri)
            models = {
                _readable(m.artifact_location): sum(_sizes(m.artifact_location).values()) for m in self._models(run)
            }
            return Held(_readable(place), _sizes(place), models, len(self._parts(run)))

    def steps(self, run_id: str, metric: str) -> Sequence[float]:
        """Return the values of a metric in the order of its steps."""
        with answering(f"run {run_id}"):
            history = self.client.get_metric_history(run_id, metric)
        return [one.value for one in sorted(history, key=lambda one: one.step)]

    def rename(self, run_id: str, title: str) -> None:
        """Call a run otherwise."""
        with answering(f"run {run_id} was not renamed"):
            self.client.update_run(run_id, name=title)

    def delete(self, run_id: str) -> int:
        """Remove a run for good: files first, and its rows when nothing else is left of it."""
        with answering(f"run {run_id} was not deleted whole; say it again to delete the rest"):
            run = self.client.get_run(run_id)
            self.client.set_tag(run_id, DELETING, "true")
            freed = sum(self._delete_models(one) + _clear(one.info.artifact_uri) for one in (*self._parts(run), run))
            for one in (*self._parts(run), run):
                self._delete_rows(one.info.run_id)
        return freed

    def finish(self) -> int:
        """Remove what is left of runs whose deletion was interrupted."""
        with answering():
            settings = [str(e.experiment_id) for e in every(self.client.search_experiments)]
            begun = self._search(settings, f"tags.`{DELETING}` = 'true'") if settings else []
        return sum(self.delete(run.info.run_id) for run in begun)

    def remove_version(self, name: str, version: int) -> None:
        """Take a version out of the registry; MLflow takes the aliases that mean it with it."""
        with answering(f"{name} version {version} was not removed"):
            self.client.delete_model_version(name, str(version))
            if not self.client.search_model_versions(f"name = '{name}'", max_results=1):
                self.client.delete_registered_model(name)

    # --- runs ----------------------------------------------------------------------------------------------------

    def _search(self, settings: list[str], query: str, **more: Any) -> list[MlflowRun]:
        return every(self.client.search_runs, experiment_ids=settings, filter_string=query, **more)

    def _parts(self, run: MlflowRun) -> list[MlflowRun]:
        return self._search([run.info.experiment_id], f"tags.`{PARENT}` = '{run.info.run_id}'")

    def _models(self, run: MlflowRun) -> list[LoggedModel]:
        """Return the logged models of a run, those too that a killed process began."""
        query = f"source_run_id = '{run.info.run_id}'"
        return list(self.client.search_logged_models([run.info.experiment_id], query))

    # --- deleting ------------------------------------------------------------------------------------------------

    def _delete_models(self, run: MlflowRun) -> int:
        freed = 0
        for model in self._models(run):
            freed += _clear(model.artifact_location)
            self.client.delete_logged_model(model.model_id)
            self._for_good("_hard_delete_logged_model", model.model_id)
        return freed

    def _delete_rows(self, run_id: str) -> None:
        self.client.delete_run(run_id)
        self._for_good("_hard_delete_run", run_id)

    def _for_good(self, what: str, key: str) -> None:
        """Take rows out of a local database, as `mlflow gc` does; a server keeps them, marked as deleted."""
        from mlflow.exceptions import MlflowException

        if sqlite_file(self.uri) is None:
            return
        remove = getattr(self.client._tracking_client.store, what, None)
        try:
            if remove is not None:
                remove(key)
        except MlflowException as error:
            if not is_gone(error):
                raise


def _kept(run: MlflowRun, setting: str) -> KeptRun:
    info, data = run.info, run.data
    tags = told(data.tags)
    return KeptRun(
        info.run_id,
        tags.get(RUN_NAME) or info.run_name or "",
        tags[EXPERIMENT_TAG],
        setting,
        info.status,
        info.start_time,
        info.end_time or None,
        tags,
        told(data.params),
        told(data.metrics),
        going=DELETING in tags,
    )


def _readable(place: str) -> str:
    """Return an address as people read it: of what is on this machine the folder."""
    return folder_of(place) or place


def _sizes(place: str) -> dict[str, int]:
    """Return the bytes of the files at an address, by name."""
    folder = folder_of(place)
    if folder is not None:
        there = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.stat().st_size for path in there}
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    return dict(_listed(get_artifact_repository(place), None))


def _listed(repository: Any, below: str | None) -> Iterator[tuple[str, int]]:
    for one in repository.list_artifacts(below):
        if one.is_dir:
            yield from _listed(repository, one.path)
        else:
            yield one.path, one.file_size or 0


def _clear(place: str) -> int:
    """Remove all files at an address, and return what they weighed."""
    folder = folder_of(place)
    if folder is None:
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        freed = sum(_sizes(place).values())
        try:
            get_artifact_repository(place).delete_artifacts()
        except NotImplementedError as error:
            raise StoreError(
                f"{place}: this kind of store deletes no files; remove them there, then try again"
            ) from error
        return freed
    # What has another name besides, as weights that several models share, stays on the disk.
    weights = [path.stat() for path in Path(folder).rglob("*") if path.is_file()]
    if Path(folder).exists():
        shutil.rmtree(folder)
    with suppress(OSError):  # the folder of the run or model, which holds nothing else
        Path(folder).parent.rmdir()
    return sum(one.st_size for one in weights if one.st_nlink == 1)
