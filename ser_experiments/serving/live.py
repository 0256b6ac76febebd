"""Emotion of what is being said: the windows of a timeline, as they come."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ser_experiments.audio import VoiceActivity
from ser_experiments.errors import InputError
from ser_experiments.serving.audio_model import AudioModel
from ser_experiments.serving.timeline import SPEAKING, Step, predict_window, window_of

#: Softer than this nobody speaks into a microphone: the detector of speech is not made to hear what is softer.
_SOFTEST = 0.02
_LOWEST_RATE, _HIGHEST_RATE = 4_000, 192_000


class Moment(NamedTuple):
    """What is said of a step when it has passed.

    Parameters
    ----------
    start_s, end_s : float
        Seconds since it began to hear.
    speech : float
        The share of the step in which somebody speaks.
    answer : dict
        As the task answers of the window that ends now; :attr:`~ser_experiments.task.Task.no_answer` where nobody
        speaks. It has no ranges, which are those of whole utterances.
    """

    start_s: float
    end_s: float
    speech: float
    answer: dict[str, Any]


class Live:
    """Hear sound as it comes. It keeps one window of it, and nothing that was before.

    Parameters
    ----------
    model : AudioModel
        Answers for single recordings.
    sample_rate : int
        Of the sound, in Hz.
    window_s, step_s : float, optional
        As of a :func:`~ser_experiments.serving.timeline.timeline`.

    Raises
    ------
    InputError
        The rate is none, or the step is longer than the window.
    """

    def __init__(
        self, model: AudioModel, sample_rate: int, *, window_s: float | None = None, step_s: float | None = None
    ) -> None:
        if not _LOWEST_RATE <= sample_rate <= _HIGHEST_RATE:
            raise InputError(f"{sample_rate} Hz; sound must have {_LOWEST_RATE} to {_HIGHEST_RATE} Hz")
        model.check_ready()
        self.window_s, self.step_s = window_of(model, window_s, step_s)
        self._model, self.sample_rate = model, sample_rate
        self._recent: deque[Step] = deque(maxlen=max(1, round(self.window_s / self.step_s)))
        self._size = max(1, round(self.step_s * sample_rate))
        self._pending: list[NDArray[np.float32]] = []
        self._n_pending = self._n_steps = 0
        self._hears = VoiceActivity(sample_rate, _SOFTEST)

    def hear(self, audio: NDArray[np.float32]) -> Iterator[Moment]:
        """Take what was said since, and yield a moment for each step that has passed.

        Parameters
        ----------
        audio : ndarray of shape (n_samples,), float32
            Mono; full scale is 1.
        """
        self._pending.append(np.nan_to_num(np.asarray(audio, dtype=np.float32)))
        self._n_pending += len(audio)
        while self._n_pending >= self._size:
            together = np.concatenate(self._pending)
            self._pending = [together[self._size :]]
            self._n_pending -= self._size
            yield self._moment(together[: self._size])

    def _moment(self, audio: NDArray[np.float32]) -> Moment:
        self._hears.peak = max(self._hears.peak, float(np.abs(audio).max()))
        heard = self._hears(audio)
        speech = float(heard.mean()) if len(heard) else 0.0
        self._recent.append(Step(audio, speech))
        _, numbers = predict_window(self._model, list(self._recent), self.sample_rate)
        start_s = self._n_steps * self.step_s
        self._n_steps += 1
        speaks = numbers is not None and speech >= SPEAKING
        task = self._model.task
        return Moment(
            start_s,
            start_s + self.step_s,
            speech,
            task.answer(numbers, self._model.bound) if speaks else task.no_answer,  # type: ignore[arg-type]
        )
