"""Log one experiment as one run of the tracking store."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ser_experiments.errors import StoreError
from ser_experiments.project import Project
from ser_experiments.secret import hidden
from ser_experiments.serving.folder import save_model
from ser_experiments.serving.table_model import TableModel
from ser_experiments.tracking.backend import (
    FAILED,
    FINISHED,
    KILLED,
    NOTE,
    OUTBOX_TAG,
    PARENT,
    RUN_NAME,
    Backend,
    StoreAway,
    connect,
    now_ms,
)
from ser_experiments.tracking.files import described_dataset, write_files, write_pictures
from ser_experiments.tracking.outbox import Outbox, home
from ser_experiments.tracking.placing import probe
from ser_experiments.tracking.record import Child, RunRecord
from ser_experiments.tracking.sync import deliver_abandoned
from ser_experiments.tracking.view import View

log = logging.getLogger(__name__)
#: The folder of a model among the files of a step.
MODEL = "ser_model"
#: The metric that says how large it is, in MB.
MODEL_SIZE = "model_mb"


class Run:
    """A run that is being written.

    Every step is kept on disk until the store has taken it. When the store goes away in the middle, the rest is only
    kept, and logged by the next run or by ``ser sync``.

    Parameters
    ----------
    run_id, experiment_id : str
        Of the store: the run, and the setting it stands in.
    backend : Backend
        The store.
    outbox : Outbox
        Where steps are kept.
    tags : mapping
        What the run was opened with.
    """

    def __init__(
        self, run_id: str, experiment_id: str, backend: Backend, outbox: Outbox, tags: Mapping[str, str]
    ) -> None:
        self.run_id, self.experiment_id, self.backend = run_id, experiment_id, backend
        self._outbox, self._tags = outbox, dict(tags)
        self._pooled: list[list[Any]] = []
        self.away = False

    def log(self, record: RunRecord) -> str | None:
        """Log a record, or a part of one.

        Parameters
        ----------
        record : RunRecord
            Numbers go first, then files, parts, dataset and model; what is nice to have comes last.

        Returns
        -------
        str or None
            The URI of the model; None without one, and while the store is away.

        Raises
        ------
        StoreError
            The outbox cannot be written, or the store was asked for nonsense.
        """
        self._do("params", {key: str(value) for key, value in record.params.items()})
        self._metrics(record)
        self._do("tags", self._new_tags(record))
        if record.texts or record.tables:
            names = {"names": [*record.texts, *record.tables]}
            self._do("artifacts", names, lambda folder: write_files(folder, record))
        for child in record.children:
            self._child(child)
        if record.dataset is not None:
            self._do("dataset", described_dataset(record.dataset))
        uri = self._model(record)
        if record.pictures:
            pictures = record.pictures
            self._do("artifacts", {"names": list(pictures)}, lambda folder: write_pictures(folder, pictures))
        return uri

    def end(self, status: str, error: str = "") -> None:
        """Say how the run ended; nothing is logged after that."""
        try:
            self._do("end", {"status": status, "error": error, "time": now_ms()})
        except StoreError:
            self._outbox.leave()
            raise
        if self.away:
            self._outbox.leave()
        else:
            self._outbox.remove()

    def _do(self, kind: str, arguments: Mapping[str, Any], write: Callable[[Path], object] | None = None) -> Any:
        if not arguments:
            return None
        step = self._outbox.put(kind, arguments, write)
        if self.away:
            return None
        try:
            done = self.backend.perform(step, self.run_id)
        except StoreAway as error:
            self.away = True
            log.warning(
                "the tracking store went away (%s); the run goes on, its results are kept in %s and are logged by the "
                "next run or by: ser sync", error, self._outbox.folder,
            )  # fmt: skip
            return None
        self._outbox.delivered(step)
        return done

    def _metrics(self, record: RunRecord) -> None:
        told = [(name, value, 0) for name, value in record.metrics.items()]
        told += [(one.name, one.value, one.step) for one in record.stepped]
        time_ms = now_ms()
        values = [[name, float(value), time_ms, step] for name, value, step in told if math.isfinite(value)]
        self._pooled += [value for value in values if value[0] in record.metrics]
        if values:
            self._do("metrics", {"values": values})

    def _new_tags(self, record: RunRecord) -> dict[str, str]:
        said = told_tags(record.tags, record.note)
        new = {key: value for key, value in said.items() if self._tags.get(key) != value}
        self._tags |= new
        return new

    def _child(self, child: Child) -> None:
        words = {PARENT: self.run_id, RUN_NAME: child.name, "mlflow.source.type": "LOCAL", **child.tags}
        told = {
            "experiment_id": self.experiment_id,
            "tags": {key: str(value) for key, value in words.items()},
            "params": {key: str(value) for key, value in child.params.items()},
            "metrics": {key: float(value) for key, value in child.metrics.items() if math.isfinite(value)},
            "time": now_ms(),
        }
        self._do("nested", told)

    def _model(self, record: RunRecord) -> str | None:
        model = record.model
        if model is None:
            return None
        # Which run a model comes from is known here alone.
        model = replace(model, meta={**model.meta, "run_id": self.run_id})
        columns = list(model.columns) if isinstance(model, TableModel) else None
        about = {"columns": columns, "metrics": self._pooled}
        n_bytes = 0

        def write(folder: Path) -> None:
            nonlocal n_bytes
            save_model(model, folder / MODEL)
            n_bytes = sum(file.stat().st_size for file in (folder / MODEL).iterdir())

        uri = self._do("model", about, write)
        self._do("metrics", {"values": [[MODEL_SIZE, n_bytes / 1e6, now_ms(), 0]]})
        return None if uri is None else str(uri)


def open_store(project: Project) -> Backend:
    """Return the project's store, which has answered and can be written; asked before anything is measured.

    Raises
    ------
    InputError
        ``SER_TRACKER`` names no backend, or the store's address cannot be used.
    StoreError
        It does not answer, or it or the outbox cannot be written; one line with what to do.
    """
    backend = connect(project)
    probe(home(project))
    backend.check_writable()
    return backend


@contextmanager
def start(
    project: Project,
    *,
    name: str,
    setting: str,
    rows: str,
    tags: Mapping[str, object],
    note: str,
    view: View | None = None,
    backend: Backend | None = None,
) -> Iterator[Run]:
    """Open a run in its setting (an MLflow experiment); whatever stops it is kept with it.

    Runs that were killed, or whose store went away, are ended and logged first.

    Parameters
    ----------
    project : Project
        Where the local store is.
    name : str
        What the run is called in the store's pages.
    setting : str
        The name of the setting.
    rows : str
        Digest of rows and folds: runs on other rows never stand beside it.
    tags : mapping
        Corpus, labels, protocol and so on.
    note : str
        The protocol in words, Markdown.
    view : View, optional
        How the store's pages show the setting.
    backend : Backend, optional
        The store, where it is open already.

    Yields
    ------
    Run
        Ends FINISHED, FAILED with the error as a tag, or KILLED on Ctrl-C and SIGTERM.
    """
    backend = backend or connect(project)
    try:
        deliver_abandoned(project, backend)
    except StoreError as error:
        log.warning("%s", error)
    setting_id = backend.setting_id(setting, rows)
    if view is not None:
        _show(backend, setting_id, view)
    said = told_tags(tags, note)
    # Which store it is for is told without its password.
    outbox = Outbox.create(project, {"uri": hidden(backend.uri), "name": name, "experiment_id": setting_id})
    try:
        run_id = backend.create_run(setting_id, name, {**said, OUTBOX_TAG: outbox.folder.name})
        outbox.note_run(run_id)
    except StoreError:
        # It may have been opened all the same, by a server whose answer got lost: then it is found and ended later.
        outbox.leave()
        raise
    run = Run(run_id, setting_id, backend, outbox, said)
    try:
        with backend.watched(run_id):
            yield run
    except BaseException as error:
        interrupted = isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit))
        # What stops the run is told, not what stops the telling.
        with suppress(OSError, StoreError):
            run.end(KILLED if interrupted else FAILED, hidden(f"{type(error).__name__}: {error}"))
        raise
    run.end(FINISHED)


def _show(backend: Backend, setting_id: str, view: View) -> None:
    """Let the store's pages show the setting; whoever may log runs may perhaps not change what all of them share."""
    try:
        backend.show(setting_id, view)
    except StoreError as error:
        log.info("%s", error)


def told_tags(tags: Mapping[str, object], note: str) -> dict[str, str]:
    """Return tags as texts; the note is one of them."""
    return {**{key: str(value) for key, value in tags.items()}, **({NOTE: note} if note else {})}
