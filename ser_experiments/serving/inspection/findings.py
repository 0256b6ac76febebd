"""What an inspection found, in rows and in words: what differs from the training, what that does, what helps."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.serving.inspection.looking import Inspection
from ser_experiments.serving.inspection.measures import MEASURES, Measure
from ser_experiments.serving.inspection.recorded import PERCENTS, percentiles
from ser_experiments.serving.inspection.voices import Near

Floats = NDArray[np.float64]
INSIDE, OUTSIDE = "inside", "outside"
#: Measures of what a model hears only up to a frequency, by the number of times that this is.
_OF_HEARING = {"bandwidth_hz": 1, "sample_rate": 2}
#: Of recordings like those of the training 2 % lie beyond its 1 and 99 %: up to so many, nothing is said of it.
_STRAY = 0.1
#: What is said of a recording differs from what is said of another by its numbers.
_NUMBER = re.compile(r"-?[\d.]+")


class Row(NamedTuple):
    """One measure of recordings beside that of the training.

    Attributes
    ----------
    measure : Measure
        Which, with its unit.
    yours : list of float
        The :data:`~ser_experiments.serving.inspection.recorded.PERCENTS`, in the unit.
    training : list of float or None
        The same of the training; None where it is not known.
    below, above : float
        The share of the recordings that lie below 1 % and above 99 % of the training.
    """

    measure: Measure
    yours: Sequence[float]
    training: Sequence[float] | None
    below: float
    above: float

    @property
    def beyond(self) -> float:
        """Return the share of the recordings that lie outside."""
        return self.below + self.above

    @property
    def side(self) -> int:
        """Return -1 where more of the recordings lie below than above, else 1."""
        return -1 if self.below >= self.above else 1

    @property
    def verdict(self) -> str:
        """Say whether they lie within 1 and 99 % of the training, or how many do not."""
        if self.training is None:
            return ""
        if self.beyond <= _STRAY:
            return INSIDE
        return OUTSIDE if self.beyond > 1 - _STRAY else f"{100 * self.beyond:.0f} % {OUTSIDE}"

    def shown(self, values: Sequence[float] | None) -> str:
        """Return a median, and 5 and 95 % around it where they differ."""
        if values is None:
            return ""
        low, middle, high = (f"{values[PERCENTS.index(one)]:.{self.measure.digits}f}" for one in (5, 50, 95))
        return middle if low == high else f"{middle} ({low} to {high})"


def rows_of(found: Inspection) -> list[Row]:
    """Return what recordings are like by measure, beside the training where that is known."""
    table, known = found.qualities, found.known
    hears = hears_hz(found)
    rows = []
    for one in MEASURES:
        raw = table[one.field].to_numpy(dtype=np.float64)
        training = None if known is None else known.measures.get(one.field)
        if training is None:
            rows.append(Row(one, _in_unit(one, percentiles(raw)), None, 0.0, 0.0))
            continue
        low, high = training[0], training[-1]
        heard, room = raw, one.exact / one.scale
        if one.field in _OF_HEARING:
            # What is beyond that is taken away before anything is measured.
            most = hears * _OF_HEARING[one.field]
            heard, low, high = np.minimum(raw, most), min(low, most), min(high, most)
        rows.append(
            Row(
                one,
                _in_unit(one, percentiles(raw)),
                _in_unit(one, training),
                float((heard < low - room).mean()),
                float((heard > high + room).mean()),
            )
        )
    return rows


def _in_unit(measure: Measure, values: Sequence[float]) -> list[float]:
    return [one * measure.scale for one in values]


def hears_hz(found: Inspection) -> float:
    """Return the highest frequency that the model's sets are given; infinite without a model."""
    if found.model is None:
        return float("inf")
    return max(one.measure.needs.sample_rate for one in found.model.extractors()) / 2


class Shares(NamedTuple):
    """What is answered, as shares of the recordings.

    Attributes
    ----------
    yours, training : dict of str to float
        The share of each class; of the training, to voices that were new. Empty where it is not known, or where numbers
        are answered.
    unsure, unsure_training : float or None
        The share that is left unsure at a risk of 0.1.
    unlike : float
        The share that is unlike the training, or no speech.
    reasons : list of (str, float)
        An example of each reason for that, the most frequent first, with the share that it is said of.
    """

    yours: dict[str, float]
    training: dict[str, float]
    unsure: float | None
    unsure_training: float | None
    unlike: float
    reasons: list[tuple[str, float]]


def shares_of(found: Inspection) -> Shares | None:
    """Return what is answered; None without answers."""
    answers, model = found.answers, found.model
    if model is None or not answers:
        return None
    n, task = len(answers), model.task
    shares: dict[str, float] = {}
    if task.are_shares:
        surest = Counter(max(one["probabilities"], key=one["probabilities"].__getitem__) for one in answers)
        shares = {name: surest[name] / n for name in task.targets}
    bound = all("candidates" in one for one in answers)
    known = found.known
    training = {} if known is None or not task.are_shares else {name: known.answers.get(name, 0.0) for name in shares}
    return Shares(
        shares,
        training,
        sum(one["label"] not in task.targets for one in answers) / n if bound else None,
        None if known is None else known.unsure,
        sum(bool(one["warnings"]) for one in answers) / n,
        _reasons(answers),
    )


def numbers_of(found: Inspection) -> dict[str, tuple[list[float], list[float] | None]]:
    """Return percentiles of each number that is answered, and those of the training; nothing of classes."""
    model, answers = found.model, found.answers
    if model is None or model.task.are_shares or not answers:
        return {}
    told = [model.task.numbers(one) for one in answers]
    known = {} if found.known is None else found.known.answers
    return {name: (percentiles([one[name] for one in told]), known.get(name)) for name in model.task.targets}


def _reasons(answers: Sequence[Mapping[str, Any]]) -> list[tuple[str, float]]:
    """Return an example of each kind of warning, with the share of the answers that have one."""
    said = [{_NUMBER.sub("", text): text for text in one["warnings"]} for one in answers]
    counts = Counter(kind for one in said for kind in one)
    examples = {kind: text for one in reversed(said) for kind, text in one.items()}
    return [(examples[kind], n / len(answers)) for kind, n in counts.most_common()]


class Voice(NamedTuple):
    """A speaker of the recordings, and who of the training is nearest.

    Attributes
    ----------
    name : str
        The speaker.
    n : int
        Recordings.
    near : Near
        Of the training.
    """

    name: str
    n: int
    near: Near


def voices_in(found: Inspection) -> list[Voice]:
    """Return the speakers of the recordings, the furthest first; nobody where the model does not know any voice."""
    if found.known is None:
        return []
    voices, by_speaker = found.known.voices, dict[str, list[tuple[float, ...]]]()
    for piece, one in zip(found.pieces, found.looked, strict=True):
        if one.voice:
            by_speaker.setdefault(piece.speaker, []).append(one.voice)
    told = []
    for name, rows in by_speaker.items():
        near = voices.nearest(pd.DataFrame(rows, columns=list(voices.columns)))
        if near is not None:
            told.append(Voice(name, len(rows), near))
    return sorted(told, key=lambda one: -one.near.away)


def far_voices(found: Inspection) -> tuple[int, int]:
    """Return how many speakers are further from all of the training than those from their nearest, and of how many."""
    apart = None if found.known is None else found.known.voices.apart
    voices = voices_in(found)
    return (0 if apart is None else sum(one.near.away > apart[1] for one in voices)), len(voices)
