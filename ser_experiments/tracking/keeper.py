"""Look after what was logged: every run however it ended, its files, another name for it, its end for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class KeptRun:
    """A run, however it ended, with all that the store says of it.

    Parameters
    ----------
    run_id, title : str
        The store's id, and what the run is called, which can be changed.
    experiment : str
        The experiment that it is of, whatever it is called.
    setting, status : str
        The setting's name, and how the run stands, in MLflow's words.
    started_ms : int
        Milliseconds since 1970.
    ended_ms : int, optional
        None while it runs, and of one whose process was killed.
    tags, params : dict of str to str
        As logged.
    metrics : dict of str to float
        As logged; of those with steps the last.
    going : bool
        Whether somebody began to delete it and did not come to the end.
    """

    run_id: str
    title: str
    experiment: str
    setting: str
    status: str
    started_ms: int
    ended_ms: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    going: bool = False


@dataclass(frozen=True)
class Held:
    """What the store holds of a run besides its numbers.

    Parameters
    ----------
    place : str
        Where its files lie: a folder, or an address.
    files : dict of str to int
        Bytes of each, by its name in there.
    models : dict of str to int
        Bytes of each logged model, by the place that it lies in.
    n_parts : int
        Runs below it: trials of a search, members of a stack.
    """

    place: str
    files: dict[str, int]
    models: dict[str, int]
    n_parts: int

    @property
    def n_bytes(self) -> int:
        """Return what all of it weighs."""
        return sum(self.files.values()) + sum(self.models.values())


class Keeper(Protocol):
    """What a store can do with runs that are there. Methods raise as those of a backend do."""

    def runs(self) -> list[KeptRun]:
        """List every run of this project's experiments, the latest first; parts of runs are left out."""

    def held(self, run_id: str) -> Held:
        """Say what there is of a run besides its numbers."""

    def steps(self, run_id: str, metric: str) -> Sequence[float]:
        """Return the values of a metric in the order of its steps; nothing where it was not logged."""

    def rename(self, run_id: str, title: str) -> None:
        """Call a run otherwise; which experiment it is of stays as it is."""

    def delete(self, run_id: str) -> int:
        """Remove a run for good with its parts, files and models; return the bytes that became free.

        Whatever ends the process meanwhile: what is left of the run is removed by saying it once more, or by
        :meth:`finish`.
        """

    def finish(self) -> int:
        """Remove what is left of runs whose deletion was interrupted; return the bytes that became free."""

    def remove_version(self, name: str, version: int) -> None:
        """Take a version out of the registry, and the aliases that mean it; the model stays with its run."""
