"""The page of an audit: what is left under conditions, for whom it is worse, and what to do first."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ser_experiments.evaluation.audited import Audited
from ser_experiments.evaluation.fairness import SHORTLY
from ser_experiments.evaluation.plots.audit import (
    plot_conditions,
    plot_differences,
    say_conditions,
    say_differences,
    worst_first,
)
from ser_experiments.report.audit_words import in_words
from ser_experiments.report.blocks import Block, Document, Facts, Notes, Paragraph, Picture, Section, Table
from ser_experiments.report.drawn import png_of
from ser_experiments.report.plain import number, span

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The pictures, by the names of their files.
CONDITIONS, DIFFERENCES = "audit_conditions.png", "audit_groups.png"
#: Speakers that have a row.
_MOST_SPEAKERS = 30


def drawings_of(audited: Audited) -> dict[str, Callable[[], Figure]]:
    """Return what draws the pictures of an audit, by the names of their files."""
    title = f"{audited.experiment}, {audited.setting}"
    drawn: dict[str, Callable[[], Figure]] = {}
    if audited.robustness:
        drawn[CONDITIONS] = partial(plot_conditions, audited, title)
    if audited.fairness:
        drawn[DIFFERENCES] = partial(plot_differences, audited, title)
    return drawn


def document_of(audited: Audited) -> Document:
    """Return the page of an audit."""
    drawn = {name: png_of(draw) for name, draw in drawings_of(audited).items()}
    parts = [
        Section("found", "What was found", _found(audited)),
        Section("conditions", "Under conditions", _conditions(audited, drawn)),
        Section("groups", "Groups of speakers", _groups(audited, drawn)),
        Section("speakers", "Speakers", _speakers(audited)),
        Section("reading", "How to read it", [Notes(_how(audited))]),
    ]
    title = f"Audit of {audited.experiment}: {audited.title} {audited.score:.3f} as recorded"
    return Document(title, audited.setting, [one for one in parts if one.blocks])


def _found(audited: Audited) -> list[Block]:
    said = {
        "Run": audited.run_id,
        "Changed for the run": audited.changes,
        "Seed": audited.seed,
        "Trained on views": ", ".join(audited.views),
        "Rows and folds": audited.rows,
        "Failed": ", ".join(audited.failed) or "nothing",
        "Audited": f"{audited.when} by {audited.program}" if audited.when else audited.program,
    }
    return [Paragraph(in_words(audited)), Facts([(term, words) for term, words in said.items() if words])]


def _conditions(audited: Audited, drawn: dict[str, bytes]) -> list[Block]:
    if not audited.robustness:
        return []
    title = audited.title
    picture = Picture(
        CONDITIONS,
        say_conditions(audited),
        f"By how much the {title} is worse under each condition, with 95 % intervals over speakers.",
        drawn[CONDITIONS],
    )
    answers = any(not math.isnan(one.unchanged) for one in audited.robustness)
    rows = []
    for one in worst_first(audited):
        value, low, high = one.worse
        same = [f"{one.unchanged:.0%}"] if answers else []
        heard = [one.condition.name, SHORTLY[one.verdict], number(one.score), number(value, "{:+.3f}")]
        rows.append([*heard, span(low, high, "{:+.3f}"), *same, one.condition.words])
    headings = ["condition", "verdict", title, "worse by", "95 % interval", *(["same answer"] if answers else [])]
    table = Table(
        f"The {title} under each condition, the worst first; {audited.score:.3f} as recorded",
        [*headings, "what it stands for"],
        rows,
        words=[1, len(headings)],
    )
    lost = [
        f"{one.condition.name}: nothing could be measured of {one.n_failed} recordings"
        for one in audited.robustness
        if one.n_failed
    ]
    return [picture, table, *([Notes(lost, warns=True)] if lost else [])]


def _groups(audited: Audited, drawn: dict[str, bytes]) -> list[Block]:
    if not audited.fairness:
        return []
    picture = Picture(
        DIFFERENCES,
        say_differences(audited),
        "How far groups of speakers differ, against what chance would show.",
        drawn[DIFFERENCES],
    )
    rows = []
    for one in audited.fairness:
        scores = ", ".join(f"{name} {number(value)} ({one.n_speakers[name]})" for name, value in one.scores.items())
        rows.append([one.by, SHORTLY[one.verdict], scores, number(one.difference), number(one.threshold)])
    headings = ["speakers by", "verdict", f"{audited.title} (speakers)", "differ by", "chance would"]
    blocks: list[Block] = [
        picture,
        Table(f"The {audited.title} of groups, and what chance would show", headings, rows, words=[1, 2]),
    ]
    for group in audited.fairness:
        if not group.parts:
            continue
        names = list(group.scores)
        cells = [
            [part.name, SHORTLY[part.verdict], *(number(part.scores[name]) for name in names), number(part.difference),
             number(part.threshold)]
            for part in group.parts
        ]  # fmt: skip
        kind = group.parts[0].name.partition(" of ")[0]
        caption = f"{kind[0].upper()}{kind[1:]} by {group.by}, and what chance would show"
        blocks.append(Table(caption, ["", "verdict", *names, "differ by", "chance would"], cells, words=[1]))
    return blocks


def _speakers(audited: Audited) -> list[Block]:
    rows = [
        [str(rank), one.name, number(one.score), number(one.score - audited.score, "{:+.3f}"), str(one.n_utterances)]
        for rank, one in enumerate(audited.speakers[:_MOST_SPEAKERS], start=1)
    ]
    more = len(audited.speakers) - len(rows)
    caption = "Speakers, the worst first" + (f"; {more} more are better" if more > 0 else "")
    headings = ["", "speaker", audited.title, "to all together", "utterances"]
    return [Table(caption, headings, rows, names=1)] if rows else []


def _how(audited: Audited) -> list[str]:
    lines = [
        "Every answer is of a model that has not heard the speaker, as recorded and under every condition; nothing was "
        "trained on what is changed.",
        "A model that was registered was fitted on all speakers: it has heard them, and is audited by the models of "
        "its folds, which were made in the same way.",
    ]
    if audited.robustness:
        lines.append(
            f"Passed: the score is worse by less than {audited.tolerated:g} with the whole interval. Failed: it is "
            "worse with the whole interval. All else cannot be told. Differences are paired over speakers."
        )
    if audited.fairness:
        lines.append(
            "Groups of speakers differ whatever a model does. They fail where they differ by more than in 95 % of "
            "deals of the same speakers to groups of the same sizes; of classes or dimensions one fails that differs "
            "by more than in 95 % of the deals any of them would."
        )
    return lines
