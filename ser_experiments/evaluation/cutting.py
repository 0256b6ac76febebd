"""Cut a table of utterances into the folds of a protocol, and see that every fold can be learned from."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.errors import InputError
from ser_experiments.evaluation.folds import CutOptions, Folds, get_protocol, joined
from ser_experiments.task import Task
from ser_experiments.tasks.classes import Classes


def default_protocol(utterances: pd.DataFrame) -> str:
    """Return leave-one-session-out where two sessions with speakers of their own are known, else by speaker."""
    if utterances["session"].notna().all() and joined(utterances, "session").nunique() >= 2:
        return "leave-one-session-out"
    return "leave-one-speaker-out"


def make_folds(
    utterances: pd.DataFrame,
    protocol: str | None = None,
    *,
    n_splits: int = 5,
    seed: int = 0,
    shares_room: bool = False,
    assigned: pd.Series | None = None,
    task: Task | None = None,
) -> Folds:
    """Cut a table of utterances into the folds of a protocol.

    Parameters
    ----------
    utterances : DataFrame
        With ``speaker``, ``session`` and the truth.
    protocol : str, optional
        ``leave-one-session-out``, ``leave-one-speaker-out``, ``grouped-k-fold``, ``random`` or a plug-in.
    n_splits : int, default=5
        Folds of the last two.
    seed : int, default=0
        Deals groups or rows to the folds of the last two.
    shares_room : bool
        Whether speakers of a session are heard in each other's recordings; then a tested speaker's partner is not
        trained on either.
    assigned : Series of str, optional
        The fold of each utterance by id, for the protocol ``own-folds``.
    task : Task, optional
        What is predicted; by default the classes in ``label``, where there are any.

    Raises
    ------
    InputError
        Unknown protocol, fewer than two folds, or training rows of a fold that lack a class.
    """
    chosen = get_protocol(protocol or default_protocol(utterances))
    if task is None and "label" in utterances:
        task = Classes.of(utterances["label"])
    strata = None if task is None else task.strata(utterances)
    folds = chosen.cut(utterances, CutOptions(chosen, n_splits, seed, shares_room, assigned, strata))
    if len(folds.folds) < 2 and not folds.partial:
        raise InputError(
            f"protocol {chosen.name!r}: everything is one group ({folds.group.iloc[0]!r}); at least two are needed, "
            "use leave-one-speaker-out"
        )
    if strata is not None and task is not None and task.all_trained:
        _check_classes(folds, strata.to_numpy(dtype=str))
    return folds


def _check_classes(folds: Folds, labels: NDArray[np.str_]) -> None:
    every = set(labels.tolist())
    for fold in folds.folds:
        missing = sorted(every - set(labels[fold.train].tolist()))
        if missing:
            raise InputError(
                f"protocol {folds.protocol!r}: the training rows of fold {fold.name!r} have no {missing[0]!r}; "
                "choose --labels without it or another --protocol"
            )
