"""Which run somebody means who writes the beginning of its id."""

from __future__ import annotations

from collections.abc import Mapping

from ser_experiments.errors import InputError

#: Characters of an id that boards show.
SHORT = 8
_MOST_NAMED = 6


def one_of(runs: Mapping[str, str], said: str) -> str | None:
    """Return the id of the one run that is meant; None where there is none.

    Parameters
    ----------
    runs : mapping of str to str
        What those that may be meant are called, by id.
    said : str
        What was written.

    Raises
    ------
    InputError
        Several may be meant: which is said.
    """
    if len(runs) > 1:
        named = ", ".join(f"{run_id[:SHORT]} ({title})" for run_id, title in list(runs.items())[:_MOST_NAMED])
        more = f" and {len(runs) - _MOST_NAMED} more" if len(runs) > _MOST_NAMED else ""
        raise InputError(f"{said!r} may be {len(runs)} runs: {named}{more}; write more of the id")
    return next(iter(runs), None)
