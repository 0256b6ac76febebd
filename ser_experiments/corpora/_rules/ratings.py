"""Numbers that raters gave: valence, arousal, dominance, on the corpus's own scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ser_experiments.corpora._left_out import LeftOut
from ser_experiments.corpora._rules._rule import WithoutWords
from ser_experiments.csvfile import is_gap
from ser_experiments.errors import InputError
from ser_experiments.tasks.dimensions import Dimensions

if TYPE_CHECKING:
    from ser_experiments.corpora._corpus import CorpusSpec

#: By dimension, the columns that may hold it: activation is another word for arousal.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "valence": ("valence",),
    "arousal": ("arousal", "activation"),
    "dominance": ("dominance",),
}
#: The name of all that a corpus has, and other words for one.
ALL, _ALIASES = "dimensions", {"activation": "arousal"}
#: What ``--labels`` may be.
NAMES = (ALL, *COLUMNS)


@dataclass(frozen=True)
class Ratings(WithoutWords):
    """The rule that takes the raters' mean on some dimensions as the truth.

    Parameters
    ----------
    name : str
        As written after ``--labels``.
    dimensions : tuple of str
        Which are wanted; of :data:`ALL` those that the corpus has.
    """

    name: str
    dimensions: tuple[str, ...]

    @property
    def note(self) -> str:
        """Say what it is."""
        return "the mean of the raters' numbers, on the corpus's own scale"

    def apply(self, utterances: pd.DataFrame) -> pd.DataFrame:
        """Return the utterances that have every number, each dimension in a column of its name.

        Raises
        ------
        InputError
            The corpus does not have a dimension, or a cell is no number.
        """
        numbers = self._numbers(utterances)
        return utterances.assign(**numbers)[numbers.notna().all(axis=1).to_numpy()]

    def left_out(self, utterances: pd.DataFrame, codes: Iterable[str] = ()) -> LeftOut:
        """Return how many utterances lack a number, by dimension."""
        missing = self._numbers(utterances).isna()
        none = int(missing.any(axis=1).sum())
        by_name = {str(name): int(n) for name, n in missing.sum().items() if n}
        return LeftOut(self.name, len(utterances), without=by_name, n_without=none)

    def task(self, utterances: pd.DataFrame, where: str) -> Dimensions:
        """Return the dimensions; an InputError where all utterances have one number."""
        task = Dimensions(tuple(self._sources(utterances)))
        for name in task.targets:
            if utterances[name].nunique() < 2:
                only = utterances[name].iloc[0]
                raise InputError(f"{where}: every {name} is {only:g}; there is nothing to predict")
        return task

    def among(self, targets: Sequence[str]) -> Ratings:
        """Return the rule on some of its dimensions."""
        return replace(self, dimensions=tuple(name for name in self.dimensions if name in targets))

    def _sources(self, utterances: pd.DataFrame) -> dict[str, str]:
        """Return the column of each dimension that is taken."""
        found = {}
        for name in self.dimensions:
            held = [one for one in COLUMNS[name] if one in utterances and utterances[one].notna().any()]
            if held:
                found[name] = held[0]
        if not found or (self.name != ALL and len(found) < len(self.dimensions)):
            wanted = next(name for name in self.dimensions if name not in found)
            raise InputError(
                f"labels {self.name}: nobody rated {wanted} in this copy (no column "
                f"{' or '.join(map(repr, COLUMNS[wanted]))}); choose --labels of classes"
            )
        return found

    def _numbers(self, utterances: pd.DataFrame) -> pd.DataFrame:
        sources = self._sources(utterances)
        return pd.DataFrame({name: _as_numbers(utterances[column]) for name, column in sources.items()})


def _as_numbers(cells: pd.Series) -> pd.Series:
    """Return numbers, NaN where a cell says that there is none."""
    known = cells.where(~cells.map(is_gap), np.nan)
    numbers = pd.to_numeric(known, errors="coerce").astype(float)
    wrong = known.index[(known.notna() & ~np.isfinite(numbers)).to_numpy()]
    if len(wrong):
        raise InputError(f"{cells.name} of utterance {wrong[0]!r} is {cells[wrong[0]]!r}; it must be a number or empty")
    return numbers


def offered(spec: CorpusSpec) -> list[str]:
    """Return the names that a corpus can have."""
    return [*NAMES]


def named(name: str, spec: CorpusSpec) -> Ratings | None:
    """Return the rule of a name; None of another."""
    name = _ALIASES.get(name, name)
    if name not in NAMES:
        return None
    return Ratings(name, tuple(COLUMNS) if name == ALL else (name,))
