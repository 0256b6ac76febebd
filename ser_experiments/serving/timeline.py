"""Emotion over time in a long recording: overlapping windows where somebody speaks, smoothed."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.audio import Source, VoiceActivity, file_of, resample, scan, stream_audio
from ser_experiments.audio.stream import Overall
from ser_experiments.errors import AudioError, InputError
from ser_experiments.features.dsp import frames, mel
from ser_experiments.serving.audio_model import AudioModel
from ser_experiments.shown import html, several
from ser_experiments.task import Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Length of a window, unless the model learned from longer or shorter recordings only, and its step.
WINDOW_S, STEP_S = 3.0, 1.0
#: Less speech than this in a window is not predicted from, and a step with less has no answer.
_ENOUGH_SPEECH_S, SPEAKING = 0.5, 0.15
#: Columns of the picture's spectrogram, and of its waveform.
_PICTURE_COLUMNS = 2000
#: A shorter end has no column of its own.
_SHORTEST_S = 0.05
#: The picture's spectrogram: rate in Hz, samples of a frame, of the transform and between frames, bands, range in dB.
MEL_RATE, _FRAME, _FFT, _HOP, _MELS, _TOP_DB = 16_000, 400, 512, 160, 64, 80.0


@dataclass(frozen=True)
class Timeline:
    """Emotion over time.

    Parameters
    ----------
    task : Task
        What was predicted.
    table : DataFrame of n_steps rows
        ``start_s``, ``end_s``, ``speech`` (the share of the step in which somebody speaks) and the columns of the task,
        NaN where nobody speaks: of classes ``label`` (empty where nobody does) and ``p_<class>``, of dimensions
        ``predicted_<dimension>``.
    duration_s : float
        Length of the recording.
    waveform : ndarray of shape (n_columns, 2), float32
        Lowest and highest sample of equal parts of the recording, for the picture.
    spectrogram : ndarray of shape (n_columns, n_mels), float32
        Log-mel spectrogram in dB, averaged over equal parts.
    bound : mapping
        Of a model that is bound to be wrong at most so often, which risk, and how sure an answer must be.
    """

    task: Task
    table: pd.DataFrame
    duration_s: float
    waveform: NDArray[np.float32]
    spectrogram: NDArray[np.float32]
    bound: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        steps = several(len(self.table), "step")
        return f"Timeline of {self.duration_s:.1f} s: {steps}, somebody speaks in {int(self.spoken.sum())}"

    def _repr_html_(self) -> str:
        names = ["start_s", "end_s", *self.task.fields("text"), *self.task.columns]
        rows = self.table[names].astype(object).where(self.table[names].notna(), "").to_numpy().tolist()
        return html(repr(self), headings=names, rows=rows)

    def plot(self, title: str = "") -> Figure:
        """Draw waveform, spectrogram and what was heard over time.

        Parameters
        ----------
        title : str
            Which recording and which model.

        Examples
        --------
        >>> from ser_experiments import load_model
        >>> picture = load_model("models/calls").timeline("call.wav").plot("call.wav")
        >>> picture.savefig("call.png")
        """
        from ser_experiments.evaluation.plots.timeline import plot_timeline

        return plot_timeline(self.task, self.table, self.waveform, self.spectrogram, title)

    @property
    def spoken(self) -> NDArray[np.bool_]:
        """Say of each step whether somebody speaks in it, so that there is an answer."""
        return np.isfinite(self.task.values(self.table).sum(axis=1))

    def answers(self) -> list[dict[str, Any]]:
        """Return an answer for each step; it has no ranges, which are those of whole utterances."""
        return _answers(self.task, self.task.values(self.table), self.spoken, self.bound)

    def overall(self) -> dict[str, Any]:
        """Return the answer of the mean of the steps in which somebody speaks, weighted by how much; no ranges."""
        there = self.spoken
        if not there.any():
            return self.task.no_answer
        weights = self.table["speech"].to_numpy()[there]
        return self.task.answer(weights @ self.task.values(self.table)[there] / weights.sum(), self.bound)


def timeline(
    model: AudioModel,
    source: Source,
    *,
    window_s: float | None = None,
    step_s: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> Timeline:
    """Predict a recording piece by piece; its length does not matter to memory.

    Windows of `window_s` begin at every step. One in which somebody speaks for half a second is predicted, and a step's
    numbers are the mean over the windows that cover it, weighted by how much speech each of them holds.

    Parameters
    ----------
    model : AudioModel
        From :func:`ser_experiments.load_model`.
    source : path, bytes, or pair of ndarray and rate
        The recording.
    window_s : float, optional
        Seconds; by default 3, or the nearest length that the model learned from.
    step_s : float, optional
        Seconds between two windows; by default 1, and never more than the window.
    progress : callable, optional
        Told the share of the recording that is done.

    Raises
    ------
    AudioError
        The recording cannot be used.
    InputError
        The step is longer than the window, or either is not positive; or it is no recording.

    Examples
    --------
    >>> from ser_experiments import load_model, timeline
    >>> line = timeline(load_model("models/calls"), "call.wav", window_s=0.5, step_s=0.25)
    >>> line
    Timeline of 1.0 s: 4 steps, somebody speaks in 4
    >>> list(line.table.columns)
    ['start_s', 'end_s', 'speech', 'label', 'p_angry', 'p_sad']
    """
    length, step_s = window_of(model, window_s, step_s)
    file = file_of(source)
    overall = scan(file)
    per_window = max(1, round(length / step_s))
    n_steps = max(1, math.ceil(overall.duration_s / step_s - 1e-6))
    picture = _Picture(n_steps)
    total, weight = np.zeros((n_steps, len(model.task.targets))), np.zeros(n_steps)
    speech = np.zeros(n_steps)
    recent: deque[Step] = deque(maxlen=per_window)
    for number, step in enumerate(_steps(file, overall, step_s)):
        speech[number] = step.speech
        picture.add(step.audio, overall.sample_rate)
        recent.append(step)
        # A recording that is shorter than a window is one window.
        if len(recent) == per_window or number == n_steps - 1:
            spoken_s, numbers = predict_window(model, list(recent), overall.sample_rate)
            if numbers is not None:
                covered = slice(number - len(recent) + 1, number + 1)
                total[covered] += spoken_s * numbers
                weight[covered] += spoken_s
        if progress is not None:
            progress((number + 1) / n_steps)
    table = _table(model.task, total, weight, speech, step_s, overall.duration_s, model.bound)
    return Timeline(model.task, table, overall.duration_s, *picture.arrays(), model.bound)


class Step(NamedTuple):
    """A piece of a recording, and the share of it in which somebody speaks."""

    audio: NDArray[np.float32]
    speech: float


def window_of(model: AudioModel, window_s: float | None, step_s: float | None) -> tuple[float, float]:
    """Return the seconds of a model's windows and of their steps; see :func:`timeline`."""
    learned: Mapping[str, Any] = model.meta.get("training", {})
    low, high = learned.get("duration_s", (0.0, math.inf))
    length = min(max(WINDOW_S, low), high) if window_s is None else window_s
    step_s = min(STEP_S, length) if step_s is None else step_s
    if not 0 < step_s < math.inf or not 0 < length < math.inf:
        raise InputError(f"window {length:g} s, step {step_s:g} s: both must be positive")
    if step_s > length:
        raise InputError(f"a step of {step_s:g} s is longer than the window of {length:g} s and would leave gaps")
    return length, step_s


def _steps(source: str | os.PathLike[str] | bytes, overall: Overall, step_s: float) -> Iterator[Step]:
    hears = VoiceActivity(overall.sample_rate, overall.peak)
    end, done = overall.duration_s, 0.0
    for audio, rate in stream_audio(source, step_s, overall.channel):
        done += len(audio) / rate
        heard = hears(audio, last=done >= end - 0.5 / rate)
        yield Step(audio, float(heard.mean()) if len(heard) else 0.0)


def predict_window(
    model: AudioModel, steps: Sequence[Step], sample_rate: int
) -> tuple[float, NDArray[np.float64] | None]:
    """Return the seconds in which somebody speaks in the steps of a window, and its numbers where that is enough."""
    spoken_s = sum(one.speech * len(one.audio) for one in steps) / sample_rate
    audio = np.concatenate([one.audio for one in steps])
    if spoken_s < min(_ENOUGH_SPEECH_S, 0.5 * len(audio) / sample_rate):
        return spoken_s, None
    try:
        return spoken_s, model.values(audio, sample_rate)
    except AudioError:  # nothing but silence in this window
        return spoken_s, None


def _table(
    task: Task,
    total: NDArray[np.float64],
    weight: NDArray[np.float64],
    speech: NDArray[np.float64],
    step_s: float,
    duration_s: float,
    bound: Mapping[str, Any],
) -> pd.DataFrame:
    known = (weight > 0) & (speech >= SPEAKING)
    numbers = np.full(total.shape, np.nan)
    numbers[known] = total[known] / weight[known, None]
    starts = np.arange(len(total)) * step_s
    columns = {"start_s": starts, "end_s": np.minimum(starts + step_s, duration_s), "speech": speech}
    answers = _answers(task, numbers, known, bound)
    texts = {name: np.array([one[name] for one in answers], dtype=object) for name in task.fields("text")}
    return pd.DataFrame({**columns, **texts, **dict(zip(task.columns, numbers.T, strict=True))})


def _answers(
    task: Task, numbers: NDArray[np.float64], known: NDArray[np.bool_], bound: Mapping[str, Any]
) -> list[dict[str, Any]]:
    return [task.answer(row, bound) if there else task.no_answer for row, there in zip(numbers, known, strict=True)]


class _Picture:
    """Keep so much of a recording as a picture can show."""

    def __init__(self, n_steps: int) -> None:
        self._each = max(1, _PICTURE_COLUMNS // n_steps)
        self._waveform: list[NDArray[np.float32]] = []
        self._spectrogram: list[NDArray[np.float32]] = []

    def add(self, audio: NDArray[np.float32], sample_rate: int) -> None:
        parts = [part for part in np.array_split(audio, self._each) if len(part)]
        self._waveform.append(np.array([[part.min(), part.max()] for part in parts], dtype=np.float32))
        if len(audio) >= _SHORTEST_S * sample_rate:
            energies = _mel_energies(resample(audio, sample_rate, MEL_RATE))
            shares = [part.mean(axis=0) for part in np.array_split(energies, self._each) if len(part)]
            self._spectrogram.append(np.array(shares, dtype=np.float32))

    def arrays(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return waveform and spectrogram."""
        energies = np.concatenate(self._spectrogram) if self._spectrogram else np.zeros((1, _MELS), np.float32)
        return np.concatenate(self._waveform), mel.power_to_db(energies, top_db=_TOP_DB)


def _mel_energies(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    power = frames.power_spectrum(audio, window=_FRAME, n_fft=_FFT, hop=_HOP)
    return mel.band_energies(power, mel.mel_bank(MEL_RATE, _FFT, _MELS)).T
