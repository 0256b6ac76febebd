"""What the tests of the corpora share."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from ser_experiments.corpora._demo import build


@pytest.fixture(scope="session")
def demo_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the demo corpus of seed 0, built once for all processes that test."""
    pytest.importorskip("espeakng_loader", reason="the demo corpus speaks with espeakng-loader")
    shared = tmp_path_factory.getbasetemp().parent / "demo-of-all"
    with FileLock(f"{shared}.lock"):
        return build(shared, seed=0, jobs=2)
