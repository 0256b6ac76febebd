"""What nobody foresaw: one line for the user, and a file with the traceback for whoever mends it."""

from __future__ import annotations

import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from ser_experiments.secret import hidden


def said_of(error: Exception) -> str:
    """Keep the traceback of an error and return the one line that is said of it."""
    what = hidden(" ".join(f"{type(error).__name__}: {error}".split()))[:300].removesuffix(": ")
    notes = "".join(f"; {' '.join(note.split())}" for note in getattr(error, "__notes__", ()))
    file = _kept(error)
    where = "its traceback could not be kept" if file is None else f"traceback in {file}"
    return f"unforeseen, please report it: {what}{notes}; {where}"


def _kept(error: Exception) -> Path | None:
    """Write the traceback to the project's cache, else to the folder for temporary files."""
    text = "".join(traceback.format_exception(error))
    # What was handed in is what a report needs first; paths of the user's own machine stay on it.
    text = hidden(f"{' '.join(sys.argv)}\n{sys.version}\n\n{text}")
    for folder in _folders():
        file = folder / f"ser-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 1_000_000:06d}.log"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return file
    return None


def _folders() -> Iterator[Path]:
    try:
        from ser_experiments import project

        here = project.locate()
        if here.is_begun:
            yield here.cache / "errors"
    except Exception:  # whatever went wrong may go wrong here again
        pass
    yield Path(tempfile.gettempdir())
