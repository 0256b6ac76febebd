"""Sizes of files, ages and paths as people read them."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import click

_UNITS = ("B", "kB", "MB", "GB", "TB")
_SECONDS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}


def size(n_bytes: float) -> str:
    """Return bytes with a unit, e.g. ``"1.2 MB"``."""
    unit = 0
    while n_bytes >= 999.5 and unit < len(_UNITS) - 1:
        n_bytes, unit = n_bytes / 1000, unit + 1
    return f"{n_bytes:.0f} {_UNITS[unit]}" if unit == 0 or n_bytes >= 99.5 else f"{n_bytes:.1f} {_UNITS[unit]}"


def age(since_s: float) -> str:
    """Return how long ago a time was, in seconds since 1970, e.g. ``"3 days"``."""
    passed = max(0.0, time.time() - since_s)
    for unit, seconds in (("day", 86400.0), ("hour", 3600.0), ("minute", 60.0)):
        if passed >= seconds:
            number = int(passed // seconds)
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return "just now"


def weight(folder: Path) -> tuple[int, int]:
    """Return the bytes and the number of the files in a folder; a file with two names counts once, a link not."""
    total, count, known = 0, 0, set()
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        told = entry.stat()
                        count += 1
                        if told.st_nlink == 1 or (told.st_dev, told.st_ino) not in known:
                            known.add((told.st_dev, told.st_ino))
                            total += told.st_size
        except OSError:  # another process removes it in this moment, or it is not ours to read
            continue
    return total, count


def home_hidden(text: str) -> str:
    """Return a text in which the folder of the user is ``~``."""
    own = {os.path.expanduser("~"), os.path.realpath(os.path.expanduser("~"))}
    for folder in sorted(own, key=len, reverse=True):
        if folder not in ("~", "/"):
            text = re.sub(rf"{re.escape(folder)}(?=$|[^\w.-])", "~", text)
    return text


class Age(click.ParamType):
    """How long: a number with ``m``, ``h``, ``d`` or ``w``; seconds come of it."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([mhdw])", str(value))
        if found is None:
            self.fail(f"{value!r} is no age; say a number with m, h, d or w, e.g. 30d", param, ctx)
        return float(found[1]) * _SECONDS[found[2]]
