"""Names that are made of a user's words, as every tracking store takes them, and back.

A class, a fold or a member may be called anything. MLflow takes letters, digits and a few marks in names of metrics,
parameters and tags; a slash would be a folder. Whatever else a name holds is written as the number of the character
between colons (``anger (hot)`` is ``anger :28:hot:29:``), so that two names never become one and each can be read back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from ser_experiments.errors import InputError

Value = TypeVar("Value")
#: Characters of a name, and bytes of a folder's, that every store takes.
LONGEST, LONGEST_FOLDER = 250, 200
_OTHERS = re.compile(r"[^\w.\- ]")
_WRITTEN = re.compile(r":([0-9a-f]+):")


def as_stored(name: str) -> str:
    """Return a name as it is logged."""
    return _OTHERS.sub(lambda found: f":{ord(found[0]):x}:", name)


def as_told(name: str) -> str:
    """Return what :func:`as_stored` was given; a name that it did not make comes back as it is."""
    return _WRITTEN.sub(lambda found: chr(int(found[1], 16)) if int(found[1], 16) < 0x110000 else found[0], name)


def stored(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return values by the names under which they are logged."""
    return {as_stored(name): value for name, value in values.items()}


def told(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return logged values by the names that they were given."""
    return {as_told(name): value for name, value in values.items()}


def check_names(setting: str, classes: Iterable[str], folds: Iterable[str]) -> None:
    """Refuse what no store could log, before anything is measured.

    Parameters
    ----------
    setting : str
        The name of the setting: it is a folder's too.
    classes, folds : iterable of str
        Become parts of names of metrics and parameters.

    Raises
    ------
    InputError
        A name is too long.
    """
    size = len(setting.encode())
    if size > LONGEST_FOLDER:
        raise InputError(
            f"the setting's name has {size} bytes, at most {LONGEST_FOLDER} are taken: {setting[:60]!r}...; choose a "
            "shorter --name"
        )
    # What stands around them is of our making and short.
    for kind, names, around in (("class", classes, 20), ("fold", folds, 80)):
        for name in names:
            length = len(as_stored(name)) + around
            if length > LONGEST:
                raise InputError(
                    f"{kind} {name[:60]!r}... is {len(name)} characters long and makes names of {length}, at most "
                    f"{LONGEST} can be logged; call it something shorter"
                    + (" (--map OLD=NEW)" if kind == "class" else " in the corpus")
                )
