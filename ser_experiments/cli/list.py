"""``ser list``: which experiments there are."""

from __future__ import annotations

import json
import shutil
import sys

import click

from ser_experiments.cli._say import say


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(as_json: bool) -> None:
    """List the experiments with what they are."""
    from ser_experiments import project
    from ser_experiments.errors import InputError
    from ser_experiments.experiment.definition import experiment_names, load_experiment

    folder = project.find().experiments
    rows = {}
    for name in experiment_names():
        try:
            rows[name] = load_experiment(name).definition
        except InputError as error:
            say(f"left out: {error}", err=True)
        except Exception as error:  # of one half-written file the others know nothing
            said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            say(f"left out: experiments/{name}.toml: cannot be read: {said}", err=True)
    if as_json:
        shown = {n: {"description": d.description, **d.model_dump(exclude={"description"})} for n, d in rows.items()}
        say(json.dumps(shown, default=str))
        return
    if not rows:
        say(f"no experiments in {folder}; run from the project's folder, or write a TOML file there", err=True)
    if sys.stdout.isatty():
        table = click.HelpFormatter(width=shutil.get_terminal_size().columns)
        table.write_dl([(name, definition.description) for name, definition in rows.items()])
        say(table.getvalue(), nl=False)
        return
    # A line each for grep and the like.
    width = max(map(len, rows), default=0)
    for name, definition in rows.items():
        say(f"{name:<{width}}  {definition.description}")
