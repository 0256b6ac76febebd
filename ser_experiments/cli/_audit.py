"""An audit as ``ser audit`` shows it, writes it and keeps it."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ser_experiments.cli._boards import console, print_table
from ser_experiments.cli._say import said, say

if TYPE_CHECKING:
    from ser_experiments.evaluation.audited import Audited
    from ser_experiments.experiment.audited_run import Meant
    from ser_experiments.project import Project

#: What a page may be written as.
_ENDINGS = (".html", ".md")
#: Speakers that are named.
_MOST_SPEAKERS = 12


def check_page(named: str) -> Path:
    """Return where a page is to be written; refused before hours of listening."""
    from ser_experiments.errors import InputError
    from ser_experiments.files import path_of

    path = path_of(named)
    if path.suffix.lower() not in _ENDINGS:
        raise InputError(f"--output {named}: must end in {' or '.join(_ENDINGS)}")
    if not path.parent.is_dir() or path.is_dir():
        raise InputError(f"--output {named}: no such folder, or a folder itself; name a file in one that is there")
    return path


def now() -> str:
    """Return the time, as it is kept."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def write_page(audited: Audited, named: str) -> None:
    """Write the page of an audit, of Markdown with its pictures beside it.

    Raises
    ------
    InputError
        It cannot be written.
    """
    from ser_experiments.errors import InputError
    from ser_experiments.report.audit import document_of
    from ser_experiments.report.written import PICTURES, write_html, write_markdown

    path, document = check_page(named), document_of(audited)
    try:
        if path.suffix.lower() == ".html":
            path.write_text(write_html(document), encoding="utf-8")
            return
        path.write_text(write_markdown(document), encoding="utf-8")
        (path.parent / PICTURES).mkdir(exist_ok=True)
        for picture in document.pictures:
            (path.parent / PICTURES / picture.name).write_bytes(picture.png)
    except OSError as error:
        raise InputError(f"--output {named}: cannot be written ({error.strerror or error})") from error


def say_meant(one: Meant) -> None:
    """Say what is audited where it was named by a run or by its model."""
    from ser_experiments.tracking.meant import SHORT

    if one.run is None:
        return
    run = one.run.run
    if one.model is not None:
        say(
            f"{one.model.name} version {one.model.version} is of run {run.run_id[:SHORT]} and has itself heard all "
            "speakers; the models of the run's folds are audited",
            err=True,
        )
    changes = f", {run.tags['ser.changes']}" if run.tags.get("ser.changes") else ""
    say(f"run {run.run_id[:SHORT]}: {run.name} of {run.tags.get('ser.setting', '')}{changes}", err=True)


def keep(project: Project, one: Meant, found: Audited) -> bool:
    """Keep an audit with its run, if there is one; conditions of an earlier one that were not audited again stay."""
    from ser_experiments.report.audit import document_of, drawings_of
    from ser_experiments.report.written import PICTURES, write_html, write_markdown
    from ser_experiments.tracking.audits import MARKDOWN, PAGE, is_of, keep_audit, read_audit

    if one.run is None or one.backend is None:
        return False
    earlier = read_audit(one.backend, one.run_id)
    if earlier is not None and is_of(one.run.run, earlier):
        found = found.joined(earlier)
    document = document_of(found)
    texts = {PAGE: write_html(document), MARKDOWN: write_markdown(document)}
    pictures = {f"{PICTURES}/{name}": draw for name, draw in drawings_of(found).items()}
    return keep_audit(project, one.backend, one.run.run, found, texts, pictures)


def show_kept(one: Meant, kept: bool) -> None:
    """Say where an audit is kept."""
    from ser_experiments.tracking.meant import SHORT

    if kept:
        say(f"kept with run {one.run_id[:SHORT]}: ser runs show {one.run_id[:SHORT]}")
    elif one.run is None and one.backend is not None:
        say("not kept: no finished run gave these answers; run it first, or audit a run by its id")
    elif one.run is not None and one.backend is not None:
        say(f"not kept with run {one.run_id[:SHORT]}")


def show(found: Audited) -> None:
    """Print an audit."""
    from rich.markup import escape

    title = found.title
    on = console(110, whole=True)
    on.print(f"\n[bold]{escape(said(found.experiment))}[/] on {escape(said(found.setting))}")
    on.print(f"{title} {found.score:.3f} as recorded", markup=False)
    rows = [
        [
            one.condition.name,
            f"{one.score:.3f}",
            f"{one.fall.value:+.3f}",
            f"{one.fall.low:+.3f} to {one.fall.high:+.3f}",
            "" if math.isnan(one.unchanged) else f"{100 * one.unchanged:.0f} %",
            one.verdict,
        ]
        for one in found.robustness
    ]
    print_table(on, ["condition", title, "falls by", "95 % interval", "same answer", ""], rows, left=[0, 5])
    for one in found.robustness:
        if one.n_failed:
            say(f"{one.condition.name}: nothing could be measured of {one.n_failed} recordings")
    rows = [
        [
            one.by,
            ", ".join(f"{name} {value:.3f} ({one.n_speakers[name]})" for name, value in one.scores.items()),
            *_against_chance(one.difference, one.threshold),
            one.verdict,
        ]
        for one in found.fairness
    ]
    if rows:
        on.print()
        headings = ["speakers by", f"{title} (speakers)", "differ by", "chance would", ""]
        print_table(on, headings, rows, left=[0, 1, 4])
    for group in found.fairness:
        if group.parts:
            on.print()
            headings = [f"by {group.by}", *group.scores, "differ by", "chance would", ""]
            rows = [
                [part.name, *map(_number, part.scores.values()), *_against_chance(part.difference, part.threshold),
                 part.verdict]
                for part in group.parts
            ]  # fmt: skip
            print_table(on, headings, rows, left=[0, len(headings) - 1])
    worst = ", ".join(f"{one.name} {one.score:.3f}" for one in found.speakers[:_MOST_SPEAKERS])
    more = len(found.speakers) - _MOST_SPEAKERS
    say(f"worst speakers: {worst}{f' and {more} more' if more > 0 else ''}")


def _against_chance(difference: float, threshold: float) -> tuple[str, str]:
    return _number(difference), _number(threshold)


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3f}"
