"""Which corpus is meant, and where it lies, as a user says both in one word."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ser_experiments import plugins
from ser_experiments.corpora._options import PACKAGE
from ser_experiments.corpora._recognised import chosen
from ser_experiments.errors import InputError

#: The corpus that tables made in Python are read by.
LISTED = "manifest"


class Place(NamedTuple):
    """A corpus and where it lies; the first is found by the second where it is not named."""

    corpus: str
    root: str | None


def place_of(said: str | os.PathLike[str]) -> Place:
    """Read ``NAME``, ``NAME=ROOT`` or ``ROOT``; what is a path and no text is a root, whatever it is called.

    Raises
    ------
    InputError
        It is neither the name of a corpus nor a path.
    """
    if not isinstance(said, str):
        return Place(chosen(None, os.fspath(said)), os.fspath(said))
    name, equals, root = said.partition("=")
    if equals and _known(name):
        return Place(name, root)
    # Of a name that is too long for one there is no file.
    if not _known(said) and os.path.exists(os.path.expanduser(said)):
        return Place(chosen(None, said), said)
    if _is_path(said):
        raise InputError(f"no file or folder {said}; a corpus is where it lies, or a name: ser corpora list")
    plugins.require(PACKAGE, said, "corpus")
    return Place(said, None)


def meant(said: Sequence[Any], root: str | Path | None) -> list[str]:
    """Return the corpora that are named, without a name the one that lies under a root, without a root the demo.

    A table is read by the one that reads tables; a corpus that was loaded is read by none.
    """
    if not said:
        return [chosen(None, root)]
    return [LISTED if is_table(one) else place_of(one).corpus for one in said if not is_loaded(one)]


def is_table(said: object) -> bool:
    """Whether a corpus is handed over as a table of its utterances."""
    return hasattr(said, "columns")


def is_loaded(said: object) -> bool:
    """Whether it is a corpus that was loaded; a class of this package is not imported for the question."""
    return hasattr(said, "utterances")


def _is_path(said: str) -> bool:
    return said.startswith(("~", ".")) or "/" in said or os.sep in said or said.lower().endswith((".csv", ".tsv"))


def _known(name: str) -> bool:
    return name.replace("-", "_") in plugins.names(PACKAGE)
