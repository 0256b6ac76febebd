"""``ser list``: which experiments there are."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

import click

from ser_experiments.cli._say import say

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ser_experiments.experiment.sections import Definition


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(as_json: bool) -> None:
    """List the experiments with what they are.

    A project's own, from its folder experiments/, stand before the shipped ones of the same name.
    """
    from ser_experiments import project
    from ser_experiments.errors import InputError
    from ser_experiments.experiment.definition import load_experiment
    from ser_experiments.experiment.lookup import experiment_names, own_names, place_of

    folder = project.find().experiments
    rows: dict[str, Definition] = {}
    paths: dict[str, Path] = {}
    for name in experiment_names(folder):
        try:
            paths[name] = place_of(name, (folder,)).path
            rows[name] = load_experiment(name, folder).definition
        except InputError as error:
            say(f"left out: {error}", err=True)
        except Exception as error:  # of one half-written file the others know nothing
            said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            say(f"left out: {paths[name]}: cannot be read: {said}", err=True)
    own = set(own_names(folder))
    if as_json:
        shown = {
            n: {
                "description": d.description,
                "own": n in own,
                "file": str(paths[n]),
                **d.model_dump(exclude={"description"}),
            }
            for n, d in rows.items()
        }
        say(json.dumps(shown, default=str))
        return
    _show(rows, own if own < rows.keys() else set())


def _show(rows: Mapping[str, Definition], own: set[str]) -> None:
    """Print names and descriptions; those of the project are marked, where there are others."""
    marks = {name: "own" if name in own else "" for name in rows} if own else {}
    width = max(map(len, rows), default=0)
    names = {name: f"{name:<{width}}  {marks[name]:<3}" if marks else name for name in rows}
    if sys.stdout.isatty():
        table = click.HelpFormatter(width=shutil.get_terminal_size().columns)
        table.write_dl([(names[name], definition.description) for name, definition in rows.items()], col_max=40)
        say(table.getvalue(), nl=False)
    else:
        # A line each for grep and the like.
        for name, definition in rows.items():
            say(f"{names[name]:<{width}}  {definition.description}")
    if own:
        say("own: of this project's experiments/; the others came with the program", err=True)
