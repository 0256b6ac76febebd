"""``ser ui``: the tracking store's own pages on the runs."""

from __future__ import annotations

import os

import click


@click.command("ui")
@click.option("--port", default=5000, show_default=True, help="Port on this machine.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
def command(port: int, host: str) -> None:
    """Open the MLflow UI on the runs."""
    from ser_experiments import project
    from ser_experiments.tracking import connect

    pages = connect(project.find()).ui(host, port)
    if isinstance(pages, str):
        click.echo(pages)
        return
    click.echo(f"MLflow UI on http://{host}:{port} (Ctrl-C ends it)")
    click.echo("choose Model training at the top left (MLflow remembers it), then a setting")
    os.execve(pages.arguments[0], list(pages.arguments), dict(pages.environment))
