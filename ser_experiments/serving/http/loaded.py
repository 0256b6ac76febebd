"""The model of this process, read and tried once.

Where processes fork, one reads it before all others, and those that answer are its copies: they begin in milliseconds,
share its memory and answer with the same bytes, whatever becomes of the files.
"""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser_experiments.errors import SerError

if TYPE_CHECKING:
    from ser_experiments.serving.audio_model import AudioModel

#: Names the folder to a process that imports this module before it is asked for anything.
VARIABLE = "SER_SERVED_MODEL"
#: Says how often the model may be wrong.
RISK = "SER_SERVED_RISK"


@lru_cache(maxsize=1)
def model(folder: str) -> AudioModel:
    """Return the model of a folder, which has answered once.

    Raises
    ------
    InputError
        It cannot be used, or cannot answer for a single recording.
    """
    import numpy as np

    from ser_experiments.serving.folder import load_folder

    found = load_folder(Path(folder))
    found.check_ready()
    if os.environ.get(RISK):
        found = found.cautious(float(os.environ[RISK]))
    # Compiles and imports what the first answer would else wait for.
    found.answer((0.1 * np.random.default_rng(0).standard_normal(16_000).astype(np.float32), 16_000))
    gc.collect()
    gc.freeze()
    return found


@lru_cache(maxsize=1)
def description(folder: str) -> dict[str, Any]:
    """Return what the server of a folder's model says of itself."""
    from ser_experiments.serving.http.openapi import openapi

    return openapi(model(folder))


if os.environ.get(VARIABLE):
    # Whoever asks for it is told the reason.
    with suppress(SerError):
        description(os.environ[VARIABLE])
