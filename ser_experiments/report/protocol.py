"""What was compared, and how: the setting in words, and who was heard, with counts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from ser_experiments.corpora import corpus_names, get_corpus
from ser_experiments.frames import FOLD
from ser_experiments.report.blocks import Block, Facts, Notes, Section, Table
from ser_experiments.report.study import Study
from ser_experiments.tracking.backend import NOTE

#: Folds that have a row of their own.
_MOST_FOLDS = 40
#: Words of the setting by tag, where a run has no description.
_TAGS = {
    "corpus": "Corpus",
    "labels": "Labels",
    "subset": "Subset",
    "protocol": "Protocol",
    "normalize": "Normalisation",
}
#: Between the names of corpora that are one setting's.
_BETWEEN = re.compile("-and-|-to-")


def sections(study: Study) -> list[Section]:
    """Return what was compared and how."""
    blocks: list[Block] = [Facts([*_told(study), *_heard(study), *_corpora(study)]), _strata(study)]
    folds = study.best.predictions.frame[FOLD].nunique() if FOLD in study.best.predictions.frame else 0
    if 0 < folds <= _MOST_FOLDS:
        blocks.append(_by(study, FOLD, "fold", "Utterances that each fold tests"))
    warnings = study.best.result.get("warnings", [])
    if isinstance(warnings, list) and warnings:
        blocks.append(Notes([str(one) for one in warnings], warns=True))
    return [Section("protocol", "What was compared, and how", blocks)]


def _told(study: Study) -> list[tuple[str, str]]:
    """Return the setting in words as the run's description says it, by term."""
    lines = study.tags.get(NOTE, "").splitlines()
    said = [line.removeprefix("- ").replace("`", "") for line in lines if line.startswith("- ") and line[2:4] != "**"]
    pairs = [(term, words) for term, found, words in (line.partition(": ") for line in said) if found]
    pooled = [("Scores", line) for line in said if ": " not in line]
    tags = [(term, study.facts[tag]) for tag, term in _TAGS.items() if study.facts.get(tag)]
    return [*(pairs or tags), *pooled]


def _heard(study: Study) -> list[tuple[str, str]]:
    predictions = study.best.predictions
    frame = predictions.frame
    heard = f"{len(frame)} utterances of {frame['speaker'].nunique()} speakers"
    sessions = frame["session"].nunique() if "session" in frame else 0
    return [
        ("Predicted", f"{predictions.task.kind}: {', '.join(predictions.task.targets)}"),
        ("Tested", heard + (f" in {sessions} sessions" if sessions > 1 else "")),
        *([] if NOTE in study.tags else [("Truth", predictions.task.described(frame))]),
        ("Intervals over", f"{study.facts['n_groups']} {study.facts['interval_unit']}s"),
    ]


def _corpora(study: Study) -> Iterator[tuple[str, str]]:
    """Yield what is known of the corpora that come with the program; of others nobody knows but the user."""
    known = corpus_names()
    for name in _BETWEEN.split(study.facts["corpus"]):
        if name in known:
            spec = get_corpus(name)
            yield f"About {name}", spec.title
            yield f"Licence of {name}", spec.licence
            if spec.citation:
                yield f"To be cited for {name}", spec.citation


def _strata(study: Study) -> Table:
    predictions = study.best.predictions
    strata = predictions.task.strata(predictions.frame)
    return _counted(predictions.frame, strata, "truth", "Utterances by what is true of them")


def _by(study: Study, column: str, title: str, caption: str) -> Table:
    frame = study.best.predictions.frame
    return _counted(frame, frame[column].astype(str), title, caption)


def _counted(frame: pd.DataFrame, parts: pd.Series, title: str, caption: str) -> Table:
    rows = []
    for name, cells in frame.groupby(parts.to_numpy(dtype=str)):
        share = f"{len(cells) / len(frame):.0%}"
        rows.append([str(name), str(len(cells)), share, str(cells["speaker"].nunique())])
    return Table(caption, [title, "utterances", "share", "speakers"], rows)
