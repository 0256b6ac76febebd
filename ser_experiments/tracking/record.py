"""What a run leaves, as one value that any store can take."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ser_experiments.serving import AudioModel, TableModel

#: The files of a run that others read: its definition as it was run, and the program and machine that ran it.
DEFINITION, ENVIRONMENT = "definition.toml", "environment.json"
#: Draws a picture or makes a table when it is asked to; None where there is nothing to show.
Maker = Callable[[], "Figure | pd.DataFrame | None"]


class Stepped(NamedTuple):
    """The value of a metric at one step: a fold, an epoch."""

    name: str
    step: int
    value: float


@dataclass(frozen=True)
class Dataset:
    """What was learned from: named and described, no row of it leaves the machine.

    Parameters
    ----------
    name, source : str
        The corpus, and in words.
    digest : str
        Of everything in it.
    columns : mapping of str to str
        The type of each column of numbers, as numpy names it.
    n_rows : int
        Rows.
    """

    name: str
    source: str
    digest: str
    columns: Mapping[str, str]
    n_rows: int


@dataclass(frozen=True)
class Child:
    """A part of a run that is a finished run of its own: a trial of a search, a member of an ensemble."""

    name: str
    params: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class RunRecord:
    """Everything that a run leaves, or a part of it.

    Parameters
    ----------
    params : mapping
        What was chosen, never what was measured.
    metrics : mapping of str to float
        Pooled metrics, once each; those that are not finite are left out.
    stepped : sequence of Stepped
        Metrics at many steps.
    tags : mapping
        What runs are found by.
    note : str
        The run in words, Markdown.
    tables : mapping of str to DataFrame
        By the name of the CSV file that each becomes, with its index.
    texts : mapping of str to str
        By the name of the file that each becomes.
    pictures : mapping of str to callable
        What is nice to have: made when it is logged, and a warning where that fails.
    dataset : Dataset, optional
        What was learned from.
    children : sequence of Child
        Its parts.
    model : AudioModel or TableModel, optional
        Fitted, for use; the tracker writes the run's id beside it.
    """

    params: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    stepped: Sequence[Stepped] = ()
    tags: Mapping[str, object] = field(default_factory=dict)
    note: str = ""
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, Maker] = field(default_factory=dict)
    dataset: Dataset | None = None
    children: Sequence[Child] = ()
    model: AudioModel | TableModel | None = None


def as_json(value: Any) -> str:
    """Return the text of a JSON file."""
    return json.dumps(value, indent=2, sort_keys=True, default=str) + "\n"
