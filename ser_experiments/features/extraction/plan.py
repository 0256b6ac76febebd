"""What must be done for a table: which rows the store lacks, and of which recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from ser_experiments.errors import InputError
from ser_experiments.features.columns import described
from ser_experiments.features.extraction import schedule
from ser_experiments.features.extraction.reading import Recording
from ser_experiments.features.extraction.target import Target
from ser_experiments.features.extractor import Extractor
from ser_experiments.features.progress import Callback, Meter
from ser_experiments.features.store import in_use, survey
from ser_experiments.features.store.codecs import codec_of
from ser_experiments.features.store.files import probe, write_identity
from ser_experiments.features.store.keys import identify
from ser_experiments.features.store.parts import Part, RowsByKey


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
    contents : list of bytes or None
        A digest of each utterance's file.
    """

    utterances: pd.DataFrame
    cache: Path
    jobs: int
    meter: Meter
    keys: list[bytes | None]
    unreadable: dict[int, str]
    segments: list[tuple[float, float]]
    contents: list[bytes | None]

    @classmethod
    def of(cls, utterances: pd.DataFrame, cache: Path, jobs: int | None, progress: Callback | None) -> Request:
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
        jobs = max(1, jobs or joblib.cpu_count())
        meter = Meter(progress)
        found = identify(utterances, Path(cache), jobs=jobs, meter=meter)
        in_use.hold(Path(cache))
        return cls(utterances, Path(cache), jobs, meter, *found)

    def rows_by_key(self) -> RowsByKey:
        """Return the places of each key in the table."""
        rows: RowsByKey = {}
        for place, key in enumerate(self.keys):
            if key is not None:
                rows.setdefault(key, []).append(place)
        return rows

    def surveyed(self, *, envelopes: bool = False) -> list[tuple[Any, ...] | None]:
        """Return what the store knows of each recording, its envelope last if asked for; None where nothing."""
        rows: list[tuple[Any, ...] | None] = [None] * len(self.keys)
        for place, reason in self.unreadable.items():
            rows[place] = survey.unusable(reason)
        fields = (*survey.FIELDS, survey.ENVELOPE) if envelopes else survey.FIELDS
        survey.fill(survey.table(self.cache), self.rows_by_key(), rows, fields)
        return rows

    def survey(self, wanted: RowsByKey) -> None:
        """Survey the recordings of the keys."""
        self._measure((), [wanted])

    def measure(self, extractors: Sequence[Extractor], wanted: Sequence[RowsByKey]) -> dict[int, str]:
        """Measure what is missing.

        Parameters
        ----------
        extractors : sequence of Extractor
            What the table asks for.
        wanted : sequence of dict
            The keys that each of them lacks.

        Returns
        -------
        dict of int to str
            Why rows cannot be had, by place.

        Raises
        ------
        StoreError
            The store cannot be written.
        """
        more, missing = self._beside(extractors, wanted)
        targets = [Target.of(one, self.cache) for one in extractors]
        targets += [Target.of(one, self.cache, asked=False) for one in more]
        for extractor, target in zip((*extractors, *more), targets, strict=True):
            axes, columns = extractor.output.axes, described(extractor.columns)
            write_identity(target.table.folder, {"identity": extractor.identity, "axes": axes, "columns": columns})
        return self._measure(targets, [*wanted, *missing])

    def _beside(
        self, extractors: Sequence[Extractor], wanted: Sequence[RowsByKey]
    ) -> tuple[list[Extractor], list[RowsByKey]]:
        """Return what the passes give besides, and the keys of the passes that the store lacks of each.

        Rows are kept whenever their measure runs; arrays over time, a thousand times bigger, only where a table asks.
        """
        asked = {(one.name, one.digest) for one in extractors}
        passes: dict[tuple[str, str], RowsByKey] = {}
        numbers: dict[tuple[str, str], set[int]] = {}
        of: dict[tuple[str, str], Extractor] = {}
        for extractor, lacking in zip(extractors, wanted, strict=True):
            of_measure = extractor.measure.name, extractor.measure.digest
            of[of_measure] = extractor
            passes.setdefault(of_measure, {}).update(lacking)
            if lacking:
                numbers.setdefault(of_measure, set()).add(extractor.number)
        pairs = []
        for name, lacked in numbers.items():
            given = [of[name].outputs[number] for number in of[name].measure.given(lacked)]
            rows = [one for one in given if codec_of(one.output).width and (one.name, one.digest) not in asked]
            pairs += [(one, self._lacking(one, passes[name])) for one in rows]
        return [one for one, lacking in pairs if lacking], [lacking for _, lacking in pairs if lacking]

    def _lacking(self, extractor: Extractor, wanted: RowsByKey) -> RowsByKey:
        lacking = dict(wanted)

        def read(part: Part) -> bool:
            lacking_here = lacking.keys() & set(part.keys())
            for key in lacking_here:
                del lacking[key]
            return bool(lacking)

        Target.of(extractor, self.cache).table.visit(read)
        return lacking

    def _measure(self, targets: Sequence[Target], wanted: Sequence[RowsByKey]) -> dict[int, str]:
        """Measure targets; without any, the keys of `wanted` are those whose survey is missing."""
        probe(self.cache)
        in_use.hold(self.cache)
        places, known = self.rows_by_key(), self.surveyed()
        problems: dict[bytes, str] = {}
        work = []
        for key in dict.fromkeys(key for lacking in wanted for key in lacking):
            row = known[places[key][0]]
            if row is not None and row[survey.PROBLEM] is not None:
                problems[key] = row[survey.PROBLEM]
                continue
            numbers = tuple(number for number in range(len(targets)) if key in wanted[number])
            work.append(self._recording(places[key][0], key, numbers, row is None))
        problems |= schedule.run(work, targets, self.cache, jobs=self.jobs, meter=self.meter)
        return {place: reason for key, reason in problems.items() for place in places[key]}

    def _recording(self, place: int, key: bytes, targets: tuple[int, ...], survey: bool) -> Recording:
        return Recording(key, str(self.utterances["path"].iat[place]), *self.segments[place], targets, survey)
