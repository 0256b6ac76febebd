"""Measure recordings and keep the rows: the unit of work that runs here, in worker processes or on a cluster.

A unit reads its recordings, measures every missing set in one pass over the audio, and writes its rows to the store
itself, so that no audio and no row travels between processes and nothing that is finished can be lost with another.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ser_experiments.audio import read_audio, resample
from ser_experiments.errors import AudioError, SerError
from ser_experiments.features import arrays, facts, rows, store
from ser_experiments.features.extractor import Extractor

_log = logging.getLogger(__name__)

#: Finished rows wait no longer than this, and no more of them than that, until they are on disk.
FLUSH_S = 1.0
FLUSH_BYTES = 32 << 20


@dataclass(frozen=True)
class Target:
    """A feature set and where its rows are kept.

    Parameters
    ----------
    extractor : Extractor
        Without its columns, which a worker does not need and which would weigh more than the work's description.
    n_columns : int
        How many there are.
    digest : str
        Of the identity where the work was planned; a worker with other libraries must not write there.
    cache : str
        The cache folder.
    """

    extractor: Extractor
    n_columns: int
    digest: str
    cache: str

    @classmethod
    def of(cls, extractor: Extractor, cache: Path) -> Target:
        """Return the target of a feature set in a cache folder."""
        return cls(replace(extractor, columns=()), len(extractor.columns), extractor.digest, str(cache))

    @property
    def is_array(self) -> bool:
        """Whether the set has one array a recording rather than one row."""
        return self.extractor.layout == "array"

    @property
    def parts(self) -> store.Parts:
        """Return the table of the set."""
        folder = store.tables_folder(Path(self.cache)) / self.extractor.name / self.digest
        return store.Parts(folder, arrays.SCHEMA if self.is_array else rows.schema(self.n_columns))


class Recording(NamedTuple):
    """What is to be measured of one recording.

    Attributes
    ----------
    key : bytes
        Of its rows.
    path : str
    start_s, end_s : float
        The segment; NaN for the file's start and end.
    targets : tuple of int
        The sets that lack its row, as places in the unit's targets.
    survey : bool
        Whether its facts are to be kept.
    """

    key: bytes
    path: str
    start_s: float
    end_s: float
    targets: tuple[int, ...]
    survey: bool


class Report(NamedTuple):
    """What a unit of work did.

    Attributes
    ----------
    n_done : int
        Recordings, the unusable ones included.
    audio_s : float
        Seconds of audio.
    seconds : float
        How long it took.
    problems : dict of bytes to str
        Why recordings have no row, by key.
    """

    n_done: int
    audio_s: float
    seconds: float
    problems: dict[bytes, str]


def measure(cache: str, targets: Sequence[Target], recordings: Sequence[Recording]) -> Report:
    """Measure recordings and write their rows to the store.

    Parameters
    ----------
    cache : str
        The cache folder.
    targets : sequence of Target
        The sets.
    recordings : sequence of Recording
        What is to be done.

    Returns
    -------
    Report
        An unusable recording is told there and stops nothing.

    Raises
    ------
    StoreError
        The store cannot be written.
    SerError
        The libraries here are not those that the work was planned with.
    """
    from threadpoolctl import threadpool_limits

    for target in targets:
        if target.extractor.digest != target.digest:
            raise SerError(
                f"feature set {target.extractor.name!r}: this worker has other library versions than the process that "
                "asked; install the same environment everywhere"
            )
    writer = _Writer(Path(cache), targets)
    problems: dict[bytes, str] = {}
    audio_s, done, began = 0.0, 0, time.monotonic()
    parent = os.getppid()
    try:
        with threadpool_limits(limits=1):
            for recording in recordings:
                if os.getppid() != parent:
                    # Whoever asked was killed: keep what is finished and leave the rest to the next run.
                    break
                audio_s += _measure_one(recording, targets, writer, problems)
                done += 1
                writer.flush_if_due()
    finally:
        writer.flush()
    return Report(done, audio_s, time.monotonic() - began, problems)


def _measure_one(recording: Recording, targets: Sequence[Target], writer: _Writer, problems: dict[bytes, str]) -> float:
    """Measure one recording; return its seconds."""
    try:
        audio, sample_rate = read_audio(recording.path, start_s=recording.start_s, end_s=recording.end_s)
    except AudioError as error:
        problems[recording.key] = error.reason
        if recording.survey:
            writer.add_facts(recording.key, facts.unusable(error.reason))
        return 0.0
    if recording.survey:
        writer.add_facts(recording.key, facts.of_audio(audio, sample_rate))
    resampled = {sample_rate: audio}
    for number in recording.targets:
        extractor = targets[number].extractor
        rate = extractor.sample_rate
        if rate not in resampled:
            resampled[rate] = resample(audio, sample_rate, rate)
        try:
            values = _checked(targets[number], extractor(resampled[rate], rate))
        except Exception as error:
            # Whatever a set stumbles over, the other recordings are to be measured.
            _log.debug("%s: feature set %r failed", recording.path, extractor.name, exc_info=True)
            problems[recording.key] = f"feature set {extractor.name!r} failed: {type(error).__name__}: {error}"
        else:
            writer.add(number, recording.key, values)
    return len(audio) / sample_rate


def _checked(target: Target, values: NDArray[np.float32]) -> NDArray[Any]:
    """Hold an extractor to its contract before its numbers are kept."""
    values = np.asarray(values, dtype=target.extractor.dtype if target.is_array else np.float32)
    expected = f"(n_frames, {target.n_columns})" if target.is_array else f"({target.n_columns},)"
    if values.ndim != 1 + target.is_array or values.shape[-1] != target.n_columns or len(values) == 0:
        raise ValueError(f"gave shape {values.shape}, expected {expected}")
    if not np.isfinite(values).all():
        raise ValueError("gave numbers that are not finite")
    return values


class _Writer:
    """Rows that wait to be written, a batch a second."""

    def __init__(self, cache: Path, targets: Sequence[Target]) -> None:
        self._targets = targets
        self._survey = facts.parts(cache)
        self._rows: list[list[tuple[bytes, NDArray[Any]]]] = [[] for _ in targets]
        self._facts: list[tuple[bytes, tuple[Any, ...]]] = []
        self._bytes = 0
        self._due = time.monotonic() + FLUSH_S

    def add(self, number: int, key: bytes, values: NDArray[Any]) -> None:
        """Take a row or an array of a set."""
        self._rows[number].append((key, values))
        self._bytes += values.nbytes

    def add_facts(self, key: bytes, row: tuple[Any, ...]) -> None:
        """Take the facts of a recording."""
        self._facts.append((key, row))

    def flush_if_due(self) -> None:
        """Write what has waited long enough."""
        if time.monotonic() >= self._due or self._bytes >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write everything that waits."""
        for target, waiting in zip(self._targets, self._rows, strict=True):
            if waiting:
                keys, values = [key for key, _ in waiting], [row for _, row in waiting]
                if target.is_array:
                    shard = [arrays.to_bytes(array) for array in values]
                    target.parts.append(arrays.to_table(keys, [len(array) for array in values], shard), shard)
                else:
                    target.parts.append(rows.to_table(keys, np.stack(values)))
                waiting.clear()
        if self._facts:
            self._survey.append(
                facts.to_table([key for key, _ in self._facts], [row for _, row in self._facts]),
                sync=store.Sync.NOTHING,
            )
            self._facts.clear()
        self._bytes = 0
        self._due = time.monotonic() + FLUSH_S
