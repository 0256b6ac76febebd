"""What a store's pages are to show of a setting: what it is in words, and which numbers lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """What is said of all runs of a setting.

    Parameters
    ----------
    note : str
        The setting in words, Markdown.
    score : str
        Name of the primary score, as it is logged.
    better : int
        1 where more of it is better, -1 where less is.
    others : sequence of str
        Names of the other scores, what matters first.
    by_fold : sequence of str
        Names of the metrics whose steps are folds.
    """

    note: str
    score: str
    better: int = 1
    others: Sequence[str] = ()
    by_fold: Sequence[str] = ()
