"""Who measures what when: alone at first, with worker processes when there is work enough for them.

Measures that want one process, as those do that need a GPU, come after the others and stay in this one.
"""

from __future__ import annotations

import logging
import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import joblib

from ser_experiments.errors import SerError, StoreError
from ser_experiments.features.extraction.reading import Recording
from ser_experiments.features.extraction.target import Target
from ser_experiments.features.extraction.worker import Report, measure
from ser_experiments.features.progress import Meter
from ser_experiments.features.store import survey
from ser_experiments.features.store.compaction import LEFT, compact_if_due
from ser_experiments.features.store.costs import Costs, note_cost
from ser_experiments.features.store.parts import Part
from ser_experiments.parallel import as_completed, chosen_workers

_log = logging.getLogger(__name__)

#: How long this process works by itself, which also tells how long the rest will take.
ALONE_S = 1.0
#: Worker processes are started if they save at least so many seconds; starting them takes a few.
WORTH_S = 4.0
SURELY_WORTH_S = 3 * WORTH_S
#: Work is handed out in units of about so many seconds and, towards the end, in smaller ones, so that no worker is
#: left with much to do while the others have nothing.
UNIT_S = 3.0
#: Where one process does it all, units are as long as nobody minds who waits for a sign: batches are fuller.
ALONE_UNIT_S = 10.0
UNIT_MOST = 1024
#: So many recordings that follow each other, often pieces of one file, stay together.
BLOCK = 32
#: Seconds of audio that are read ahead of a measure that runs in this process alone.
AHEAD_S = 60.0


def run(
    work: Sequence[Recording], targets: Sequence[Target], cache: Path, *, jobs: int, meter: Meter
) -> dict[bytes, str]:
    """Measure recordings, in this process or in workers.

    Parameters
    ----------
    work : sequence of Recording
        Each key once.
    targets : sequence of Target
        The sets.
    cache : Path
        The cache folder.
    jobs : int
        Processes at most. Under ``joblib.parallel_config`` of another backend than local processes, that backend's
        number counts.
    meter : Meter
        Told of what is done.

    Returns
    -------
    dict of bytes to str
        Why recordings have no row, by key.

    Raises
    ------
    StoreError
        The store cannot be written.
    SerError
        A worker process died, or a measure cannot be opened, of which no recording is to blame.
    """
    shared, alone = _split(work, targets)
    _open(work, targets)
    meter.start("measuring", len(shared) + len(alone))
    problems: dict[bytes, str] = {}
    costs = Costs()
    for part, measured, workers in ((shared, _shared, jobs), (alone, _alone, 1)):
        queue = _Queue(part, targets, cache, workers, meter)
        # The first report pays for imports, compilation and weights.
        first = True
        for report in measured(queue, targets, cache, workers):
            problems.update(report.problems)
            meter.step(report.n_done, report.audio_s)
            queue.learn(report)
            if not first:
                costs.add(report.costs)
            first = False
            for table in queue.tables:
                compact_if_due(table)
        for table in queue.tables:
            compact_if_due(table, many=LEFT)
    for target in targets:
        if target.asked and target.measured_by in costs:
            note_cost(target.table.folder, costs[target.measured_by])
    return problems


def _open(work: Sequence[Recording], targets: Sequence[Target]) -> None:
    """Open what will measure, before a recording is read; an error that a person can mend ends it here."""
    numbers = {number for recording in work for number in recording.targets}
    measures = {targets[number].measured_by: targets[number].extractor.measure for number in numbers}
    for one in measures.values():
        try:
            one.opened()
        except SerError:
            raise
        except Exception:
            # What is wrong with somebody's set is told of each recording, and others are measured.
            _log.debug("feature set %r cannot be opened", one.name, exc_info=True)


def _split(work: Sequence[Recording], targets: Sequence[Target]) -> tuple[list[Recording], list[Recording]]:
    """Return what may be measured in any process, and what must be in one; a recording may be in both."""
    apart = {number for number, target in enumerate(targets) if target.extractor.measure.needs.alone}
    shared, alone = [], []
    for recording in work:
        here = tuple(number for number in recording.targets if number in apart)
        rest = tuple(number for number in recording.targets if number not in apart)
        if rest or not here:
            shared.append(recording._replace(targets=rest))
        if here:
            alone.append(recording._replace(targets=here, survey=recording.survey and not rest))
    return shared, alone


def _shared(queue: _Queue, targets: Sequence[Target], cache: Path, jobs: int) -> Iterator[Report]:
    """Measure in this process, or in workers where they are worth it."""
    # The first recording pays for imports and compilation, so it says nothing about the others.
    if unit := queue.next_unit(1):
        yield measure(str(cache), targets, unit)
    queue.forget()
    jobs = chosen_workers() or jobs
    began = time.monotonic()
    # Where there is very much to do, a few recordings tell so, and no second is spent alone.
    while time.monotonic() - began < ALONE_S and queue.saved_s(jobs) < SURELY_WORTH_S and (unit := queue.next_unit()):
        yield measure(str(cache), targets, unit)
    units = iter(queue.next_unit, [])
    yield from (_in_workers if queue.saved_s(jobs) > WORTH_S else _here)(units, targets, cache, jobs)


def _alone(queue: _Queue, targets: Sequence[Target], cache: Path, jobs: int) -> Iterator[Report]:
    """Measure in this process, which opens each measure once and may use every core, while threads read ahead."""
    take = partial(measure, str(cache), targets, threads=None, ahead_s=AHEAD_S)
    # The first recording pays for the weights.
    if unit := queue.next_unit(1):
        yield take(unit)
    queue.forget()
    while unit := queue.next_unit(unit_s=ALONE_UNIT_S):
        yield take(unit)


def _here(units: Iterator[list[Recording]], targets: Sequence[Target], cache: Path, jobs: int) -> Iterator[Report]:
    for unit in units:
        yield measure(str(cache), targets, unit)


def _in_workers(
    units: Iterator[list[Recording]], targets: Sequence[Target], cache: Path, jobs: int
) -> Iterator[Report]:
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    tasks = (joblib.delayed(measure)(str(cache), targets, unit) for unit in units)
    try:
        yield from as_completed(tasks, jobs, batch_size=1, pre_dispatch="2*n_jobs")
    except TerminatedWorkerError as error:
        raise SerError(
            "a worker process died, killed or out of memory; finished rows are kept: run again, with fewer --jobs if "
            "memory was short"
        ) from error


class _Queue:
    """What is left to do, less what other processes on the same store have done in the meantime.

    Blocks of recordings come in a random order, so that two processes on one store meet each other's finished rows
    instead of measuring the same recordings side by side. Numbers do not depend on the order.
    """

    def __init__(
        self, work: Sequence[Recording], targets: Sequence[Target], cache: Path, jobs: int, meter: Meter
    ) -> None:
        self.tables = [*(target.table for target in targets), survey.table(cache)]
        self._known: list[set[bytes]] = [set() for _ in targets]
        self._visited = [set(table.names()) for table in self.tables[: len(targets)]]
        self._looked = time.monotonic()
        self._meter = meter
        self._jobs = jobs
        blocks = [work[first : first + BLOCK] for first in range(0, len(work), BLOCK)]
        random.SystemRandom().shuffle(blocks)
        self._rest = deque(recording for block in blocks for recording in block)
        self.forget()

    def forget(self) -> None:
        """Forget how long recordings take."""
        self._seconds, self._n_done = 0.0, 0

    def learn(self, report: Report) -> None:
        """Learn how long recordings take."""
        self._seconds += report.seconds
        self._n_done += report.n_done

    @property
    def left_s(self) -> float:
        """Seconds that one process would need for the rest."""
        return len(self._rest) * self._seconds / self._n_done if self._n_done else 0.0

    def saved_s(self, jobs: int) -> float:
        """Seconds that `jobs` processes would save of the rest."""
        return self.left_s * (1 - 1 / jobs)

    def next_unit(self, size: int | None = None, *, unit_s: float = UNIT_S) -> list[Recording]:
        """Return the next recordings that lack a row, about `unit_s` seconds of work; none at the end."""
        self._look()
        while self._rest:
            unit = [self._rest.popleft() for _ in range(min(size or self._size(unit_s), len(self._rest)))]
            missing = [recording for recording in unit if self._lacks(recording)]
            self._meter.step(len(unit) - len(missing))
            if missing:
                return missing
        return []

    def _size(self, unit_s: float) -> int:
        if not self._n_done:
            return 1
        seconds = min(unit_s, self.left_s / (4 * self._jobs)) if self._jobs > 1 else unit_s
        most = round(UNIT_MOST * unit_s / UNIT_S)
        return max(1, min(most, 2 * self._n_done, round(seconds * self._n_done / max(self._seconds, 1e-6))))

    def _lacks(self, recording: Recording) -> bool:
        if not recording.targets:
            return True
        return any(recording.key not in self._known[number] for number in recording.targets)

    def _look(self) -> None:
        """Learn of new parts, at most once a second."""
        if time.monotonic() - self._looked < 1.0:
            return
        for table, known, visited in zip(self.tables, self._known, self._visited, strict=False):

            def read(part: Part, known: set[bytes] = known) -> bool:
                known.update(part.keys())
                return True

            # Looking only saves work, so a failure is left to those who must read.
            with suppress(StoreError):
                table.visit(read, visited)
        self._looked = time.monotonic()
