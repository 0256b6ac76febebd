"""``ser ui``: the MLflow UI on the runs."""

from __future__ import annotations

import os
import sys

import click


@click.command("ui")
@click.option("--port", default=5000, show_default=True, help="Port on this machine.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
def command(port: int, host: str) -> None:
    """Open the MLflow UI on the runs."""
    from ser_experiments import project
    from ser_experiments.tracking import store

    here = project.find()
    uri = store.tracking_uri(here)
    if uri.startswith("http"):
        click.echo(f"the runs are on {uri}; open it in a browser")
        return
    click.echo(f"MLflow UI on http://{host}:{port} (Ctrl-C ends it)")
    click.echo("choose Model training at the top left (MLflow remembers it), then a setting")
    # MLflow's own four workers and its runner of GenAI jobs, which no run here has, double the wait for the first page.
    os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    arguments = ["--backend-store-uri", uri, "--host", host, "--port", str(port), "--workers", "2"]
    root = store.artifact_root(here)
    if root is not None:
        arguments += ["--default-artifact-root", root]
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "ui", *arguments])
