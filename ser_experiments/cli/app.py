"""``ser app``: a small web page on the champion."""

from __future__ import annotations

import importlib.util
import os

import click

from ser_experiments.cli._abstain import abstain_option
from ser_experiments.cli._project import here
from ser_experiments.cli._say import say


@click.command("app")
@click.option(
    "--model", help="A setting or registered name with @alias or /version, or a URI; by default the only champion."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=7860, show_default=True, help="Port to listen on.")
@click.option("--open/--no-open", "browse", default=True, help="Open the page in the browser.")
@click.option(
    "--allowed-hosts", default="", help="Names besides this machine's own that browsers may call it, with commas."
)
@abstain_option
def command(model: str | None, host: str, port: int, browse: bool, allowed_hosts: str, abstain: float | None) -> None:
    """Open a page to record or upload speech and see its emotion.

    Recordings stay on this machine and are deleted when they are answered. There is no authentication: do not listen
    beyond it without a proxy that has it.
    """
    from ser_experiments.cli import _uploads
    from ser_experiments.errors import InputError, SerError
    from ser_experiments.serving.hosts import TrustedHosts, names_in
    from ser_experiments.tracking.loading import is_folder, load_model

    if importlib.util.find_spec("gradio") is None:
        raise InputError("the page needs Gradio: pip install 'ser_experiments[app]'")
    # Gradio looks for these when it is imported: it is to tell nobody anything.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # Else the browser would keep what was asked, the recordings included.
    os.environ["GRADIO_RUN_HISTORY"] = "False"
    if model is None or not is_folder(model):
        here()
    loaded = load_model(model)
    loaded.check_ready()
    if abstain is not None:
        loaded = loaded.cautious(abstain)
    # Gradio looks for this too.
    folder = _uploads.make_folder()
    from starlette.middleware import Middleware

    from ser_experiments.cli._live_page import LivePage
    from ser_experiments.cli._page import build_page

    page, looks = build_page(loaded, folder)
    before = [
        Middleware(TrustedHosts, names=names_in(allowed_hosts)),
        Middleware(LivePage, model=loaded),
        Middleware(_uploads.Gate, folder=folder),
    ]
    say(f"{loaded.meta['experiment']} of {loaded.meta['setting']} on http://{host}:{port} (Ctrl-C ends it)")
    try:
        page.launch(
            server_name=host, server_port=port, inbrowser=browse, share=False, quiet=True, footer_links=[],
            ssr_mode=False, max_file_size=_uploads.MAX_UPLOAD, app_kwargs={"middleware": before}, **looks,
        )  # fmt: skip
    except OSError as error:
        raise SerError(f"port {port} of {host} cannot be listened on ({error}); choose another with --port") from error
