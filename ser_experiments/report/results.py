"""What came out: the board, what stands below it, and what the runs cost."""

from __future__ import annotations

import math
from functools import partial

from ser_experiments.evaluation.compare import Row
from ser_experiments.evaluation.plots import plot_leaderboard, say_leaderboard
from ser_experiments.report.blocks import Block, Notes, Paragraph, Picture, Section, Table
from ser_experiments.report.board import HEADINGS, cells, chance_of, cost_table, variants
from ser_experiments.report.drawn import png_of
from ser_experiments.report.plain import span
from ser_experiments.report.study import Study

#: Shown of a run whose features know the labels.
_KNOWS = " (knows the labels)"


def sections(study: Study) -> list[Section]:
    """Return the results and the costs."""
    found = [Section("results", "Results", _results(study))]
    headings, spent = cost_table(study.names, study.table)
    if spent:
        text = (
            "What was measured or fitted by an earlier run counts with what it took then. Times are of the machines "
            "that the runs were made on."
        )
        titles = {
            "cost of": "experiment",
            "measuring, ms a second": "measuring, ms a second of audio",
            "a fold's fit, s": "fitting a fold, s",
        }
        costs = Table("What each run costs", [titles.get(one, one) for one in headings], spent)
        found.append(Section("cost", "Cost", [costs, Paragraph(text)]))
    return found


def board_of(study: Study, *, caption: str) -> Table:
    """Return the board, best first: one row a run."""
    title = study.comparison.score.title
    rows = cells(study.table, study.comparison.metric)
    for row, knows in zip(rows, study.table["contaminated"], strict=True):
        row[1] += _KNOWS if knows else ""
    headings = ["rank", *(one.format(title) for one in HEADINGS[1:])]
    return Table(caption, headings, rows, names=1)


def _results(study: Study) -> list[Block]:
    comparison, facts = study.comparison, study.facts
    unit, names = facts["interval_unit"], study.names
    chance = chance_of(comparison, study.scored.values())
    told: list[Block] = [Paragraph(best_of(study)), *([Paragraph(second_of(study))] if len(names) > 1 else [])]
    if facts["warnings"]:
        told.insert(0, Notes(facts["warnings"], warns=True))
    drawn = Picture(
        "board.png",
        say_leaderboard(comparison, names, unit),
        f"{comparison.score.title} with 95 % intervals, and paired differences to the best run.",
        png_of(partial(plot_leaderboard, comparison, names, study.setting.name, unit, chance=chance)),
    )
    rule = f"Every run once, best first; {comparison.score.title}, {comparison.score.rule}"
    told += [drawn, board_of(study, caption=rule)]
    changed = variants(study.table)
    return [*told, *([Notes(changed)] if changed else []), Notes(how_to_read(study))]


def best_of(study: Study) -> str:
    """Say which run is best, in a sentence or two."""
    comparison, facts = study.comparison, study.facts
    n, best = len(comparison.rows), comparison.best
    said = f"{study.names[0]} scores {comparison.score.title} {best.score:.3f}"
    if not math.isnan(best.interval.low):
        over = f"{facts['n_groups']} {facts['interval_unit']}s"
        said += f" (95 % interval {span(best.interval.low, best.interval.high)} over {over})"
    said += f", the best of {n} candidates." if n > 1 else "; it is the only run of the setting."
    if n > 1 and not math.isnan(comparison.corrected):
        said += f" Corrected for having been chosen as the best, its score is {comparison.corrected:.3f}."
    return said


def second_of(study: Study) -> str:
    """Say whether the second run can be told from the best."""
    second: Row = study.comparison.rows[1]
    far = second.difference
    said = f"The next is {study.names[1]}, whose score differs by {far.value:+.3f}"
    if math.isnan(far.low):
        return f"{said}; with one {study.facts['interval_unit']} nobody can say whether that is chance."
    said += f" (paired difference, 95 % interval {span(far.low, far.high, '{:+.3f}')})"
    if far.low <= 0 <= far.high:
        return (
            f"{said}: the interval holds zero, so these runs do not tell which is better. A difference below "
            f"{far.detectable:.3f} could hardly have been seen here."
        )
    return f"{said}: the interval leaves zero out."


def how_to_read(study: Study) -> list[str]:
    """Say what the columns of the board mean."""
    facts = study.facts
    lines = [
        f"{facts['n_candidates']} candidates of {facts['n_finished_runs']} finished runs: of runs of one experiment "
        "with the same changes, seed and features the latest counts.",
        f"Scores are pooled over all {facts['n_utterances']} utterances that were tested, each by a model that was not "
        "fitted on it.",
    ]
    if facts["n_groups"] > 1:
        lines.append(
            f"Intervals are 95 % intervals over the {facts['n_groups']} {facts['interval_unit']}s (delete-one "
            "jackknife with Student's t), of differences on the same utterances (paired)."
        )
    if facts["n_groups"] > 1 and facts["n_candidates"] > 1:
        lines += [
            "Detectable is the smallest true difference to the best that would be found in four of five such corpora.",
            "The best of many looks better than it is, since luck took part in the choice. Its corrected score is that "
            f"of the choice on {facts['interval_unit']}s that it was not made on (bootstrap bias correction).",
        ]
    return lines
