"""What must be done for a table: which rows the store lacks, and of which recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from ser_experiments import project
from ser_experiments.errors import InputError
from ser_experiments.features import facts, schedule
from ser_experiments.features.content import identify
from ser_experiments.features.extraction import Recording, Target
from ser_experiments.features.progress import Callback, Meter
from ser_experiments.features.store import probe

#: The places in a table of each key; two utterances of the same audio share a key.
Places = dict[bytes, list[int]]


@dataclass(frozen=True)
class Request:
    """Utterances whose audio is known.

    Parameters
    ----------
    utterances : DataFrame
        As they were handed in.
    cache : Path
        The cache folder.
    jobs : int
        Processes.
    meter : Meter
        Told of what is done.
    keys : list of bytes or None
        Of each utterance; None where the file cannot be read.
    unreadable : dict of int to str
        Why, by the place of the utterance.
    segments : list of (float, float)
        Start and end in seconds; NaN for the start and the end of the file.
    """

    utterances: pd.DataFrame
    cache: Path
    jobs: int
    meter: Meter
    keys: list[bytes | None]
    unreadable: dict[int, str]
    segments: list[tuple[float, float]]

    @classmethod
    def of(cls, utterances: pd.DataFrame, cache: Path | None, jobs: int | None, progress: Callback | None) -> Request:
        """Check what was handed in and find out which audio it is.

        Raises
        ------
        InputError
            An utterance id occurs twice, or there is no column ``path``.
        """
        if utterances.index.has_duplicates:
            twice = utterances.index[utterances.index.duplicated()][0]
            raise InputError(f"utterance id {twice!r} occurs twice; every utterance needs an id of its own")
        if "path" not in utterances:
            raise InputError("utterances have no column 'path'; it says where each recording lies")
        cache = Path(cache or project.find().cache)
        jobs = max(1, jobs or joblib.cpu_count())
        meter = Meter(progress)
        return cls(utterances, cache, jobs, meter, *identify(utterances, cache, jobs=jobs, meter=meter))

    def places(self) -> Places:
        """Return the places of each key."""
        places: Places = {}
        for place, key in enumerate(self.keys):
            if key is not None:
                places.setdefault(key, []).append(place)
        return places

    def facts(self) -> list[tuple[Any, ...] | None]:
        """Return what the store knows of each recording; None where it knows nothing."""
        rows: list[tuple[Any, ...] | None] = [None] * len(self.keys)
        for place, reason in self.unreadable.items():
            rows[place] = facts.unusable(reason)
        facts.fill(facts.parts(self.cache), self.places(), rows)
        return rows

    def measure(self, targets: Sequence[Target], wanted: Sequence[Places]) -> dict[int, str]:
        """Measure what is missing.

        Parameters
        ----------
        targets : sequence of Target
            The sets; none if only the facts of recordings are wanted.
        wanted : sequence of dict
            The keys that each set lacks; without sets, the keys whose facts are missing.

        Returns
        -------
        dict of int to str
            Why rows cannot be had, by place.

        Raises
        ------
        StoreError
            The store cannot be written.
        """
        probe(self.cache)
        places, known = self.places(), self.facts()
        problems: dict[bytes, str] = {}
        work = []
        for key in dict.fromkeys(key for lacking in wanted for key in lacking):
            row = known[places[key][0]]
            if row is not None and row[facts.PROBLEM] is not None:
                problems[key] = row[facts.PROBLEM]
                continue
            numbers = tuple(number for number in range(len(targets)) if key in wanted[number])
            work.append(self._recording(places[key][0], key, numbers, row is None))
        problems |= schedule.run(work, targets, self.cache, jobs=self.jobs, meter=self.meter)
        return {place: reason for key, reason in problems.items() for place in places[key]}

    def _recording(self, place: int, key: bytes, targets: tuple[int, ...], survey: bool) -> Recording:
        return Recording(key, str(self.utterances["path"].iat[place]), *self.segments[place], targets, survey)
