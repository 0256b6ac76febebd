"""Several corpora as one: pooled, or one that is trained on and another that is tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.corpora._corpus import Corpus
from ser_experiments.corpora._left_out import LeftOut
from ser_experiments.errors import InputError
from ser_experiments.frames import SIDE, TEST, TRAIN
from ser_experiments.task import Task

#: Between the name of a corpus and what is its own: a speaker ``1`` of one corpus is not that of another.
OF = "/"
#: Between the names of corpora that are pooled, and between what is trained on and what is tested.
_AND, _TO = "-and-", "-to-"


def pool(corpora: Sequence[Corpus]) -> Corpus:
    """Put corpora together into one, whatever their order.

    Ids, speakers and sessions are written with the corpus before them. Utterances of a class that another corpus does
    not have are left out, and said. Where sessions are known of some corpora alone, a speaker of the others is a
    session of its own.

    Parameters
    ----------
    corpora : sequence of Corpus
        Two or more, under label schemes of one name.

    Returns
    -------
    Corpus
        Its ``parts`` are their names.

    Raises
    ------
    InputError
        Two have one name, their label schemes different names, or they have less than two classes in common.
    """
    corpora = sorted(corpora, key=lambda one: one.name)
    for one, other in pairwise(corpora):
        if one.name == other.name:
            raise InputError(
                f"--corpus: {one.name!r} is there twice; name another corpus, or a manifest that is called otherwise"
            )
    common = _common(corpora)
    table = pd.concat([_own(one, common) for one in corpora])
    if table["session"].notna().any():
        table["session"] = table["session"].where(table["session"].notna(), table["speaker"])
    return replace(
        _merged(corpora, common),
        name=_AND.join(one.name for one in corpora),
        utterances=table,
        parts=tuple(one.name for one in corpora),
    )


def transfer(trained: Corpus, tested: Corpus) -> Corpus:
    """Put two corpora together, of which one is trained on and the other is tested.

    Ids, speakers and sessions are written with the corpus before them. Utterances of a class that the other corpus does
    not have are left out on either side, and said.

    Parameters
    ----------
    trained, tested : Corpus
        Under label schemes of one name; what is trained on may be pooled.

    Returns
    -------
    Corpus
        With ``side``, ``"train"`` or ``"test"``, in its utterances, for the protocol ``transfer``.

    Raises
    ------
    InputError
        They have one name or label schemes of different names, or less than two classes in common.
    """
    if tested.name in trained.names:
        raise InputError(
            f"--test-corpus: {tested.name!r} is what is trained on, too; name another corpus, or a manifest that is "
            "called otherwise"
        )
    common = _common([trained, tested])
    sides = [_own(one, common).assign(**{SIDE: side}) for one, side in ((trained, TRAIN), (tested, TEST))]
    merged = _merged([trained, tested], common)
    return replace(
        merged,
        spec=replace(merged.spec, title=f"{trained.spec.title}; tested on {tested.spec.title}"),
        name=f"{trained.name}{_TO}{tested.name}",
        subset=trained.subset if trained.subset == tested.subset else f"{trained.subset}{_TO}{tested.subset}",
        utterances=pd.concat(sides),
        parts=trained.names,
        tested=tested.name,
    )


def of_corpus(utterances: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    """Say of utterances of corpora that were put together which are of one of them."""
    return utterances.index.str.startswith(f"{name}{OF}")


def _common(corpora: Sequence[Corpus]) -> list[str]:
    """Return the targets that all corpora have."""
    first = corpora[0]
    for one in corpora[1:]:
        if one.labels.name != first.labels.name:
            raise InputError(
                f"labels {first.labels.name!r} of {first.name!r} and {one.labels.name!r} of {one.name!r} are no "
                "one rule; say --labels with a scheme that both have"
            )
    unused = set.intersection(*(set(one.left_out.unused) for one in corpora))
    if unused:
        raise InputError(
            f"--map, --drop: no utterance of {' or '.join(one.name for one in corpora)} is labelled {min(unused)!r}"
        )
    shared = set.intersection(*({*one.classes} for one in corpora))
    common = [name for name in first.classes if name in shared]
    fewest = first.task.fewest
    if len(common) < fewest:
        has = ", ".join(
            f"{one.name!r} {f'has the {one.task.kind} ' * (one is first)}{', '.join(one.classes)}" for one in corpora
        )
        raise InputError(
            f"{has}; at least {'two' if fewest == 2 else fewest} must be in {'both' if len(corpora) == 2 else 'all'}: "
            "choose other --labels, or count words as others with --map"
        )
    return common


def _merged(corpora: Sequence[Corpus], common: Sequence[str]) -> Corpus:
    """Return the first corpus with the facts of all, and with what is to be said of them together."""
    specs = [one.spec for one in corpora]
    spec = replace(
        specs[0],
        title=" and ".join(dict.fromkeys(one.title for one in specs)),
        licence="; ".join(dict.fromkeys(one.licence for one in specs)),
        citation="; ".join(dict.fromkeys(one.citation for one in specs if one.citation)),
        synthetic=any(one.synthetic for one in specs),
        warning="; ".join(dict.fromkeys(one.warning for one in specs if one.warning)),
        shares_room=any(one.shares_room for one in specs),
        ceilings={},
    )
    notes = [
        line if one.parts else f"{one.name}: {line}" for one in corpora for line in (*one.notes, *one.left_out.lines)
    ]
    notes += _other_rule(corpora, common)
    task = replace(corpora[0].task, targets=tuple(common))
    notes += task.unlike({one.name: one.utterances for one in corpora})
    notes += [said for one in corpora for said in _missing(one, [o for o in corpora if o is not one], common)]
    subsets = dict.fromkeys(one.subset for one in corpora)
    return replace(
        corpora[0],
        spec=spec,
        labels=corpora[0].labels.among(common),
        subset=_AND.join(subsets),
        notes=tuple(notes),
        left_out=LeftOut(),
        parts=(),
        tested="",
        readers={name: reader for one in corpora for name, reader in one.readers.items()},
    )


def _other_rule(corpora: Sequence[Corpus], classes: Sequence[str]) -> list[str]:
    """Say where a scheme of one name counts other emotions as a class from corpus to corpus."""
    said = []
    for label in classes:
        meant = {
            one.name: " or ".join(sorted(code for code, other in one.labels.classes.items() if other == label))
            for one in corpora
        }
        if all(meant.values()) and len({*meant.values()}) > 1:
            rules = ", ".join(f"{codes} in {name}" for name, codes in meant.items())
            said.append(f"labels {corpora[0].labels.name}: {label!r} is {rules}")
    return said


def _own(corpus: Corpus, classes: Sequence[str]) -> pd.DataFrame:
    """Return the utterances with a truth among some targets, under names of their own, as a pool has them already."""
    table = _task(corpus, classes).only(corpus.utterances[_shared(corpus, classes)]).copy()
    if corpus.parts:
        return table
    table.index = pd.Index([f"{corpus.name}{OF}{one}" for one in table.index], name=table.index.name)
    for column in ("speaker", "session"):
        known = table[column].notna()
        table[column] = table[column].where(~known, f"{corpus.name}{OF}" + table[column].astype(str))
    return table


def _missing(corpus: Corpus, others: Sequence[Corpus], classes: Sequence[str]) -> list[str]:
    gone = [name for name in corpus.classes if name not in classes]
    if not gone:
        return []
    left = corpus.utterances[~_shared(corpus, classes)]
    without = " or ".join(one.name for one in others if set(gone) - {*one.classes})
    if left.empty:
        return [f"{corpus.name}: {' and '.join(gone)}, which {without} does not have, is not predicted"]
    listed = corpus.task.described(left)
    return [f"{corpus.name}: {len(left)} utterances of classes that {without} does not have were left out: {listed}"]


def _shared(corpus: Corpus, targets: Sequence[str]) -> NDArray[np.bool_]:
    """Say which utterances of a corpus have a truth among some targets."""
    return _task(corpus, targets).kept(corpus.utterances)


def _task(corpus: Corpus, targets: Sequence[str]) -> Task:
    """Return the task of a corpus on some of its targets."""
    return replace(corpus.task, targets=tuple(targets))
