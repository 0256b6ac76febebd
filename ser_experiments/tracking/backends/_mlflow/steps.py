"""What the steps of logging a run are in MLflow, whoever writes them."""

from __future__ import annotations

from ser_experiments.tracking.backend import ERROR_TAG, FINISHED, RUN_NAME, now_ms
from ser_experiments.tracking.backends._mlflow.limits import of_metrics, of_params, of_tags
from ser_experiments.tracking.backends._mlflow.log_model import write_model
from ser_experiments.tracking.backends._mlflow.writer import Added, NewRun, Writer
from ser_experiments.tracking.kept import Step

#: Which step of which outbox made a nested run: it is not made twice when the step is done again.
_STEP_TAG = "ser.step"


class LoggedRun:
    """A run that is being written; see :class:`~ser_experiments.tracking.steps.Steps`.

    Parameters
    ----------
    writer : Writer
        Of the store.
    run_id : str
        The run.
    """

    def __init__(self, writer: Writer, run_id: str) -> None:
        self.writer, self.run_id = writer, run_id

    def params(self, step: Step) -> None:
        """Set parameters."""
        self.writer.add(self.run_id, Added(params=of_params(step.arguments)))

    def tags(self, step: Step) -> None:
        """Set tags."""
        self.writer.add(self.run_id, Added(tags=of_tags(step.arguments)))

    def metrics(self, step: Step) -> None:
        """Log values."""
        self.writer.add(self.run_id, Added(metrics=of_metrics(step.arguments["values"])))

    def artifacts(self, step: Step) -> None:
        """Keep files."""
        self.writer.add_files(self.run_id, step.files)

    def dataset(self, step: Step) -> None:
        """Say what was learned from; all runs of a setting on the same rows share one."""
        self.writer.add(self.run_id, Added(dataset=step.arguments))

    def nested(self, step: Step) -> None:
        """Log a finished run below this one."""
        told = step.arguments
        tags = of_tags({**told["tags"], _STEP_TAG: f"{self.run_id}/{step.folder.name}"})
        metrics = [(name, value, told["time"], 0) for name, value in told["metrics"].items()]
        self.writer.add_child(
            NewRun(told["experiment_id"], tags[RUN_NAME], tags),
            _STEP_TAG,
            Added(params=of_params(told["params"]), metrics=of_metrics(metrics), ended=(FINISHED, now_ms())),
        )

    def model(self, step: Step) -> str:
        """Log the one model of a run."""
        model_id = self.writer.model_of(self.run_id)
        if model_id is None:
            with self.writer.new_model(self.run_id) as new:
                model_id = new.model_id
                write_model(step.files, new, step.arguments["columns"], self.run_id)
        # The run's own values of the same moment, which stand at the model too.
        pooled = of_metrics(step.arguments.get("metrics", []))
        self.writer.add(self.run_id, Added(metrics=pooled, model_id=model_id))
        return f"models:/{model_id}"

    def end(self, step: Step) -> None:
        """Say how the run ended."""
        told = step.arguments
        tags = {ERROR_TAG: told["error"]} if told["error"] else {}
        self.writer.add(self.run_id, Added(tags=of_tags(tags), ended=(told["status"], told["time"])))
