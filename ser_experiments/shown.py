"""How values look in a notebook: a title, a small table, notes. Words of other people are text in it, never markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import islice
from typing import Any

from ser_experiments.words import cut, in_one_line

#: Characters of a cell, and rows of a table, that are shown.
_CELL, _ROWS = 200, 40


def html(
    title: str,
    facts: Mapping[str, object] | None = None,
    *,
    headings: Sequence[str] = (),
    rows: Iterable[Sequence[object]] = (),
    notes: Iterable[str] = (),
) -> str:
    """Return what a notebook shows of a value.

    Parameters
    ----------
    title : str
        What it is, in a line.
    facts : mapping of str to object, optional
        A table of two columns; what is None or empty is left out.
    headings : sequence of str
        Of the columns of another table.
    rows : iterable of sequences
        Its cells; numbers stand to the right.
    notes : iterable of str
        What must be said with it.
    """
    parts = [f"<p><b>{_text(title)}</b></p>"] if title else []
    told = [(name, value) for name, value in (facts or {}).items() if value not in (None, "", ())]
    if told:
        body = "".join(f"<tr><th style='text-align:left'>{_text(name)}</th>{_cell(value)}</tr>" for name, value in told)
        parts.append(f"<table>{body}</table>")
    every = iter(rows)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in islice(every, _ROWS))
    if body:
        head = "".join(f"<th>{_text(name)}</th>" for name in headings)
        more = sum(1 for _ in every)
        left = f"<p>and {more} more</p>" if more else ""
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{left}")
    said = "".join(f"<li>{_text(note, most=1000)}</li>" for note in notes)
    if said:
        parts.append(f"<ul>{said}</ul>")
    return f"<div>{''.join(parts)}</div>"


def counted(counts: Mapping[Any, int], most: int = 8) -> str:
    """Return in one line how many there are of each, e.g. ``"angry 80, sad 60"``; the rest of many as a number."""
    shown = [f"{in_one_line(cut(str(name)))} {n}" for name, n in islice(counts.items(), most)]
    return ", ".join([*shown, *([f"{len(counts) - most} more"] if len(counts) > most else [])])


def named(names: Sequence[str], most: int = 8) -> str:
    """Return some names in one line, of many the first and how many more there are."""
    shown = [in_one_line(cut(str(name))) for name in names[:most]]
    return ", ".join([*shown, *([f"{len(names) - most} more"] if len(names) > most else [])])


def several(n: int, what: str) -> str:
    """Return ``"1 speaker"`` or ``"4 speakers"``."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _cell(value: object) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    shown = f"{value:.3f}" if isinstance(value, float) else str(value)
    return f"<td style='text-align:{'right' if number else 'left'}'>{_text(shown)}</td>"


def _text(said: object, most: int = _CELL) -> str:
    # A dollar begins a formula in a notebook.
    return escape(in_one_line(cut(str(said), most))).replace("$", "&#36;")
