"""Two corpora as one: what is trained on, and what a model of it is tested on."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from ser_experiments.corpora._corpus import Corpus
from ser_experiments.corpora._left_out import LeftOut
from ser_experiments.errors import InputError
from ser_experiments.frames import SIDE, TEST, TRAIN

#: Between the name of a corpus and what is its own: a speaker ``1`` of one corpus is not that of another.
OF = "/"


def transfer(trained: Corpus, tested: Corpus) -> Corpus:
    """Put two corpora together, of which one is trained on and the other is tested.

    Ids, speakers and sessions are written with the corpus before them. Utterances of a class that the other corpus does
    not have are left out on either side, and said.

    Parameters
    ----------
    trained, tested : Corpus
        Under label schemes of one name.

    Returns
    -------
    Corpus
        With ``side``, ``"train"`` or ``"test"``, in its utterances, for the protocol ``transfer``.

    Raises
    ------
    InputError
        They have one name or label schemes of different names, or less than two classes in common.
    """
    if trained.name == tested.name:
        raise InputError(
            f"--test-corpus: {tested.name!r} is what is trained on, too; name another corpus, or a manifest that is "
            "called otherwise"
        )
    if trained.labels.name != tested.labels.name:
        raise InputError(
            f"labels {trained.labels.name!r} of {trained.name!r} and {tested.labels.name!r} of {tested.name!r} are no "
            "one rule; say --labels with a scheme that both have"
        )
    common = sorted({*trained.classes} & {*tested.classes})
    if len(common) < 2:
        raise InputError(
            f"{trained.name!r} has the classes {', '.join(trained.classes)}, {tested.name!r} "
            f"{', '.join(tested.classes)}; at least two must be in both: choose other --labels, or count words as "
            "others with --map"
        )
    sides = [_side(trained, TRAIN, common), _side(tested, TEST, common)]
    specs = trained.spec, tested.spec
    spec = replace(
        trained.spec,
        title=f"{trained.spec.title}; tested on {tested.spec.title}",
        licence="; ".join(dict.fromkeys(one.licence for one in specs)),
        citation="; ".join(dict.fromkeys(one.citation for one in specs if one.citation)),
        synthetic=any(one.synthetic for one in specs),
        warning="; ".join(dict.fromkeys(one.warning for one in specs if one.warning)),
        shares_room=any(one.shares_room for one in specs),
        ceilings={},
    )
    notes = [f"{one.name}: {line}" for one in (trained, tested) for line in (*one.notes, *one.left_out.lines)]
    notes += _other_rule(trained, tested, common)
    notes += [said for one, other in ((trained, tested), (tested, trained)) for said in _missing(one, other, common)]
    return replace(
        trained,
        spec=spec,
        name=f"{trained.name}-to-{tested.name}",
        subset=trained.subset if trained.subset == tested.subset else f"{trained.subset}-to-{tested.subset}",
        utterances=pd.concat(sides),
        notes=tuple(notes),
        left_out=LeftOut(),
        parts=(trained.name, tested.name),
    )


def _other_rule(trained: Corpus, tested: Corpus, classes: list[str]) -> list[str]:
    """Say where a scheme of one name counts other emotions as a class in either corpus."""
    meant = [
        {label: sorted(code for code, one in corpus.labels.classes.items() if one == label) for label in classes}
        for corpus in (trained, tested)
    ]
    return [
        f"labels {trained.labels.name}: {label!r} is {' or '.join(meant[0][label])} in {trained.name}, "
        f"{' or '.join(meant[1][label])} in {tested.name}"
        for label in classes
        if meant[0][label] and meant[1][label] and meant[0][label] != meant[1][label]
    ]


def _side(corpus: Corpus, side: str, classes: list[str]) -> pd.DataFrame:
    table = corpus.utterances[corpus.utterances["label"].isin(classes)].copy()
    table.index = pd.Index([f"{corpus.name}{OF}{one}" for one in table.index], name=table.index.name)
    for column in ("speaker", "session"):
        known = table[column].notna()
        table[column] = table[column].where(~known, f"{corpus.name}{OF}" + table[column].astype(str))
    table[SIDE] = side
    return table


def _missing(corpus: Corpus, other: Corpus, classes: list[str]) -> list[str]:
    counts = corpus.utterances["label"].value_counts()
    gone = counts.drop(index=classes)
    if gone.empty:
        return []
    listed = ", ".join(f"{label} {n}" for label, n in sorted(gone.items()))
    return [
        f"{corpus.name}: {gone.sum()} utterances of classes that {other.name} does not have were left out: {listed}"
    ]
