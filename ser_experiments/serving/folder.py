"""The files of a saved model: ``estimator.skops`` and ``model.json``, which holds the digest of the other.

They are data alone: which extractors, which targets, which setting, and an estimator whose types are all known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator

from ser_experiments import identity
from ser_experiments.errors import InputError
from ser_experiments.files import MIB, Unreadable, read_bytes, read_json
from ser_experiments.models.persistence import LARGEST, estimator_of, save_estimator
from ser_experiments.models.sound import types_of
from ser_experiments.serving.about import check_about
from ser_experiments.serving.audio_model import AudioModel
from ser_experiments.serving.extractors import check_extractors
from ser_experiments.serving.table_model import TableModel
from ser_experiments.serving.weights import found_beside
from ser_experiments.task import Task

FORMAT = 1
#: The files of a model.
ESTIMATOR, ABOUT = "estimator.skops", "model.json"
#: Bytes of what a model says of itself: thousands of columns.
_MOST_ABOUT = 64 * MIB
_CHANGED = "estimator.skops does not match model.json; the model was changed, do not use it"


def save_model(model: AudioModel | TableModel, folder: Path) -> None:
    """Write a model to a folder, which is made where it is not there."""
    if isinstance(model, TableModel):
        _write(folder, model.estimator, model.task, {**model.meta, "columns": list(model.columns)})
        return
    fed = {
        "sets": [[name, dict(params)] for name, params in model.sets],
        "extractors": [extractor.identity for extractor in model.extractors()],
    }
    _write(folder, model.estimator, model.task, {**model.meta, **fed})


def load_folder(folder: Path) -> AudioModel:
    """Read a model that takes audio.

    Raises
    ------
    InputError
        Files are missing, do not match each other, hold unknown types, or name extractors that measure otherwise now;
        or the model takes a table.
    """
    model = load_any(folder)
    if isinstance(model, TableModel):
        raise InputError(f"{folder}: the model was trained on a ready-made table and takes no audio; hand it a table")
    return model


def load_any(folder: Path) -> AudioModel | TableModel:
    """Read a model, whatever it takes; see :func:`load_folder`."""
    estimator, meta = _read(folder)
    try:
        if "columns" in meta:
            table_model = TableModel(estimator, [str(name) for name in meta["columns"]], meta)
            _check_task(table_model, folder)
            return table_model
        named = [(str(name), dict(params)) for name, params in meta["sets"]]
        model = AudioModel(estimator, found_beside(folder, named, meta["extractors"]), meta)
        _check_task(model, folder)
        return replace(model, warnings=tuple(check_extractors(str(folder), meta["extractors"], model.extractors())))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{folder}: model.json does not say what the model is fed with; train it again") from error


def _write(folder: Path, estimator: BaseEstimator, task: Task, meta: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_estimator(estimator, folder / ESTIMATOR)
    own = {
        "format": FORMAT,
        "task": {"kind": task.kind, "targets": list(task.targets)},
        # What versions before the task read.
        "classes": list(task.targets),
        "estimators": types_of(estimator),
        "estimator_digest": identity.of_file(folder / ESTIMATOR),
    }
    text = json.dumps({**meta, **own}, indent=2, sort_keys=True)
    (folder / ABOUT).write_text(text + "\n", encoding="utf-8")


def _read(folder: Path) -> tuple[BaseEstimator, dict[str, Any]]:
    """Read and check both files; the bytes that are checked are those that are used."""
    try:
        meta, content = read_json(folder / ABOUT, most=_MOST_ABOUT), read_bytes(folder / ESTIMATOR, most=LARGEST)
    except Unreadable as error:
        raise InputError(f"{folder}: not a model of this project ({error})") from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise InputError(f"{folder}: model.json is not of format {FORMAT}, which this version reads; train it again")
    meta = check_about(meta, f"{folder}: model.json")
    if identity.of_bytes([content]) != meta.get("estimator_digest"):
        raise InputError(f"{folder}: {_CHANGED}")
    estimator = estimator_of(content, folder / ESTIMATOR)
    if "estimators" in meta and types_of(estimator) != meta["estimators"]:
        raise InputError(f"{folder}: {_CHANGED}")
    return estimator, meta


def _check_task(model: AudioModel | TableModel, folder: Path) -> None:
    """Ask for what a model predicts, so that nonsense is found here, and whether its estimator can say that."""
    try:
        model.task.check_fitted(model.estimator)
    except InputError as error:
        raise InputError(f"{folder}: model.json: {error}") from error
    except ValueError as error:
        raise InputError(f"{folder}: estimator.skops {error}; the model was changed, do not use it") from error
