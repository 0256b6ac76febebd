"""Who measures what when: alone at first, with worker processes when there is work enough for them."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import joblib

from ser_experiments.errors import SerError
from ser_experiments.features import facts
from ser_experiments.features.compaction import compact_if_due
from ser_experiments.features.extraction import Recording, Report, Target, measure
from ser_experiments.features.progress import Meter
from ser_experiments.features.store import Part

_log = logging.getLogger(__name__)

#: How long this process works by itself, which also tells how long the rest will take.
ALONE_S = 1.0
#: Worker processes are started if they save at least so many seconds; starting them takes a few.
WORTH_S = 4.0
#: Work is handed out in units of about so many seconds.
UNIT_S = 1.0
UNIT_MOST = 256


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
        A worker process died.
    """
    meter.start("measuring", len(work))
    queue = _Queue(work, targets, cache, meter)
    problems: dict[bytes, str] = {}

    def take(report: Report) -> None:
        problems.update(report.problems)
        meter.step(report.n_done, report.audio_s)
        for parts in queue.tables:
            compact_if_due(parts)

    seconds_each = 0.0
    began, size = time.monotonic(), 1
    while time.monotonic() - began < ALONE_S and (unit := queue.next_unit(size)):
        started = time.monotonic()
        take(measure(str(cache), targets, unit))
        # The first recording pays for imports, so the estimate is of the last unit alone.
        seconds_each = (time.monotonic() - started) / len(unit)
        size = min(2 * size, _unit_size(seconds_each))
    size = _unit_size(seconds_each)
    saved_s = queue.left * seconds_each * (1 - 1 / jobs)
    units = iter(lambda: queue.next_unit(size), [])
    reports = _in_workers(units, targets, cache, jobs) if saved_s > WORTH_S else _here(units, targets, cache)
    for report in reports:
        take(report)
    return problems


def _unit_size(seconds_each: float) -> int:
    return max(1, min(UNIT_MOST, round(UNIT_S / max(seconds_each, 1e-6))))


def _here(units: Iterator[list[Recording]], targets: Sequence[Target], cache: Path) -> Iterator[Report]:
    for unit in units:
        yield measure(str(cache), targets, unit)


def _in_workers(
    units: Iterator[list[Recording]], targets: Sequence[Target], cache: Path, jobs: int
) -> Iterator[Report]:
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    _log.info("measuring in %d processes", jobs)
    # Numerical libraries that each start a thread a core would fight over the cores.
    with joblib.parallel_config(backend="loky", n_jobs=jobs, inner_max_num_threads=1):
        pool = joblib.Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="2*n_jobs")
        try:
            yield from pool(joblib.delayed(measure)(str(cache), targets, unit) for unit in units)
        except TerminatedWorkerError as error:
            raise SerError(
                "a worker process died, killed or out of memory; finished rows are kept: run again, with fewer --jobs "
                "if memory was short"
            ) from error


class _Queue:
    """What is left to do, less what other processes on the same store have done in the meantime.

    Work begins at a random place, so that two processes on one store meet each other's finished rows instead of
    measuring the same recordings side by side.
    """

    def __init__(self, work: Sequence[Recording], targets: Sequence[Target], cache: Path, meter: Meter) -> None:
        self._targets = targets
        self.tables = [*(target.parts for target in targets), facts.parts(cache)]
        self._known: list[set[bytes]] = [set() for _ in targets]
        self._visited = [set(table.names()) for table in self.tables[: len(targets)]]
        self._looked = time.monotonic()
        self._meter = meter
        first = random.randrange(len(work)) if work else 0
        self._rest = iter([*work[first:], *work[:first]])
        self.left = len(work)

    def next_unit(self, size: int) -> list[Recording]:
        """Return the next recordings that lack a row; none at the end."""
        self._look()
        while unit := list(islice(self._rest, size)):
            self.left -= len(unit)
            missing = [recording for recording in unit if self._lacks(recording)]
            self._meter.step(len(unit) - len(missing))
            if missing:
                return missing
        return []

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

            table.visit(read, visited)
        self._looked = time.monotonic()
