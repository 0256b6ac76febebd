"""Measure recordings and keep the rows: the unit of work that runs here, in worker processes or on a cluster.

A unit reads its recordings, measures everything that is missing in one pass of each measure over the audio, and writes
the rows to the store itself, so that no audio and no row travels between processes and nothing that is finished can be
lost with another.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from ser_experiments.errors import SerError
from ser_experiments.features.extraction.reading import BATCHES, Clip, Recording, gathered, read_clips
from ser_experiments.features.extraction.target import Target
from ser_experiments.features.extraction.writing import Writer
from ser_experiments.features.measure import Array, Audio, Measure
from ser_experiments.features.store.costs import Cost, Costs

_log = logging.getLogger(__name__)


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
    costs : Costs
        Of each measure.
    """

    n_done: int
    audio_s: float
    seconds: float
    problems: dict[bytes, str]
    costs: Costs


def measure(
    cache: str,
    targets: Sequence[Target],
    recordings: Sequence[Recording],
    *,
    threads: int | None = 1,
    ahead_s: float = 0.0,
) -> Report:
    """Measure recordings and write their rows to the store.

    Parameters
    ----------
    cache : str
        The cache folder.
    targets : sequence of Target
        What is measured.
    recordings : sequence of Recording
        What is to be done.
    threads : int, optional
        Of numerical libraries at most; None leaves them as they are.
    ahead_s : float
        Seconds of audio that are read while others are measured; or as many as are put together, if those are more.

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
    unit = _Unit(Path(cache), targets)
    rates = [target.extractor.measure.needs.sample_rate for target in targets]
    audio_s, done, began = 0.0, 0, time.monotonic()
    parent = os.getppid()
    most_s = max((target.extractor.measure.needs.batch_s or 0.0 for target in targets), default=0.0)
    if ahead_s:
        ahead_s = max(ahead_s, BATCHES * most_s)
    try:
        with threadpool_limits(limits=threads), closing(read_clips(recordings, rates, ahead_s)) as clips:
            for together in gathered(clips, most_s):
                if os.getppid() != parent:
                    # Whoever asked was killed: keep what is finished and leave the rest to the next run.
                    break
                unit.measure(together)
                unit.writer.flush_if_due()
                audio_s += sum(clip.duration_s for clip in together)
                done += len(together)
    finally:
        unit.writer.flush()
    return Report(done, audio_s, time.monotonic() - began, unit.problems, unit.costs)


class _Unit:
    """What is measured of recordings, on its way to the store, and what cannot be had."""

    def __init__(self, cache: Path, targets: Sequence[Target]) -> None:
        self.writer = Writer(cache, targets)
        self.problems: dict[bytes, str] = {}
        self.costs = Costs()
        self._targets = targets
        #: The numbers of the targets that one pass serves, those of each measure.
        self._passes: dict[tuple[str, str], set[int]] = {}
        for number, target in enumerate(targets):
            self._passes.setdefault(target.measured_by, set()).add(number)

    def measure(self, clips: Sequence[Clip]) -> None:
        """Measure what each of the clips lacks."""
        for clip in clips:
            if clip.problem is not None:
                self.problems[clip.recording.key] = clip.problem
            if clip.row is not None:
                self.writer.add_survey(clip.recording.key, clip.row)
        usable = [clip for clip in clips if clip.problem is None]
        for measured_by, numbers in self._passes.items():
            one = self._targets[min(numbers)].extractor.measure
            lacking = [clip for clip in usable if not numbers.isdisjoint(clip.recording.targets)]
            # Clips that lack different outputs are measured together: what one of them lacks costs the others nothing
            # where the measure gives it anyway, and else little, as few stand in a unit.
            outputs = {
                self._targets[n].extractor.number for clip in lacking for n in numbers & {*clip.recording.targets}
            }
            began = time.perf_counter()
            for clip, found in _values(one, lacking, outputs):
                self.costs[measured_by] += Cost(clip.duration_s, time.perf_counter() - began)
                for number in sorted(numbers.intersection(clip.recording.targets)):
                    self._keep(number, clip.recording, found)
                self.writer.flush_if_due()
                began = time.perf_counter()

    def _keep(self, number: int, recording: Recording, found: Mapping[int, Array] | Exception) -> None:
        """Hand an output to the writer, or tell why it cannot be kept."""
        target = self._targets[number]
        extractor = target.extractor
        try:
            if isinstance(found, Exception):
                raise found
            values = target.codec.checked(found[extractor.number])
        except Exception as error:
            # Whatever a set stumbles over, the other recordings are to be measured.
            _log.debug("%s: feature set %r failed", recording.path, extractor.name, exc_info=True)
            if target.asked:
                reason = f"feature set {extractor.name!r} failed: {type(error).__name__}: {error}"
                self.problems[recording.key] = reason
        else:
            self.writer.add(number, recording.key, values)


def _values(
    one: Measure, clips: Sequence[Clip], outputs: set[int]
) -> Iterator[tuple[Clip, Mapping[int, Array] | Exception]]:
    """Measure clips in batches; yield each with what was found, or why there is nothing."""
    rate = one.needs.sample_rate
    ready: list[tuple[Clip, Audio]] = []
    for clip in clips:
        heard = clip.heard[rate]
        try:
            if isinstance(heard, Exception):
                raise heard
            ready.append((clip, one.prepared(heard, rate)))
        except Exception as error:
            yield clip, error
    for batch in _batches(ready, (one.needs.batch_s or 0.0) * rate):
        yield from zip((clip for clip, _ in batch), _attempt(one, [audio for _, audio in batch], outputs), strict=True)


def _batches(ready: Sequence[tuple[Clip, Audio]], most: float) -> Iterator[list[tuple[Clip, Audio]]]:
    """Yield clips of like length in batches of at most so many samples, padding included, but of one clip at least."""
    batch: list[tuple[Clip, Audio]] = []
    # The longest come first, so that memory that does not suffice is found out at once.
    for each in sorted(ready, key=lambda each: -len(each[1])):
        if batch and len(batch[0][1]) * (len(batch) + 1) > most:
            yield batch
            batch = []
        batch.append(each)
    if batch:
        yield batch


def _attempt(one: Measure, batch: Sequence[Audio], outputs: set[int]) -> list[Mapping[int, Array] | Exception]:
    """Measure a batch, and where that fails its clips one by one, so that none spoils another."""
    try:
        return [*one.measured(batch, outputs)]
    except Exception as error:
        if len(batch) == 1:
            return [error]
        _log.debug("feature set %r: %d clips are measured one by one", one.name, len(batch), exc_info=True)
    return [result for audio in batch for result in _attempt(one, [audio], outputs)]
