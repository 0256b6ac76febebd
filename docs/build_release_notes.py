"""Print the changelog's section of a version, for the release of that tag.

Run with ``python docs/build_release_notes.py 0.1.0``; it needs nothing but Python. It ends with 1 and one line where
the version is not that of ``ser_experiments/__init__.py`` and ``CITATION.cff``, or the changelog has no section of it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def notes(version: str) -> str:
    """Return what the changelog says of a version, without its heading.

    Raises
    ------
    ValueError
        The version is another elsewhere, or has no section, or an empty one.
    """
    places = {"ser_experiments/__init__.py": r'^__version__ = "(\S+)"$', "CITATION.cff": r"^version: (\S+)$"}
    for where, form in places.items():
        said = re.search(form, (ROOT / where).read_text(encoding="utf-8"), re.MULTILINE)
        found = said and said[1]
        if found != version:
            raise ValueError(f"{where}: version {found}, the tag says {version}")
    return section((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version)


def section(changelog: str, version: str) -> str:
    """Return one section of a changelog.

    Raises
    ------
    ValueError
        There is none, or it is empty.
    """
    parts = dict(re.findall(r"^## \[(.+?)\][^\n]*\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL))
    if not parts.get(version, "").strip():
        raise ValueError(f"CHANGELOG.md: no section [{version}]; it has {', '.join(parts) or 'none'}")
    return str(parts[version].strip() + "\n")


if __name__ == "__main__":
    try:
        print(notes(sys.argv[1]), end="")
    except ValueError as error:
        sys.exit(f"error: {error}")
