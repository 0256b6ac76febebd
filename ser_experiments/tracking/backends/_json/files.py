"""Files of JSON, each written whole or not at all."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ser_experiments.errors import StoreError
from ser_experiments.files import Unreadable, read_json
from ser_experiments.tracking.kept import write_whole

log = logging.getLogger(__name__)
#: The files of a run and of a setting, each in a folder of its own.
RUN, SETTING = "run.json", "setting.json"


def read(path: Path) -> dict[str, Any]:
    """Return what a file holds; a StoreError where it cannot be read."""
    try:
        found: dict[str, Any] = read_json(path)
    except Unreadable as error:
        raise StoreError(f"{path}: cannot be read ({error.reason})") from error
    return found


def write(path: Path, values: Mapping[str, Any]) -> None:
    """Write a file whole, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(dict(values), indent=1, sort_keys=True) + "\n")


def read_aloud(path: Path) -> dict[str, Any] | None:
    """Return what a file holds; of one that is damaged it is said, and None returned: the others are read."""
    try:
        return read(path)
    except StoreError as error:
        log.warning("left out: %s", error)
        return None
