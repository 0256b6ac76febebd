"""``ser report``: a study as a page, as Markdown and as a table for LaTeX."""

from __future__ import annotations

import json

import click

from ser_experiments.cli._metric import metric_option
from ser_experiments.cli._options import as_json
from ser_experiments.cli._project import here
from ser_experiments.cli._say import say


@click.command("report")
@click.argument("setting", required=False)
@click.option("--out", metavar="FOLDER", help="Where to write; by default report-SETTING in the current folder.")
@metric_option("The score that ranks the runs.")
@as_json
def command(setting: str | None, out: str | None, metric: str | None, as_json: bool) -> None:
    """Write a report of all finished runs of one setting.

    SETTING is a name as `ser run` says it; by default that of the latest run. Written are report.html (one file that
    needs no network), report.md with its pictures beside it, and table.tex. Nothing else is changed: a report replaces
    its own files and refuses to replace others.
    """
    from ser_experiments.evaluation.scoring import get_score
    from ser_experiments.report.folder import check_folder, default_folder, write_folder
    from ser_experiments.report.plain import finite
    from ser_experiments.report.study import read_study
    from ser_experiments.report.whole import files_of
    from ser_experiments.tracking import existing
    from ser_experiments.tracking.leaderboard import choose_setting

    if metric is not None:
        get_score(metric)  # a slip of the pen is said before anything is fetched
    client = existing(here())
    chosen, others = choose_setting(client, setting)
    if others and setting is None:
        say(f"setting {chosen.name}, of the latest run; others: {', '.join(others)} (ser report NAME)", err=True)
    folder = check_folder(default_folder(chosen.name) if out is None else out)
    study = read_study(client, chosen, metric)
    told = {**study.facts, "runs": [finite(row) for row in study.table.to_dict(orient="records")]}
    written = write_folder(folder, files_of(study), told)
    if as_json:
        names = [str(path.relative_to(folder)) for path in written]
        say(json.dumps({"folder": str(folder), "files": names, **told}))
        return
    say(f"{folder / 'report.html'}")
    say(f"{len(study.names)} runs of {chosen.name}, the best {study.names[0]}; beside it report.md and table.tex")
