"""What the server says of itself, in OpenAPI 3.1: the paths, what a request holds, and what this model answers."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import soundfile

from ser_experiments.serving.audio_model import AudioModel
from ser_experiments.serving.bounds import MAX_BODY, MAX_BYTES, MAX_ROWS, MAX_SECONDS
from ser_experiments.serving.rows import fields
from ser_experiments.task import AnswerType, Task

_RATE, _SECONDS = 16_000, 1.2


def openapi(model: AudioModel) -> dict[str, Any]:
    """Return the description of a server that answers with a model; its example is one that the model has answered."""
    sound = _sound()
    answer = json.loads(json.dumps(model.answer(sound)))
    about = model.meta
    notes = "".join(f"\n\nNote: {note}." for note in about.get("notes", []))
    shapes = {"dataframe_split": _split(), "dataframe_records": _list(_row()), "instances": _list(_AUDIO),
              "inputs": _list(_AUDIO)}  # fmt: skip
    given = {"dataframe_split": {"columns": ["audio"], "data": [[base64.b64encode(sound).decode()]]}}
    asked = {
        "oneOf": [{"type": "object", "required": [name], "properties": {name: one}} for name, one in shapes.items()]
    }
    invoked = {
        "summary": "Hear the emotion of recordings",
        "description": f"One answer a row. At most {MAX_ROWS} rows, {MAX_SECONDS:.0f} s and {MAX_BYTES >> 20} MiB a "
        f"recording, {MAX_BODY >> 20} MiB a request. A row that cannot be used has an `error` and no answer.",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": asked, "example": given},
                "text/csv": {"schema": {"type": "string", "description": "A column `audio`, base64."}},
            },
        },
        "responses": {
            "200": {
                "description": "The answers, in the order of the rows",
                "content": {
                    "application/json": {
                        "schema": _answers(model.task, model.says),
                        "example": {"predictions": [answer]},
                    }
                },
            },
            **{status: _refusal(words) for status, words in _REFUSALS.items()},
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{about['experiment']} of {about['setting']}",
            "version": str(about.get("run_id", "")) or "unknown",
            "description": f"Answers the emotion of recorded speech: {', '.join(model.task.targets)}.{notes}",
        },
        "paths": {
            "/invocations": {"post": invoked},
            **{path: {"get": _asked(words)} for path, words in _OF_ITSELF.items()},
        },
        "components": {"schemas": {"Refusal": _REFUSAL}},
    }


_AUDIO = {"type": ["string", "null"], "contentEncoding": "base64", "description": "The bytes of a recording; no path."}
_REFUSAL = {
    "type": "object",
    "required": ["error_code", "message"],
    "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}},
}
_REFUSALS = {
    "400": "Not JSON, not CSV, or no column `audio`",
    "403": "Called by a name that is not allowed, or by a page of somebody else",
    "408": "The request did not come in time",
    "413": "Too large",
    "415": "Neither JSON nor CSV, or compressed",
    "503": "Too many requests wait; `Retry-After` says for how many seconds",
}
_OF_ITSELF = {
    "/health": "200 when it can answer; it listens only after it has answered once",
    "/ping": "As /health",
    "/version": "The version of MLflow's protocol",
}


def _sound() -> bytes:
    """Return a short recording of a buzz with a melody, which is a little like a voice."""
    time_s = np.arange(int(_SECONDS * _RATE)) / _RATE
    phase = 2 * np.pi * np.cumsum(130.0 * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * time_s))) / _RATE
    buzz = sum(np.sin(k * phase) / k for k in range(1, 12))
    file = io.BytesIO()
    soundfile.write(file, 0.1 * buzz * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * time_s)), _RATE, format="OGG")
    return file.getvalue()


def _split() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["data"],
        "properties": {"columns": {"type": "array", "contains": {"const": "audio"}, "default": ["audio"]},
                       "index": {"type": "array"}, "data": _list(_list(_AUDIO))},
    }  # fmt: skip


def _row() -> dict[str, Any]:
    return {"type": "object", "required": ["audio"], "properties": {"audio": _AUDIO}}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _answers(task: Task, also: Sequence[str]) -> dict[str, Any]:
    """Return the schema of the answers that a kind of task has."""
    of_type: dict[AnswerType, dict[str, Any]] = {
        "text": {"type": "string", "enum": [*task.targets, *(["unsure"] if also else []), ""]},
        "numbers": _by_target(task, {"type": "number"}),
        "ranges": _by_target(task, {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
    }
    properties = {name: of_type[kind] for name, kind in task.answer_fields.items()}
    properties |= {name: _list({"type": "string", "enum": list(task.targets)}) for name in also}
    properties |= {"warnings": _list({"type": "string"}), "error": {"type": "string"}}
    row = {"type": "object", "required": fields(task), "properties": properties}
    return {"type": "object", "required": ["predictions"], "properties": {"predictions": _list(row)}}


def _by_target(task: Task, one: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict.fromkeys(task.targets, one), "additionalProperties": False}


def _refusal(words: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    return {"description": words, "content": content}


def _asked(words: str) -> dict[str, Any]:
    return {"summary": words, "responses": {"200": {"description": "It can answer"}, "503": _refusal("It cannot now")}}
