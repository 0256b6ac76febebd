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


def clip(path: Path, *, channels: int = 1, rate: int = 16_000, seconds: float = 0.2) -> Path:
    """Write a short noisy recording that no other file in no other folder has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = int.from_bytes(hashlib.sha256("/".join(path.parts[-2:]).encode()).digest()[:8], "big")
    n_samples = int(seconds * rate)
    louder = np.linspace(0.02, 0.3, n_samples)[:, None]
    samples = np.random.default_rng(seed).standard_normal((n_samples, channels)) * louder
    soundfile.write(path, samples.clip(-1, 1).astype(np.float32), rate)
    return path


def clips(folder: Path, *names: str) -> None:
    """Write recordings by their names below a folder."""
    for name in names:
        clip(folder / name)
