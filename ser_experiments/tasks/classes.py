"""One class an utterance: a prediction is a probability for each class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.errors import InputError, nearest
from ser_experiments.task import Floats, Learns, Task

#: The columns of the truth and of what was decided.
LABEL, PREDICTED = "label", "predicted"


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
    finest: ClassVar[str] = "log_loss"
    learns: ClassVar[Learns] = "labels"
    fewest: ClassVar[int] = 2
    all_trained: ClassVar[bool] = True
    answer_fields: ClassVar[tuple[str, ...]] = ("label", "probabilities")
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
    def columns(self) -> list[str]:
        """Return ``p_<class>`` for each class."""
        return [self.prefix + name for name in self.targets]

    @property
    def decided_columns(self) -> tuple[str, ...]:
        """Return ``predicted``."""
        return (PREDICTED,)

    @property
    def chance(self) -> float:
        """Return the UAR of whoever knows nothing."""
        return 1 / len(self.targets)

    def truth(self, utterances: pd.DataFrame) -> NDArray[np.str_]:
        """Return the classes as strings."""
        return utterances[LABEL].to_numpy(dtype=str)

    def codes(self, frame: pd.DataFrame) -> NDArray[np.intp]:
        """Return the place of each row's class among the targets; -1 of one that is none."""
        return self._places(frame[LABEL])

    def decided_codes(self, frame: pd.DataFrame) -> NDArray[np.intp]:
        """Return the place of each row's predicted class among the targets; -1 of one that is none."""
        return self._places(frame[PREDICTED])

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

    def decisions(self, values: Floats) -> dict[str, NDArray[Any]]:
        """Return the most probable class of each row as ``predicted``."""
        return {PREDICTED: self.decided(values)}

    def strata(self, utterances: pd.DataFrame) -> pd.Series:
        """Return the classes."""
        return utterances[LABEL].astype(str)

    def described(self, utterances: pd.DataFrame) -> str:
        """Return each class with its utterances, e.g. ``"angry 4, sad 3"``."""
        return ", ".join(f"{label} {n}" for label, n in utterances[LABEL].value_counts().sort_index().items())

    def read_numbers(self, where: str, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table with probabilities, and in ``predicted`` the most probable class where it is not said."""
        table = table.assign(**{column: _probability(where, table[column]) for column in self.columns})
        if self.targets:
            _check_sums(where, table[self.columns])
        if PREDICTED not in table:
            table = table.assign(**self.decisions(self.values(table)))
        return table

    @property
    def as_fact(self) -> None:
        """Return nothing: the classes are those that occur."""

    def answer(self, values: Floats, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``label`` and ``probabilities`` (class to float)."""
        by_target = {name: float(value) for name, value in zip(self.targets, values, strict=True)}
        return {"label": str(self.decided(values[None])[0]), "probabilities": by_target}

    @property
    def no_answer(self) -> dict[str, Any]:
        """Return no label and no probabilities."""
        return {"label": "", "probabilities": {}}

    def check_predictions(self, where: str, table: pd.DataFrame) -> None:
        """Refuse predictions of a class that is none of the targets, and of numbers alone."""
        given = Classes(Classes.named(table.columns))
        if PREDICTED not in table:
            raise InputError(f"{where}: no column {PREDICTED!r}, and no probabilities; add the class of each utterance")
        named = {name: f"column {column!r}" for name, column in zip(given.targets, given.columns, strict=True)}
        named |= {str(name): f"prediction {name!r}" for name in table[PREDICTED].unique()}
        for name, said in named.items():
            if name not in self.targets:
                raise InputError(f"{where}: {said} is no class of the card{nearest(name, self.targets)}")

    def doubts(self, frame: pd.DataFrame) -> list[str]:
        """Say how many predictions are not the most probable class."""
        values, decided = self.values(frame), self.decided_codes(frame)
        # A prediction is another one only if its probability is clearly below the highest.
        n = int((values[np.arange(len(values)), decided] < values.max(axis=1) - 1e-6).sum())
        return [f"{n} predictions are not the most probable class; {PREDICTED!r} is what was scored"] if n else []

    def with_truth(self, frame: pd.DataFrame) -> Classes:
        """Return the classes that have a probability and those that occur as labels."""
        return Classes.of([*self.targets, *frame.get(LABEL, ())])

    def kept(self, utterances: pd.DataFrame) -> NDArray[np.bool_]:
        """Say which utterances are of one of the classes."""
        return utterances[LABEL].isin(self.targets).to_numpy(dtype=bool)

    def _places(self, labels: pd.Series) -> NDArray[np.intp]:
        return pd.Index(self.targets).get_indexer(pd.Index(labels.astype(str))).astype(np.intp)


def _probability(where: str, texts: pd.Series) -> pd.Series:
    values = pd.to_numeric(texts, errors="coerce").astype(float)
    wrong = texts[~((values >= 0) & (values <= 1)).to_numpy()]
    if len(wrong):
        raise InputError(f"{where}: {texts.name} of {wrong.index[0]!r} is {wrong.iloc[0]!r}; must be within 0 and 1")
    return values


def _check_sums(where: str, probabilities: pd.DataFrame) -> None:
    sums = probabilities.sum(axis=1)
    # Files with three decimals and a dozen classes are off by less than this.
    wrong = sums[(sums - 1).abs() > 0.01]
    if len(wrong):
        raise InputError(f"{where}: the probabilities of {wrong.index[0]!r} sum to {wrong.iloc[0]:.4g}; must be 1")


TASK = Classes
