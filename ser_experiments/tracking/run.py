"""Log one experiment as one MLflow run."""

from __future__ import annotations

import json
import logging
import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import pandas as pd
from mlflow.entities import Metric, Param, RunStatus
from mlflow.utils.time import get_current_time_millis

from ser_experiments.project import Project
from ser_experiments.tracking import store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)
_MAX_PARAM, _MAX_TAG, _BATCH = 500, 5000, 100


@dataclass(frozen=True)
class Run:
    """An MLflow run that is being written.

    Parameters
    ----------
    run_id, experiment_id : str
        Of MLflow.
    client : MlflowClient
        The store.
    """

    run_id: str
    experiment_id: str
    client: mlflow.MlflowClient

    def params(self, values: Mapping[str, object]) -> None:
        """Log parameters: what was chosen, never what was measured."""
        mlflow.log_params({key: str(value)[:_MAX_PARAM] for key, value in values.items()})

    def tags(self, values: Mapping[str, object]) -> None:
        """Set tags."""
        mlflow.set_tags({key: str(value)[:_MAX_TAG] for key, value in values.items()})

    def metrics(self, values: Mapping[str, float]) -> None:
        """Log pooled metrics, once each; those that are not finite are left out."""
        mlflow.log_metrics({k: float(v) for k, v in values.items() if math.isfinite(v)})

    def fold_metrics(self, table: pd.DataFrame) -> None:
        """Log one row a fold as steps 1, 2, ... under the column's own name."""
        now = get_current_time_millis()
        rows = [
            Metric(name, float(value), now, step)
            for name in table.columns
            for step, value in enumerate(table[name], start=1)
            if math.isfinite(value)
        ]
        for i in range(0, len(rows), _BATCH):
            self.client.log_batch(self.run_id, metrics=rows[i : i + _BATCH])

    def steps(self, rows: Iterable[Mapping[str, float]], step: str, prefix: str) -> None:
        """Log a metric at many steps: each row holds its step under the name `step`, and values."""
        now = get_current_time_millis()
        found = [
            Metric(f"{prefix}{name}", float(value), now, int(row[step]))
            for row in rows
            for name, value in row.items()
            if name != step and math.isfinite(value)
        ]
        for i in range(0, len(found), _BATCH):
            self.client.log_batch(self.run_id, metrics=found[i : i + _BATCH])

    def nested(
        self, name: str, params: Mapping[str, object], metrics: Mapping[str, float], tags: Mapping[str, object]
    ) -> None:
        """Log a run below this one, finished: a trial of a search, a member of a stack."""
        words = {"mlflow.parentRunId": self.run_id, "mlflow.runName": name, "mlflow.source.type": "LOCAL", **tags}
        child = self.client.create_run(self.experiment_id, tags={k: str(v)[:_MAX_TAG] for k, v in words.items()})
        now = get_current_time_millis()
        self.client.log_batch(
            child.info.run_id,
            params=[Param(key, str(value)[:_MAX_PARAM]) for key, value in params.items()],
            metrics=[Metric(key, float(value), now, 0) for key, value in metrics.items() if math.isfinite(value)],
        )
        self.client.set_terminated(child.info.run_id)

    def figure(self, figure: Figure, name: str) -> None:
        """Log a picture, e.g. ``"plots/confusion_matrix.png"``."""
        mlflow.log_figure(figure, name)

    def text(self, text: str, name: str) -> None:
        """Log a text file."""
        mlflow.log_text(text, name)

    def json(self, value: Any, name: str) -> None:
        """Log a JSON file."""
        self.text(json.dumps(value, indent=2, sort_keys=True, default=str) + "\n", name)

    def table(self, frame: pd.DataFrame, name: str) -> None:
        """Log a table as CSV with its index."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(name).name
            frame.to_csv(path, float_format="%.6g")
            parent = str(Path(name).parent)
            mlflow.log_artifact(str(path), None if parent == "." else parent)

    def dataset(self, features: pd.DataFrame, *, name: str, digest: str, source: str) -> None:
        """Log the training table by name, digest, schema and size; no row of it leaves the machine.

        MLflow's own digest leaves out object columns and rows past 10,000, so ours is given.
        """
        plain = features.select_dtypes("number")
        from mlflow.data.code_dataset_source import CodeDatasetSource
        from mlflow.data.filesystem_dataset_source import FileSystemDatasetSource  # noqa: F401
        from mlflow.data.pandas_dataset import PandasDataset

        dataset = PandasDataset(plain, CodeDatasetSource({"corpus": source}), name=name, digest=digest)
        mlflow.log_input(dataset, context="training")


@contextmanager
def start(
    project: Project, *, name: str, setting: str, rows: str, tags: Mapping[str, object], note: str
) -> Iterator[Run]:
    """Open a run in the MLflow experiment of its setting; whatever stops it is kept with it.

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
        Ends FINISHED, FAILED with the error as a tag, or KILLED on Ctrl-C.
    """
    client = store.connect(project)
    experiment_id = store.experiment_for(client, project, setting, rows)
    all_tags = {**{k: str(v)[:_MAX_TAG] for k, v in tags.items()}, "mlflow.note.content": note}
    active = mlflow.start_run(experiment_id=experiment_id, run_name=name, tags=all_tags)
    run = Run(active.info.run_id, experiment_id, client)
    try:
        yield run
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        mlflow.set_tag("ser.error", f"{type(error).__name__}: {error}"[:_MAX_TAG])
        mlflow.end_run(RunStatus.to_string(RunStatus.KILLED if interrupted else RunStatus.FAILED))
        raise
    mlflow.end_run(RunStatus.to_string(RunStatus.FINISHED))
