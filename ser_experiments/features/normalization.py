"""Normalisation of a feature table by speaker: what each mode asks of a tested speaker is part of the setting.

No statistic crosses speakers, so what is done to a tested speaker's rows knows nothing of anybody else, and the same
is done on both sides of every fold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from ser_experiments import identity
from ser_experiments.errors import InputError
from ser_experiments.features.standardized import Standardized, moments
from ser_experiments.frames import GROUP

#: How the modes are written.
MODES = "none, neutral-K, enrol-K or speaker (K a number of clips, e.g. neutral-3)"
NEUTRAL = "neutral"
#: Deviations below this are none.
_CONSTANT = 1e-12


@dataclass(frozen=True)
class Normalization:
    """A way to take the speaker out of functionals.

    Parameters
    ----------
    kind : {"none", "neutral", "enrol", "speaker"}
        ``neutral``: subtract the mean of K neutral clips of the speaker. ``enrol``: of any K clips. ``speaker``:
        subtract the mean of all the speaker's clips and divide by their standard deviation.
    clips : int
        K; 0 where the kind has none.
    """

    kind: str
    clips: int = 0

    def __str__(self) -> str:
        return f"{self.kind}-{self.clips}" if self.clips else self.kind

    @property
    def words(self) -> str:
        """Say what it needs of a tested speaker."""
        return {
            "none": "features as recorded; nothing is asked of a tested speaker",
            "neutral": f"minus the mean of {self.clips} neutral clips of each speaker, which are neither trained on "
            "nor tested: a new speaker has to give as many",
            "enrol": f"minus the mean of {self.clips} clips of each speaker, whatever their emotion, which are "
            "neither trained on nor tested: a new speaker has to give as many",
            "speaker": "mean and deviation of all clips of each speaker, the tested one's too (transductive): it needs "
            "a tested speaker's whole material, balanced over emotions as here",
        }[self.kind]


def parse_normalization(text: str) -> Normalization:
    """Read a mode, e.g. ``"neutral-3"``.

    Raises
    ------
    InputError
        No such mode.
    """
    if text in ("none", "speaker"):
        return Normalization(text)
    found = re.fullmatch(r"(neutral|enrol)-([1-9]\d{0,3})", text)
    if not found:
        raise InputError(f"--normalize {text!r}: expected {MODES}")
    return Normalization(found[1], int(found[2]))


def enrolment(utterances: pd.DataFrame, mode: Normalization) -> dict[str, list[str]]:
    """Choose the clips of each speaker that statistics are taken from.

    The choice depends on the utterance ids alone, so that it is the same in every run.

    Parameters
    ----------
    utterances : DataFrame
        With ``speaker``, and ``label``, ``code`` or ``emotion``.
    mode : Normalization
        The mode.

    Returns
    -------
    dict of str to list of str
        Utterance ids by speaker; empty where the mode needs none.

    Raises
    ------
    InputError
        A speaker has too few clips, or the corpus no neutral ones.
    """
    if not mode.clips:
        return {}
    usable = utterances
    if mode.kind == "neutral":
        usable = utterances[is_neutral(utterances)]
        if usable.empty:
            raise InputError(f"--normalize {mode}: no utterance is labelled {NEUTRAL!r}; use enrol-{mode.clips}")
    chosen = {}
    for speaker, part in utterances.groupby("speaker"):
        ids = sorted((str(i) for i in part.index.intersection(usable.index)), key=_order)[: mode.clips]
        if len(ids) < mode.clips or len(part) == len(ids):
            raise InputError(
                f"--normalize {mode}: speaker {speaker!r} has {len(ids)} such clips among {len(part)} utterances; "
                f"each speaker needs {mode.clips} and others to be tested on"
            )
        chosen[str(speaker)] = ids
    return chosen


def is_neutral(utterances: pd.DataFrame) -> NDArray[np.bool_]:
    """Say which utterances are neutral: by their class, or by the corpus's word where no classes are told."""
    if "label" in utterances:
        return (utterances["label"] == NEUTRAL).to_numpy(dtype=bool)
    words = utterances["code"] if "code" in utterances else utterances["emotion"]
    return words.isin([NEUTRAL, "neu"]).to_numpy(dtype=bool)


def _order(utterance_id: str) -> str:
    return identity.of_lines([utterance_id])


@dataclass(frozen=True)
class SpeakerStatistics:
    """What is taken out of the rows of one speaker.

    Parameters
    ----------
    mean, deviation : ndarray of shape (n_columns,), float64
        Of functionals: subtracted, then divided by.
    over_time : mapping of str to (ndarray, ndarray)
        The same of arrays over time, by the name of their column, each of shape (n_columns_of_the_array,).
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    over_time: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = field(default_factory=dict)

    def without(self, table: pd.DataFrame) -> pd.DataFrame:
        """Normalise the rows of a feature table without ``group``."""
        numbers = [name for name in table.columns if name not in self.over_time]
        values = self.take_out(table[numbers].to_numpy(dtype=np.float32))
        done = pd.DataFrame(values, index=table.index, columns=numbers)
        for name in self.over_time:
            done[name] = _column([self.standardized(name, cell) for cell in table[name]], table.index)
        return done[list(table.columns)]

    def standardized(self, name: str, cell: Any) -> Standardized:
        """Normalise an array over time of the column `name`; it is computed where it is read."""
        mean, deviation = (part.astype(np.float32) for part in self.over_time[name])
        return Standardized(cell, mean, deviation)

    def take_out(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalise rows of shape (n_rows, n_columns)."""
        # In steps of float32, so that a row alone gives the bits of a row among others.
        return ((values - self.mean).astype(np.float32) / self.deviation).astype(np.float32)


def speaker_statistics(material: pd.DataFrame, mode: Normalization) -> SpeakerStatistics:
    """Measure a speaker.

    Parameters
    ----------
    material : DataFrame of shape (n_clips, n_columns)
        Rows of the clips that the mode takes statistics from, without ``group``: functionals, which count clip by clip,
        and arrays over time, which count frame by frame.
    mode : Normalization
        The mode, not ``none``.
    """
    arrays = arrays_of(material)
    exact = material.drop(columns=arrays).to_numpy(dtype=np.float64)
    mean, deviation = exact.mean(axis=0), _deviation(exact.std(axis=0), mode)
    found = {name: moments(list(material[name])) for name in arrays}
    return SpeakerStatistics(mean, deviation, {name: (m, _deviation(d, mode)) for name, (m, d) in found.items()})


def _deviation(found: NDArray[np.float64], mode: Normalization) -> NDArray[np.float64]:
    """Return what is divided by; a column that is constant for a speaker tells nothing of them: it becomes 0."""
    return np.where((found > _CONSTANT) & (mode.kind == "speaker"), found, 1.0)


def arrays_of(table: pd.DataFrame) -> list[str]:
    """Return the columns of arrays over time."""
    return [str(name) for name in table.columns.drop(GROUP, errors="ignore") if not is_numeric_dtype(table[name])]


def _column(cells: Sequence[Any], index: pd.Index) -> pd.Series:
    """Return a column of arrays; pandas would look into them."""
    column = np.empty(len(cells), dtype=object)
    for place, cell in enumerate(cells):
        column[place] = cell
    return pd.Series(column, index=index)


def normalize_by_speaker(
    table: pd.DataFrame, speakers: pd.Series, mode: Normalization, enrolled: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Normalise the numbers of a table.

    Parameters
    ----------
    table : DataFrame of shape (n_utterances, n_columns)
        Functionals, arrays over time, and perhaps ``group``.
    speakers : Series of shape (n_utterances,)
        The speaker of each row.
    mode : Normalization
        The mode.
    enrolled : mapping of str to sequence of str
        As :func:`enrolment` chose them; their rows must be in the table.

    Returns
    -------
    DataFrame of shape (n_utterances - n_enrolled, n_columns)
        Without the rows that statistics were taken from, unless the mode is ``speaker``.
    """
    if mode.kind == "none":
        return table
    plain = table.drop(columns=GROUP, errors="ignore")
    parts = []
    of = speakers.loc[table.index].astype(str).to_numpy(dtype=str)
    for speaker in np.unique(of):
        rows = np.flatnonzero(of == speaker)
        known = rows if mode.kind == "speaker" else table.index.get_indexer(pd.Index(enrolled[speaker]))
        parts.append(speaker_statistics(plain.iloc[known], mode).without(plain.iloc[rows]))
    done = pd.concat(parts).loc[table.index]
    if GROUP in table:
        done[GROUP] = table[GROUP]
    done = done[list(table.columns)]
    done.attrs = dict(table.attrs)
    taken = [i for ids in enrolled.values() for i in ids]
    return done.drop(index=taken)
