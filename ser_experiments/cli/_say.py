"""What the command says: nothing that a terminal would obey, no secret. Everything that is printed passes here."""

from __future__ import annotations

import logging
import sys
import time

import click

from ser_experiments.secret import hidden
from ser_experiments.words import in_lines


def said(text: object) -> str:
    """Return a text as it may be shown: words of other people are in it."""
    return in_lines(hidden(str(text)))


def say(text: object = "", *, err: bool = False, nl: bool = True) -> None:
    """Print a text, of one line or several, to standard output or standard error."""
    stream = sys.stderr if err else sys.stdout
    # click would look through what holds a stream while a bar is shown, and write into the bar.
    held = stream if hasattr(stream, "rich_proxied_file") else None
    click.echo(said(text), err=err, nl=nl, file=held)


def aside(text: object) -> None:
    """Print a line to standard error that a terminal shows dimly: who looks for the result passes over it."""
    click.secho(said(text), err=True, dim=True)


class Said(logging.Formatter):
    """Messages that are logged, as :func:`say` prints."""

    def __init__(self, fmt: str | None = None, *, timed: bool = False) -> None:
        super().__init__(fmt)
        self._began = time.time() if timed else None

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        text = super().format(record)
        return said(text if self._began is None else f"{record.created - self._began:6.1f} s  {text}")


class Saying(logging.Handler):
    """Prints what is logged on the standard error of the moment, which a bar may hold."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        try:
            say(self.format(record), err=True)
        except Exception:  # as every handler does: what cannot be logged is no reason to end
            self.handleError(record)


def how_much(*, verbose: bool = False, quiet: bool = False) -> None:
    """Say what is done step by step, or nothing but warnings and errors; by default, what takes long."""
    root = logging.getLogger()
    if not any(isinstance(one, Saying) for one in root.handlers):
        handler = Saying()
        handler.setFormatter(Said())
        root.addHandler(handler)
        root.setLevel(logging.WARNING)
    level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
    logging.getLogger("ser_experiments").setLevel(level)
    for one in root.handlers:
        if isinstance(one, Saying):
            one.setFormatter(Said(timed=verbose))
