"""What the recordings were like that a model learned from, as ``model.json`` keeps it: percentiles, and no recording.

Of speakers it keeps no name: of each a few medians, how many recordings there were, and the score on them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.errors import InputError
from ser_experiments.serving.inspection.voices import Voices, voices_of
from ser_experiments.words import in_one_line

if TYPE_CHECKING:
    from ser_experiments.frames import Predictions
    from ser_experiments.task import Task

Floats = NDArray[np.float64]
#: Raised when what is kept means something else; what another version kept is not read.
VERSION = 1
#: The ends and the middle that are kept of each measure.
PERCENTS = (1, 5, 50, 95, 99)
#: The risk at which it is looked what would be left unsure, and of how many predictions.
RISK, _MOST_ROWS = 0.1, 2000
UNSURE = "unsure"
#: What a model that is without it says.
HOW = "the model does not know what its recordings were like (an older version made it): run and register it again"


def recorded(
    qualities: pd.DataFrame,
    languages: Sequence[str],
    predictions: Predictions,
    known: Mapping[str, Any],
    measured: pd.DataFrame | None,
) -> dict[str, Any]:
    """Return what a model is to keep of the recordings that it learns from, as JSON takes it.

    Parameters
    ----------
    qualities : DataFrame
        What they are like; see :func:`ser_experiments.features.quality.qualities`.
    languages : sequence of str
        What is spoken, where that is known.
    predictions : Predictions
        Out of fold: what is answered to voices that are new.
    known : mapping
        What the task learned of them (:meth:`ser_experiments.task.Task.learned`), as the model keeps it.
    measured : DataFrame or None
        The feature table in the order of the predictions; None where voices cannot be told from it.
    """
    from ser_experiments.evaluation.scoring import by

    if qualities.empty:
        return {}
    speakers = predictions.frame["speaker"].astype(str)
    scores = by(predictions, "speaker")[predictions.task.primary]
    return {
        "version": VERSION,
        "n": len(qualities),
        "measures": {str(name): percentiles(qualities[name]) for name in qualities},
        "languages": list(languages),
        "answers": answered(predictions.task, predictions.frame),
        **unsure(predictions.task, predictions.frame, known),
        "voices": {} if measured is None else voices_of(measured, speakers, scores),
    }


def percentiles(values: pd.Series | Floats | Sequence[float]) -> list[float]:
    """Return the :data:`PERCENTS` of some numbers, with four digits."""
    return [_short(one) for one in np.percentile(np.asarray(values, dtype=np.float64), PERCENTS)]


def answered(task: Task, frame: pd.DataFrame) -> dict[str, Any]:
    """Return what is answered, of a table of predictions: the share of each class, or percentiles of each number."""
    if not task.are_shares:
        return {name: percentiles(one) for name, one in zip(task.targets, task.values(frame).T, strict=True)}
    codes = np.asarray(task.decided_codes(frame))
    return {name: _short(float((codes == place).mean())) for place, name in enumerate(task.targets)}


def unsure(task: Task, frame: pd.DataFrame, known: Mapping[str, Any]) -> dict[str, float]:
    """Return the share of predictions that would be no answer at :data:`RISK`; nothing where that is not known."""
    values = task.values(frame)
    try:
        task.check_risk(known, RISK)
    except InputError:
        return {}
    every = -(-len(values) // _MOST_ROWS)
    labels = [task.answer(one, {**known, "risk": RISK})["label"] for one in values[::every]]
    return {UNSURE: _short(float(np.mean([label not in task.targets for label in labels])))}


@dataclass(frozen=True)
class Recorded:
    """What is kept, ready to hold other recordings against.

    Parameters
    ----------
    n : int
        Recordings that were looked at.
    measures : mapping of str to list of float
        :data:`PERCENTS` of each field of :class:`~ser_experiments.audio.quality.Quality`.
    languages : list of str
        What is spoken.
    answers : mapping
        The share of each class among the answers to new voices, or percentiles of each number.
    unsure : float or None
        The share of them that is not answered at a risk of 0.1.
    voices : Voices
        Of the speakers.
    """

    n: int
    measures: Mapping[str, Sequence[float]]
    languages: Sequence[str]
    answers: Mapping[str, Any]
    unsure: float | None
    voices: Voices

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> Recorded | None:
        """Return what :func:`recorded` told; None where a model does not know it, or by another version."""
        known = meta.get("recordings", {})
        if known.get("version") != VERSION:
            return None
        return cls(
            int(known["n"]),
            known["measures"],
            [in_one_line(name) for name in known.get("languages", ())],
            known.get("answers", {}),
            known.get(UNSURE),
            Voices.of(known.get("voices", {})),
        )


def is_recorded(value: object) -> bool:
    """Whether a value, as it was parsed, is what :func:`recorded` tells; another version's is not looked at."""
    if not isinstance(value, dict) or not value:
        return value == {}
    if value.get("version") != VERSION:
        return isinstance(value.get("version"), int)
    measures, answers, languages = (value.get(name) for name in ("measures", "answers", "languages"))
    n, unsure, voices = value.get("n"), value.get(UNSURE, 0.0), value.get("voices", {})
    return (
        isinstance(n, int)
        and isinstance(measures, dict)
        and all(_are_percentiles(one) for one in measures.values())
        and isinstance(languages, list)
        and all(isinstance(one, str) and len(one) <= 100 for one in languages)
        and isinstance(answers, dict)
        and all(_is_number(one) or _are_percentiles(one) for one in answers.values())
        and _is_number(unsure)
        and Voices.fits(voices)
    )


def _are_percentiles(value: object) -> bool:
    return isinstance(value, list) and len(value) == len(PERCENTS) and all(map(_is_number, value))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _short(value: float) -> float:
    return float(f"{value:.4g}")
