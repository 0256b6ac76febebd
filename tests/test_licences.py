"""The page of licences names what is pinned, each in its version."""

from __future__ import annotations

import re

import pytest

from tests.generated_docs import page, script


def test_every_pinned_package_is_on_the_page_with_its_version() -> None:
    rows = dict(re.findall(r"^\| ([\w.-]+) \| ([^ |]+) \|", page("licences"), re.MULTILINE))
    rows.pop("package")
    assert len(rows) > 100
    assert rows == script("licences").pins(), "write it anew: make licences"


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
    (row,) = [line for line in page("licences").splitlines() if line.startswith(f"| {name} |")]
    assert words in row
    assert ("copyleft" in row) == ("GPL" in words)
