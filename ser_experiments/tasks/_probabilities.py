"""What tasks share whose prediction is a probability for each class, whatever their truth is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.errors import InputError, nearest
from ser_experiments.task import AnswerType, Floats, Task

#: The columns of the one class that an utterance is of, and of what was decided.
LABEL, PREDICTED = "label", "predicted"


@dataclass(frozen=True)
class Probabilities(Task):
    """A task whose prediction is a probability for each class.

    Parameters
    ----------
    targets : tuple of str
        The classes in alphabetical order.
    """

    fewest: ClassVar[int] = 2
    answer_fields: ClassVar[Mapping[str, AnswerType]] = {"label": "text", "probabilities": "numbers"}
    #: Before the name of a class in the name of its column.
    prefix: ClassVar[str] = "p_"

    @classmethod
    def named(cls, columns: Iterable[object]) -> tuple[str, ...]:
        """Return the classes that the columns of a table of predictions name, in their order."""
        return named_by(cls.prefix, columns)

    @property
    def columns(self) -> list[str]:
        """Return ``p_<class>`` for each class."""
        return [self.prefix + name for name in self.targets]

    @property
    def decided_columns(self) -> tuple[str, ...]:
        """Return ``predicted``."""
        return (PREDICTED,)

    def places(self, frame: pd.DataFrame) -> NDArray[np.intp]:
        """Return the place of each row's class among the targets.

        Raises
        ------
        InputError
            A label is none of the targets.
        """
        found = self.places_of(frame[LABEL])
        self._check_places(found, frame[LABEL])
        return found

    def decided_codes(self, frame: pd.DataFrame) -> NDArray[np.intp]:
        """Return the place of each row's predicted class among the targets; -1 of one that is none."""
        return self.places_of(frame[PREDICTED])

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

    def read_numbers(self, where: str, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table with probabilities, and in ``predicted`` the most probable class where it is not said."""
        if self.targets:
            table = shares_in(where, table, self.columns, "probabilities")
        if PREDICTED not in table:
            table = table.assign(**self.decisions(self.values(table)))
        return table

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
        given = self.named(table.columns)
        if PREDICTED not in table:
            raise InputError(f"{where}: no column {PREDICTED!r}, and no probabilities; add the class of each utterance")
        named = {name: f"column {self.prefix + name!r}" for name in given}
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

    def places_of(self, words: pd.Series) -> NDArray[np.intp]:
        """Return the place of each word among the targets; -1 of one that is none."""
        return pd.Index(self.targets).get_indexer(pd.Index(words.astype(str))).astype(np.intp)

    def _check_places(self, found: NDArray[np.intp], labels: pd.Series) -> None:
        """Refuse labels that have no place."""
        if (found < 0).any():
            first = labels[found < 0].iloc[0]
            raise InputError(f"predictions: label {first!r} is no class of {', '.join(self.targets)}")


def named_by(prefix: str, columns: Iterable[object]) -> tuple[str, ...]:
    """Return what stands behind a prefix in the names of columns, in their order."""
    return tuple(str(c).removeprefix(prefix) for c in columns if str(c).startswith(prefix))


def shares_in(where: str, table: pd.DataFrame, columns: Sequence[str], called: str) -> pd.DataFrame:
    """Return a table, read as text, with numbers in some columns, which lie within 0 and 1 and sum to 1 in each row.

    Raises
    ------
    InputError
        A cell or a sum is something else; `where` begins the message, `called` says what sums to something else.
    """
    table = table.assign(**{column: _share(where, table[column]) for column in columns})
    sums = table[list(columns)].sum(axis=1)
    # Files with three decimals and a dozen classes are off by less than this.
    wrong = sums[(sums - 1).abs() > 0.01]
    if len(wrong):
        raise InputError(f"{where}: the {called} of {wrong.index[0]!r} sum to {wrong.iloc[0]:.4g}; must be 1")
    return table


def _share(where: str, texts: pd.Series) -> pd.Series:
    values = pd.to_numeric(texts, errors="coerce").astype(float)
    wrong = texts[~((values >= 0) & (values <= 1)).to_numpy()]
    if len(wrong):
        raise InputError(f"{where}: {texts.name} of {wrong.index[0]!r} is {wrong.iloc[0]!r}; must be within 0 and 1")
    return values
