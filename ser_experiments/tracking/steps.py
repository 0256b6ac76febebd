"""The steps of logging a run: what a store does with each kind, and the one place that tells which is asked for."""

from __future__ import annotations

from typing import Protocol

from ser_experiments.errors import StoreError
from ser_experiments.tracking.kept import Step


class Steps(Protocol):
    """One run of a store that is being written: a method a kind of step. Doing a step twice changes nothing."""

    def params(self, step: Step) -> None:
        """Set parameters: arguments are texts by their names."""

    def tags(self, step: Step) -> None:
        """Set tags, whatever they were: arguments are texts by their names."""

    def metrics(self, step: Step) -> None:
        """Log ``values``: lists of name, value, milliseconds since 1970 and step."""

    def artifacts(self, step: Step) -> None:
        """Keep the step's files under their own names."""

    def dataset(self, step: Step) -> None:
        """Say what was learned from: ``name``, ``digest``, ``source_type``, ``source``, ``schema``, ``profile``."""

    def nested(self, step: Step) -> None:
        """Log a finished run below this one: ``experiment_id``, ``tags``, ``params``, ``metrics``, ``time``."""

    def model(self, step: Step) -> str:
        """Keep the model's folder, the step's one file, and return its URI: ``columns``, ``metrics`` (values)."""

    def end(self, step: Step) -> None:
        """Say how the run ended: ``status``, ``error``, ``time``."""


#: What a step can be.
KINDS = frozenset(name for name in vars(Steps) if not name.startswith("_"))


def perform(step: Step, run: Steps) -> str | None:
    """Do one step of logging a run; of a model, return its URI.

    Raises
    ------
    StoreError
        The step is of no known kind: an outbox of another version of this program.
    """
    if step.kind not in KINDS:
        raise StoreError(f"{step.folder}: unknown step {step.kind!r}; allowed are {', '.join(sorted(KINDS))}")
    uri: str | None = getattr(run, step.kind)(step)
    return uri
