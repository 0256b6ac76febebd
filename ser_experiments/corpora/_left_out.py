"""What a label scheme left out, to be said with every score."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

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
    by_design : tuple of str
        Those of `unknown` that are known well, such as frustration, but no matter of this scheme: no slips of the pen.
    hints : mapping of str to str
        A word that the scheme knows, by one that nobody knows and that is written much like it.
    empty : tuple of str
        Classes of the scheme that no utterance has.
    alike : tuple of (str, str)
        Classes that are written much alike; perhaps one of them is a slip of the pen.
    unused : tuple of str
        Words of own changes that no utterance has; where several corpora are read, another may have them.
    without : mapping of str to int
        Utterances without a rating, by what was not rated.
    n_without : int
        Utterances that lack one of these.
    n_votes : int
        Raters' votes before, where words are theirs: then `unknown` and `dropped` count votes.
    """

    scheme: str = ""
    n_rows: int = 0
    unknown: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    by_design: tuple[str, ...] = ()
    hints: Mapping[str, str] = field(default_factory=dict)
    empty: tuple[str, ...] = ()
    alike: tuple[tuple[str, str], ...] = ()
    unused: tuple[str, ...] = ()
    without: Mapping[str, int] = field(default_factory=dict)
    n_without: int = 0
    n_votes: int = 0

    @property
    def lines(self) -> list[str]:
        """Say it in words, one line each; nothing where every utterance has a class and every class an utterance."""
        said = []
        if self.unknown:
            said.append(f"labels {self.scheme} left out {self._share(self.unknown)}{self._reasons()}")
        if self.n_without:
            lacking = _listed([f"without {name} {n}" for name, n in self.without.items()])
            said.append(f"labels {self.scheme} left out {self.n_without} of {self.n_rows} utterances: {lacking}")
        if self.dropped:
            said.append(f"--drop left out {self._share(self.dropped)}: {_listed(counted(self.dropped))}")
        if self.empty:
            nobody = "no vote is for" if self.n_votes else "no utterance is"
            said.append(f"labels {self.scheme}: {nobody} {' or '.join(map(repr, self.empty))}: not a class here")
        return said + self.doubts

    @property
    def doubts(self) -> list[str]:
        """Ask about classes that are written much alike, one line a pair."""
        return [f"labels {self.scheme}: {a!r} beside {b!r}: if they are one class, say {map_option(a, b)}"
                for a, b in self.alike]  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON of it holds."""
        return {
            "unknown": dict(self.unknown),
            "by_design": list(self.by_design),
            "dropped": dict(self.dropped),
            "did_you_mean": dict(self.hints),
            "empty_classes": list(self.empty),
            **({"without": dict(self.without)} if self.without else {}),
        }

    def _share(self, words: Mapping[str, int]) -> str:
        among = f"{self.n_votes} votes" if self.n_votes else f"{self.n_rows} utterances"
        return f"{sum(words.values())} of {among}"

    def _reasons(self) -> str:
        known = {word: n for word, n in self.unknown.items() if word in self.by_design}
        strange = {word: n for word, n in self.unknown.items() if word not in self.by_design}
        said = f", by design: {_listed(counted(known))}" if known else ""
        if strange:
            words = _listed(counted(strange, self.hints))
            said += f"{';' if known else ','} words without a class: {words}; --map WORD=CLASS gives a word one"
        return said


def counted(words: Mapping[str, int], hints: Mapping[str, str] | None = None) -> list[str]:
    """Return each word with its count and what it may be meant for, e.g. ``"hapy (did you mean 'happy'?) 4"``."""
    meant = {word: f" (did you mean {hint!r}?)" for word, hint in (hints or {}).items()}
    return [f"{word}{meant.get(word, '')} {n}" for word, n in words.items()]


def of_no_subset(scenarios: pd.Series, subset: str, subsets: Sequence[str]) -> list[str]:
    """Say which utterances are of no subset at all: a word that nobody knows, or none.

    Parameters
    ----------
    scenarios : Series of str
        Of each utterance; None where it has none.
    subset : str
        The one that is chosen.
    subsets : sequence of str
        All that there are.
    """
    counts = scenarios.fillna("none")[~scenarios.isin(subsets).to_numpy()].value_counts()
    strange = {str(word): int(n) for word, n in counts.items()}
    if not strange:
        return []
    known = ", ".join(one for one in subsets if one != "all")
    return [
        f"subset {subset}: {sum(strange.values())} of {len(scenarios)} utterances are of no subset "
        f"(scenario {_listed(counted(strange))}; known: {known})"
    ]


def _listed(words: Sequence[str]) -> str:
    more = f" and {len(words) - _SHOWN} other words" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more


def map_option(word: str, label: str) -> str:
    """Return ``--map WORD=CLASS`` as a shell takes it."""
    return f"--map {shlex.quote(f'{word}={label}')}"
