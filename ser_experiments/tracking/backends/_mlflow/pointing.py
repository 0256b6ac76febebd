"""MLflow in this process looks at the project's store, whether it is imported before a run, after it or never.

Nothing is left in the environment: there it would pass for the user's wish, and lead other programs that this one
starts to a store that is not theirs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

VARIABLE = "MLFLOW_TRACKING_URI"


def point_mlflow_at(uri: str) -> None:
    """Set mlflow's store for this process: now, or as soon as somebody imports it."""
    if "mlflow" in sys.modules:
        _point(uri)
    else:
        _WhenImported.uri = uri
        if _WhenImported not in sys.meta_path:
            sys.meta_path.insert(0, _WhenImported)


def _point(uri: str) -> None:
    import mlflow

    before = {name: os.environ.get(name) for name in (VARIABLE, "MLFLOW_REGISTRY_URI")}
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    # MLflow tells the environment.
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


class _WhenImported(MetaPathFinder):
    """Asked for every module that is imported; finds MLflow as others do, and adds what happens after its import."""

    uri = ""

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "mlflow":
            return None
        sys.meta_path.remove(cls)
        spec = find_spec(name)
        loader = None if spec is None else spec.loader
        if loader is not None:
            execute = loader.exec_module

            def execute_and_point(module: ModuleType) -> None:
                execute(module)
                # What the user wished in the meantime goes before.
                if VARIABLE not in os.environ:
                    _point(cls.uri)

            loader.exec_module = execute_and_point  # type: ignore[method-assign]
        return spec
