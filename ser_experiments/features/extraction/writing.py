"""Rows that wait to be written, so that a part of the store holds about a second's work."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ser_experiments.features.extraction.target import Target
from ser_experiments.features.store import survey
from ser_experiments.features.store.files import Sync

#: Finished rows wait no longer than this, and no more of them than that, until they are on disk.
FLUSH_S = 1.0
FLUSH_BYTES = 32 << 20


class Writer:
    """Take rows and write them, a batch a second.

    Parameters
    ----------
    cache : Path
        The cache folder.
    targets : sequence of Target
        Whose rows come.
    """

    def __init__(self, cache: Path, targets: Sequence[Target]) -> None:
        self._targets = targets
        self._survey = survey.table(cache)
        self._rows: list[list[tuple[bytes, NDArray[Any]]]] = [[] for _ in targets]
        self._surveyed: list[tuple[bytes, tuple[Any, ...]]] = []
        self._bytes = 0
        self._due = time.monotonic() + FLUSH_S

    def add(self, number: int, key: bytes, values: NDArray[Any]) -> None:
        """Take an output of a recording for the target of that number."""
        self._rows[number].append((key, values))
        self._bytes += values.nbytes

    def add_survey(self, key: bytes, row: tuple[Any, ...]) -> None:
        """Take the row of a recording in the survey."""
        self._surveyed.append((key, row))

    def flush_if_due(self) -> None:
        """Write what has waited long enough."""
        if time.monotonic() >= self._due or self._bytes >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write everything that waits."""
        for target, waiting in zip(self._targets, self._rows, strict=True):
            if waiting:
                target.codec.append(target.table, [key for key, _ in waiting], [values for _, values in waiting])
                waiting.clear()
        if self._surveyed:
            keys, rows = zip(*self._surveyed, strict=True)
            self._survey.append(survey.to_table(keys, rows), sync=Sync.NOTHING)
            self._surveyed.clear()
        self._bytes = 0
        self._due = time.monotonic() + FLUSH_S
