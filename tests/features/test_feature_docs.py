"""The list of columns in the documentation is that of the code."""

from __future__ import annotations

from tests.generated_docs import page, script


def test_docs_list_every_column_as_it_is() -> None:
    text = page("features")
    assert text == script("features").render(), "stale: run python docs/build_features.py"
    assert text.count("\n| `") > 1_300
