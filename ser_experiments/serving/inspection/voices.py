"""Which speakers of the training a voice is like, by a few of the measures that a model is fed with.

Kept are the measures that tell speakers apart best and say something of their own, and of each speaker the medians of
these. No name is kept, and no recording.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.serving.outlying import numbers_of

Floats = NDArray[np.float64]
#: Measures that are kept, chosen among so many that tell speakers apart, no two of which go together more than this.
_COLUMNS, _AMONG, _ALIKE = 12, 100, 0.7
#: Speakers that are kept, of each of whom there are so many recordings; and how many there must be.
_SPEAKERS, _OF_EACH, _FEWEST = 100, 3, 3


class Near(NamedTuple):
    """A speaker of the training who is near.

    Attributes
    ----------
    away : float
        How far, in the spread of a measure over the recordings of one speaker (root mean square over measures).
    n : int
        Recordings of that speaker.
    score : float or None
        The primary score on them, by models that had not heard that speaker.
    """

    away: float
    n: int
    score: float | None


@dataclass(frozen=True)
class Voices:
    """The speakers of the training.

    Parameters
    ----------
    columns : list of str
        The measures.
    spread : ndarray of shape (n_columns,)
        Of each over the recordings of one speaker: the standard deviation.
    medians : ndarray of shape (n_speakers, n_columns)
        Of each speaker.
    n : list of int
        Recordings of each speaker.
    scores : list of float or None
        The primary score on each speaker.
    """

    columns: Sequence[str]
    spread: Floats
    medians: Floats
    n: Sequence[int]
    scores: Sequence[float | None]

    @classmethod
    def of(cls, known: Mapping[str, Any]) -> Voices:
        """Return what :func:`voices_of` told; of nothing, nobody is near."""
        columns = list(known.get("columns", ()))
        speakers = known.get("speakers", [])
        medians = np.array([one["medians"] for one in speakers], dtype=np.float64).reshape(len(speakers), len(columns))
        spread = np.array(known.get("spread", ()), dtype=np.float64)
        return cls(columns, spread, medians, [one["n"] for one in speakers], [one["score"] for one in speakers])

    @staticmethod
    def fits(known: object) -> bool:
        """Whether a value, as it was parsed, is what :func:`voices_of` tells."""
        if not isinstance(known, dict) or not known:
            return known == {}
        columns, spread, speakers = (known.get(name) for name in ("columns", "spread", "speakers"))
        if not isinstance(columns, list) or not all(isinstance(one, str) for one in columns):
            return False
        if not _are_numbers(spread, len(columns)) or not all(one > 0 for one in spread):  # type: ignore[union-attr]
            return False
        return isinstance(speakers, list) and all(
            isinstance(one, dict)
            and _are_numbers(one.get("medians"), len(columns))
            and _are_numbers([one.get("n")], 1)
            and (one.get("score") is None or _are_numbers([one["score"]], 1))
            for one in speakers
        )

    def nearest(self, rows: pd.DataFrame) -> Near | None:
        """Return the speaker who is nearest to the one of some recordings; None where nobody can be told.

        Parameters
        ----------
        rows : DataFrame of n_recordings rows
            With the :attr:`columns`.
        """
        voice = rows.reindex(columns=list(self.columns)).astype(float).median().to_numpy()
        if not len(self.medians) or not np.isfinite(voice).any():
            return None
        away = self._away(voice)
        place = int(away.argmin())
        return Near(float(away[place]), int(self.n[place]), self.scores[place])

    @property
    def apart(self) -> tuple[float, float] | None:
        """Return how far the speakers of the training are from their nearest: the median, and the most."""
        if len(self.medians) < 2:
            return None
        each = [np.delete(self._away(own), place).min() for place, own in enumerate(self.medians)]
        return float(np.median(each)), float(np.max(each))

    def _away(self, voice: Floats) -> Floats:
        # What could not be measured of a recording says nothing.
        known = np.isfinite(voice)
        beside = (self.medians[:, known] - voice[known]) / self.spread[known]
        return np.asarray(np.sqrt(np.square(beside).mean(axis=1)), dtype=np.float64)


def voices_of(table: pd.DataFrame, speakers: pd.Series, scores: pd.Series) -> dict[str, Any]:
    """Return what a model is to keep of the speakers that it learns from, as JSON takes it.

    Parameters
    ----------
    table : DataFrame of n_rows rows
        The features; columns of arrays do not count.
    speakers : Series of n_rows
        Who speaks.
    scores : Series
        The primary score by speaker.

    Returns
    -------
    dict
        ``columns``, the ``spread`` of each, and ``speakers``: ``medians``, ``n`` and ``score``, sorted by the first
        median. Nothing without numbers or with too few speakers.
    """
    speakers = pd.Series(speakers.to_numpy(dtype=str))
    counts = speakers.value_counts()
    enough = sorted(counts.index[counts >= _OF_EACH])
    enough = enough[:: max(1, -(-len(enough) // _SPEAKERS))]
    inside = speakers.isin(enough).to_numpy()
    numbers = numbers_of(table)
    if len(enough) < _FEWEST or not numbers.shape[1]:
        return {}
    values, own = numbers.to_numpy(dtype=np.float64)[inside], speakers[inside].to_numpy()
    groups = pd.DataFrame(values).groupby(own)
    within = np.sqrt(np.square(values - groups.transform("mean").to_numpy()).mean(axis=0))
    chosen = _telling(values, groups.mean().to_numpy().std(axis=0), within)
    if not chosen:
        return {}
    medians = groups.median().iloc[:, chosen]
    told = [
        {
            "medians": [_short(one) for one in medians.loc[name]],
            "n": int(counts[name]),
            "score": _short(score) if np.isfinite(score := float(scores.get(name, np.nan))) else None,
        }
        for name in medians.index
    ]
    return {
        "columns": [str(numbers.columns[place]) for place in chosen],
        "spread": [_short(within[place]) for place in chosen],
        # Not in the order of the names, which are not kept.
        "speakers": sorted(told, key=lambda one: one["medians"]),
    }


def _telling(values: Floats, between: Floats, within: Floats) -> list[int]:
    """Return the places of the columns that tell speakers apart best, without those that say the same again."""
    usable = np.isfinite(within) & (within > 1e-6 * np.abs(values).max(axis=0, initial=0.0)) & (within > 0)
    telling = np.where(usable, between / np.where(usable, within, 1.0), -1.0)
    order = [int(place) for place in np.argsort(-telling, kind="stable")[:_AMONG] if usable[place]]
    if not order:
        return []
    alike = np.abs(np.atleast_2d(np.corrcoef(values[:, order], rowvar=False)))
    chosen: list[int] = []
    for place in range(len(order)):
        if len(chosen) < _COLUMNS and (not chosen or alike[place, chosen].max() < _ALIKE):
            chosen.append(place)
    return [order[place] for place in chosen]


def _are_numbers(value: object, n: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) == n
        and all(isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one) for one in value)
    )


def _short(value: float) -> float:
    return float(f"{value:.4g}")
