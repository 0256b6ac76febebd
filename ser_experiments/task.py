"""What is predicted: a value that every layer above reads its targets, truth, columns and primary score from.

Each kind is one file of :mod:`ser_experiments.tasks`: classes, numbers on a scale, distributions over votes. Whatever
differs between kinds is asked of the task, so that no module above tests for one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.errors import InputError

Floats = NDArray[np.float64]
#: What estimators are fitted on: one word a row; a number a target; or a share of each target.
Learns = Literal["labels", "numbers", "shares"]


@dataclass(frozen=True)
class Task(ABC):
    """One thing to predict.

    Parameters
    ----------
    targets : tuple of str
        What a prediction has a number for: the classes in alphabetical order, or the dimensions.
    """

    targets: tuple[str, ...]
    #: The name of the kind; scores, families and plots say which kinds they are for.
    kind: ClassVar[str]
    #: The score that ranks runs.
    primary: ClassVar[str]
    #: The score that a shuffled column is judged by: it moves with every answer, not only with those that change.
    finest: ClassVar[str]
    #: What estimators are fitted on.
    learns: ClassVar[Learns]
    #: How many targets there must be.
    fewest: ClassVar[int] = 1
    #: What an answer holds besides ``warnings`` and ``error``.
    answer_fields: ClassVar[tuple[str, ...]]

    @classmethod
    @abstractmethod
    def of_columns(cls, columns: Iterable[object]) -> Task | None:
        """Return the task that a table of predictions is of, as the names of its columns tell; None of another kind."""

    @property
    @abstractmethod
    def truth_columns(self) -> tuple[str, ...]:
        """Return the columns of a table of utterances that hold the truth."""

    @property
    @abstractmethod
    def columns(self) -> list[str]:
        """Return the columns that a table of predictions has for the targets, in their order."""

    @property
    def decided_columns(self) -> tuple[str, ...]:
        """Return the columns of a table of predictions that hold what was decided, besides the numbers."""
        return ()

    @property
    @abstractmethod
    def chance(self) -> float:
        """Return what knowing nothing scores by the primary score."""

    @abstractmethod
    def truth(self, utterances: pd.DataFrame) -> NDArray[Any]:
        """Return what estimators are fitted on, one row an utterance."""

    @abstractmethod
    def codes(self, frame: pd.DataFrame) -> NDArray[Any]:
        """Return the truth of a table of predictions as numbers, as scores take it."""

    def places(self, frame: pd.DataFrame) -> NDArray[np.intp]:
        """Return the place among the targets of the one that each row is of; -1 of a row that is rightly of none.

        Raises
        ------
        InputError
            A row is of something else; or no row of this kind of task is of a single target.
        """
        raise InputError(f"{self.kind}: no row is of a single one of {', '.join(self.targets)}")

    @abstractmethod
    def response(self, fitted: Any, X: pd.DataFrame) -> Floats:
        """Ask a fitted estimator for a number for each target, shape (n_rows, n_targets)."""

    @abstractmethod
    def check_fitted(self, estimator: object) -> None:
        """Refuse an estimator, as read from a file, that cannot answer: a ValueError that continues "the file ..."."""

    def decisions(self, values: Floats) -> dict[str, NDArray[Any]]:
        """Return what stands in :attr:`decided_columns` for numbers of shape (n_rows, n_targets)."""
        return {}

    @abstractmethod
    def decided_codes(self, frame: pd.DataFrame) -> NDArray[Any]:
        """Return what a table of predictions decides as numbers, as scores take it."""

    @abstractmethod
    def strata(self, utterances: pd.DataFrame) -> pd.Series:
        """Return a word for each utterance, alike for a like truth: for colours, and for folds of equal shares."""

    @abstractmethod
    def described(self, utterances: pd.DataFrame) -> str:
        """Say in a few words what truth utterances have."""

    @abstractmethod
    def read_numbers(self, where: str, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table of predictions, read as text, with numbers in its columns of targets.

        Raises
        ------
        InputError
            A cell holds none, or one that cannot be; `where` begins the message.
        """

    @abstractmethod
    def answer(self, values: Floats, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return :attr:`answer_fields` of one recording.

        Parameters
        ----------
        values : ndarray of shape (n_targets,)
            The numbers.
        known : mapping
            What :meth:`learned` told of the model, among other things.
        """

    @property
    @abstractmethod
    def no_answer(self) -> dict[str, Any]:
        """Return :attr:`answer_fields` of a recording that cannot be answered."""

    def with_truth(self, frame: pd.DataFrame) -> Task:
        """Return the task of predictions that stand beside their truth, which may have more targets."""
        return self

    def learned(self, frame: pd.DataFrame) -> dict[str, Any]:
        """Return what a model is to know of its out-of-fold predictions, as JSON takes it."""
        return {}

    def kept(self, utterances: pd.DataFrame) -> NDArray[np.bool_]:
        """Say of utterances, perhaps of a wider task of the same kind, which have a truth among the targets."""
        return np.ones(len(utterances), dtype=bool)

    def values(self, frame: pd.DataFrame) -> Floats:
        """Return the numbers of a table of predictions, shape (n_rows, n_targets)."""
        return frame[self.columns].to_numpy(dtype=np.float64)
