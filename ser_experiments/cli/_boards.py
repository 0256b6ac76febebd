"""Tables of results as the commands show them: on the terminal, in JSON, as a picture."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Container, Sequence
from typing import TYPE_CHECKING

import click

from ser_experiments.cli._say import said, say

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console

picture_option = click.option(
    "--picture", type=click.Path(dir_okay=False, writable=True), help="Draw it: a .png, .svg or .pdf file."
)


def console(width: int, *, whole: bool = False) -> Console:
    """Return what tables are printed on.

    Parameters
    ----------
    width : int
        Characters of a line where there is no terminal.
    whole : bool
        Whether a narrower terminal is to break the lines of a table itself, instead of its cells being cut off.
    """
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() and not whole else width, highlight=False, emoji=False)


def print_table(
    to: Console,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: Container[int] = (),
    bold: Container[int] = (),
    gap: int = 2,
) -> None:
    """Print a table; words of other people may be in it. Where the lines are too short, cells go on below themselves.

    Parameters
    ----------
    to : Console
        See :func:`console`.
    headings : sequence of str
        One a column.
    rows : sequence of sequence of str
        Cells, one a column.
    left : container of int
        Columns that hold words; the others hold numbers and stand to the right.
    bold : container of int
        Columns whose cells are to be seen first.
    gap : int
        Blanks between columns.
    """
    from rich.markup import escape
    from rich.table import Table

    shown = Table(show_header=True, header_style="bold", box=None, pad_edge=False, padding=(0, gap, 0, 0))
    for place, heading in enumerate(headings):
        shown.add_column(
            escape(said(heading)),
            justify="left" if place in left else "right",
            style="bold" if place in bold else None,
            overflow="fold",
        )
    for row in rows:
        shown.add_row(*(escape(said(cell)) for cell in row))
    to.print(shown)


def give(
    told: Callable[[], object],
    show: Callable[[], None],
    draw: Callable[[str], None],
    *,
    as_json: bool,
    picture: str | None,
) -> None:
    """Draw what was found where that is asked, and print it.

    Parameters
    ----------
    told : callable
        Returns what JSON takes of it.
    show : callable
        Prints it for people.
    draw : callable
        Draws it to a file.
    as_json : bool
        Whether JSON is asked for.
    picture : str, optional
        The file that ``--picture`` names.
    """
    if picture:
        draw(picture)
    if as_json:
        say(json.dumps(told()))
        return
    show()
    if picture:
        say(f"picture: {picture}", err=True)


def save_picture(figure: Figure, path: str) -> None:
    """Write a figure to the file that ``--picture`` names; the ending says the format.

    Raises
    ------
    InputError
        It cannot be written, or the ending is of no known format.
    """
    from ser_experiments.errors import InputError

    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise InputError(f"--picture {path}: cannot be written: {error}") from error
