"""What whoever writes into MLflow must be able to do: MLflow's client, or what writes straight into its file.

What of a run is written where says :mod:`~ser_experiments.tracking.backends._mlflow.steps`, for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

#: What a dataset is to a run.
DATASET_TAG = ("mlflow.data.context", "training")


class FoundSetting(NamedTuple):
    """An MLflow experiment: whether it is deleted, which rows it is of, and where its files go."""

    setting_id: str
    is_active: bool
    rows: str | None
    place: str | None


class NewRun(NamedTuple):
    """A run that is to be opened."""

    setting_id: str
    name: str
    tags: Mapping[str, str]


class NewModel(NamedTuple):
    """A logged model whose files are to be written: its id, their address, and the local folder to put them into."""

    model_id: str
    uri: str
    folder: Path


@dataclass(frozen=True)
class Added:
    """What is added to a run, with names and texts as MLflow takes them.

    Parameters
    ----------
    params, tags : mapping of str to str
        By name. A parameter that has another value already is refused, a tag is set again.
    metrics : sequence of (str, float, int, int)
        Name, value, milliseconds since 1970 and step. What is there already is not added again.
    model_id : str, optional
        The logged model whose metrics these are, too.
    dataset : mapping of str to str, optional
        ``name``, ``digest``, ``source_type``, ``source``, ``schema`` and ``profile``.
    ended : (str, int), optional
        How the run ended, and when.
    """

    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Sequence[tuple[str, float, int, int]] = ()
    model_id: str | None = None
    dataset: Mapping[str, str] | None = None
    ended: tuple[str, int] | None = None


class Writer(Protocol):
    """Whoever writes what runs leave."""

    def find_setting(self, name: str) -> FoundSetting | None:
        """Return the MLflow experiment of a name, deleted or not."""

    def create_setting(self, name: str, place: str | None, tags: Mapping[str, str]) -> str | None:
        """Make an MLflow experiment; None where another process made one of that name in the meantime."""

    def setting_tags(self, setting_id: str) -> dict[str, str]:
        """Return the tags of an MLflow experiment."""

    def tag_setting(self, setting_id: str, tags: Mapping[str, str]) -> None:
        """Tag an MLflow experiment, whatever the tags were."""

    def create_run(self, new: NewRun) -> str:
        """Open a run and return its id."""

    def run_with_tag(self, setting_id: str, key: str, value: str) -> str | None:
        """Return the id of the run of a setting that has a tag."""

    def status(self, run_id: str) -> str | None:
        """Return how a run stands; None where it is not there any more."""

    def add(self, run_id: str, added: Added) -> None:
        """Add to a run."""

    def add_child(self, new: NewRun, key: str, added: Added) -> None:
        """Add to the run that has the same tag `key` as `new`, which is opened where there is none."""

    def add_files(self, run_id: str, folder: Path) -> None:
        """Keep the files of a folder with a run."""

    def model_of(self, run_id: str) -> str | None:
        """Return the id of a run's model that is there with all its files."""

    def new_model(self, run_id: str) -> AbstractContextManager[NewModel]:
        """Log a model of a run, with the parameters that the run has; its files are written meanwhile."""
