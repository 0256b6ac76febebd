"""Normalisation of a feature table by speaker: what each mode asks of a tested speaker is part of the setting.

No statistic crosses speakers, so what is done to a tested speaker's rows knows nothing of anybody else, and the same
is done on both sides of every fold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments import identity
from ser_experiments.errors import InputError
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
        With ``speaker`` and ``label``.
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
        usable = utterances[utterances["label"] == NEUTRAL]
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


def _order(utterance_id: str) -> str:
    return identity.of_lines([utterance_id])


@dataclass(frozen=True)
class SpeakerStatistics:
    """What is taken out of the rows of one speaker.

    Parameters
    ----------
    mean, deviation : ndarray of shape (n_columns,), float64
        Subtracted, then divided by.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def take_out(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalise rows of shape (n_rows, n_columns)."""
        # In steps of float32, so that a row alone gives the bits of a row among others.
        return ((values - self.mean).astype(np.float32) / self.deviation).astype(np.float32)


def speaker_statistics(material: NDArray[np.float32], mode: Normalization) -> SpeakerStatistics:
    """Measure a speaker.

    Parameters
    ----------
    material : ndarray of shape (n_clips, n_columns), float32
        Rows of the clips that the mode takes statistics from.
    mode : Normalization
        The mode, not ``none``.
    """
    exact = material.astype(np.float64)
    deviation = np.ones(exact.shape[1])
    if mode.kind == "speaker":
        # A column that is constant for a speaker tells nothing of them: it becomes 0.
        found = exact.std(axis=0)
        deviation = np.where(found > _CONSTANT, found, 1.0)
    return SpeakerStatistics(exact.mean(axis=0), deviation)


def normalize_by_speaker(
    table: pd.DataFrame, speakers: pd.Series, mode: Normalization, enrolled: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Normalise the numbers of a table.

    Parameters
    ----------
    table : DataFrame of shape (n_utterances, n_columns)
        Functionals, and perhaps ``group``.
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

    Raises
    ------
    InputError
        A column holds arrays over time, which are not normalised by speaker.
    """
    if mode.kind == "none":
        return table
    for name in table.columns.drop(GROUP, errors="ignore"):
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise InputError(
                f"--normalize {mode}: {name!r} holds arrays over time, which are not normalised by speaker; "
                "use an experiment on functionals"
            )
    names = list(table.select_dtypes("number").columns)
    values = table[names].to_numpy(dtype=np.float32, copy=True)
    of = speakers.loc[table.index].astype(str).to_numpy(dtype=str)
    for speaker in np.unique(of):
        rows = np.flatnonzero(of == speaker)
        known = rows if mode.kind == "speaker" else table.index.get_indexer(pd.Index(enrolled[speaker]))
        values[rows] = speaker_statistics(values[known], mode).take_out(values[rows])
    numbers = pd.DataFrame(values, index=table.index, columns=names)
    done = pd.concat([numbers, table.drop(columns=names)], axis=1)[list(table.columns)]
    done.attrs = dict(table.attrs)
    taken = [i for ids in enrolled.values() for i in ids]
    return done.drop(index=taken)
