"""The best run: what it scores, its pictures, what it takes for what, and how it was made."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd

from ser_experiments.errors import SerError
from ser_experiments.evaluation.mistakes import confusion
from ser_experiments.evaluation.score import GroupSums
from ser_experiments.evaluation.scoring import intervals, scores_of
from ser_experiments.report.blocks import Block, Code, Facts, Paragraph, Section, Table
from ser_experiments.report.drawn import pictures_of_best
from ser_experiments.report.plain import number, span
from ser_experiments.report.study import AGREEMENT, Study
from ser_experiments.task import Task
from ser_experiments.tracking.meant import SHORT
from ser_experiments.tracking.record import DEFINITION, ENVIRONMENT

#: Begins the metrics of how well single raters agree with the others.
_RATER = "rater_"
#: Classes whose confusions are told as a table too.
_MOST_CLASSES = 12


def sections(study: Study) -> list[Section]:
    """Return what the best run gave, and how it was made."""
    told = [scores_table(study), *_parts(study), *_confused(study), *_by_agreement(study)]
    return [
        Section("best", f"The best run: {study.names[0]}", [*_what(study), *told, *pictures_of_best(study)]),
        Section("made", "How it was made", _made(study)),
    ]


def _what(study: Study) -> list[Block]:
    run, tags = study.best.run, study.tags
    said = {
        "Run": f"{run.run_id}, begun {study.table['started'].iloc[0]}",
        "Features": tags.get("ser.features", ""),
        "Model": tags.get("ser.model", ""),
        "Changed for the run": tags.get("ser.changes", "") or "nothing",
        "Seed": tags.get("ser.seed", ""),
        "Raters": _raters(study),
        "Audit": audit_of(study, run.run_id),
    }
    return [Facts([(term, words) for term, words in said.items() if words])]


def audit_of(study: Study, run_id: str) -> str:
    """Say what an audit of a run found, or that there was none."""
    found = study.audits.get(run_id)
    return f"not audited; do it with: ser audit {run_id[:SHORT]}" if found is None else found.summary


def _raters(study: Study) -> str:
    """Say how well a rater agrees with the others by the scores of the board, where that is known."""
    scores = scores_of(study.best.predictions.task, values=study.best.predictions.has_values)
    metrics = study.best.run.metrics
    told = [f"{one.title} {metrics[_RATER + one.name]:.3f}" for one in scores if _RATER + one.name in metrics]
    return f"one rater against the others scores {', '.join(told)} on the same utterances" if told else ""


def scores_table(study: Study) -> Table:
    """Return every score of the best run with its interval."""
    best = study.best
    scores = scores_of(best.predictions.task, values=best.predictions.has_values)
    found = intervals(best.predictions, best.unit_column)
    rows = [
        [one.title, number(one.on(best.predictions).whole()), span(found[one.name].low, found[one.name].high), one.rule]
        for one in scores
    ]
    return Table("Scores of the best run", ["score", "value", "95 % interval", "which way is better"], rows, words=[3])


def _parts(study: Study) -> list[Block]:
    """Return the scores of each class or dimension, of those that have such parts."""
    predictions = study.best.predictions
    columns = {}
    for score in scores_of(predictions.task, values=predictions.has_values):
        groups = score.on(predictions)
        if score.each is not None and isinstance(groups, GroupSums):
            columns[score.each.prefix] = np.ravel(groups.each())
    if not columns:
        return []
    counts = predictions.task.strata(predictions.frame).value_counts()
    targets = predictions.task.targets
    counted = (
        [[str(counts.get(one, 0))] for one in targets] if set(targets) & set(counts.index) else [[] for _ in targets]
    )
    rows = [
        [target, *cells, *(number(float(values[place])) for values in columns.values())]
        for place, (target, cells) in enumerate(zip(targets, counted, strict=True))
    ]
    headings = [one_of(predictions.task), *(["utterances"] if counted[0] else []), *columns]
    return [Table(f"Each {headings[0]} on its own", headings, rows)]


def one_of(task: Task) -> str:
    """Return what one target of a task is called."""
    return "class" if task.are_shares else "dimension"


def _confused(study: Study) -> list[Block]:
    """Return the confusion matrix as a table, where one class is true of an utterance."""
    predictions = study.best.predictions
    if not predictions.task.all_trained or len(predictions.task.targets) > _MOST_CLASSES:
        return []
    counts = confusion(predictions)
    rows = [[str(name), *(str(int(n)) for n in row)] for name, row in zip(counts.index, counts.to_numpy(), strict=True)]
    caption = "What is taken for what: utterances of each true class (rows) by predicted class (columns)"
    return [Table(caption, ["true class", *map(str, counts.columns)], rows)]


def _by_agreement(study: Study) -> list[Block]:
    """Return the scores by how far raters agree, where they were logged."""
    if AGREEMENT not in study.files:
        return []
    try:
        table = pd.read_csv(io.StringIO(study.text(AGREEMENT)), dtype=str, keep_default_na=False)
        headings = [one for one in ("agreement", "n", *table.columns[2:]) if one in table][: _MOST_CLASSES // 2]
        rows = [[_short(cell) for cell in row] for row in table[headings].to_numpy(dtype=str).tolist()]
    except (ValueError, KeyError, SerError):
        return []
    if not rows or not headings:
        return []
    text = "All utterances; those on which most raters agree (majority); those on which all do (full)."
    titles = {one.name: one.title for one in scores_of(study.best.predictions.task)} | {"n": "utterances"}
    headings = [titles.get(one, one) for one in headings]
    return [Table("Scores by how far the raters agree", headings, rows), Paragraph(text)]


def _short(cell: str) -> str:
    try:
        return cell if cell.isdigit() else number(float(cell))
    except ValueError:
        return cell


def _made(study: Study) -> list[Block]:
    environment = study.json(ENVIRONMENT)
    found: list[Block] = []
    packages = environment.get("packages")
    said = {
        "Python": environment.get("python"),
        "System": environment.get("platform"),
        "Processors": environment.get("cpus"),
        "Commit": environment.get("git.commit"),
        "Changed since": {"true": "yes", "false": "no"}.get(str(environment.get("git.dirty"))),
        "Packages": ", ".join(f"{k} {v}" for k, v in packages.items()) if isinstance(packages, dict) else None,
    }
    facts = [(term, str(words)) for term, words in said.items() if words]
    if facts:
        found.append(Facts(facts))
    text = study.text(DEFINITION).strip()
    title = "The definition of the experiment; what was changed for the run is said above:"
    said_of_text = [Code(text, title, "toml")] if text else []
    return [*said_of_text, *(found or [Paragraph("The run left no word on its program and machine.")])]
