"""What raters said, as shares of their votes: ``--labels votes-<scheme>``, by the classes of a label scheme."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ser_experiments.corpora._labels import LabelScheme
from ser_experiments.corpora._left_out import LeftOut
from ser_experiments.corpora._votes import VOTES, by_class, has_votes, long
from ser_experiments.errors import InputError
from ser_experiments.tasks.votes import SHARE, Votes, majority

if TYPE_CHECKING:
    from ser_experiments.corpora._corpus import CorpusSpec

#: Before the name of the label scheme, and between it and how many votes are added to every class.
PREFIX, _PLUS = "votes-", "-plus-"
_NAME = re.compile(rf"{PREFIX}(?P<scheme>.+?)(?:{_PLUS}(?P<added>\d+(?:\.\d+)?))?")
#: The scheme that takes every word as its own class.
AS_IS = "as-is"


@dataclass(frozen=True)
class Shares:
    """The rule that takes the share of the raters' votes that each class has as the truth.

    By default nothing is added to the votes: the plain share is what was observed, and the mean of the cross-entropy to
    it is least where a model answers how raters vote. With few raters a share of 0 is no proof that nobody would say a
    class; ``votes-4class-plus-0.5`` adds half a vote to every class (the prior of Jeffreys). All scores are then
    against what was so changed, and it is another setting.

    Parameters
    ----------
    scheme : LabelScheme
        Which words are of which class; it is called as the rule is.
    added : float, default=0
        Votes that are added to each class of each utterance.
    only : tuple of str
        The classes that count, where several corpora share some; empty means all that somebody voted for.
    """

    scheme: LabelScheme
    added: float = 0.0
    only: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return it as written after ``--labels``, own changes with it."""
        return self.scheme.name

    @property
    def note(self) -> str:
        """Say what it is."""
        return "the share of the raters' votes that each class has"

    @property
    def rule(self) -> str:
        """Return which words are of which class, and what is done with votes."""
        added = f"with {self.added:g} votes added to each class" if self.added else "as they are, nothing added"
        said = f"shares of the votes, {added}; votes for other words are left out"
        return "; ".join(part for part in (self.scheme.rule, said) if part)

    @property
    def classes(self) -> Mapping[str, str]:
        """Return emotion codes by the class they count as; none where words are taken as they are."""
        return self.scheme.classes

    @property
    def own(self) -> dict[str, object]:
        """Return own changes as a card keeps them."""
        return self.scheme.own

    def changed(
        self,
        own: Mapping[str, str] | Sequence[str],
        drop: Sequence[str],
        utterances: pd.DataFrame,
        *,
        among_others: bool = False,
    ) -> Shares:
        """Return the rule with own changes of the raters' words; see :meth:`LabelScheme.changed`."""
        if not own and not drop:
            return self
        scheme = self.scheme.changed(own, drop, self._said(utterances), among_others=among_others)
        return replace(self, scheme=scheme)

    def apply(self, utterances: pd.DataFrame) -> pd.DataFrame:
        """Return the utterances with a vote for a class, whether most raters agree or not.

        Returns
        -------
        DataFrame
            With ``share_<class>`` for each class that somebody voted for, and the class of the majority in ``label``,
            which is empty of a tie.

        Raises
        ------
        InputError
            Nobody voted in this copy, or ``--map`` or ``--drop`` names what nobody said.
        """
        counts = self.counts(utterances)
        votes = counts.to_numpy()
        kept = votes.sum(axis=1) > 0
        votes = votes[kept]
        shares = (votes + self.added) / (votes.sum(axis=1, keepdims=True) + self.added * votes.shape[1])
        table = utterances.drop(columns=[name for name in utterances if str(name).startswith(SHARE)])[kept]
        told = pd.DataFrame(shares, index=table.index, columns=[f"{SHARE}{name}" for name in counts])
        return table.assign(label=majority(counts.columns, votes)).join(told)

    def counts(self, utterances: pd.DataFrame) -> pd.DataFrame:
        """Return how often each class was said of each utterance, classes in alphabetical order.

        Raises
        ------
        InputError
            As for :meth:`apply`.
        """
        self._check_voted(utterances)
        return by_class(utterances, self.scheme.apply, self.only)

    def left_out(self, utterances: pd.DataFrame, codes: Iterable[str] = ()) -> LeftOut:
        """Return how many votes there are for words without a class, and how many utterances have no other."""
        said = self._said(utterances)
        # A row a vote: what is left out is counted by votes.
        each = said.loc[said.index.repeat(np.maximum(1, np.rint(said["n"])).astype(int))].reset_index(drop=True)
        found = self.scheme.left_out(each, codes)
        without = int((self.counts(utterances).sum(axis=1) == 0).sum())
        lacking = {"votes for a class": without} if without else {}
        return replace(found, n_rows=len(utterances), n_votes=len(each), without=lacking, n_without=without)

    def ask(self, utterances: pd.DataFrame, where: str) -> None:
        """Ask about words that may mean one class, where every word is its own."""
        if not self.classes:
            shares = utterances[[column for column in utterances if str(column).startswith(SHARE)]]
            words = [str(column).removeprefix(SHARE) for column in shares]
            numbers = (shares > 0).sum().to_numpy()
            self.scheme.ask(pd.DataFrame({"label": np.repeat(np.asarray(words, dtype=object), numbers)}), where)

    def task(self, utterances: pd.DataFrame, where: str) -> Votes:
        """Return the classes that somebody voted for.

        Raises
        ------
        InputError
            That is one alone.
        """
        shares = [str(column).removeprefix(SHARE) for column in utterances if str(column).startswith(SHARE)]
        if len(shares) < Votes.fewest:
            only = shares[0] if shares else ""
            raise InputError(
                f"{where}: all votes are for {only!r}; at least two classes are needed, choose other --labels"
            )
        return Votes(tuple(sorted(shares)))

    def among(self, targets: Sequence[str]) -> Shares:
        """Return the rule on fewer classes: votes for others are left out, and the shares are of the rest."""
        return replace(self, only=tuple(sorted(targets)))

    def _said(self, utterances: pd.DataFrame) -> pd.DataFrame:
        self._check_voted(utterances)
        return long(utterances)

    def _check_voted(self, utterances: pd.DataFrame) -> None:
        if not has_votes(utterances):
            raise InputError(
                f"labels {self.name}: nobody voted in this copy (no column {VOTES!r} with words and counts); choose "
                "--labels of classes"
            )


def of_scheme(scheme: LabelScheme, added: float = 0.0) -> Shares:
    """Return the rule that counts votes by the classes of a label scheme."""
    plus = f"{_PLUS}{added:g}" if added else ""
    return Shares(replace(scheme, name=f"{PREFIX}{scheme.name}{plus}", column=""), added)


def vote_rules(spec: CorpusSpec, utterances: pd.DataFrame) -> dict[str, Shares]:
    """Return the rules of votes by label scheme; none where nobody voted on these utterances."""
    return {name: of_scheme(one) for name, one in _schemes(spec).items()} if has_votes(utterances) else {}


def offered(spec: CorpusSpec) -> list[str]:
    """Return the names that a corpus can have: schemes that are of what raters heard alone stand for themselves."""
    return [f"{PREFIX}{name}" for name in _schemes(spec)]


def named(name: str, spec: CorpusSpec) -> Shares | None:
    """Return the rule of a name, e.g. ``"votes-4class"``; None of another."""
    known = _schemes(spec)
    parts = _NAME.fullmatch(name)
    if parts is None or parts["scheme"] not in known:
        return None
    return of_scheme(known[parts["scheme"]], float(parts["added"] or 0))


def _schemes(spec: CorpusSpec) -> dict[str, LabelScheme]:
    as_is = LabelScheme(AS_IS, {}, "every word of the raters its own class")
    return {
        name: one for name, one in {**spec.schemes, AS_IS: spec.schemes.get(AS_IS, as_is)}.items() if not one.column
    }
