"""``ser serve``: MLflow's own server on the champion."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


@click.command("serve")
@click.option(
    "--model", help="A setting or registered name with @alias or /version, or a URI; by default the champion."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=5001, show_default=True, help="Port to listen on.")
def command(model: str | None, host: str, port: int) -> None:
    """Serve a model over HTTP, in this environment.

    It takes the bytes of recordings in base64 and opens no path that a client names. There is no authentication: do not
    listen beyond this machine without a proxy that has it.
    """
    from ser_experiments import plugins, project
    from ser_experiments.tracking.loading import load_model
    from ser_experiments.tracking.registry import model_uri
    from ser_experiments.tracking.store import connect, tracking_uri

    here = project.find()
    uri = model_uri(connect(here), model)
    # What cannot be loaded or cannot answer for a single recording is said here, in one line, and not by a server.
    load_model(uri).check_ready()
    click.echo(f"serving {uri} on http://{host}:{port}/invocations", err=True)
    # MLflow starts its server by name, so it has to be found although nobody activated this environment.
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    store = tracking_uri(here)
    environment = {**os.environ, "PATH": programs, "MLFLOW_TRACKING_URI": store, "MLFLOW_REGISTRY_URI": store}
    if plugins.folder():
        environment[plugins.VARIABLE] = str(plugins.folder())
    arguments = ["models", "serve", "--model-uri", uri, "--env-manager", "local", "--host", host, "--port", str(port)]
    os.execve(sys.executable, [sys.executable, "-m", "mlflow", *arguments], environment)
