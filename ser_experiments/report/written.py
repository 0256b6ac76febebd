"""Write a report: templates, and words of other people so that neither a browser, nor Markdown, nor LaTeX obeys them.

Every template escapes whatever is put into it, by the rules of what it writes; only what a macro has written passes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from ser_experiments.report.blocks import Document, Table
from ser_experiments.secret import hidden
from ser_experiments.words import in_lines, in_one_line

#: The folder beside ``report.md`` that its pictures lie in.
PICTURES = "pictures"
#: What Markdown, with the tables and formulas of GitHub's, may obey: anywhere, and at the beginning of a line.
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>|~&$]|^[#+=-]|^\d+[.)](?=\s|$)")
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    # A straight quote is in few fonts.
    "|": r"\textbar{}", '"': "''", "`": r"\textasciigrave{}",
    # After the end of a row a bracket would be its height and a star a part of it; two hyphens would be a dash.
    "[": "{[}", "]": "{]}", "*": "{*}", "-": "{-}",
}  # fmt: skip


def as_markdown(text: str) -> str:
    """Return a text of one line as GitHub's Markdown shows it."""
    plain = _MARKDOWN.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", in_one_line(text))
    # An address would become a link.
    return plain.replace("://", r"\://").replace("www.", r"www\.")


def as_latex(text: str) -> str:
    """Return a text of one line as LaTeX shows it."""
    return "".join(_LATEX.get(one, one) for one in in_one_line(text))


def as_html(text: str) -> str:
    """Return a text of one line as a browser shows it."""
    return str(escape(in_one_line(text)))


def write_html(document: Document) -> str:
    """Return a report as one page that needs nothing else."""
    return _filled("report.html", as_html, document=document)


def write_markdown(document: Document) -> str:
    """Return a report as Markdown; its pictures lie in :data:`PICTURES`."""
    return _filled("report.md", as_markdown, document=document)


def write_latex(board: Table, *, title: str, setting: str, card: str, notes: list[str]) -> str:
    """Return a board as a LaTeX table.

    Parameters
    ----------
    board : Table
        Its caption stands above it.
    title, setting, card : str
        Of the study: in words, its setting's name, and the hash of its protocol card.
    notes : list of str
        Stand below it.
    """
    label = re.sub(r"[^A-Za-z0-9]+", "-", setting).strip("-")
    return _filled(
        "table.tex", as_latex, board=board, title=title, setting=setting, card=card, notes=notes, label=label
    )


def program() -> str:
    """Return the name and the version of this program."""
    try:
        return f"ser_experiments {version('ser_experiments')}"
    except PackageNotFoundError:
        return "ser_experiments"


def _filled(template: str, rule: Callable[[str], str], **given: Any) -> str:
    return _environment(rule).get_template(template).render(program=program(), folder=PICTURES, **given)


@lru_cache
def _environment(rule: Callable[[str], str]) -> Environment:
    """Return templates whose every word from outside is written by a rule."""

    def written(value: Any) -> Markup:
        return value if isinstance(value, Markup) else Markup(rule(hidden(str(value))))

    made = Environment(
        loader=PackageLoader("ser_experiments.report"),
        autoescape=True,
        finalize=written,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        comment_start_string="<##",
        comment_end_string="##>",
    )
    made.filters |= {
        "lines": lambda text: Markup(in_lines(hidden(text))),
        "html_lines": lambda text: escape(in_lines(hidden(text))),
        "base64": lambda content: Markup(base64.b64encode(content).decode("ascii")),
        "comment": lambda text: Markup(in_one_line(hidden(text))),
        "as_minus": _with_minus,
    }
    return made


def _with_minus(cell: str) -> Markup:
    """Return a cell of numbers as LaTeX sets it, where a hyphen is no minus; of the empty interval, a dash."""
    if cell == "-":
        return Markup("--")
    return Markup(re.sub(r"(?<![\d.])([+-])(?=\d)", r"$\1$", as_latex(cell).replace("{-}", "-")))
