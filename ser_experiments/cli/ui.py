"""``ser ui``: the tracking store's own pages on the runs."""

from __future__ import annotations

import click

from ser_experiments.cli._project import here
from ser_experiments.cli._say import say


@click.command("ui")
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True, help="Port on this machine.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
def command(port: int, host: str) -> None:
    """Open the MLflow UI on the runs."""
    from ser_experiments.cli._programs import check_port, leave, run
    from ser_experiments.tracking import existing

    pages = existing(here()).ui(host, port)
    if isinstance(pages, str):
        say(pages)
        return
    check_port(host, port)

    def announce() -> None:
        say(f"MLflow UI on http://{host}:{port} (Ctrl-C ends it)")
        say("choose Model training at the top left (MLflow remembers it), then a setting")

    leave(run(pages, host, port, announce))
