"""Protocols: which utterances are trained on and which are tested, with the groups kept apart."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import GroupKFold, StratifiedKFold

from ser_experiments.errors import InputError, nearest


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
        What a group is, and what an interval is taken over: ``"session"`` or ``"speaker"``.
    folds : list of Fold
        Every row is tested once.
    words : str
        The protocol in a sentence.
    """

    protocol: str
    group: pd.Series
    unit: str
    folds: list[Fold]
    words: str

    @property
    def digest(self) -> str:
        """Return 12 hexadecimal digits for which utterance is in which fold."""
        index = self.group.index
        lines = sorted(f"{fold.name}\t{index[i]}" for fold in self.folds for i in fold.test)
        return hashlib.blake2b("\n".join(lines).encode(), digest_size=6).hexdigest()

    def assignment(self) -> pd.Series:
        """Return the name of the fold that tests each utterance."""
        names = pd.Series("", index=self.group.index, name="fold", dtype=str)
        for fold in self.folds:
            names.iloc[fold.test] = fold.name
        return names


def _components(utterances: pd.DataFrame, column: str) -> pd.Series:
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
    return pd.Series([labels[c] for c in of_value[values]], index=utterances.index, name="group", dtype=str)


def _leave_one_out(left_out: pd.Series, apart: pd.Series) -> list[Fold]:
    """Test each value of `left_out` once; train on the rows whose value of `apart` does not occur among the tested."""
    held, kept = left_out.to_numpy(dtype=str), apart.to_numpy(dtype=str)
    folds = []
    for name in sorted(np.unique(held)):
        test = held == name
        train = ~np.isin(kept, np.unique(kept[test]))
        folds.append(Fold(str(name), np.flatnonzero(train), np.flatnonzero(test)))
    return folds


def _sessions(utterances: pd.DataFrame, n_splits: int, seed: int, shares_room: bool) -> Folds:
    if utterances["session"].isna().any():
        raise InputError("protocol 'leave-one-session-out': no sessions are known here; use leave-one-speaker-out")
    group = _components(utterances, "session")
    folds = _leave_one_out(group, group)
    return Folds("", group, "session", folds, "each session in turn is tested by a model that saw none of its speakers")


def _speakers(utterances: pd.DataFrame, n_splits: int, seed: int, shares_room: bool) -> Folds:
    speaker = utterances["speaker"].astype(str)
    if shares_room:
        group = _components(utterances, "session")
        words = "each speaker in turn is tested by a model that saw neither the speaker nor the partner of the session"
        return Folds("", group, "speaker", _leave_one_out(speaker, group), words)
    words = "each speaker in turn is tested by a model that did not see the speaker"
    return Folds("", speaker.rename("group"), "speaker", _leave_one_out(speaker, speaker), words)


def _grouped(utterances: pd.DataFrame, n_splits: int, seed: int, shares_room: bool) -> Folds:
    group = _components(utterances, "session") if shares_room else utterances["speaker"].astype(str).rename("group")
    n_groups = group.nunique()
    if n_groups < n_splits:
        raise InputError(f"protocol 'grouped-k-fold': {n_splits} folds of {n_groups} groups; choose at most {n_groups}")
    splits = GroupKFold(n_splits, shuffle=True, random_state=seed).split(np.zeros(len(group)), groups=group.to_numpy())
    folds = [Fold(f"fold{i}", train, test) for i, (train, test) in enumerate(splits, start=1)]
    return Folds(
        "",
        group,
        "speaker",
        folds,
        f"{n_splits} folds; speakers of the tested fold were not seen in training",
    )


def _random(utterances: pd.DataFrame, n_splits: int, seed: int, shares_room: bool) -> Folds:
    splitter = StratifiedKFold(n_splits, shuffle=True, random_state=seed)
    least = utterances["label"].value_counts()
    if least.iloc[-1] < n_splits:
        raise InputError(
            f"protocol 'random': class {least.index[-1]!r} has {least.iloc[-1]} utterances for {n_splits} folds"
        )
    splits = splitter.split(np.zeros(len(utterances)), utterances["label"].to_numpy(dtype=str))
    folds = [Fold(f"fold{i}", train, test) for i, (train, test) in enumerate(splits, start=1)]
    words = f"{n_splits} random folds: tested speakers were seen in training, so the score is inflated"
    return Folds("", utterances["speaker"].astype(str).rename("group"), "speaker", folds, words)


PROTOCOLS: dict[str, Callable[[pd.DataFrame, int, int, bool], Folds]] = {
    "leave-one-session-out": _sessions,
    "leave-one-speaker-out": _speakers,
    "grouped-k-fold": _grouped,
    "random": _random,
}
#: The protocol that lets speakers stand on both sides; exempt from the speaker tripwire, and marked everywhere.
LEAKY = "random"


def default_protocol(utterances: pd.DataFrame) -> str:
    """Return leave-one-session-out where two sessions with speakers of their own are known, else by speaker."""
    if utterances["session"].notna().all() and _components(utterances, "session").nunique() >= 2:
        return "leave-one-session-out"
    return "leave-one-speaker-out"


def make_folds(
    utterances: pd.DataFrame,
    protocol: str | None = None,
    *,
    n_splits: int = 5,
    seed: int = 0,
    shares_room: bool = False,
) -> Folds:
    """Cut a table of utterances into the folds of a protocol.

    Parameters
    ----------
    utterances : DataFrame
        With ``speaker``, ``session`` and ``label``.
    protocol : str, optional
        ``leave-one-session-out``, ``leave-one-speaker-out``, ``grouped-k-fold`` or ``random``.
    n_splits : int, default=5
        Folds of the last two.
    seed : int, default=0
        Deals groups or rows to the folds of the last two.
    shares_room : bool
        Whether speakers of a session are heard in each other's recordings; then a tested speaker's partner is not
        trained on either.

    Raises
    ------
    InputError
        Unknown protocol, fewer than two folds, or training rows of a fold that lack a class.
    """
    name = protocol or default_protocol(utterances)
    if name not in PROTOCOLS:
        raise InputError(f"unknown protocol {name!r}{nearest(name, PROTOCOLS)}")
    made = PROTOCOLS[name](utterances, n_splits, seed, shares_room)
    folds = Folds(name, made.group, made.unit, made.folds, made.words)
    if len(folds.folds) < 2:
        raise InputError(
            f"protocol {name!r}: everything is one group ({folds.group.iloc[0]!r}); at least two are needed, "
            "use leave-one-speaker-out"
        )
    _check_classes(folds.folds, utterances["label"].to_numpy(dtype=str), name)
    return folds


def _check_classes(folds: Sequence[Fold], labels: NDArray[np.str_], protocol: str) -> None:
    every = set(labels.tolist())
    for fold in folds:
        missing = sorted(every - set(labels[fold.train].tolist()))
        if missing:
            raise InputError(
                f"protocol {protocol!r}: the training rows of fold {fold.name!r} have no {missing[0]!r}; "
                "choose --labels without it or another --protocol"
            )
