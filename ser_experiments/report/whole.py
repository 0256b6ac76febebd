"""The files of a report, by their names."""

from __future__ import annotations

from ser_experiments.report.blocks import Table
from ser_experiments.report.card import card_of
from ser_experiments.report.content import document_of, title_of
from ser_experiments.report.results import best_of, board_of
from ser_experiments.report.study import Study
from ser_experiments.report.written import PICTURES, write_html, write_latex, write_markdown


def files_of(study: Study) -> dict[str, bytes]:
    """Return what a report is written as: the page, the Markdown with its pictures, and the LaTeX table."""
    document = document_of(study)
    texts = {
        "report.html": write_html(document),
        "report.md": write_markdown(document),
        "table.tex": write_latex(
            _table(study),
            title=title_of(study),
            setting=study.setting.name,
            card=card_of(study) or "none",
            notes=[best_of(study), *study.facts["warnings"]],
        ),
    }
    return {name: text.encode() for name, text in texts.items()} | {
        f"{PICTURES}/{one.name}": one.png for one in document.pictures
    }


def _table(study: Study) -> Table:
    facts = study.facts
    score = study.comparison.score
    over = f"{facts['n_groups']} {facts['interval_unit']}s"
    caption = (
        f"{score.title} on {facts['corpus'] or study.setting.name}, {facts['protocol']}: {facts['n_utterances']} "
        f"utterances, 95 % intervals over {over}, paired differences to the best run, and the smallest difference that "
        "could be seen."
    )
    return board_of(study, caption=caption)
