"""What measuring costs: seconds of work a second of audio, kept beside the rows that were measured."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from ser_experiments.errors import StoreError
from ser_experiments.features.store.files import Sync, write_file

_FILE = "cost.json"


def note_cost(folder: Path, audio_s: float, seconds: float) -> None:
    """Add what was measured to what a table's folder says of its cost; where that cannot be written, nothing is lost.

    Parameters
    ----------
    folder : Path
        Of the table.
    audio_s : float
        Seconds of audio that were measured.
    seconds : float
        How long that took.
    """
    before = _read(folder)
    told = {"audio_s": round(before[0] + audio_s, 3), "seconds": round(before[1] + seconds, 3)}
    with suppress(StoreError):
        write_file(folder, _FILE, lambda file: file.write(json.dumps(told).encode()), sync=Sync.NOTHING)


def cost_of(folder: Path) -> float | None:
    """Return the milliseconds of measuring a second of audio; None where nothing is known."""
    audio_s, seconds = _read(folder)
    return 1000 * seconds / audio_s if audio_s > 0 else None


def _read(folder: Path) -> tuple[float, float]:
    try:
        told = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        return float(told["audio_s"]), float(told["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0, 0.0
