"""``ser serve``: the tracking store's own server on the champion."""

from __future__ import annotations

import click

from ser_experiments.cli._say import say


@click.command("serve")
@click.option(
    "--model", help="A setting or registered name with @alias or /version, or a URI; by default the only champion."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=5001, show_default=True, help="Port to listen on.")
def command(model: str | None, host: str, port: int) -> None:
    """Serve a model over HTTP, in this environment.

    It takes the bytes of recordings in base64 and opens no path that a client names. There is no authentication: do not
    listen beyond this machine without a proxy that has it.
    """
    from ser_experiments import project
    from ser_experiments.cli._programs import check_port, leave, run
    from ser_experiments.tracking import connect
    from ser_experiments.tracking.loading import load_model
    from ser_experiments.tracking.registry import model_uri

    backend = connect(project.find())
    uri = model_uri(backend, model)
    server = backend.serve(uri, host, port)
    # What cannot be loaded or cannot answer for a single recording is said here, in one line, and not by a server.
    load_model(server.model or uri).check_ready()
    check_port(host, port)

    def announce() -> None:
        say(f"serving {uri} on http://{host}:{port}/invocations", err=True)

    leave(run(server, host, port, announce))
