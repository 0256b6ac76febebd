"""Segments of one file: which of them hold the same sound, and which files several speakers are heard in.

Nothing is read: a file is known by a digest of its content, or by where it lies, and a segment by its ends.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: Segments that were cut by hand touch; what is no longer than a frame is no overlap.
LEAST_S = 0.02


def files_of(utterances: pd.DataFrame, contents: Sequence[Hashable] | None = None) -> NDArray[np.intp]:
    """Return a number for the file of each utterance, equal where it is one file.

    Parameters
    ----------
    utterances : DataFrame
        With ``path``.
    contents : sequence, optional
        A digest of each utterance's file, None where it is not known; then the place of the file counts.

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    paths = utterances["path"].astype(object)
    known = contents if contents is not None else [None] * len(paths)
    lies = lru_cache(maxsize=None)(os.path.realpath)
    named = [lies(path) if content is None else content for path, content in zip(paths, known, strict=True)]
    return np.asarray(pd.factorize(pd.Series(named, dtype=object))[0], dtype=np.intp)


def overlapping(utterances: pd.DataFrame, files: NDArray[np.intp]) -> list[tuple[int, int, float]]:
    """Return the places of two utterances that hold the same sound, and for how long in seconds.

    Parameters
    ----------
    utterances : DataFrame
        With ``start_s`` and ``end_s``; NaN for the start and the end of the file.
    files : ndarray of shape (n_rows,)
        As :func:`files_of` gives them.
    """
    start = utterances["start_s"].fillna(0.0).to_numpy(dtype=float)
    end = utterances["end_s"].fillna(np.inf).to_numpy(dtype=float)
    found = []
    for _, rows in _several(files):
        ordered = rows[np.argsort(start[rows], kind="stable")]
        for at, one in enumerate(ordered):
            for other in ordered[at + 1 :]:
                if start[other] > end[one] - LEAST_S:
                    break
                shared = min(end[one], end[other]) - start[other]
                if shared > LEAST_S:
                    found.append((int(min(one, other)), int(max(one, other)), float(shared)))
    return sorted(found)


def shared_by_speakers(utterances: pd.DataFrame, files: NDArray[np.intp], apart: pd.Series) -> Mapping[int, list[str]]:
    """Return the speakers of each file that is heard in more than one group, by the place of its first utterance.

    Parameters
    ----------
    utterances : DataFrame
        With ``speaker``.
    files : ndarray of shape (n_rows,)
        As :func:`files_of` gives them.
    apart : Series of str
        The group of each row, which folds keep apart.
    """
    groups, speakers = apart.to_numpy(dtype=str), utterances["speaker"].to_numpy(dtype=str)
    return {int(rows[0]): sorted(set(speakers[rows])) for _, rows in _several(files) if len(set(groups[rows])) > 1}


def words_of(row: pd.Series) -> str:
    """Say which piece of which file an utterance is, and whose."""
    start, end = row.get("start_s"), row.get("end_s")
    whole = (start is None or pd.isna(start)) and (end is None or pd.isna(end))
    piece = "" if whole else f"{_seconds(start, '0')}-{_seconds(end, 'end')} s of "
    name = os.path.basename(str(row["path"])) if "path" in row else ""
    return f"({piece}{name + ', ' if name else ''}speaker {row['speaker']!r})"


def _seconds(value: Any, otherwise: str) -> str:
    return otherwise if value is None or pd.isna(value) else f"{value:g}"


def _several(files: NDArray[np.intp]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Yield the files of more than one utterance with the places of these."""
    order = np.argsort(files, kind="stable")
    begins = np.flatnonzero(np.diff(files[order], prepend=-1))
    for rows in np.split(order, begins[1:]):
        if len(rows) > 1:
            yield int(files[rows[0]]), rows
