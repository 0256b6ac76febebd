"""The list of columns in the documentation is that of the code."""

from __future__ import annotations

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_docs_list_every_column_as_it_is() -> None:
    script = DOCS / "build_features.py"
    spec = importlib.util.spec_from_file_location("build_features", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = (DOCS / "features.md").read_text(encoding="utf-8")
    assert text == module.render(), "stale: run python docs/build_features.py"
    assert text.count("\n| `") > 1_300
