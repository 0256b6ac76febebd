"""A row of a request and its answer: what is wrong with one row is that row's own answer."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ser_experiments.audio.limits import Budget, TooLong
from ser_experiments.errors import InputError, SerError
from ser_experiments.serving.bounds import MAX_BYTES
from ser_experiments.words import cut

if TYPE_CHECKING:
    from ser_experiments.serving.audio_model import AudioModel
    from ser_experiments.task import Task

log = logging.getLogger(__name__)
#: A text that is no longer may be meant as a path.
_LONGEST_PATH = 1000


def fields(task: Task) -> list[str]:
    """Return what is said of a row."""
    return [*task.answer_fields, "warnings", "error"]


def failed(nothing: Mapping[str, Any], error: str) -> dict[str, Any]:
    """Return the answer to a row that cannot be answered.

    Parameters
    ----------
    nothing : mapping
        The :attr:`~ser_experiments.task.Task.no_answer` of the task.
    error : str
        Why.
    """
    return {**nothing, "warnings": [], "error": error}


def answer(model: AudioModel, value: object, budget: Budget, *, hand_on: bool = False) -> dict[str, Any]:
    """Answer a row, whatever it holds.

    Parameters
    ----------
    model : AudioModel
        Answers.
    value : object
        See :func:`recording_of`.
    budget : Budget
        Of the request.
    hand_on : bool
        Whether a recording that is too long for the budget is not answered here.

    Returns
    -------
    dict
        :func:`fields`, as :meth:`~ser_experiments.serving.AudioModel.predict` yields them.

    Raises
    ------
    TooLong
        With `hand_on`.
    """
    try:
        return model.answer(recording_of(value), budget)
    except SerError as error:
        if hand_on and isinstance(error, TooLong):
            raise
        return failed(model.task.no_answer, str(error))
    except MemoryError:
        return failed(model.task.no_answer, "takes more memory than a request may")
    except Exception as error:  # whatever a library makes of strange samples: the others are answered
        log.exception("a row could not be answered")
        return failed(model.task.no_answer, f"could not be answered ({type(error).__name__})")
    finally:
        budget.next()


def recording_of(value: object) -> bytes:
    """Return the bytes of a recording that a row holds.

    A path is never opened: a client could have any file of the server read.

    Raises
    ------
    InputError
        It holds something else, or too much.
    """
    if isinstance(value, str):
        value = _decoded(value)
    if not isinstance(value, bytes | bytearray | memoryview):
        raise InputError(f"audio must be bytes, got {'nothing' if value is None else type(value).__name__}")
    if len(value) > MAX_BYTES:
        raise InputError(f"audio of {len(value)} bytes; at most {MAX_BYTES} are read")
    return bytes(value)


def _decoded(text: str) -> bytes:
    try:
        # With the line breaks of MIME, as MLflow's own examples have it.
        return base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError) as error:
        if len(text) <= _LONGEST_PATH:
            raise InputError(
                f"audio must be the bytes of a recording, in base64 within JSON; got the text {cut(text)!r}, and what "
                "a path or an address names is not opened: send what the file holds"
            ) from error
        raise InputError("audio must be the bytes of a recording, in base64 within JSON") from error
