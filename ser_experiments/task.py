"""What is predicted: a value that every layer above reads its targets, truth, columns and primary score from.

Today's only kind is :class:`Classes`. Another kind (numbers on a scale, a distribution over raters' votes) is another
subclass: whatever differs between kinds is asked of the task, so that no module above tests for one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


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
    #: Columns of a table of utterances that hold the truth.
    truth_columns: ClassVar[tuple[str, ...]]

    @property
    @abstractmethod
    def columns(self) -> list[str]:
        """Return the columns that a table of predictions has for the targets, in their order."""

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

    @abstractmethod
    def response(self, fitted: Any, X: pd.DataFrame) -> Floats:
        """Ask a fitted estimator for a number for each target, shape (n_rows, n_targets)."""

    @abstractmethod
    def check_fitted(self, estimator: object) -> None:
        """Refuse an estimator, as read from a file, that cannot answer: a ValueError that continues "the file ..."."""

    @abstractmethod
    def decided(self, values: Floats) -> NDArray[Any]:
        """Return what stands in the column ``predicted``, one a row, for numbers of shape (n_rows, n_targets)."""

    @abstractmethod
    def decided_codes(self, frame: pd.DataFrame) -> NDArray[Any]:
        """Return the column ``predicted`` of a table of predictions as numbers, as scores take it."""

    def values(self, frame: pd.DataFrame) -> Floats:
        """Return the numbers of a table of predictions, shape (n_rows, n_targets)."""
        return frame[self.columns].to_numpy(dtype=np.float64)


@dataclass(frozen=True)
class Classes(Task):
    """One class an utterance; a prediction is a probability for each class.

    Parameters
    ----------
    targets : tuple of str
        The classes in alphabetical order.
    """

    kind: ClassVar[str] = "classes"
    primary: ClassVar[str] = "uar"
    truth_columns: ClassVar[tuple[str, ...]] = ("label",)
    #: Before the name of a class in the name of its column.
    prefix: ClassVar[str] = "p_"

    @classmethod
    def of(cls, labels: Iterable[str]) -> Classes:
        """Return the task whose classes are those that occur."""
        return cls(tuple(sorted({str(label) for label in labels})))

    @classmethod
    def named(cls, columns: Iterable[object]) -> tuple[str, ...]:
        """Return the classes that the columns of a table of predictions name, in their order."""
        return tuple(str(c).removeprefix(cls.prefix) for c in columns if str(c).startswith(cls.prefix))

    @property
    def columns(self) -> list[str]:
        """Return ``p_<class>`` for each class."""
        return [self.prefix + name for name in self.targets]

    @property
    def chance(self) -> float:
        """Return the UAR of whoever knows nothing."""
        return 1 / len(self.targets)

    def truth(self, utterances: pd.DataFrame) -> NDArray[np.str_]:
        """Return the classes as strings."""
        return utterances["label"].to_numpy(dtype=str)

    def codes(self, frame: pd.DataFrame) -> NDArray[np.intp]:
        """Return the place of each row's class among the targets; -1 of one that is none."""
        return self._places(frame["label"])

    def decided_codes(self, frame: pd.DataFrame) -> NDArray[np.intp]:
        """Return the place of each row's predicted class among the targets; -1 of one that is none."""
        return self._places(frame["predicted"])

    def response(self, fitted: Any, X: pd.DataFrame) -> Floats:
        """Return probabilities in the order of the targets; a class that was not learned has zero."""
        return self.align(fitted.predict_proba(X), fitted.classes_)

    def check_fitted(self, estimator: object) -> None:
        """Refuse what gives no probabilities, or knows other classes than the targets; their order does not count."""
        known = getattr(estimator, "classes_", None)
        if not callable(getattr(estimator, "predict_proba", None)):
            raise ValueError(f"holds a {type(estimator).__name__}, which gives no probabilities")
        if not isinstance(known, np.ndarray | list | tuple) or not len(known):
            raise ValueError("holds an estimator without classes")
        if sorted(map(str, known)) != sorted(self.targets):
            raise ValueError("knows other classes than model.json says")

    def align(self, proba: NDArray[np.floating], present: Sequence[str]) -> Floats:
        """Put the probability columns of the classes that are `present` among all targets; others get zero."""
        full = np.zeros((len(proba), len(self.targets)))
        full[:, [self.targets.index(str(name)) for name in present]] = proba
        return full

    def decided(self, values: Floats) -> NDArray[np.str_]:
        """Return the most probable class of each row."""
        return np.asarray(self.targets, dtype=str)[values.argmax(axis=1)]

    def _places(self, labels: pd.Series) -> NDArray[np.intp]:
        return pd.Index(self.targets).get_indexer(pd.Index(labels.astype(str))).astype(np.intp)
