"""The protocol card: which utterance is tested in which fold, under which rule, with a hash to cite."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ser_experiments import identity
from ser_experiments.corpora import Corpus
from ser_experiments.errors import InputError
from ser_experiments.evaluation.folds import Folds, get_protocol
from ser_experiments.evaluation.tripwires import check_leaks
from ser_experiments.files import Missing, read_json
from ser_experiments.frames import TEXT, unit_column
from ser_experiments.task import Task
from ser_experiments.tasks import task_of
from ser_experiments.tasks.classes import Classes
from ser_experiments.words import MOST_OF_ID, check_words, cut

FORMAT = "ser-protocol-card/1"
#: Columns of a row before the truth, and after it.
_ID, _ROW = "id", ("speaker", "session", "group", "fold")
#: Facts of corpora, and what each is.
_CORPORA: dict[str, type] = {"corpora": list, "tested_corpus": str, "readers": dict}
_FACTS = ("words", "label_rule", "text_overlap", "left_out", "own_labels", "enrolled", "task", *_CORPORA)
_IDENTITY = ("corpus", "labels", "subset", "protocol", "unit", "normalize")


@dataclass(frozen=True)
class Card:
    """A protocol on a corpus, complete enough to score anybody's predictions.

    Parameters
    ----------
    setting : dict of str to str
        ``corpus``, ``labels`` (the scheme), ``subset``, ``protocol``, ``unit`` (of the intervals), ``normalize``.
    rows : DataFrame
        Indexed by utterance id, sorted: the truth (of classes ``label``), ``speaker``, ``session``, ``group``,
        ``fold``; all strings.
    facts : dict
        What is said besides and does not change the hash: the protocol and the label rule in words, text overlap.
    """

    setting: dict[str, str]
    rows: pd.DataFrame
    facts: dict[str, Any]

    @property
    def digest(self) -> str:
        """Return 16 hexadecimal digits for the setting and every row: the hash to cite."""
        lines = [f"{key}={self.setting[key]}" for key in _IDENTITY]
        lines += ["\t".join((str(key), *row)) for key, row in zip(self.rows.index, self.rows.to_numpy(), strict=True)]
        return identity.of_lines(lines, size=identity.CITED)

    @property
    def task(self) -> Task:
        """Return what is predicted; a card that does not say it is of the classes that occur."""
        said = self.facts.get("task")
        return Classes.of(self.rows["label"]) if said is None else task_of(said["kind"], said["targets"])

    @property
    def classes(self) -> list[str]:
        """Return the targets: the classes in alphabetical order."""
        return list(self.task.targets)

    @property
    def truth(self) -> pd.DataFrame:
        """Return the truth of every row, as the task takes it."""
        return self.task.read_truth("the card", self.rows)

    @property
    def unit_column(self) -> str:
        """Return the column that holds what intervals are taken over."""
        return unit_column(self.setting["unit"])

    @property
    def tested(self) -> pd.DataFrame:
        """Return the rows that a fold tests: under a partial protocol there are others."""
        return self.rows[self.rows["fold"] != ""]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Return utterances by class, or part of the scale, by speaker and fold."""
        told = {"label": self.task.strata(self.truth), "speaker": self.rows["speaker"], "fold": self.tested["fold"]}
        return {
            key: {str(name): int(n) for name, n in cells.value_counts().sort_index().items()}
            for key, cells in told.items()
        }

    def folds(self) -> Folds:
        """Return the folds; which rows are trained on is for the protocol to say."""
        protocol = get_protocol(self.setting["protocol"])
        return protocol.folds(self.rows, self.rows["fold"], str(self.facts.get("words", "")))

    def as_dict(self) -> dict[str, Any]:
        """Return the card as it is exported."""
        columns = [[str(key), *row] for key, row in zip(self.rows.index, self.rows.to_numpy(), strict=True)]
        return {
            "format": FORMAT,
            "digest": self.digest,
            "setting": self.setting,
            **self.facts,
            "counts": {"utterances": len(self.rows), **self.counts},
            "columns": [_ID, *self.rows.columns],
            "rows": columns,
        }


def make_card(
    corpus: Corpus, folds: Folds, *, normalize: str = "none", enrolled: Mapping[str, Sequence[str]] | None = None
) -> Card:
    """Write the card of a corpus under a protocol.

    Parameters
    ----------
    corpus : Corpus
        With its label scheme.
    folds : Folds
        As :func:`ser_experiments.evaluation.cutting.make_folds` cut them.
    normalize : str
        The normalisation of the setting.
    enrolled : mapping of str to sequence of str, optional
        Utterances by speaker that the normalisation takes its statistics from, and that are not in `corpus`.
    """
    utterances = corpus.utterances
    rows = pd.DataFrame(
        {
            **{name: utterances[name] for name in corpus.task.truth_columns},
            "speaker": utterances["speaker"],
            "session": utterances["session"].where(utterances["session"].notna(), ""),
            "group": folds.group,
            "fold": folds.assignment(),
        }
    ).astype(str)
    rows.index = pd.Index([str(key) for key in utterances.index], name="utterance_id")
    setting = {
        "corpus": corpus.name,
        "labels": corpus.labels.name,
        "subset": corpus.subset,
        "protocol": folds.protocol,
        "unit": folds.unit,
        "normalize": normalize,
    }
    facts = {
        "words": folds.words,
        "label_rule": corpus.labels.rule or corpus.labels.note,
        "text_overlap": text_overlap(utterances, folds),
        "left_out": corpus.left_out.as_dict(),
    }
    if (said := corpus.task.as_fact) is not None:
        facts["task"] = said
    if corpus.labels.own:
        facts["own_labels"] = corpus.labels.own
    if corpus.parts:
        facts["corpora"] = list(corpus.parts)
    facts["readers"] = dict(corpus.readers)
    if corpus.tested:
        facts["tested_corpus"] = corpus.tested
    if enrolled:
        facts["enrolled"] = {speaker: list(ids) for speaker, ids in enrolled.items()}
    return Card(setting, rows.sort_index(), facts)


def text_overlap(utterances: pd.DataFrame, folds: Folds) -> dict[str, float | int | None]:
    """Say how many tested texts are known from training.

    Returns
    -------
    dict
        ``n_known``, utterances whose ``text_id`` is known, and ``share`` of them whose text occurs in the training
        rows of the fold that tests them; None where no text is known.
    """
    if TEXT not in utterances or utterances[TEXT].isna().all():
        return {"n_known": 0, "share": None}
    texts = utterances[TEXT]
    known = shared = 0
    for fold in folds.folds:
        tested = texts.iloc[fold.test].dropna()
        known += len(tested)
        shared += int(tested.isin(set(texts.iloc[fold.train].dropna())).sum())
    return {"n_known": known, "share": shared / known}


def write_card(card: Card, path: str | Path) -> None:
    """Export a card as JSON, one utterance a line, so that two cards can be compared by eye."""
    content = card.as_dict()
    rows = content.pop("rows")
    head = json.dumps(content, indent=2, ensure_ascii=False)[:-2]
    lines = ",\n".join("    " + json.dumps(row, ensure_ascii=False) for row in rows)
    try:
        Path(path).write_text(f'{head},\n  "rows": [\n{lines}\n  ]\n}}\n', encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another file") from error


def read_card(path: str | Path) -> Card:
    """Read an exported card.

    Raises
    ------
    InputError
        The file is no card, lacks something, or was changed after its hash was taken.
    LeakError
        The card has a speaker on both sides of a fold (``random`` alone may).
    """
    try:
        content = read_json(path)
    except Missing as error:
        raise InputError(f"{error}; export a card with ser protocol --export FILE") from error
    card = _parse(content, path)
    if card.digest != content["digest"]:
        raise InputError(
            f"{path}: the card says hash {content['digest']}, its content gives {card.digest}: it was changed; "
            "get it again from its source"
        )
    check_leaks(card.folds(), card.rows)
    return card


def _parse(content: Any, path: str | Path) -> Card:
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        got = content.get("format") if isinstance(content, Mapping) else type(content).__name__
        raise InputError(f"{path}: no protocol card: format is {cut(repr(got))}, expected {FORMAT!r}")
    for key, kind in (("digest", str), ("setting", dict), ("columns", list), ("rows", list)):
        if not isinstance(content.get(key), kind):
            raise InputError(f"{path}: the card has no usable {key!r}; export it again with ser protocol --export")
    setting, rows = content["setting"], content["rows"]
    for key in _IDENTITY:
        if not isinstance(setting.get(key), str):
            raise InputError(f"{path}: the card's setting has no {key!r}; export it again with ser protocol --export")
    try:
        get_protocol(setting["protocol"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    columns = [_ID, *_truth_columns(content, path), *_ROW]
    if content["columns"] != columns or not rows:
        raise InputError(f"{path}: the card's columns must be {', '.join(columns)}, with at least one row")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != len(columns) or not all(isinstance(cell, str) for cell in row):
            raise InputError(f"{path}: row {number} of the card must be {len(columns)} strings, got {row!r:.80}")
    check_words(setting.values(), f"{path}: the card's setting")
    check_words((row[0] for row in rows), f"{path}: utterance", most=MOST_OF_ID)
    check_words((cell for row in rows for cell in row[1:]), f"{path}: the card's rows")
    table = pd.DataFrame(rows, columns=columns).set_index(_ID).rename_axis("utterance_id")
    facts = {key: content[key] for key in _FACTS if key in content}
    for key, of in _CORPORA.items():
        names = facts.get(key, of())
        told = [*names, *names.values()] if isinstance(names, dict) else names
        if not isinstance(names, of) or not all(isinstance(one, str) for one in told):
            raise InputError(f"{path}: the card's {key!r} are no names of corpora; get it again")
    if "own_labels" in facts and not _are_own_labels(facts["own_labels"]):
        raise InputError(f"{path}: the card's 'own_labels' are no labels with map and drop; get it again")
    card = Card({key: setting[key] for key in _IDENTITY}, table.sort_index(), facts)
    card.task.read_truth(str(path), card.rows)
    return card


def _truth_columns(content: Mapping[str, Any], path: str | Path) -> tuple[str, ...]:
    """Return the columns of the truth, as the card says its task; a card of classes need not say it."""
    said = content.get("task")
    if said is None:
        return Classes(()).truth_columns
    if not isinstance(said, Mapping) or not isinstance(said.get("kind"), str) or not _are_texts(said.get("targets")):
        raise InputError(f"{path}: the card's 'task' is no kind with its targets; get it again")
    try:
        return task_of(said["kind"], said["targets"]).truth_columns
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _are_texts(said: Any) -> bool:
    return isinstance(said, list) and len(said) > 0 and all(isinstance(one, str) for one in said)


def _are_own_labels(said: Any) -> bool:
    """Whether own changes of a label scheme are written as :func:`make_card` writes them."""
    if not isinstance(said, dict) or not isinstance(said.get("labels"), str):
        return False
    maps, drop = said.get("map"), said.get("drop")
    texts = [*maps.items(), *drop] if isinstance(maps, dict) and isinstance(drop, list) else [None]
    return all(isinstance(one, str) or (isinstance(one, tuple) and isinstance(one[1], str)) for one in texts)


def differences(mine: Card, theirs: Card) -> list[str]:
    """Say how two cards differ, one line each; nothing where they have the same hash."""
    lines = [
        f"{key}: here {mine.setting[key]!r}, on the card {theirs.setting[key]!r}"
        for key in _IDENTITY
        if mine.setting[key] != theirs.setting[key]
    ]
    for what, ids in (
        ("not here", theirs.rows.index.difference(mine.rows.index)),
        ("not on the card", mine.rows.index.difference(theirs.rows.index)),
    ):
        if len(ids):
            lines.append(f"{len(ids)} utterances are {what}, e.g. {ids[0]!r}")
    both = mine.rows.index.intersection(theirs.rows.index)
    for column in mine.rows.columns:
        here, there = mine.rows.loc[both, column], theirs.rows.loc[both, column]
        other = both[(here != there).to_numpy()]
        if len(other):
            first = other[0]
            lines.append(
                f"{column} differs for {len(other)} utterances, e.g. {first!r}: here {here[first]!r}, on the card "
                f"{there[first]!r}"
            )
    return lines
