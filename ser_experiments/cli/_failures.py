"""What is said of whatever stopped a command, in one line, and its exit code."""

from __future__ import annotations

import errno

from ser_experiments.cli._unforeseen import said_of
from ser_experiments.errors import SerError
from ser_experiments.files import Unreadable, why
from ser_experiments.words import cut, in_one_line

#: What a machine refuses, whatever is asked of it.
_REFUSALS = {
    errno.ENOSPC: "no space left on the device that is written to",
    errno.EDQUOT: "the quota of the disk that is written to is used up",
    errno.EROFS: "what is written to is read-only",
    errno.EMFILE: "too many files are open; raise the limit with: ulimit -n",
}


def words_of(error: Exception) -> tuple[str, int]:
    """Return the line that is said of an error, and the exit code; of one that nobody foresaw its traceback is kept."""
    if isinstance(error, SerError):
        kept = "".join(f"; {note}" for note in getattr(error, "__notes__", ()))
        return in_one_line(f"{error}{kept}"), error.exit_code
    if isinstance(error, OSError):
        return _refused(error)
    if isinstance(error, MemoryError):
        return "the memory of this machine is too small for what was asked", 1
    return said_of(error), 1


def _refused(error: OSError) -> tuple[str, int]:
    """Return what is said of what the system refused, and the exit code: what a machine lacks is nobody's mistake."""
    if error.errno == errno.ENAMETOOLONG:
        return str(Unreadable(cut(str(error.filename)), why(error))), 2
    known = _REFUSALS.get(error.errno or 0)
    where = f" ({in_one_line(str(error.filename))})" if known and error.filename else ""
    return (f"{known}{where}" if known else said_of(error)), 1
