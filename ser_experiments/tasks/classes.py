"""One class an utterance: a prediction is a probability for each class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.task import Learns
from ser_experiments.tasks._probabilities import LABEL, PREDICTED, Probabilities


@dataclass(frozen=True)
class Classes(Probabilities):
    """One class an utterance; a prediction is a probability for each class.

    Parameters
    ----------
    targets : tuple of str
        The classes in alphabetical order.
    """

    kind: ClassVar[str] = "classes"
    primary: ClassVar[str] = "uar"
    finest: ClassVar[str] = "log_loss"
    learns: ClassVar[Learns] = "labels"
    all_trained: ClassVar[bool] = True

    @classmethod
    def of(cls, labels: Iterable[str]) -> Classes:
        """Return the task whose classes are those that occur."""
        return cls(tuple(sorted({str(label) for label in labels})))

    @classmethod
    def of_columns(cls, columns: Iterable[object]) -> Classes | None:
        """Return the classes whose probabilities are there; none of them where only labels are."""
        columns = list(columns)
        named = cls.named(columns)
        return cls(named) if named or PREDICTED in columns else None

    @property
    def truth_columns(self) -> tuple[str, ...]:
        """Return ``label``."""
        return (LABEL,)

    @property
    def chance(self) -> float:
        """Return the UAR of whoever knows nothing."""
        return 1 / len(self.targets)

    def truth(self, utterances: pd.DataFrame) -> NDArray[np.str_]:
        """Return the classes as strings."""
        return utterances[LABEL].to_numpy(dtype=str)

    def codes(self, frame: pd.DataFrame) -> NDArray[np.intp]:
        """Return the place of each row's class among the targets; -1 of one that is none."""
        return self.places_of(frame[LABEL])

    def strata(self, utterances: pd.DataFrame) -> pd.Series:
        """Return the classes."""
        return utterances[LABEL].astype(str)

    def described(self, utterances: pd.DataFrame) -> str:
        """Return each class with its utterances, e.g. ``"angry 4, sad 3"``."""
        return ", ".join(f"{label} {n}" for label, n in utterances[LABEL].value_counts().sort_index().items())

    @property
    def as_fact(self) -> None:
        """Return nothing: the classes are those that occur."""

    def with_truth(self, frame: pd.DataFrame) -> Classes:
        """Return the classes that have a probability and those that occur as labels."""
        return Classes.of([*self.targets, *frame.get(LABEL, ())])

    def kept(self, utterances: pd.DataFrame) -> NDArray[np.bool_]:
        """Say which utterances are of one of the classes."""
        return utterances[LABEL].isin(self.targets).to_numpy(dtype=bool)


TASK = Classes
