"""What the tests of the corpora share."""

from __future__ import annotations

from pathlib import Path

import pytest

from ser_experiments.corpora._demo import build


@pytest.fixture(scope="session")
def demo_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the demo corpus of seed 0, built once for all tests with two processes."""
    pytest.importorskip("espeakng_loader", reason="the demo corpus speaks with espeakng-loader")
    return build(tmp_path_factory.mktemp("demo"), seed=0, jobs=2)
