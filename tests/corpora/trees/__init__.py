"""Small copies of the corpora, one file each, found by this folder.

``build(folder) -> Path`` makes a copy in the layout of the release, with every odd file that is known of it, and gives
the root to read. Besides, the file of a corpus that is read as released may hold

- ``ROWS``: what must be read of some utterances, by id;
- ``AWAY``: ids, or names of files, of which no utterance may come;
- ``SAID``: regular expressions, each of which a note must match.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import soundfile


def clip(path: Path, *, channels: int = 1, rate: int = 16_000, seconds: float = 0.2, same_as: str = "") -> Path:
    """Write a short noisy recording that no other name has; `same_as` is the name of one that it shall equal."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = int.from_bytes(hashlib.sha256((same_as or path.name).encode()).digest()[:8], "big")
    rng = np.random.default_rng(seed)
    samples = (
        rng.standard_normal((int(seconds * rate), channels)) * np.linspace(0.02, 0.3, int(seconds * rate))[:, None]
    )
    soundfile.write(path, samples.clip(-1, 1).astype(np.float32), rate)
    return path


def clips(folder: Path, *names: str) -> None:
    """Write recordings by their names below a folder."""
    for name in names:
        clip(folder / name)
