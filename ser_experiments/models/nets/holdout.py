"""Hold rows of the training side out, so that early stopping judges by people the network has not heard."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from ser_experiments.models.grouping import assert_disjoint

log = logging.getLogger(__name__)

Rows = NDArray[np.intp]
#: Draws of groups tried before one is taken that lacks a class among the held-out rows.
DRAWS = 50


def hold_out(
    codes: NDArray[np.intp],
    groups: NDArray[np.str_] | None,
    fraction: float,
    rng: np.random.Generator,
    development: NDArray[np.bool_] | None = None,
) -> tuple[Rows, Rows]:
    """Cut the training rows into rows to learn from and rows to stop by.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        Encoded labels.
    groups : ndarray of shape (n_rows,) or None
        The speaker or session of each row. Without it, or with a single one, rows are drawn within each class.
    fraction : float
        Part of the groups (or rows) to hold out, at least one.
    rng : numpy.random.Generator
        Draws them.
    development : ndarray of bool of shape (n_rows,), optional
        What is held out instead, where the others know every class.

    Returns
    -------
    learn, stop : ndarrays
        Positions in rising order. `stop` is empty where nothing can be held out without taking the last rows of a
        class from the learning side.
    """
    if development is not None and set(codes[~development]) == set(codes) and development.any():
        chosen = development
    elif groups is not None and len(np.unique(groups)) >= 2:
        chosen = _draw_groups(codes, groups, fraction, rng)
    else:
        chosen = _draw_rows(codes, fraction, rng)
    learn, stop = np.flatnonzero(~chosen), np.flatnonzero(chosen)
    if not len(stop):
        log.info("no rows can be held out without losing a class: early stopping is off")
    return learn, stop


def _draw_groups(
    codes: NDArray[np.intp], groups: NDArray[np.str_], fraction: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    names = np.unique(groups)
    size = min(max(1, round(fraction * len(names))), len(names) - 1)
    n_classes = len(np.unique(codes))
    best, most = np.zeros(len(codes), dtype=bool), 0
    for _ in range(DRAWS):
        chosen = np.isin(groups, rng.permutation(names)[:size])
        if len(np.unique(codes[~chosen])) < n_classes:
            continue
        held = len(np.unique(codes[chosen]))
        if held > most:
            best, most = chosen, held
        if held == n_classes:
            break
    assert_disjoint(groups[~best], groups[best])
    return best


def _draw_rows(codes: NDArray[np.intp], fraction: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    chosen = np.zeros(len(codes), dtype=bool)
    for code in np.unique(codes):
        rows = rng.permutation(np.flatnonzero(codes == code))
        chosen[rows[: min(round(fraction * len(rows)), len(rows) - 1)]] = True
    return chosen


def strata_of(numbers: NDArray[np.float64], n_strata: int = 3) -> Rows:
    """Return the part of the scale that each number is in, so that rows can be drawn within each.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows,)
        The truth.
    n_strata : int, default=3
        Parts, equally large.

    Returns
    -------
    ndarray of shape (n_rows,)
        From 0, the lowest, to ``n_strata - 1``.
    """
    order = np.empty(len(numbers), dtype=np.intp)
    order[np.argsort(numbers, kind="stable")] = np.arange(len(numbers))
    return order * n_strata // max(1, len(numbers))
