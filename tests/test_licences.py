"""The page of licences names what is pinned, each in its version."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def test_every_pinned_package_is_on_the_page_with_its_version() -> None:
    spec = importlib.util.spec_from_file_location("build_licences", DOCS / "build_licences.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    page = (DOCS / "licences.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([\w.-]+) \| ([^ |]+) \|", page, re.MULTILINE))
    rows.pop("package")
    assert len(rows) > 100
    assert rows == made.pins(), "write it anew: make licences"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("scikit-learn", "BSD"),
        ("soxr", "LGPL"),
        ("av", "GPL-2.0"),
        ("espeakng-loader", "GPL-3.0"),
        ("mlflow", "Apache"),
    ],
)
def test_what_asks_something_of_others_is_marked(name: str, words: str) -> None:
    page = (DOCS / "licences.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| {name} |")]
    assert words in row
    assert ("copyleft" in row) == ("GPL" in words)
