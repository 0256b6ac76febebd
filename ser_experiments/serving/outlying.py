"""How much of what is measured of a recording lies beyond what the recordings of the training had.

Of a familiar recording hardly anything does; of another microphone, room, language or age, much does, whatever the
feature set. How much is too much, other speakers of the training say, each held against the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments import conformal
from ser_experiments.frames import GROUP

Floats = NDArray[np.float64]
#: Beyond is what lies outside of the middle of a column's training values: all of them but so many at either end.
_ENDS = (0.005, 0.995)
#: The share of the utterances of a new speaker from the same recordings that is not beyond what is usual.
_USUAL = 0.99
#: Of more rows than these every so many is looked at.
_MOST_ROWS = 4000


def ranges_of(table: pd.DataFrame, speakers: pd.Series) -> dict[str, Any]:
    """Return what a model is to know of the table that it is trained on.

    Parameters
    ----------
    table : DataFrame of n_rows rows
        The features; columns of arrays do not count.
    speakers : Series of n_rows
        Who speaks.

    Returns
    -------
    dict
        ``columns``, the ``low`` and the ``high`` end of each, and ``most``, the share of columns beyond their ends that
        99 % of the utterances of a new speaker do not exceed; nothing without numbers or with too few speakers.
    """
    numbers = numbers_of(table)
    every = -(-len(numbers) // _MOST_ROWS)
    values = numbers.to_numpy(dtype=np.float64)[::every]
    codes, _ = conformal.equal_groups(speakers.astype(str).to_numpy()[::every])
    if not values.shape[1] or codes.max() + 1 < conformal.FEWEST_GROUPS:
        return {}
    beyond = np.empty(len(values))
    for part in conformal.parts_of(codes):
        beyond[part] = _beyond(values[part], *np.quantile(values[~part], _ENDS, axis=0))
    low, high = np.quantile(values, _ENDS, axis=0)
    most = conformal.covering(beyond, codes, [_USUAL])[0]
    return {
        "columns": [str(name) for name in numbers],
        "low": [float(f"{one:.6g}") for one in low],
        "high": [float(f"{one:.6g}") for one in high],
        "most": float(f"{most:.4g}"),
    }


@dataclass(frozen=True)
class Usual:
    """What the recordings of the training had, ready to hold one recording after the other against.

    Parameters
    ----------
    columns : Index of n_columns
        What is measured.
    low, high : ndarray of shape (n_columns,)
        The ends of each.
    most : float
        The share of columns beyond their ends that is usual.
    """

    columns: pd.Index
    low: Floats
    high: Floats
    most: float

    @classmethod
    def of(cls, known: Mapping[str, Any]) -> Usual:
        """Return what :func:`ranges_of` told; of nothing, whatever comes is usual."""
        low, high = (np.array(known.get(name, ()), dtype=np.float64) for name in ("low", "high"))
        return cls(pd.Index(known.get("columns", ()), dtype=object), low, high, float(known.get("most", 1.0)))

    def beyond(self, row: pd.DataFrame) -> list[str]:
        """Say that more of a recording's measures lie beyond those of the training than is usual; nothing else.

        Parameters
        ----------
        row : DataFrame of 1 row
            What was measured of the recording.
        """
        if self.columns.empty:
            return []
        values = row.reindex(columns=self.columns).to_numpy(dtype=np.float64)
        share = float(_beyond(values, self.low, self.high)[0])
        if share <= self.most:
            return []
        return [f"{100 * share:.0f} % of its measures beyond those of training, usual up to {100 * self.most:.0f} %"]


def numbers_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of a feature table that are numbers: no arrays, and not who speaks."""
    return table.drop(columns=GROUP, errors="ignore").select_dtypes("number")


def _beyond(values: Floats, low: Floats, high: Floats) -> Floats:
    """Return the share of the columns of each row that lie beyond their ends; what is not a number is not."""
    # Ends are kept with six digits.
    room = 1e-5 * np.maximum(np.abs(low), np.abs(high))
    return ((values < low - room) | (values > high + room)).mean(axis=1)
