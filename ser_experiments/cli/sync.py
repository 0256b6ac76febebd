"""``ser sync``: log what earlier runs could not."""

from __future__ import annotations

import click

from ser_experiments.cli._project import here
from ser_experiments.cli._say import say


@click.command("sync")
def command() -> None:
    """Log what earlier runs could not.

    The tracking store had gone away, or their process was killed. The next `ser run` does the same before it begins.
    """
    from ser_experiments.tracking import connect, existing
    from ser_experiments.tracking.outbox import home
    from ser_experiments.tracking.sync import deliver_abandoned

    found = here()
    # What was left to log makes the store where there is none.
    left = home(found).is_dir()
    done = deliver_abandoned(found, connect(found) if left else existing(found))
    for one in done:
        say(f"{one.name}: run {one.run_id} {one.status}, {one.n_steps} steps logged")
    if not done:
        say("nothing was left to log")
