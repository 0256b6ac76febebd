"""``ser sync``: log what earlier runs could not."""

from __future__ import annotations

import click

from ser_experiments.cli._say import say


@click.command("sync")
def command() -> None:
    """Log what earlier runs could not.

    The tracking store had gone away, or their process was killed. The next `ser run` does the same before it begins.
    """
    from ser_experiments import project
    from ser_experiments.tracking import connect
    from ser_experiments.tracking.sync import deliver_abandoned

    here = project.find()
    done = deliver_abandoned(here, connect(here))
    for one in done:
        say(f"{one.name}: run {one.run_id} {one.status}, {one.n_steps} steps logged")
    if not done:
        say("nothing was left to log")
