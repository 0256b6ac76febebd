"""What every rule of ``--labels`` can do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, Self

import pandas as pd

from ser_experiments.corpora._left_out import LeftOut
from ser_experiments.errors import InputError
from ser_experiments.task import Task


class Rule(Protocol):
    """From what a corpus's reader gives to the truth of a task: :class:`ser_experiments.corpora.LabelScheme` is one."""

    @property
    def name(self) -> str:
        """Return it as written after ``--labels``, own changes with it."""

    @property
    def note(self) -> str:
        """Return one line on what it is."""

    @property
    def rule(self) -> str:
        """Return it in words; empty where the note says it."""

    @property
    def classes(self) -> Mapping[str, str]:
        """Return emotion codes by the class they count as; none where words are no matter, or taken as they are."""

    @property
    def own(self) -> dict[str, object]:
        """Return own changes as a card keeps them: ``labels``, ``map`` and ``drop``; empty where there are none."""

    def changed(
        self,
        own: Mapping[str, str] | Sequence[str],
        drop: Sequence[str],
        utterances: pd.DataFrame,
        *,
        among_others: bool = False,
    ) -> Rule:
        """Return the rule with own changes of words (``--map`` and ``--drop``)."""

    def apply(self, utterances: pd.DataFrame) -> pd.DataFrame:
        """Return the utterances that have a truth, with the task's columns of it."""

    def counts(self, utterances: pd.DataFrame) -> pd.DataFrame | None:
        """Return how often raters said each class of each utterance, one column a class; None where nobody voted."""

    def left_out(self, utterances: pd.DataFrame, codes: Iterable[str] = ()) -> LeftOut:
        """Return what :meth:`apply` makes no use of."""

    def ask(self, utterances: pd.DataFrame, where: str) -> None:
        """Ask about what may be a slip of the pen: an InputError that begins with `where`."""

    def task(self, utterances: pd.DataFrame, where: str) -> Task:
        """Return what is predicted of utterances that :meth:`apply` left; an InputError where that is nothing."""

    def among(self, targets: Sequence[str]) -> Rule:
        """Return the rule on fewer targets, which are those that several corpora share."""


class WithoutWords:
    """What a rule says that words are no matter to: there are none to count, to change or to ask about."""

    name: str

    @property
    def rule(self) -> str:
        """Return nothing: the note says it."""
        return ""

    @property
    def classes(self) -> Mapping[str, str]:
        """Return nothing."""
        return {}

    @property
    def own(self) -> dict[str, object]:
        """Return nothing."""
        return {}

    def changed(
        self,
        own: Mapping[str, str] | Sequence[str],
        drop: Sequence[str],
        utterances: pd.DataFrame,
        *,
        among_others: bool = False,
    ) -> Self:
        """Return itself; an InputError where words are to be changed."""
        if own or drop:
            raise InputError(f"--map and --drop change words; --labels {self.name} takes numbers: leave them out")
        return self

    def counts(self, utterances: pd.DataFrame) -> None:
        """Return nothing: nobody voted for a class."""

    def ask(self, utterances: pd.DataFrame, where: str) -> None:
        """Ask nothing."""
