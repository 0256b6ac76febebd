"""``ser serve``: the champion over HTTP."""

from __future__ import annotations

import click

from ser_experiments.cli._abstain import abstain_option
from ser_experiments.cli._project import here


@click.command("serve")
@click.option(
    "--model", help="A setting or registered name with @alias or /version, or a URI; by default the only champion."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=5001, show_default=True, help="Port to listen on.")
@click.option("--workers", type=click.IntRange(1), help="Requests that are answered at a time; by default one a core.")
@click.option(
    "--timeout", type=click.FloatRange(1.0), default=30.0, show_default=True, help="Seconds that a request may take."
)
@click.option("--allowed-hosts", default="", help="Names, beside this machine's, that clients may call it by: a,b.")
@abstain_option
def command(
    model: str | None,
    host: str,
    port: int,
    workers: int | None,
    timeout: float,
    allowed_hosts: str,
    abstain: float | None,
) -> None:
    """Serve a model over HTTP, in this environment.

    It takes the bytes of recordings in base64 and opens no path that a client names. What a request may cost is
    bounded. There is no authentication: do not listen beyond this machine without a proxy that has it.
    """
    import os
    import sys

    from ser_experiments import plugins
    from ser_experiments.cli._programs import become, check_port
    from ser_experiments.serving.http.loaded import RISK
    from ser_experiments.tracking import existing
    from ser_experiments.tracking.backend import Program
    from ser_experiments.tracking.loading import load_model
    from ser_experiments.tracking.registry import model_uri

    backend = existing(here())
    uri = model_uri(backend, model)
    folder = backend.model_folder(uri)
    # What cannot be loaded or cannot answer for a single recording is said here.
    loaded = load_model(folder)
    loaded.check_ready()
    risk = {}
    if abstain is not None:
        loaded.cautious(abstain)
        risk = {RISK: repr(abstain)}
    check_port(host, port)
    # Nothing of the current folder is imported: who can write there may not have a program run.
    server = [sys.executable, "-P", "-m", "ser_experiments.serving.http", "--host", host, "--port", str(port)]
    server += ["--workers", str(workers or os.cpu_count() or 1), "--timeout", str(timeout), "--title", uri]
    own = {"PYTHONSAFEPATH": "1", **({plugins.VARIABLE: str(plugins.folder())} if plugins.folder() else {})}
    become(Program([*server, "--allowed-hosts", allowed_hosts, "--", str(folder)], {**os.environ, **own, **risk}))
