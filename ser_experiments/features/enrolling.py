"""Normalisation of each recording by others of its speaker: what a speaker who gives K clips gets out of them.

With ``--normalize enrol-K`` (:mod:`ser_experiments.features.normalization`) K clips of each speaker are given and the
rest is trained on and tested, so that with another K other recordings are tested. Here no recording is lost: each is
normalised by K of the speaker's others, whatever K is, so that scores of different K are of the same recordings.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments import identity
from ser_experiments.features.normalization import Normalization, speaker_statistics
from ser_experiments.frames import GROUP


def clips_given(speakers: pd.Series, usable: NDArray[np.bool_], n_clips: int | None) -> NDArray[np.intp]:
    """Count the clips that each recording is normalised by.

    Parameters
    ----------
    speakers : Series of shape (n_utterances,)
        The speaker of each recording.
    usable : ndarray of bool, shape (n_utterances,)
        Which recordings a speaker may give.
    n_clips : int or None
        How many are asked for; None for all there are.

    Returns
    -------
    ndarray of int, shape (n_utterances,)
        At most `n_clips`, and fewer where the speaker has no more others.
    """
    of = speakers.astype(str).to_numpy(dtype=str)
    names, place = np.unique(of, return_inverse=True)
    others = np.bincount(place, weights=usable, minlength=len(names)).astype(np.intp)[place] - usable
    return others if n_clips is None else np.minimum(others, n_clips)


def normalize_by_others(
    table: pd.DataFrame, speakers: pd.Series, usable: NDArray[np.bool_], n_clips: int | None, draw: Sequence[int]
) -> pd.DataFrame:
    """Subtract from each row the mean of clips of its speaker, none of which is the row's own.

    The order in which a speaker gives clips is drawn from `draw` and the utterance ids alone: of one draw, three clips
    are the one clip and two more. A recording that would be given takes the place of none of the others.

    Parameters
    ----------
    table : DataFrame of shape (n_utterances, n_columns)
        Functionals, arrays over time, and perhaps ``group``.
    speakers : Series of shape (n_utterances,)
        The speaker of each row.
    usable : ndarray of bool, shape (n_utterances,)
        Which rows a speaker may give.
    n_clips : int or None
        How many are given; None for all. A speaker who has fewer gives those.
    draw : sequence of int
        Seed, and number of the draw.

    Returns
    -------
    DataFrame of shape (n_utterances, n_columns)
        Every row, in the order of `table`.
    """
    plain = table.drop(columns=GROUP, errors="ignore")
    of = speakers.loc[table.index].astype(str).to_numpy(dtype=str)
    parts = []
    for speaker in np.unique(of):
        rows = np.flatnonzero(of == speaker)
        order = sorted(rows[usable[rows]].tolist(), key=lambda row: _place(draw, str(table.index[row])))
        given = order[: len(order) if n_clips is None else n_clips]
        rest = sorted({*rows.tolist()} - {*given})
        if rest:
            parts.append(_without(plain, rest, given))
        parts.extend(_without(plain, [row], [one for one in order if one != row][: len(given)]) for row in given)
    done = pd.concat(parts).loc[table.index]
    if GROUP in table:
        done[GROUP] = table[GROUP]
    done = done[list(table.columns)]
    done.attrs = dict(table.attrs)
    return done


def _without(plain: pd.DataFrame, rows: list[int], given: list[int]) -> pd.DataFrame:
    mode = Normalization("enrol", len(given))
    return speaker_statistics(plain.iloc[given], mode).without(plain.iloc[rows])


def _place(draw: Sequence[int], utterance_id: str) -> str:
    return identity.of_lines([*map(str, draw), utterance_id])
