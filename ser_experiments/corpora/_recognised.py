"""Which corpus is meant where a user names none: the one that lies under the root, and without a root the demo."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ser_experiments import plugins
from ser_experiments.corpora._options import PACKAGE
from ser_experiments.errors import InputError
from ser_experiments.files import path_of

if TYPE_CHECKING:
    from ser_experiments.corpora._corpus import CorpusSpec

#: What is meant where nothing is said.
DEFAULT = "demo"
_LISTS = (".csv", ".tsv")


def chosen(corpus: str | None, root: str | os.PathLike[str] | None) -> str:
    """Return the corpus that is meant.

    Parameters
    ----------
    corpus : str, optional
        As the user named it.
    root : path, optional
        Where it lies, as the user said.

    Returns
    -------
    str
        The name that was given; else the corpus that lies under the root; without one the demo.

    Raises
    ------
    InputError
        Nothing under the root is known, or it may be one corpus or another.
    """
    if corpus:
        return corpus
    if not root:
        return DEFAULT
    path = path_of(root)
    found = [spec for spec in _every() if spec.recognises is not None and spec.recognises(path)]
    if len(found) == 1:
        return found[0].name
    if found:
        raise InputError(f"{root} may be of {' or '.join(one.name for one in found)}: say which with --corpus")
    if not path.exists():
        raise InputError(f"no file or folder {root}; --root is where a corpus lies")
    known = ", ".join(spec.name for spec in _every())
    raise InputError(f"{root} is of no corpus that is known by its looks: name it with --corpus ({known}){_hint(path)}")


def _every() -> Iterator[CorpusSpec]:
    for _, module in plugins.each(PACKAGE, "corpus", holds="SPEC"):
        yield module.SPEC


def _hint(path: Path) -> str:
    if not path.is_dir():
        return ""
    lists = sorted(one.name for one in path.iterdir() if one.suffix.lower() in _LISTS and one.is_file())
    if lists:
        return f"; if {lists[0]} lists recordings with path, label and speaker, say --root {path / lists[0]}"
    return "; your own recordings need a list of them: a CSV file with the columns path, label and speaker"
