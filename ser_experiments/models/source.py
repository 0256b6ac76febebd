"""What our own code is, as far as it can change a fit: the source of the modules that an estimator's classes stand in.

The version of this package does not move with every change of a network or of a training loop, so that a fit is known
by the code that made it: syntax trees without docstrings and comments, of the classes' own modules and of every module
of :mod:`ser_experiments.models` that those import.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from ser_experiments import identity, plugins

#: Imports are followed within this package; what other layers compute stands in the table's cells.
PACKAGE = "ser_experiments.models"
_FOLDER = Path(__file__).parent


def source_of(modules: Iterable[str]) -> dict[str, str]:
    """Return a digest of the source of each module, and of each module of this package that they import.

    Parameters
    ----------
    modules : iterable of str
        Dotted names of modules of this package, or of any other module that was imported.
    """
    found: dict[str, str] = {}
    wanted = list(modules)
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name], imported = _read(name)
            wanted += imported
    return found


@plugins.remembered
def _read(module: str) -> tuple[str, tuple[str, ...]]:
    """Return the digest of a module's source and the modules of this package that it imports, anywhere in it."""
    path = _file(module)
    if path is None or not path.is_file():
        return "none", ()
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and _begins_with_text(
            node.body
        ):
            del node.body[0]
    return identity.of_lines([ast.dump(tree)], size=identity.KEPT), tuple(_imports(tree))


def _begins_with_text(body: list[ast.stmt]) -> bool:
    first = body[0] if body else None
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # A name may be a module of its own: from package import module.
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        yield from (name for name in names if name.startswith(f"{PACKAGE}.") and _file(name) is not None)


def _file(module: str) -> Path | None:
    """Return the file of a module, without importing what is ours."""
    if module.startswith(f"{PACKAGE}."):
        path = _FOLDER.joinpath(*module.split(".")[2:])
        return next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)
    file = getattr(sys.modules.get(module), "__file__", None)
    return None if file is None else Path(file)
