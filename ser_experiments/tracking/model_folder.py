"""The files of a saved model: ``estimator.skops`` and ``model.json``, which holds the digest of the other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator

from ser_experiments.errors import InputError
from ser_experiments.models.persistence import load_estimator, save_estimator

FORMAT = 1


def write_folder(folder: Path, estimator: BaseEstimator, meta: Mapping[str, Any]) -> None:
    """Write a fitted estimator and what is known of it."""
    folder.mkdir(parents=True, exist_ok=True)
    save_estimator(estimator, folder / "estimator.skops")
    own = {
        "format": FORMAT,
        "classes": [str(c) for c in estimator.classes_],
        "estimator_digest": _digest(folder / "estimator.skops"),
    }
    text = json.dumps({**meta, **own}, indent=2, sort_keys=True)
    (folder / "model.json").write_text(text + "\n", encoding="utf-8")


def read_folder(folder: Path) -> tuple[BaseEstimator, dict[str, Any]]:
    """Read what :func:`write_folder` wrote.

    Raises
    ------
    InputError
        Files are missing, of another format, changed since, or hold types that this project does not know.
    """
    try:
        meta = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        digest = _digest(folder / "estimator.skops")
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: not a model of this project ({error})") from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise InputError(f"{folder}: model.json is not of format {FORMAT}, which this version reads; train it again")
    if digest != meta.get("estimator_digest"):
        raise InputError(f"{folder}: estimator.skops does not match model.json; the model was changed, do not use it")
    return load_estimator(folder / "estimator.skops"), meta


def _digest(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
