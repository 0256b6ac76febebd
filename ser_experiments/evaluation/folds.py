"""Protocols: which utterances are trained on and which are tested, with the groups kept apart.

Each file of :mod:`ser_experiments.evaluation.protocols` holds one as ``PROTOCOL = Protocol(...)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ser_experiments import identity, plugins
from ser_experiments.errors import InputError, nearest
from ser_experiments.frames import FOLD, GROUP

PROTOCOLS = "ser_experiments.evaluation.protocols"
#: Ends the name of a protocol that somebody took though speakers are on both sides.
LEAKY = "-leaky"
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Fold:
    """One outer fold.

    Parameters
    ----------
    name : str
        What is left out, e.g. ``"Session1"``.
    train, test : ndarray of int
        Positions of rows.
    """

    name: str
    train: NDArray[np.intp]
    test: NDArray[np.intp]


@dataclass(frozen=True)
class Folds:
    """The folds of a protocol on one table of utterances.

    Parameters
    ----------
    protocol : str
        Its name.
    group : Series of str
        The group of each row, kept apart by outer and inner folds.
    unit : str
        What a group is, and what an interval is taken over: ``"session"``, ``"speaker"`` or ``"recording"``.
    folds : list of Fold
        Every row is tested once, or under a partial protocol at most once.
    words : str
        The protocol in a sentence.
    leaky : bool
        Whether speakers stand on both sides of a fold.
    partial : bool
        Whether there may be rows that are never tested.
    development : Series of bool, optional
        The rows of the training side on which what is tuned is tried; without it, whatever is tuned deals the groups of
        the training side to inner folds.
    """

    protocol: str
    group: pd.Series
    unit: str
    folds: list[Fold]
    words: str
    leaky: bool = False
    partial: bool = False
    development: pd.Series | None = None

    @property
    def digest(self) -> str:
        """Return 12 hexadecimal digits for which utterance is in which fold."""
        index = self.group.index
        lines = sorted(f"{fold.name}\t{index[i]}" for fold in self.folds for i in fold.test)
        return identity.of_lines(lines, size=identity.SHORT)

    @property
    def tested(self) -> Mask:
        """Say of each row whether a fold tests it, shape (n_rows,)."""
        return self.assignment().to_numpy(dtype=str) != ""

    def assignment(self) -> pd.Series:
        """Return the name of the fold that tests each utterance; an empty one for a row that none tests."""
        names = pd.Series("", index=self.group.index, name=FOLD, dtype=str)
        for fold in self.folds:
            names.iloc[fold.test] = fold.name
        return names


@dataclass(frozen=True)
class CutOptions:
    """What a protocol is told besides the utterances.

    Parameters
    ----------
    protocol : Protocol
        The one that is cut by; its name may say more than that of its file, and it may be marked as leaky.
    n_splits : int
        Folds, where the utterances themselves do not say how many.
    seed : int
        Deals groups or rows to such folds.
    shares_room : bool
        Whether speakers of a session are heard in each other's recordings.
    assigned : Series of str, optional
        The fold of utterances by id, for the protocol that is told so.
    strata : Series of str, optional
        What is to have its share in every fold: the classes, or parts of a scale.
    """

    protocol: Protocol
    n_splits: int = 5
    seed: int = 0
    shares_room: bool = False
    assigned: pd.Series | None = None
    strata: pd.Series | None = None


def other_groups(rows: pd.DataFrame, test: Mask) -> Mask:
    """Train on the rows of the groups of which none is tested."""
    group = rows[GROUP].to_numpy(dtype=str)
    return ~np.isin(group, np.unique(group[test]))


def other_rows(rows: pd.DataFrame, test: Mask) -> Mask:
    """Train on all rows that are not tested, whoever speaks them."""
    return ~test


@dataclass(frozen=True)
class Protocol:
    """A rule of who is tested by a model of whom.

    Parameters
    ----------
    name : str
        The file's name, with ``-`` for ``_``.
    unit : {"session", "speaker", "recording"}
        What intervals are taken over.
    cut : callable
        ``cut(utterances, options) -> Folds``, made by :meth:`folds`; an InputError where the rule cannot be held.
    trains : callable
        ``trains(rows, test) -> mask`` of the training side of a fold, from rows with ``group`` and a mask of those that
        the fold tests: so a protocol card, which holds the tested sides, gives the same folds to everybody.
    leaky : bool
        Whether speakers stand on both sides of a fold: exempt from the speaker tripwire, and marked everywhere.
    partial : bool
        Whether there may be rows that are never tested.
    may_leak : bool
        Whether a user may have speakers on both sides all the same; the name then ends in ``-leaky``.
    takes_name : bool
        Whether a name follows, behind a colon.
    assigns : callable, optional
        ``assigns(utterances, protocol) -> Series`` of what a corpus knows of its cut, for a protocol that somebody else
        made; None where it holds of all utterances, and missing where it is about others alone, which are then left
        out.
    """

    name: str
    unit: str
    cut: Callable[[pd.DataFrame, CutOptions], Folds]
    trains: Callable[[pd.DataFrame, Mask], Mask] = other_groups
    leaky: bool = False
    partial: bool = False
    may_leak: bool = False
    takes_name: bool = False
    assigns: Callable[[pd.DataFrame, Protocol], pd.Series] | None = None

    @property
    def which(self) -> str:
        """Return what stands behind the colon of the name."""
        return _parts(self.name)[1]

    def folds(
        self, rows: pd.DataFrame, tested_in: pd.Series, words: str, *, names: Sequence[str] | None = None
    ) -> Folds:
        """Make the folds of rows whose groups and tested sides are known.

        Parameters
        ----------
        rows : DataFrame
            With ``group``, and whatever else the protocol's ``trains`` reads.
        tested_in : Series of str
            The fold that tests each row; empty for a row that none tests.
        words : str
            The protocol in a sentence.
        names : sequence of str, optional
            The order of the folds; by default the alphabetical one.
        """
        held = tested_in.to_numpy(dtype=str)
        cut = []
        for name in names or sorted(set(held.tolist()) - {""}):
            test = held == name
            cut.append(Fold(name, np.flatnonzero(self.trains(rows, test)), np.flatnonzero(test)))
        group = rows[GROUP].astype(str)
        return Folds(self.name, group, self.unit, cut, words, leaky=self.leaky, partial=self.partial)


def joined(utterances: pd.DataFrame, column: str) -> pd.Series:
    """Name groups so that neither a speaker nor a value of `column` stands in two of them.

    A speaker may appear in several sessions: the groups are the connected components of the graph between both.
    """
    speakers, s_names = pd.factorize(utterances["speaker"])
    values, names = pd.factorize(utterances[column])
    size = len(s_names) + len(names)
    graph = coo_array((np.ones(len(utterances)), (speakers, len(s_names) + values)), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    of_value = component[len(s_names) :]
    labels = {c: "+".join(sorted(map(str, names[of_value == c]))) for c in np.unique(of_value)}
    return pd.Series([labels[c] for c in of_value[values]], index=utterances.index, name=GROUP, dtype=str)


def dealt(splits: Iterable[tuple[object, NDArray[np.intp]]], utterances: pd.DataFrame) -> tuple[pd.Series, list[str]]:
    """Name what a scikit-learn splitter tests ``fold1``, ``fold2`` and so on; return the fold of each row, and all."""
    tested_in = pd.Series("", index=utterances.index, dtype=str)
    names = []
    for i, (_, test) in enumerate(splits, start=1):
        names.append(f"fold{i}")
        tested_in.iloc[test] = names[-1]
    return tested_in, names


def protocol_names() -> list[str]:
    """List the protocols there are, without importing them."""
    return [name.replace("_", "-") for name in plugins.names(PROTOCOLS)]


def get_protocol(name: str) -> Protocol:
    """Return the protocol of that name; an unknown one is an InputError with the nearest name.

    ``published:emobox`` is the protocol ``published`` with a name; ``own-folds-leaky`` is ``own-folds``, whoever speaks
    on both sides.
    """
    known = protocol_names()
    base, which = _parts(name)
    if base not in known:
        raise InputError(f"unknown protocol {name!r}{nearest(name, known)}")
    protocol: Protocol = plugins.load(PROTOCOLS, base, "protocol", holds="PROTOCOL").PROTOCOL
    if bool(which) != protocol.takes_name:
        do = f"say which: {base}:NAME" if protocol.takes_name else f"it takes no name: {base}"
        raise InputError(f"protocol {name!r}: {do}")
    if not name.endswith(LEAKY):
        return replace(protocol, name=name) if which else protocol
    if not protocol.may_leak:
        raise InputError(f"protocol {base!r} is not cut by somebody else; --protocol random shows a leak")
    return replace(protocol, name=name, leaky=True, trains=other_rows)


def _parts(name: str) -> tuple[str, str]:
    base, _, which = name.removesuffix(LEAKY).partition(":")
    return base, which
