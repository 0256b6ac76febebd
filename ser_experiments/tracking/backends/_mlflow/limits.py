"""What MLflow takes, whoever writes it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ser_experiments.errors import StoreError

#: Texts of so many characters.
_MOST_PARAM, MOST_TAG = 500, 5000
#: Names of parameters, metrics and tags.
_MOST_NAME, _NAME = 250, re.compile(r"[/\w.\- :]+")


def of_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags that MLflow takes: long ones are cut.

    Raises
    ------
    StoreError
        MLflow takes no such name; so do the other functions of this module.
    """
    _check(tags)
    return {key: value[:MOST_TAG] for key, value in tags.items()}


def of_params(params: Mapping[str, str]) -> dict[str, str]:
    """Return parameters that MLflow takes: long ones are cut."""
    _check(params)
    return {key: value[:_MOST_PARAM] for key, value in params.items()}


def of_metrics(values: Sequence[Sequence[Any]]) -> list[tuple[str, float, int, int]]:
    """Return values of metrics that MLflow takes: name, value, milliseconds since 1970 and step."""
    _check(name for name, *_ in values)
    return [(name, value, time, step) for name, value, time, step in values]


def _check(names: Iterable[str]) -> None:
    """Refuse a name that is too long, has other characters, or would be a path that leads elsewhere."""
    for name in names:
        path = posixpath.normpath(name)
        leads_elsewhere = path != name or path == "." or path.startswith(("..", "/"))
        if len(name) > _MOST_NAME or leads_elsewhere or not _NAME.fullmatch(name):
            raise StoreError(
                f"MLflow takes no parameter, metric or tag called {name!r}; allowed are {_MOST_NAME} letters, digits, "
                "spaces and _ - . : and / between them"
            )
