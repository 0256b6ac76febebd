"""Names of recordings as lists write them: paths of any system, with or without an ending."""

from __future__ import annotations

import re

#: What a file's name ends with; a number behind a point is a part of the name.
_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")


def without_ending(written: str) -> str:
    """Return a path with ``/`` between folders and without its ending."""
    return _ENDING.sub("", written.replace("\\", "/"))


def stem_of(written: str) -> str:
    """Return the name of the file that a list means, without folders and ending."""
    return without_ending(written).rpartition("/")[2]
