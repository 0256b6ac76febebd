"""What a label scheme left out, to be said with every score."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Words in a message before it says how many more there are.
_SHOWN = 12


@dataclass(frozen=True)
class LeftOut:
    """What a label scheme made no use of: words without a class, and classes without a row.

    Parameters
    ----------
    scheme : str
        Its name.
    n_rows : int
        Utterances before.
    unknown, dropped : mapping of str to int
        Utterances by the corpus's word: those that the scheme has no class for, and those that ``--drop`` took out.
    hints : mapping of str to str
        A word that the scheme knows, by an unknown one that is written much like it.
    empty : tuple of str
        Classes of the scheme that no utterance has.
    alike : tuple of (str, str)
        Classes that are written much alike; perhaps one of them is a slip of the pen.
    """

    scheme: str = ""
    n_rows: int = 0
    unknown: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)
    empty: tuple[str, ...] = ()
    alike: tuple[tuple[str, str], ...] = ()

    @property
    def lines(self) -> list[str]:
        """Say it in words, one line each; nothing where every utterance has a class and every class an utterance."""
        said = []
        if self.unknown:
            n_gone = sum(self.unknown.values())
            shown = _counted({self._asked(word): n for word, n in self.unknown.items()})
            said.append(
                f"labels {self.scheme} left out {n_gone} of {self.n_rows} utterances, whose words have no class in it: "
                f"{shown}; --map WORD=CLASS gives a word one"
            )
        if self.dropped:
            n_gone = sum(self.dropped.values())
            said.append(f"--drop left out {n_gone} of {self.n_rows} utterances: {_counted(self.dropped)}")
        if self.empty:
            said.append(f"labels {self.scheme}: no utterance is {' or '.join(map(repr, self.empty))}: not a class here")
        said += [f"labels {self.scheme}: {a!r} beside {b!r}: if they are one class, say {map_option(a, b)}"
                 for a, b in self.alike]  # fmt: skip
        return said

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON of it holds."""
        return {
            "unknown": dict(self.unknown),
            "dropped": dict(self.dropped),
            "did_you_mean": dict(self.hints),
            "empty_classes": list(self.empty),
        }

    def _asked(self, word: str) -> str:
        return f"{word} (did you mean {self.hints[word]!r}?)" if word in self.hints else word


def _counted(words: Mapping[str, int]) -> str:
    listed = [f"{word} {n}" for word, n in words.items()]
    more = f" and {len(listed) - _SHOWN} other words" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more


def map_option(word: str, label: str) -> str:
    """Return ``--map WORD=CLASS`` as a shell takes it."""
    return f"--map {shlex.quote(f'{word}={label}')}"
