"""Log one experiment as one MLflow run."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import pandas as pd
from mlflow.entities import RunStatus
from mlflow.exceptions import MlflowException
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.time import get_current_time_millis
from sklearn.base import BaseEstimator

from ser_experiments.errors import StoreError
from ser_experiments.project import Project
from ser_experiments.tracking import store
from ser_experiments.tracking.audio_model import AudioModel
from ser_experiments.tracking.log_model import write_audio_model, write_table_model
from ser_experiments.tracking.outbox import Outbox
from ser_experiments.tracking.steps import is_away, perform
from ser_experiments.tracking.sync import deliver_abandoned
from ser_experiments.tracking.system import system_metrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)
_MAX_PARAM, _MAX_TAG = 500, 5000


class Run:
    """An MLflow run that is being written.

    Every step is kept on disk until the store has taken it. When the store goes away in the middle, the rest is only
    kept, and logged by the next run or by ``ser sync``.

    Parameters
    ----------
    run_id, experiment_id : str
        Of MLflow.
    client : MlflowClient
        The store.
    outbox : Outbox
        Where steps are kept.
    """

    def __init__(self, run_id: str, experiment_id: str, client: mlflow.MlflowClient, outbox: Outbox) -> None:
        self.run_id, self.experiment_id, self.client = run_id, experiment_id, client
        self._outbox = outbox
        self.away = False

    def _do(self, kind: str, arguments: Mapping[str, Any], write: Callable[[Path], object] | None = None) -> Any:
        step = self._outbox.put(kind, arguments, write)
        if self.away:
            return None
        try:
            done = perform(step, self.client, self.run_id)
        except (MlflowException, OSError) as error:
            if not is_away(error):
                raise
            self.away = True
            reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
            log.warning(
                "the tracking store went away (%s); the run goes on, its results are kept in %s and are logged by the "
                "next run or by: ser sync", reason, self._outbox.folder,
            )  # fmt: skip
            return None
        self._outbox.delivered(step)
        return done

    def params(self, values: Mapping[str, object]) -> None:
        """Log parameters: what was chosen, never what was measured."""
        self._do("params", {key: str(value)[:_MAX_PARAM] for key, value in values.items()})

    def tags(self, values: Mapping[str, object]) -> None:
        """Set tags."""
        self._do("tags", {key: str(value)[:_MAX_TAG] for key, value in values.items()})

    def metrics(self, values: Mapping[str, float]) -> None:
        """Log pooled metrics, once each; those that are not finite are left out."""
        self._metrics((name, value, 0) for name, value in values.items())

    def fold_metrics(self, table: pd.DataFrame) -> None:
        """Log one row a fold as steps 1, 2, ... under the column's own name."""
        self._metrics(
            (str(name), value, step) for name in table.columns for step, value in enumerate(table[name], start=1)
        )

    def steps(self, rows: Iterable[Mapping[str, float]], step: str, prefix: str) -> None:
        """Log a metric at many steps: each row holds its step under the name `step`, and values."""
        self._metrics(
            (f"{prefix}{name}", value, int(row[step])) for row in rows for name, value in row.items() if name != step
        )

    def _metrics(self, values: Iterable[tuple[str, float, int]]) -> None:
        now = get_current_time_millis()
        found = [[name, float(value), now, step] for name, value, step in values if math.isfinite(value)]
        if found:
            self._do("metrics", {"values": found})

    def nested(
        self, name: str, params: Mapping[str, object], metrics: Mapping[str, float], tags: Mapping[str, object]
    ) -> None:
        """Log a run below this one, finished: a trial of a search, a member of a stack."""
        words = {"mlflow.parentRunId": self.run_id, "mlflow.runName": name, "mlflow.source.type": "LOCAL", **tags}
        told = {
            "experiment_id": self.experiment_id,
            "tags": {key: str(value)[:_MAX_TAG] for key, value in words.items()},
            "params": {key: str(value)[:_MAX_PARAM] for key, value in params.items()},
            "metrics": {key: float(value) for key, value in metrics.items() if math.isfinite(value)},
            "time": get_current_time_millis(),
        }
        self._do("nested", told)

    def figure(self, figure: Figure, name: str) -> None:
        """Log a picture, e.g. ``"plots/confusion_matrix.png"``."""
        self._file(name, figure.savefig)

    def text(self, text: str, name: str) -> None:
        """Log a text file."""
        self._file(name, lambda path: path.write_text(text, encoding="utf-8"))

    def json(self, value: Any, name: str) -> None:
        """Log a JSON file."""
        self.text(json.dumps(value, indent=2, sort_keys=True, default=str) + "\n", name)

    def table(self, frame: pd.DataFrame, name: str) -> None:
        """Log a table as CSV with its index."""
        self._file(name, lambda path: frame.to_csv(path, float_format="%.6g"))

    def _file(self, name: str, write: Callable[[Path], object]) -> None:
        def into(folder: Path) -> None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path)

        self._do("artifacts", {"name": name}, into)

    def dataset(self, features: pd.DataFrame, *, name: str, digest: str, source: str) -> None:
        """Log the training table by name, digest, schema and size; no row of it leaves the machine.

        MLflow's own digest leaves out object columns and rows past 10,000, so ours is given.
        """
        plain = features.select_dtypes("number")
        from mlflow.data.code_dataset_source import CodeDatasetSource
        from mlflow.data.filesystem_dataset_source import FileSystemDatasetSource  # noqa: F401
        from mlflow.data.pandas_dataset import PandasDataset

        dataset = PandasDataset(plain, CodeDatasetSource({"corpus": source}), name=name, digest=digest)
        self._do("dataset", dataset.to_dict())

    def audio_model(self, model: AudioModel) -> str | None:
        """Log the model, which takes audio; return its URI, None while the store is away."""
        return self._model(lambda folder: write_audio_model(model, folder), None)

    def table_model(self, estimator: BaseEstimator, columns: Sequence[str], meta: Mapping[str, Any]) -> str | None:
        """Log the model, which takes a ready-made table's columns; return its URI, None while the store is away."""
        return self._model(lambda folder: write_table_model(estimator, columns, meta, folder), list(columns))

    def _model(self, write: Callable[[Path], object], columns: Sequence[str] | None) -> str | None:
        uri = self._do("model", {"columns": columns}, write)
        return None if uri is None else str(uri)

    def end(self, status: int, error: str = "") -> None:
        """Say how the run ended; nothing is logged after that."""
        told = {"status": RunStatus.to_string(status), "error": error[:_MAX_TAG], "time": get_current_time_millis()}
        self._do("end", told)
        if self.away:
            self._outbox.leave()
        else:
            self._outbox.remove()


@contextmanager
def start(
    project: Project, *, name: str, setting: str, rows: str, tags: Mapping[str, object], note: str
) -> Iterator[Run]:
    """Open a run in the MLflow experiment of its setting; whatever stops it is kept with it.

    Runs that were killed, or whose store went away, are ended and logged first.

    Parameters
    ----------
    project : Project
        Where the local store is.
    name : str
        The run's name: the experiment's.
    setting : str
        The name of the MLflow experiment.
    rows : str
        Digest of rows and folds: runs on other rows never stand beside it.
    tags : mapping
        Corpus, labels, protocol and so on.
    note : str
        The protocol in words, Markdown.

    Yields
    ------
    Run
        Ends FINISHED, FAILED with the error as a tag, or KILLED on Ctrl-C and SIGTERM.
    """
    client = store.connect(project)
    try:
        deliver_abandoned(project, client)
    except StoreError as error:
        log.warning("%s", error)
    experiment_id = store.experiment_for(client, project, setting, rows)
    outbox = Outbox.create(project, {"uri": store.tracking_uri(project), "name": name, "experiment_id": experiment_id})
    said = {**{k: str(v)[:_MAX_TAG] for k, v in tags.items()}, "mlflow.note.content": note}
    try:
        created = client.create_run(
            experiment_id, run_name=name, tags=resolve_tags({**said, store.OUTBOX_TAG: outbox.folder.name})
        )
    except MlflowException as error:
        outbox.remove()
        raise StoreError(f"no run could be opened: {str(error).splitlines()[0][:200]}") from error
    run = Run(created.info.run_id, experiment_id, client, outbox)
    outbox.about = {**outbox.about, "run_id": run.run_id}
    try:
        with system_metrics(run.run_id):
            yield run
    except BaseException as error:
        interrupted = isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit))
        # What stops the run is told, not what stops the telling.
        with suppress(MlflowException, OSError, StoreError):
            run.end(RunStatus.KILLED if interrupted else RunStatus.FAILED, f"{type(error).__name__}: {error}")
        raise
    run.end(RunStatus.FINISHED)
