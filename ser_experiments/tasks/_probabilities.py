"""What tasks share whose prediction is a probability for each class, whatever their truth is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments import conformal
from ser_experiments.errors import InputError, nearest
from ser_experiments.task import AnswerType, Floats, Task

#: The columns of the one class that an utterance is of, and of what was decided.
LABEL, PREDICTED = "label", "predicted"
#: What is answered instead of a class by whoever may be wrong more often than was asked for.
UNSURE = "unsure"
#: Risks for which a model knows how sure an answer must be.
RISKS = tuple(round(0.01 * percent, 2) for percent in range(1, 51))
#: A probability that no answer has.
_NEVER = 2.0
#: The risk at which runs are judged.
_JUDGED_AT = 0.1
_ROUNDING = 1e-9


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
        """Return ``label`` and ``probabilities`` (class to float); with a risk that is bound, also ``candidates``.

        With ``risk`` and what :meth:`learned` told, ``candidates`` are the classes among which the truth is in all but
        such a share of the utterances of a new speaker, the likeliest first; the label is :data:`UNSURE` where it
        would be wrong more often, and where ``doubted`` says that the recording is unlike those learned from.
        """
        by_target = {name: float(value) for name, value in zip(self.targets, values, strict=True)}
        answer = {"label": str(self.decided(values[None])[0]), "probabilities": by_target}
        if known.get("risk") is None:
            return answer
        sure, among = self._bounded(values[None], known)
        label = answer["label"] if sure[0] and not known.get("doubted") else UNSURE
        likeliest_first = np.argsort(-values, kind="stable")
        return {**answer, "label": label, "candidates": [self.targets[one] for one in likeliest_first if among[0, one]]}

    def learned(self, frame: pd.DataFrame) -> dict[str, Any]:
        """Return how sure an answer to a new speaker must be for each of :data:`RISKS`, and how likely a candidate.

        ``abstention`` holds ``risks``, ``sure`` (the least probability of an answer) and ``far`` (the most probability
        that likelier classes may have, together, beside a candidate); nothing with too few speakers. See
        :mod:`ser_experiments.conformal`, and Romano, Sesia, Candès (2020), Classification with valid and adaptive
        coverage, NeurIPS, for why it is their sum: candidates grow more where the answer is less sure.
        """
        values, places = self.values(frame), self.places(frame)
        there = places >= 0
        values, places, speakers = values[there], places[there], frame["speaker"].to_numpy()[there]
        if len(np.unique(speakers)) < conformal.FEWEST_GROUPS:
            return {}
        beside = likelier(values)[np.arange(len(values)), places]
        far = conformal.covering(beside, speakers, [1 - risk for risk in RISKS])
        least = conformal.sure(values.max(axis=1), values.argmax(axis=1) != places, speakers, RISKS)
        told = {"risks": list(RISKS), "sure": np.minimum(least, _NEVER).tolist(), "far": np.minimum(far, 1).tolist()}
        return {"abstention": told}

    def check_risk(self, known: Mapping[str, Any], risk: float) -> None:
        """Refuse a risk that is none, is below all that are known, or of a model that knows none."""
        if not 0 < risk < 1:
            raise InputError(f"a risk of {risk:g}; must be between 0 and 1, e.g. 0.1")
        if "abstention" not in known:
            raise InputError(
                "the model does not know how often it is wrong on a new speaker: it was made by an older version or "
                f"has heard fewer than {conformal.FEWEST_GROUPS} speakers; run and register it again"
            )
        if risk < known["abstention"]["risks"][0]:
            raise InputError(f"a risk of {risk:g}; the least is {known['abstention']['risks'][0]:g}")

    def judged(self, frame: pd.DataFrame, known: Mapping[str, Any]) -> pd.DataFrame:
        """Return of each row whether its candidates hold its class, how many they are, and which answers are wrong.

        ``set_coverage_90`` and ``set_size_90`` are of the candidates at a risk of 0.1, ``answered_risk_10`` says
        whether there is an answer at this risk, and ``wrong_risk_10`` whether it is wrong (NaN without one). Rows
        that are of no single class are NaN.
        """
        if "abstention" not in known:
            return pd.DataFrame(index=frame.index)
        values, places = self.values(frame), self.places(frame)
        sure, among = self._bounded(values, {**known, "risk": _JUDGED_AT})
        told = {
            "set_coverage_90": among[np.arange(len(values)), places],
            "set_size_90": among.sum(axis=1),
            "answered_risk_10": sure,
            "wrong_risk_10": np.where(sure, values.argmax(axis=1) != places, np.nan),
        }
        return pd.DataFrame(told, index=frame.index, dtype=np.float64)[places >= 0].reindex(frame.index)

    def _bounded(self, values: Floats, known: Mapping[str, Any]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which rows are answered at a risk, and which classes are candidates, shape (n_rows, n_classes)."""
        told = known["abstention"]
        place = int(np.searchsorted(told["risks"], known["risk"] + _ROUNDING, side="right")) - 1
        among = likelier(values) <= told["far"][place] + _ROUNDING
        return values.max(axis=1) >= told["sure"][place] - _ROUNDING, among

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


def likelier(values: Floats) -> Floats:
    """Return for each class of each row how much probability all likelier ones have; nothing of the likeliest."""
    return np.where(values[:, None, :] > values[:, :, None] + _ROUNDING, values[:, None, :], 0.0).sum(axis=2)


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
