"""What a report is made of, whatever it is written in: sections of paragraphs, facts, tables, pictures, notes, code.

``kind`` of a block is the name of the macro of the templates that writes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

#: Where the header of a PNG picture says how large it is.
_WIDTH, _HEIGHT = slice(16, 20), slice(20, 24)


@dataclass(frozen=True)
class Paragraph:
    """One or several sentences."""

    text: str
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True)
class Facts:
    """Terms and what is said of each."""

    pairs: Sequence[tuple[str, str]]
    kind: ClassVar[str] = "facts"


@dataclass(frozen=True)
class Table:
    """A table.

    Parameters
    ----------
    caption : str
        What it is of.
    headings : sequence of str
        One a column.
    rows : sequence of sequence of str
        Cells, one a column.
    names : int, default=0
        The column that names the rows.
    words : sequence of int, optional
        Columns that hold words, besides that; the others hold numbers and stand to the right.
    """

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    names: int = 0
    words: Sequence[int] = ()
    kind: ClassVar[str] = "table"

    def holds_words(self, column: int) -> bool:
        """Whether a column stands to the left."""
        return column == self.names or column in self.words


@dataclass(frozen=True)
class Picture:
    """A picture.

    Parameters
    ----------
    name : str
        Of its file.
    alt : str
        What it shows, with the numbers, for whoever does not see it.
    caption : str
        Stands below it.
    png : bytes
        The picture.
    """

    name: str
    alt: str
    caption: str
    png: bytes
    kind: ClassVar[str] = "picture"

    @property
    def is_tall(self) -> bool:
        """Whether it is higher than wide, so that its height says nothing of how small its letters are."""
        return self.png[_HEIGHT] > self.png[_WIDTH]


@dataclass(frozen=True)
class Notes:
    """A list of lines; warnings are to be seen first."""

    lines: Sequence[str]
    warns: bool = False
    kind: ClassVar[str] = "notes"


@dataclass(frozen=True)
class Code:
    """A text of several lines as it is: commands or a definition."""

    text: str
    title: str
    language: str = ""
    kind: ClassVar[str] = "code"

    @property
    def fence(self) -> str:
        """Return what encloses it in Markdown: more backticks than stand together in it."""
        longest = max((len(found) for found in re.findall("`+", self.text)), default=0)
        return "`" * max(3, longest + 1)


Block = Paragraph | Facts | Table | Picture | Notes | Code


@dataclass(frozen=True)
class Section:
    """A part of a report with a title; ``id`` is what links lead to."""

    id: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Document:
    """A report: what it is of in words, the name of the setting, and its sections."""

    title: str
    setting: str
    sections: Sequence[Section]

    @property
    def pictures(self) -> list[Picture]:
        """Return every picture, in order."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Picture)]
