"""Which corpus is meant, and where it lies, as a user says both in one word."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ser_experiments import plugins
from ser_experiments.corpora._options import PACKAGE
from ser_experiments.corpora._recognised import chosen


class Place(NamedTuple):
    """A corpus and where it lies; the first is found by the second where it is not named."""

    corpus: str
    root: str | None


def place_of(said: str) -> Place:
    """Read ``NAME``, ``NAME=ROOT`` or ``ROOT``.

    Raises
    ------
    InputError
        It is neither the name of a corpus nor a path.
    """
    name, equals, root = said.partition("=")
    if equals and _known(name):
        return Place(name, root)
    # Of a name that is too long for one there is no file.
    if not _known(said) and os.path.exists(os.path.expanduser(said)):
        return Place(chosen(None, said), said)
    plugins.require(PACKAGE, said, "corpus")
    return Place(said, None)


def meant(said: Sequence[str], root: str | Path | None) -> list[str]:
    """Return the corpora that are named, without a name the one that lies under a root, without a root the demo."""
    return [place_of(one).corpus for one in said] or [chosen(None, root)]


def _known(name: str) -> bool:
    return name.replace("-", "_") in plugins.names(PACKAGE)
