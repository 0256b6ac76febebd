"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def speech_corpora() -> Path:
    """Return the folder of real recordings, or skip the test where there is none."""
    folder = os.environ.get("SER_TEST_CORPORA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs real speech: set SER_TEST_CORPORA to a folder with emodb4 and nemo_subset")
    return Path(folder)
