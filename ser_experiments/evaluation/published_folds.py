"""Folds as others publish them, checked for what training knows of what is tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_experiments.corpora import Place, get_corpus, read_corpus
from ser_experiments.errors import InputError
from ser_experiments.evaluation.folds import Fold
from ser_experiments.evaluation.known import Known, known, verdict
from ser_experiments.evaluation.lists import by_name, read_list, sides
from ser_experiments.evaluation.told import SIDES
from ser_experiments.frames import FOLD, TEST, TEXT, TRAIN, UTTERANCE_ID
from ser_experiments.tasks.classes import PREDICTED
from ser_experiments.words import cut


@dataclass(frozen=True)
class Checked:
    """What published folds are.

    Parameters
    ----------
    rows : DataFrame
        One row a clip, with what is known of it.
    folds : list of Fold
        Positions of rows.
    found : list of Known
        What training knows of what is tested.
    notes : list of str
        What should be known besides.
    """

    rows: pd.DataFrame
    folds: list[Fold]
    found: list[Known]
    notes: list[str]

    @property
    def verdict(self) -> str:
        """Return what a score under these folds is about."""
        return verdict(self.found)

    def as_dict(self) -> dict[str, Any]:
        """Return what ``ser verify --json`` prints."""
        return {
            "n_utterances": len(self.rows),
            "folds": {fold.name: {"n_test": len(fold.test), "n_train": len(fold.train)} for fold in self.folds},
            "known": [{**one._asdict(), "share": one.share} for one in self.found],
            "verdict": self.verdict,
            "notes": self.notes,
        }


def check_folds(lists: Sequence[str | Path], place: Place | None, train: Sequence[str | Path] = ()) -> Checked:
    """Check published folds.

    Parameters
    ----------
    lists : sequence of path
        One list with a column of folds or sides; or one of the tested clips a fold.
    place : Place, optional
        The corpus, whose names of files say who speaks and what; with its root its own reader says it. Without it the
        lists themselves must.
    train : sequence of path
        The clips that each fold trains on; without them, those that the other lists test.

    Raises
    ------
    InputError
        A list cannot be read, names what the corpus does not have, or does not say what is trained on.
    """
    tested = [(str(path), read_list(path)) for path in lists]
    trained = [(str(path), read_list(path)) for path in train]
    if trained and len(trained) != len(tested):
        raise InputError(
            f"--train: {len(trained)} lists for {len(tested)} that are tested; give one for each, in order"
        )
    every = [*tested, *trained]
    if len(every) == 1 and FOLD not in every[0][1] and PREDICTED in every[0][1]:
        raise InputError(f"{lists[0]}: it holds predictions and no folds; score them with --card CARD")
    rows = _rows(every, place)
    places = {name: at for at, name in enumerate(rows["written"])}
    notes = [note for path, table in every for note in _twice(path, table)]
    told = [(path, table) for path, table in every if FOLD in table]
    if told and not trained and len(tested) == 1:
        folds = _by_column(tested[0][1], places)
        if not folds:
            raise InputError(f"{lists[0]}: nothing is tested; its column {FOLD!r} says only train and dev")
    else:
        folds = _by_list(tested, trained, places)
    notes += _counts(folds, len(rows))
    return Checked(rows, folds, known(rows, folds), notes)


def _rows(every: Sequence[tuple[str, pd.DataFrame]], place: Place | None) -> pd.DataFrame:
    """Return one row a clip of any list, with what its name, its corpus or the lists tell."""
    columns = [UTTERANCE_ID, "speaker", "session", TEXT, "label"]
    written = pd.concat([table[[one for one in columns if one in table]].assign(of=path) for path, table in every])
    written = written.drop_duplicates(UTTERANCE_ID).set_index(UTTERANCE_ID)
    if place is None:
        if "speaker" not in written or (written["speaker"].fillna("") == "").any():
            raise InputError(
                f"{every[0][0]}: nothing says who speaks; name the corpus whose files these are with --corpus, or add "
                "a column 'speaker'"
            )
        rows = written.rename(columns={"label": "emotion"}).replace("", None)
    elif place.root is not None:
        rows = _of_copy(written, place, every[0][0])
    else:
        rows = _of_names(written, place.corpus)
    return rows.assign(written=list(written.index))


def _of_names(written: pd.DataFrame, corpus: str) -> pd.DataFrame:
    spec = get_corpus(corpus)
    if spec.told_by is None:
        raise InputError(f"--corpus {corpus}: the names of its files tell nothing; say where it lies: {corpus}=FOLDER")
    told = [spec.told_by(name) for name in written.index]
    strange = [at for at, one in enumerate(told) if one is None]
    if strange:
        first = written.iloc[strange[0]]
        raise InputError(
            f"{first['of']}: {len(strange)} of {len(told)} clips are not named as those of {corpus}, e.g. "
            f"{cut(str(first.name))!r}; choose the --corpus whose files these are"
        )
    return pd.DataFrame(told).set_index(UTTERANCE_ID)


def _of_copy(written: pd.DataFrame, place: Place, said: str) -> pd.DataFrame:
    _, reading = read_corpus(place.corpus, place.root)
    named = by_name(written, reading.utterances.index, said)
    gone = named.index.difference(reading.utterances.index)
    if len(gone):
        raise InputError(
            f"{said}: {len(gone)} of {len(named)} clips are not in this copy of {place.corpus}, e.g. "
            f"{cut(str(gone[0]))!r}; choose the corpus whose files these are"
        )
    return reading.utterances.loc[named.index]


def _by_column(table: pd.DataFrame, places: dict[str, int]) -> list[Fold]:
    told = sides(table[FOLD])
    at = np.array([places[name] for name in table[UTTERANCE_ID]])
    return [
        Fold(str(name), at[(told != name).to_numpy()], at[(told == name).to_numpy()])
        for name in dict.fromkeys(told)
        if name not in SIDES
    ]


def _by_list(
    tested: Sequence[tuple[str, pd.DataFrame]], trained: Sequence[tuple[str, pd.DataFrame]], places: dict[str, int]
) -> list[Fold]:
    if not trained and len(tested) == 1:
        raise InputError(
            f"{tested[0][0]}: it does not say what is trained on; give the other lists too, --train LIST, or a column "
            f"{FOLD!r} with {TRAIN} and {TEST}"
        )
    at = [np.array([places[name] for name in table[UTTERANCE_ID]]) for _, table in tested]
    if trained:
        other = [np.array([places[name] for name in table[UTTERANCE_ID]]) for _, table in trained]
    else:
        other = [np.concatenate([*at[:one], *at[one + 1 :]]) for one in range(len(at))]
    names = [Path(path).name for path, _ in tested]
    return [Fold(name, train, test) for name, train, test in zip(names, other, at, strict=True)]


def _twice(path: str, table: pd.DataFrame) -> list[str]:
    twice = table[UTTERANCE_ID].duplicated()
    if not twice.any():
        return []
    return [f"{path}: {int(twice.sum())} clips stand there twice, e.g. {cut(table[UTTERANCE_ID][twice].iloc[0])!r}"]


def _counts(folds: Sequence[Fold], n_rows: int) -> list[str]:
    times = np.bincount(np.concatenate([fold.test for fold in folds]), minlength=n_rows)
    notes = []
    if (times > 1).any():
        notes.append(f"{int((times > 1).sum())} clips are tested in several folds")
    if (times == 0).any():
        notes.append(f"{int((times == 0).sum())} clips are never tested")
    return notes
