"""Searches of MLflow's client, which answers page by page."""

from __future__ import annotations

from typing import Any

#: How much a page holds.
_PAGE = 500


def every(search: Any, **query: Any) -> list[Any]:
    """Return all that a search finds.

    Parameters
    ----------
    search : callable
        A method of the client that takes ``max_results`` and ``page_token``.
    **query
        What else it takes.
    """
    found, token = [], None
    while True:
        page = search(max_results=_PAGE, page_token=token, **query)
        found += page
        token = page.token
        if not token:
            return found
