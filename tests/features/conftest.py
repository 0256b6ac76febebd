"""Recordings for the tests of the features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ser_experiments.audio import read_audio


@pytest.fixture(scope="session")
def speech(speech_corpora: Path) -> list[NDArray[np.float32]]:
    """Return a few recordings at 16 kHz: different speakers, two languages, 16 and 24 kHz."""
    found = []
    for corpus, step in (("emodb4", 90), ("nemo_subset", 300)):
        files = sorted((speech_corpora / corpus / "audio").glob("*"))[7::step]
        found += [read_audio(file, sample_rate=16_000)[0] for file in files]
    assert len(found) >= 5
    return found
