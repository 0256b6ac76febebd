"""Which project a command works in: said where that is not plain, and left as it was by what only reads."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ser_experiments import project
from ser_experiments.cli._say import aside
from ser_experiments.project import Project


def here(*, writes: bool = False) -> Project:
    """Return the project that the current folder belongs to, and say which it is where it is another folder.

    Parameters
    ----------
    writes : bool
        Whether the command makes folders in it: where there is no project yet, it is said that this becomes one.
        What a command that only reads has to put somewhere goes to a folder that is gone afterwards.
    """
    found = project.find()
    if found.folder != Path.cwd().resolve():
        aside(f"project: {found.folder}")
    elif not found.is_begun:
        if writes:
            aside(f"no project here or above, so that this folder is used as one: {found.folder} (see: ser init)")
        else:
            click.get_current_context().with_resource(_spare_cache())
    return found


@contextmanager
def _spare_cache() -> Iterator[None]:
    """Let the cache be a folder that is gone afterwards."""
    before = os.environ.get("SER_CACHE")
    with tempfile.TemporaryDirectory(prefix="ser-cache-", ignore_cleanup_errors=True) as folder:
        os.environ["SER_CACHE"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["SER_CACHE"]
            else:
                os.environ["SER_CACHE"] = before
