"""Log a run with its predictions and a model, as an experiment leaves it."""

from __future__ import annotations

import json

import pandas as pd
from sklearn.linear_model import LogisticRegression

from ser_experiments import project
from ser_experiments.evaluation.scoring import intervals, pooled
from ser_experiments.frames import Predictions
from ser_experiments.serving import TableModel
from ser_experiments.tracking import RunRecord, start


def log(name: str, predictions: Predictions, setting: str, *, unit: str = "speaker", **more: str) -> str:
    """Log a run to the store in use, with more tags perhaps, and return its id; intervals are over the `unit`."""
    tags = {"ser.experiment": name, "ser.corpus": setting, "ser.protocol": "p"}
    tags |= {f"ser.{key}": value for key, value in more.items()}
    fitted = LogisticRegression().fit(pd.DataFrame({"x": [0.0, 1.0]}), ["a", "b"])
    with start(project.find(), name=name, setting=setting, rows=f"rows of {setting}", tags=tags, note="") as run:
        metrics = pooled(predictions)
        for score, found in intervals(predictions, "speaker").items():
            metrics |= found.metrics(score)
        run.log(
            RunRecord(
                metrics=metrics,
                tables={"predictions.csv": predictions.frame},
                texts={"result.json": json.dumps({"interval_unit": unit})},
                model=TableModel(fitted, ["x"], {}),
            )
        )
    return run.run_id
