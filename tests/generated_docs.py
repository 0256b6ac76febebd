"""Pages of the documentation that are made from the code, and the scripts that make them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).parents[1] / "docs"


def page(name: str) -> str:
    """Return a page as it stands."""
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def script(name: str) -> ModuleType:
    """Return the script ``docs/build_<name>.py`` as a module."""
    spec = importlib.util.spec_from_file_location(f"build_{name}", DOCS / f"build_{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
