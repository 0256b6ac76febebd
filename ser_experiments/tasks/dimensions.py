"""Numbers on scales, such as valence, arousal and dominance: a prediction is a number for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ser_experiments import conformal
from ser_experiments.errors import InputError
from ser_experiments.task import AnswerType, Floats, Learns, Task

#: The share of unheard utterances whose truth an answer's interval is to hold.
COVERS = 0.9
#: Ends that lie further apart, as a share of all that is reached, are hardly of one scale.
_ONE_SCALE = 0.2
#: Utterances are coloured and dealt by so many parts of the scale of the first dimension.
_PARTS = ("low", "middle", "high")


@dataclass(frozen=True)
class Dimensions(Task):
    """A number on each of several scales; the scale is the corpus's own, in and out.

    Parameters
    ----------
    targets : tuple of str
        The dimensions, e.g. ``("valence", "arousal", "dominance")``.
    """

    kind: ClassVar[str] = "dimensions"
    primary: ClassVar[str] = "ccc"
    #: Errors would grow smaller where a stretched answer to a known row is pulled to the mean.
    finest: ClassVar[str] = "pearson"
    learns: ClassVar[Learns] = "numbers"
    answer_fields: ClassVar[Mapping[str, AnswerType]] = {"values": "numbers", "intervals": "ranges"}
    #: Before the name of a dimension in the name of the column of its predictions.
    prefix: ClassVar[str] = "predicted_"

    @classmethod
    def of_columns(cls, columns: Iterable[object]) -> Dimensions | None:
        """Return the dimensions that are predicted."""
        named = tuple(str(c).removeprefix(cls.prefix) for c in columns if str(c).startswith(cls.prefix))
        return cls(named) if named else None

    @property
    def truth_columns(self) -> tuple[str, ...]:
        """Return the dimensions."""
        return self.targets

    @property
    def columns(self) -> list[str]:
        """Return ``predicted_<dimension>`` for each."""
        return [self.prefix + name for name in self.targets]

    @property
    def chance(self) -> float:
        """Return the CCC of whoever answers the same number always."""
        return 0.0

    def truth(self, utterances: pd.DataFrame) -> Floats:
        """Return the numbers, shape (n_utterances, n_targets)."""
        return utterances[list(self.targets)].to_numpy(dtype=np.float64)

    def codes(self, frame: pd.DataFrame) -> Floats:
        """Return the numbers, shape (n_rows, n_targets)."""
        return self.truth(frame)

    def decided_codes(self, frame: pd.DataFrame) -> Floats:
        """Return the predicted numbers, shape (n_rows, n_targets)."""
        return self.values(frame)

    def response(self, fitted: Any, X: pd.DataFrame) -> Floats:
        """Return what the regressor says, shape (n_rows, n_targets).

        Raises
        ------
        InputError
            It says another number of numbers than there are targets.
        """
        said = np.asarray(fitted.predict(X), dtype=np.float64)
        if said.size != len(X) * len(self.targets):
            each = said.size // max(1, len(X))
            raise InputError(f"the estimator answers with {each} numbers, the task has {len(self.targets)} targets")
        return said.reshape(len(X), len(self.targets))

    def check_fitted(self, estimator: object) -> None:
        """Refuse what predicts nothing, and what predicts classes."""
        if not callable(getattr(estimator, "predict", None)):
            raise ValueError(f"holds a {type(estimator).__name__}, which predicts nothing")
        if hasattr(estimator, "classes_"):
            raise ValueError("holds an estimator of classes")

    @property
    def are_shares(self) -> bool:
        """Return that they are not."""
        return False

    def strata(self, utterances: pd.DataFrame) -> pd.Series:
        """Return the third of the first dimension's truth that each utterance is in, e.g. ``"valence low"``."""
        first = self.targets[0]
        order = utterances[first].rank(method="first").to_numpy(dtype=np.float64)
        part = np.minimum(((order - 1) / max(1, len(order)) * len(_PARTS)).astype(int), len(_PARTS) - 1)
        return pd.Series([f"{first} {_PARTS[one]}" for one in part], index=utterances.index)

    def described(self, utterances: pd.DataFrame) -> str:
        """Return each dimension with its mean and range, e.g. ``"valence 2.8 (1 to 5)"``."""
        told = ((name, utterances[name]) for name in self.targets)
        return ", ".join(f"{name} {one.mean():.2f} ({one.min():g} to {one.max():g})" for name, one in told)

    def read_numbers(self, where: str, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table with numbers in the columns of the predictions, and in those of the truth that are there."""
        told = table.assign(**{column: _number(where, table[column]) for column in self.columns})
        return self.read_truth(where, told)

    def read_truth(self, where: str, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table with numbers in the columns of the truth that are there."""
        return table.assign(**{name: _number(where, table[name]) for name in self.targets if name in table})

    def answer(self, values: Floats, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``values`` (dimension to float) and ``intervals`` (dimension to low and high), where these are known.

        An interval is the answer with what unheard speakers were off by around it: nine of ten lie within.
        """
        told = {name: float(value) for name, value in zip(self.targets, values, strict=True)}
        around: Mapping[str, list[float]] = known.get("residuals", {})
        return {
            "values": told,
            "intervals": {name: [told[name] + around[name][0], told[name] + around[name][1]] for name in told}
            if set(around) >= set(told)
            else {},
        }

    @property
    def no_answer(self) -> dict[str, Any]:
        """Return no values and no intervals."""
        return {"values": {}, "intervals": {}}

    def unlike(self, corpora: Mapping[str, pd.DataFrame]) -> list[str]:
        """Say which dimensions reach elsewhere in one corpus than in another: scales of 1 to 5 and of 1 to 7 do."""
        said = []
        for name in self.targets:
            ends = {corpus: (table[name].min(), table[name].max()) for corpus, table in corpora.items()}
            lows, highs = zip(*ends.values(), strict=True)
            apart = max(max(lows) - min(lows), max(highs) - min(highs))
            if apart > _ONE_SCALE * (max(highs) - min(lows)):
                reach = ", ".join(f"{low:g} to {high:g} in {corpus}" for corpus, (low, high) in ends.items())
                said.append(f"{name} lies from {reach}: if these are two scales, errors and CCC count the difference")
        return said

    def learned(self, frame: pd.DataFrame) -> dict[str, Any]:
        """Return what an answer is seen against, by dimension.

        ``residuals`` are two ends that truth minus prediction of a new speaker exceeds on either side in a twentieth of
        the utterances (:mod:`ser_experiments.conformal`; of too few speakers, the ends of the middle nine tenths of
        all), ``scale`` those of the truth.
        """
        truth = self.codes(frame)
        beside = truth - self.values(frame)
        speakers = frame["speaker"].to_numpy() if "speaker" in frame else np.zeros(len(frame))
        ends = np.quantile(beside, [(1 - COVERS) / 2, (1 + COVERS) / 2], axis=0)
        if len(np.unique(speakers)) >= conformal.FEWEST_GROUPS:
            side = [(1 + COVERS) / 2]
            below = [-conformal.covering(-one, speakers, side)[0] for one in beside.T]
            ends = np.array([below, [conformal.covering(one, speakers, side)[0] for one in beside.T]])
        return {"residuals": self._ends(ends), "scale": self._ends(np.array([truth.min(axis=0), truth.max(axis=0)]))}

    def judged(self, frame: pd.DataFrame, known: Mapping[str, Any]) -> pd.DataFrame:
        """Return of each row whether the intervals hold the truth: ``interval_coverage_90_<dimension>``."""
        beside = self.codes(frame) - self.values(frame)
        ends = [known["residuals"][name] for name in self.targets]
        inside = [(low <= one) & (one <= high) for (low, high), one in zip(ends, beside.T, strict=True)]
        names = [f"interval_coverage_90_{name}" for name in self.targets]
        return pd.DataFrame(dict(zip(names, inside, strict=True)), index=frame.index, dtype=np.float64)

    def _ends(self, ends: Floats) -> dict[str, list[float]]:
        return {name: [float(one) for one in ends[:, i]] for i, name in enumerate(self.targets)}


def _number(where: str, texts: pd.Series) -> pd.Series:
    values = pd.to_numeric(texts, errors="coerce").astype(float)
    wrong = texts[~np.isfinite(values.to_numpy())]
    if len(wrong):
        raise InputError(f"{where}: {texts.name} of {wrong.index[0]!r} is {wrong.iloc[0]!r}; must be a number")
    return values


TASK = Dimensions
