"""``ser ui``: the tracking store's own pages on the runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from ser_experiments.cli._project import here
from ser_experiments.cli._say import said, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ser_experiments.tracking import Backend

#: So many settings are said, those of the latest runs.
_MOST = 5
#: How often it is looked whether the pages answer, and how long an answer may take.
_LOOK_S, _PATIENCE_S = 0.2, 5.0


@click.command("ui")
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True, help="Port on this machine.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--open", "opened", is_flag=True, help="Open the runs of the latest setting in a browser.")
def command(port: int, host: str, opened: bool) -> None:
    """Open the MLflow UI on the runs.

    A link to the runs of each setting is printed. It opens the table with the scores, their intervals and what was run
    as columns, best first.
    """
    from ser_experiments.cli._programs import check_port, leave, run
    from ser_experiments.tracking import existing

    store = existing(here())
    pages = store.ui(host, port)
    if isinstance(pages, str):
        say(pages)
        _say_links(dict(_links(store, "")), opened)
        return
    check_port(host, port)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def announce() -> None:
        # Found while the pages start, which takes longer.
        links = dict(_links(store, url))
        _wait_for(url)
        say(f"MLflow UI on {url} (Ctrl-C ends it)")
        _say_links(links, opened)

    leave(run(pages, host, port, announce))


def _links(store: Backend, url: str) -> Iterator[tuple[str, str]]:
    """Yield each setting with the address of its runs, that of the latest run first; none of a store without pages."""
    from ser_experiments.errors import StoreError

    try:
        for setting in store.settings():
            link = store.link(setting.experiment_id, url)
            if link:
                yield setting.name, link
    except StoreError as error:
        say(f"the settings could not be listed: {error}", err=True)


def _say_links(links: dict[str, str], opened: bool) -> None:
    for name, link in list(links.items())[:_MOST]:
        say(said(f"{name}: {link}"))
    if len(links) > _MOST:
        say(f"and {len(links) - _MOST} more settings, under Experiments")
    if opened and links:
        click.launch(next(iter(links.values())))


def _wait_for(url: str) -> None:
    """Wait until the pages answer: they listen some seconds before. Where the program ends, so does this process."""
    from urllib.error import URLError
    from urllib.request import ProxyHandler, build_opener

    ask = build_opener(ProxyHandler({})).open
    while True:
        try:
            with ask(f"{url}/health", timeout=_PATIENCE_S):
                return
        except (URLError, OSError):
            time.sleep(_LOOK_S)
