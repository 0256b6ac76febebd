"""What measuring costs: seconds of work a second of audio, kept beside the rows that were measured."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ser_experiments.errors import StoreError
from ser_experiments.features.store.files import Sync, write_file

_FILE = "cost.json"


@dataclass(frozen=True)
class Cost:
    """What measuring took.

    Parameters
    ----------
    audio_s : float
        Seconds of audio that were measured.
    seconds : float
        How long that took one process.
    """

    audio_s: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.audio_s + other.audio_s, self.seconds + other.seconds)


class Costs(defaultdict[tuple[str, str], Cost]):
    """The cost of each measure, by its name and digest."""

    def __init__(self) -> None:
        super().__init__(Cost)

    def add(self, others: Costs) -> None:
        """Add what others tell."""
        for measured_by, cost in others.items():
            self[measured_by] += cost

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (), None, None, iter(self.items())


def note_cost(folder: Path, cost: Cost) -> None:
    """Add to what a table's folder says of its cost; where that cannot be written, nothing is lost."""
    total = _read(folder) + cost
    told = {"audio_s": round(total.audio_s, 3), "seconds": round(total.seconds, 3)}
    with suppress(StoreError):
        write_file(folder, _FILE, lambda file: file.write(json.dumps(told).encode()), sync=Sync.NOTHING)


def cost_of(folder: Path) -> float | None:
    """Return the milliseconds of measuring a second of audio; None where nothing is known."""
    cost = _read(folder)
    return 1000 * cost.seconds / cost.audio_s if cost.audio_s > 0 else None


def _read(folder: Path) -> Cost:
    try:
        told = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        return Cost(float(told["audio_s"]), float(told["seconds"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Cost()
