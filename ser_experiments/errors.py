"""The errors that a person can mend, in one small tree.

Every message is one line that says what is wrong, what was got, what is allowed and what to do. The command
prints it without a traceback and ends with :attr:`SerError.exit_code`.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

#: Characters of a name that is looked for among others.
_LONGEST = 500


class SerError(Exception):
    """Something failed that has a one-line explanation; exit code 1."""

    exit_code = 1


class InputError(SerError):
    """What was handed in cannot be used; exit code 2."""

    exit_code = 2


class AudioError(InputError):
    """A recording cannot be used: unreadable, empty, silent or not finite.

    Parameters
    ----------
    source : str
        The path, or a word for bytes that came without one.
    reason : str
        What is wrong with it, without the path.
    """

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source
        self.reason = reason

    def __reduce__(self) -> tuple[type[AudioError], tuple[str, str]]:
        return type(self), (self.source, self.reason)


class StoreError(SerError):
    """The table store cannot be written or read (full disk, no permission, damaged file)."""


class LeakError(SerError):
    """A tripwire fired: the test side is known to the training side."""


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest allowed name, or the list of all.

    Parameters
    ----------
    name : str
        What was written.
    allowed : iterable of str
        What could have been.
    """
    names = sorted(allowed)
    # Nobody's slip of the pen is that long, and comparing takes time by the square.
    close = get_close_matches(name, names, n=1, cutoff=0.6) if len(name) < _LONGEST else []
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; allowed: {', '.join(names)}" if names else ""
