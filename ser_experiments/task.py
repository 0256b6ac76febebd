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
#: What a field of an answer holds: a text; a number by target; or two by target, low and high.
AnswerType = Literal["text", "numbers", "ranges"]


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
    #: Whether every stratum must be among the training rows of every fold.
    all_trained: ClassVar[bool] = False
    #: What an answer holds besides ``warnings`` and ``error``, and of which type each is.
    answer_fields: ClassVar[Mapping[str, AnswerType]]

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

    def read_truth(self, where: str, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table whose truth was read as text with the truth as it is; an InputError names what is none."""
        return table

    @property
    def as_fact(self) -> dict[str, Any] | None:
        """Return what a protocol card says of the task; None where the rows tell it."""
        return {"kind": self.kind, "targets": list(self.targets)}

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

    def unlike(self, corpora: Mapping[str, pd.DataFrame]) -> list[str]:
        """Say what in the truth of several corpora, by name, is not one thing; a line each."""
        return []

    def check_predictions(self, where: str, table: pd.DataFrame) -> None:
        """Refuse a table of predictions of another task: an InputError that begins with `where`."""
        missing = [column for column in self.columns if column not in table]
        if missing:
            raise InputError(f"{where}: no column {missing[0]!r}; {self.kind} are predicted: {', '.join(self.columns)}")

    def doubts(self, frame: pd.DataFrame) -> list[str]:
        """Say what in predictions with all numbers does not go together, one line each."""
        return []

    @property
    def are_shares(self) -> bool:
        """Whether the numbers of a prediction are shares of one; otherwise each lies on a scale of its own."""
        return True

    def fields(self, holds: AnswerType) -> list[str]:
        """Return the fields of an answer that are of a type."""
        return [name for name, one in self.answer_fields.items() if one == holds]

    def numbers(self, answer: Mapping[str, Any]) -> dict[str, float]:
        """Return the number that an answer gives each target; nothing of :attr:`no_answer`."""
        return {target: number for name in self.fields("numbers") for target, number in answer[name].items()}

    def ranges(self, answer: Mapping[str, Any]) -> dict[str, list[float]]:
        """Return the low and the high number around each target of an answer, where there are such."""
        return {target: ends for name in self.fields("ranges") for target, ends in answer[name].items()}

    def told(self, answer: Mapping[str, Any]) -> list[str]:
        """Say the number of each target with its range, e.g. ``["valence 3.40 (2.10 to 4.60)"]``."""
        around = {name: f" ({low:.2f} to {high:.2f})" for name, (low, high) in self.ranges(answer).items()}
        numbers = self.numbers(answer)
        return [f"{name} {numbers[name]:.2f}{around.get(name, '')}" for name in self.targets if name in numbers]

    def line(self, answer: Mapping[str, Any]) -> str:
        """Return an answer in one line, in columns that stand below those of others; of :attr:`no_answer` ``-``."""
        width = max(map(len, self.targets))
        texts = [f"{answer[name]:<{width}}" for name in self.fields("text")]
        numbers = self.told(answer)
        return "  ".join([*texts, *numbers]) if numbers else "-"

    def cells(self, answer: Mapping[str, Any]) -> dict[str, str]:
        """Return an answer as the cells of a table, by column; those of what it does not say are empty.

        Texts stand under the names of their fields, numbers under :attr:`columns`, ranges under ``<target>_low`` and
        ``<target>_high``.
        """
        numbers, around = self.numbers(answer), self.ranges(answer)
        cells = {name: str(answer[name]) for name in self.fields("text")}
        for target, column in zip(self.targets, self.columns, strict=True):
            cells[column] = _cell(numbers.get(target))
        for target in self.targets if self.fields("ranges") else ():
            low, high = around.get(target, (None, None))
            cells |= {f"{target}_low": _cell(low), f"{target}_high": _cell(high)}
        return cells

    def with_truth(self, frame: pd.DataFrame) -> Task:
        """Return the task of predictions that stand beside their truth, which may have more targets."""
        return self

    def learned(self, frame: pd.DataFrame) -> dict[str, Any]:
        """Return what a model is to know of its out-of-fold predictions, as JSON takes it."""
        return {}

    def judged(self, frame: pd.DataFrame, known: Mapping[str, Any]) -> pd.DataFrame:
        """Return what came true of what a model knows of its answers: numbers by row, a column each thing.

        Parameters
        ----------
        frame : DataFrame
            Predictions of speakers that `known` was not learned from.
        known : mapping
            What :meth:`learned` told of others; nothing, where that is too few.
        """
        return pd.DataFrame(index=frame.index)

    def check_risk(self, known: Mapping[str, Any], risk: float) -> None:
        """Refuse to bind how often answers are wrong: an InputError, where that cannot be or is not known.

        Parameters
        ----------
        known : mapping
            What :meth:`learned` told of the model, among other things.
        risk : float
            The share of answers that may be wrong.
        """
        raise InputError(f"--abstain is for classes, this model answers {self.kind}; its answers have intervals")

    def kept(self, utterances: pd.DataFrame) -> NDArray[np.bool_]:
        """Say of utterances, perhaps of a wider task of the same kind, which have a truth among the targets."""
        return np.ones(len(utterances), dtype=bool)

    def only(self, utterances: pd.DataFrame) -> pd.DataFrame:
        """Return utterances that are :meth:`kept` with their truth among the targets alone."""
        return utterances

    def values(self, frame: pd.DataFrame) -> Floats:
        """Return the numbers of a table of predictions, shape (n_rows, n_targets)."""
        return frame[self.columns].to_numpy(dtype=np.float64)


def _cell(number: float | None) -> str:
    return "" if number is None else f"{number:.6f}"
