"""What the command says: nothing that a terminal would obey, no secret. Everything that is printed passes here."""

from __future__ import annotations

import logging

import click

from ser_experiments.secret import hidden
from ser_experiments.words import in_lines


def said(text: object) -> str:
    """Return a text as it may be shown: words of other people are in it."""
    return in_lines(hidden(str(text)))


def say(text: object = "", *, err: bool = False, nl: bool = True) -> None:
    """Print a text, of one line or several, to standard output or standard error."""
    click.echo(said(text), err=err, nl=nl)


def aside(text: object) -> None:
    """Print a line to standard error that a terminal shows dimly: who looks for the result passes over it."""
    click.secho(said(text), err=True, dim=True)


class Said(logging.Formatter):
    """Messages that are logged, as :func:`say` prints."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        return said(super().format(record))
