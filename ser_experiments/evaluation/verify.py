"""Score anybody's predictions against a protocol card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

from ser_experiments.errors import InputError, LeakError, nearest
from ser_experiments.evaluation.card import Card
from ser_experiments.evaluation.intervals import Interval, uar_interval
from ser_experiments.evaluation.metrics import PROBABILITY, fold_metrics, pooled_metrics, uar
from ser_experiments.evaluation.predictions import read_predictions


@dataclass(frozen=True)
class Verdict:
    """What predictions are worth under a card.

    Parameters
    ----------
    card : Card
        What they were scored against.
    metrics : dict of str to float
        ``uar``, ``wa``, ``macro_f1`` and ``recall_<class>``; with probabilities ``log_loss``, ``brier`` and ``ece``.
    interval : Interval
        Of the UAR, over the unit of the card.
    folds : DataFrame
        ``fold_uar``, ``fold_wa``, ``n_test`` by fold.
    notes : list of str
        What could not be checked.
    """

    card: Card
    metrics: dict[str, float]
    interval: Interval
    folds: pd.DataFrame
    notes: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Return what ``ser verify --json`` prints."""
        return {
            "card": self.card.digest,
            **self.card.setting,
            "n_utterances": len(self.card.rows),
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
        A CSV with ``utterance_id`` and ``predicted`` or ``p_<class>``; ``label``, ``speaker`` and ``fold`` are
        compared with the card where they are there.
    card : Card
        As :func:`ser_experiments.evaluation.card.read_card` returns it.

    Raises
    ------
    InputError
        The file cannot be used: rows missing, too many, or twice, unknown classes, other labels than the card's.
    LeakError
        The predictions were made under other folds than the card's.
    """
    table = read_predictions(path)
    table = _same_rows(path, table, card)
    _known_classes(path, table, card)
    for column in ("label", "speaker"):
        _agree(path, table, card, column)
    notes = _check_fold(path, table, card)
    scored = card.rows.assign(predicted=table["predicted"])
    complete = all(PROBABILITY.format(c) in table for c in card.classes)
    if complete:
        scored = scored.join(table[[PROBABILITY.format(c) for c in card.classes]])
        metrics = pooled_metrics(scored, card.classes)
        notes += _argmax(scored, card)
    else:
        metrics = _of_labels(scored, card)
        notes.append("no probabilities of every class: log loss, Brier score and calibration are not scored")
    interval = uar_interval(scored, card.unit_column)
    metrics |= {"uar_ci_low": interval.low, "uar_ci_high": interval.high}
    metrics = {key: value for key, value in metrics.items() if np.isfinite(value)}
    return Verdict(card, metrics, interval, fold_metrics(scored), notes)


def _same_rows(path: str | Path, table: pd.DataFrame, card: Card) -> pd.DataFrame:
    missing = card.rows.index.difference(table.index)
    if len(missing):
        raise InputError(
            f"{path}: {len(missing)} of the card's {len(card.rows)} utterances have no prediction, e.g. "
            f"{missing[0]!r}; every one must be predicted"
        )
    unknown = table.index.difference(card.rows.index)
    if len(unknown):
        raise InputError(
            f"{path}: {len(unknown)} predictions are of utterances that the card does not have, e.g. {unknown[0]!r}; "
            "remove them or choose the card of this corpus and label scheme"
        )
    return table.loc[card.rows.index]


def _known_classes(path: str | Path, table: pd.DataFrame, card: Card) -> None:
    prefix = PROBABILITY.format("")
    named = {str(c).removeprefix(prefix): f"column {c!r}" for c in table.columns if str(c).startswith(prefix)}
    named |= {str(c): f"prediction {c!r}" for c in table["predicted"].unique()}
    for name, where in named.items():
        if name not in card.classes:
            raise InputError(f"{path}: {where} is no class of the card{nearest(name, card.classes)}")


def _agree(path: str | Path, table: pd.DataFrame, card: Card, column: str) -> None:
    if column not in table:
        return
    other = table.index[(table[column] != card.rows[column]).to_numpy()]
    if len(other):
        first = other[0]
        raise InputError(
            f"{path}: {column} of {len(other)} utterances is not the card's, e.g. {first!r}: got "
            f"{table.loc[first, column]!r}, the card has {card.rows.loc[first, column]!r}; choose this setting's card"
        )


def _check_fold(path: str | Path, table: pd.DataFrame, card: Card) -> list[str]:
    """Folds must be the card's up to their names: each of theirs must be one of ours."""
    if "fold" not in table:
        return ["no column 'fold': that no tested group was trained on is the author's word, not checked"]
    pairs = pd.DataFrame({"theirs": table["fold"], "ours": card.rows["fold"]}).drop_duplicates()
    wrong = pairs[pairs["theirs"].duplicated(keep=False) | pairs["ours"].duplicated(keep=False)]
    if len(wrong):
        first = wrong.index[0]
        raise LeakError(
            f"leak: {path}: the folds are not the card's: fold {wrong['theirs'].iloc[0]!r} (utterance {first!r}) "
            f"and the card's {wrong['ours'].iloc[0]!r} hold different utterances; predict under the card's folds"
        )
    return []


def _of_labels(scored: pd.DataFrame, card: Card) -> dict[str, float]:
    truth, predicted = scored["label"].to_numpy(dtype=str), scored["predicted"].to_numpy(dtype=str)
    return {
        "uar": uar(truth, predicted),
        "wa": float((truth == predicted).mean()),
        "macro_f1": float(f1_score(truth, predicted, labels=card.classes, average="macro", zero_division=0)),
        **{f"recall_{c}": float((predicted[truth == c] == c).mean()) for c in card.classes},
    }


def _argmax(scored: pd.DataFrame, card: Card) -> list[str]:
    chances = scored[[PROBABILITY.format(c) for c in card.classes]].to_numpy(dtype=float)
    chosen = (
        pd.Series(scored["predicted"].to_numpy()).map({c: i for i, c in enumerate(card.classes)}).to_numpy(dtype=int)
    )
    # A prediction is another one only if its probability is clearly below the highest.
    n = int((chances[np.arange(len(chances)), chosen] < chances.max(axis=1) - 1e-6).sum())
    return [f"{n} predictions are not the most probable class; 'predicted' is what was scored"] if n else []
