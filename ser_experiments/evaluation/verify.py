"""Score anybody's predictions against a protocol card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from ser_experiments.errors import InputError, LeakError
from ser_experiments.evaluation.card import Card
from ser_experiments.evaluation.intervals import Interval
from ser_experiments.evaluation.lists import by_name
from ser_experiments.evaluation.predictions import read_predictions
from ser_experiments.evaluation.scoring import intervals, per_fold, pooled, scores_of
from ser_experiments.frames import FOLD, Predictions, unit_column
from ser_experiments.task import Task


@dataclass(frozen=True)
class Verdict:
    """What predictions are worth under a card.

    Parameters
    ----------
    card : Card
        What they were scored against.
    predictions : Predictions
        Beside the card's truth.
    metrics : dict of str to float
        Every score with the ends of its interval, and its parts such as ``recall_<class>``; without probabilities
        those that need none.
    interval : Interval
        Of the primary score, over the unit of the card.
    folds : DataFrame
        As :func:`ser_experiments.evaluation.scoring.per_fold` returns it.
    notes : list of str
        What could not be checked.
    """

    card: Card
    predictions: Predictions
    metrics: dict[str, float]
    interval: Interval
    folds: pd.DataFrame
    notes: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Return what ``ser verify --json`` prints."""
        return {
            "card": self.card.digest,
            **self.card.setting,
            "n_utterances": len(self.card.tested),
            "n_groups": self.interval.n_groups,
            "metrics": self.metrics,
            "folds": self.folds.reset_index().to_dict(orient="records"),
            "notes": self.notes,
        }


def verify(path: str | Path, card: Card) -> Verdict:
    """Score a file of predictions.

    Parameters
    ----------
    path : path
        A list with ``utterance_id``, or the names of files, and, of classes, ``predicted`` or ``p_<class>``, or of
        dimensions ``predicted_<dimension>``; the truth, ``speaker`` and ``fold`` are compared with the card where they
        are there.
    card : Card
        As :func:`ser_experiments.evaluation.card.read_card` returns it.

    Raises
    ------
    InputError
        The file cannot be used: rows missing, too many, or twice, unknown classes, other labels than the card's.
    LeakError
        The predictions were made under other folds than the card's.
    """
    task, truth = card.task, card.truth
    table = by_name(read_predictions(path), card.tested.index, str(path))
    table = _same_rows(path, table, card)
    task.check_predictions(str(path), table)
    for column in (*task.truth_columns, "speaker"):
        _agree(path, table, truth, column)
    notes = _check_fold(path, table, card)
    given = [column for column in task.columns if column in table]
    scored = Predictions(truth.loc[table.index].join(table[[*task.decided_columns, *given]]), task)
    notes += task.doubts(scored.frame) if scored.has_values else _not_scored(task)
    ranges = intervals(scored, unit_column(card.setting["unit"]))
    metrics = pooled(scored)
    for name, interval in ranges.items():
        metrics |= interval.metrics(name)
    metrics = {key: value for key, value in metrics.items() if np.isfinite(value)}
    return Verdict(card, scored, metrics, ranges[task.primary], per_fold(scored), notes)


def _same_rows(path: str | Path, table: pd.DataFrame, card: Card) -> pd.DataFrame:
    missing = card.tested.index.difference(table.index)
    if len(missing):
        raise InputError(
            f"{path}: {len(missing)} of the card's {len(card.tested)} utterances have no prediction, e.g. "
            f"{missing[0]!r}; every one must be predicted"
        )
    unknown = table.index.difference(card.tested.index)
    if len(unknown):
        raise InputError(
            f"{path}: {len(unknown)} predictions are of utterances that the card does not have, e.g. {unknown[0]!r}; "
            "remove them or choose the card of this corpus and label scheme"
        )
    return table.loc[card.tested.index]


def _agree(path: str | Path, table: pd.DataFrame, known: pd.DataFrame, column: str) -> None:
    if column not in table:
        return
    known = known.loc[table.index]
    if is_numeric_dtype(known[column]):
        # Files are written with six digits.
        same = np.isclose(table[column].astype(float), known[column], rtol=1e-5, atol=1e-9)
    else:
        same = (table[column] == known[column]).to_numpy()
    other = table.index[~same]
    if len(other):
        first = other[0]
        raise InputError(
            f"{path}: {column} of {len(other)} utterances is not the card's, e.g. {first!r}: got "
            f"{table.loc[first, column]!r}, the card has {known.loc[first, column]!r}; choose this setting's card"
        )


def _check_fold(path: str | Path, table: pd.DataFrame, card: Card) -> list[str]:
    """Folds must be the card's up to their names: each of theirs must be one of ours."""
    if FOLD not in table:
        return ["no column 'fold': that no tested group was trained on is the author's word, not checked"]
    pairs = pd.DataFrame({"theirs": table[FOLD], "ours": card.tested[FOLD]}).drop_duplicates()
    wrong = pairs[pairs["theirs"].duplicated(keep=False) | pairs["ours"].duplicated(keep=False)]
    if len(wrong):
        first = wrong.index[0]
        raise LeakError(
            f"leak: {path}: the folds are not the card's: fold {wrong['theirs'].iloc[0]!r} (utterance {first!r}) "
            f"and the card's {wrong['ours'].iloc[0]!r} hold different utterances; predict under the card's folds"
        )
    return []


def _not_scored(task: Task) -> list[str]:
    titles = [score.title for score in scores_of(task) if score.needs_values]
    return [f"no probabilities of every class: {', '.join(titles[:-1])} and {titles[-1]} are not scored"]
