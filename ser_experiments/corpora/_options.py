"""What a corpus's reader can be told besides the root, and whose option a name is."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ser_experiments import plugins
from ser_experiments.errors import InputError, nearest

if TYPE_CHECKING:
    from ser_experiments.corpora._corpus import CorpusSpec

PACKAGE = "ser_experiments.corpora"
#: The keyword of a reader that lets its user say what a copy is called in results.
NAME = "name"


@dataclass(frozen=True)
class Option:
    """Something that a corpus's reader can be told besides the root; the command offers it as ``--NAME``.

    Parameters
    ----------
    name : str
        As written after ``--``; the reader takes it as a keyword with ``_`` for ``-``.
    type : type
        ``str``, ``int``, ``float``, or ``bool`` for a flag.
    help : str
        One line.
    """

    name: str
    type: type
    help: str

    @property
    def keyword(self) -> str:
        """Return the reader's keyword."""
        return self.name.replace("-", "_")


def options_of(name: str) -> Sequence[Option]:
    """Return what the reader of a corpus can be told on the command line; of an unknown corpus nothing."""
    if name.replace("-", "_") not in plugins.names(PACKAGE):
        return ()
    options: Sequence[Option] = plugins.load(PACKAGE, name, "corpus", holds="SPEC").SPEC.options
    return options


def takers(keyword: str) -> list[str]:
    """Return the corpora that have an option, by their names."""
    every = plugins.each(PACKAGE, "corpus", holds="SPEC")
    return [name for name, module in every for one in module.SPEC.options if one.keyword == keyword]


def check_option(spec: CorpusSpec, keyword: str) -> None:
    """Refuse a keyword that a corpus's reader does not take; an InputError says whose it is, or the nearest one."""
    # A reader's first parameter is the root, which has its own place.
    known = list(inspect.signature(spec.read).parameters)[1:]
    if keyword in known:
        return
    check_whose(spec.name, keyword)
    raise InputError(f"corpus {spec.name!r}: unknown option {keyword!r}{nearest(keyword, known)}")


def check_whose(corpus: str, keyword: str) -> None:
    """Refuse an option of other corpora; an InputError names those."""
    if others := takers(keyword):
        raise InputError(
            f"corpus {corpus!r}: --{keyword.replace('_', '-')} is for --corpus {' or --corpus '.join(others)}"
        )


def called(name: str, reader: str | None = None) -> tuple[str, dict[str, object]]:
    """Return the corpus that stands in results under a name, and what its reader must be told for that.

    Parameters
    ----------
    name : str
        As in a setting. One that is no corpus's own is that of a copy, which one corpus lets its user say.
    reader : str, optional
        The corpus that read it, where that is known.
    """
    if reader is not None and reader in plugins.names(PACKAGE):
        return reader, {NAME: name} if reader in takers(NAME) else {}
    if name in plugins.names(PACKAGE):
        return name, {}
    for corpus in takers(NAME):
        return corpus, {NAME: name}
    return name, {}
