"""The model that takes audio: a recording in, an answer out, whatever the kind of its task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ser_experiments.audio import Recording, Source, heard, sources_of
from ser_experiments.audio.limits import Bounds
from ser_experiments.errors import AudioError, InputError
from ser_experiments.features.extractor import Extractor, get_extractor
from ser_experiments.features.normalization import (
    Normalization,
    SpeakerStatistics,
    parse_normalization,
)
from ser_experiments.features.table import table_of, table_row
from ser_experiments.frames import GROUP
from ser_experiments.serving.enrolled import statistics_of
from ser_experiments.serving.outlying import Usual
from ser_experiments.serving.rows import failed
from ser_experiments.serving.targets import task_of
from ser_experiments.serving.unlike import unlike_speech, unlike_training
from ser_experiments.shown import html, named
from ser_experiments.task import Task
from ser_experiments.words import in_one_line

if TYPE_CHECKING:
    from ser_experiments.serving.inspection.looking import Inspection
    from ser_experiments.serving.timeline import Timeline


@dataclass(frozen=True)
class AudioModel:
    """A fitted estimator with the extractors that feed it.

    Parameters
    ----------
    estimator : estimator
        Fitted on a feature table.
    sets : sequence of (str, mapping)
        Feature sets and their parameters, in the order of the table's columns.
    meta : mapping
        Setting, experiment, task, extractor identities.
    speaker : SpeakerStatistics, optional
        What is taken out of the features of the one speaker it answers for; :meth:`for_speaker` measures it. Needed
        by models of runs that were normalised by speaker, and by no others.
    warnings : tuple of str
        What is to be said with every answer: how measuring is unlike that of the training.
    """

    estimator: BaseEstimator
    sets: Sequence[tuple[str, Mapping[str, object]]]
    meta: Mapping[str, Any]
    speaker: SpeakerStatistics | None = None
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        sets = named([name for name, _ in self.sets])
        return f"AudioModel {self._of}: {named(self.classes)} from {sets}"

    def _repr_html_(self) -> str:
        from ser_experiments.evaluation.scoring import get_score

        name = self.task.primary
        facts = {
            "predicts": named(self.classes),
            "from": named([name for name, _ in self.sets]),
            f"tested {get_score(name).title}": self.meta.get(name),
            "normalised by speaker": None if self.normalization.kind == "none" else str(self.normalization),
        }
        notes = [*self.meta.get("notes", ()), *self.warnings]
        return html(f"Model {self._of}", facts, notes=map(str, notes))

    @property
    def _of(self) -> str:
        return in_one_line(
            f"{self.meta.get('experiment', 'without a name')} of {self.meta.get('setting', 'no setting')}"
        )

    @property
    def normalization(self) -> Normalization:
        """Return the way in which the features were normalised by speaker."""
        return parse_normalization(str(self.meta.get("normalize", "none")))

    @cached_property
    def task(self) -> Task:
        """Return what it predicts."""
        return task_of(self.meta, self.estimator)

    @cached_property
    def _usual(self) -> Usual:
        return Usual.of(self.meta.get("measured", {}))

    @property
    def classes(self) -> list[str]:
        """Return the targets in their order: of a task of classes, these."""
        return list(self.task.targets)

    @property
    def bound(self) -> dict[str, Any]:
        """Return the risk that it is bound to and what it knows of it, as the task takes them; nothing without one."""
        return {name: self.meta[name] for name in ("risk", "abstention")} if "risk" in self.meta else {}

    @property
    def says(self) -> tuple[str, ...]:
        """Return the fields that an answer has besides those of the task: ``candidates`` where a risk is bound."""
        return ("candidates",) if "risk" in self.meta else ()

    def extractors(self) -> list[Extractor]:
        """Build the extractors that the model names."""
        return [get_extractor(name, **params) for name, params in self.sets]

    def features(self, audio: NDArray[np.float32], sample_rate: int) -> pd.DataFrame:
        """Measure one recording: a feature table of one row."""
        return table_of([table_row(self.extractors(), audio, sample_rate)])

    def values(self, audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float64]:
        """Return the number of each target for one recording, shape (n_targets,)."""
        return self._values(self._without_speaker(self.features(audio, sample_rate)))

    def _values(self, table: pd.DataFrame) -> NDArray[np.float64]:
        return self.task.response(self.estimator, table.assign(**{GROUP: ""}))[0]

    def predict_audio(self, audio: NDArray[np.float32], sample_rate: int) -> dict[str, Any]:
        """Predict one recording.

        Returns
        -------
        dict
            Of classes ``label`` and ``probabilities`` (class to float); of dimensions ``values`` (dimension to float)
            and ``intervals`` (dimension to low and high; empty where the model does not know them).
        """
        return self.task.answer(self.values(audio, sample_rate), self.meta)

    def predict(self, sources: Recording | Iterable[Recording], sample_rate: int | None = None) -> list[dict[str, Any]]:
        """Predict recordings.

        Parameters
        ----------
        sources : path, bytes, ndarray, pair of ndarray and rate, or iterable of such
            The recordings; one of them is a list of one. Arrays have the shape (n_samples,) or (n_samples, n_channels)
            and a full scale of 1.
        sample_rate : int, optional
            Of arrays that come without a rate, in Hz.

        Returns
        -------
        list of dict
            One a recording, in their order: as :meth:`predict_audio`, with ``warnings`` (how the recording is unlike
            those learned from) and ``error``; of a recording that cannot be used only ``error`` is not empty.

        Raises
        ------
        InputError
            Something is no recording, samples come without their rate, or are no samples.

        Examples
        --------
        >>> from ser_experiments import load_model
        >>> model = load_model("models/calls")
        >>> [answer] = model.predict("call.wav")
        >>> answer["label"], sorted(answer["probabilities"])
        ('angry', ['angry', 'sad'])
        >>> [answer["label"] for answer in model.predict(["call.wav", "other.wav"])]
        ['angry', 'sad']
        >>> import soundfile
        >>> audio, rate = soundfile.read("call.wav")
        >>> model.predict(audio, sample_rate=rate)[0]["label"]
        'angry'
        >>> model.predict("nowhere.wav")[0]["error"]
        'nowhere.wav: no such file'
        """
        return list(self.stream(sources, sample_rate))

    def stream(
        self, sources: Recording | Iterable[Recording], sample_rate: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """Predict recordings one after the other, so that any number of them needs the memory of one.

        Parameters
        ----------
        sources, sample_rate
            As of :meth:`predict`; an iterator is asked for one at a time.

        Returns
        -------
        iterator of dict
            The answers of :meth:`predict`, each as it is known.

        Examples
        --------
        >>> from pathlib import Path
        >>> from ser_experiments import load_model
        >>> for answer in load_model("models/calls").stream(sorted(Path().glob("*.wav"))):
        ...     print(answer["label"])
        angry
        sad
        """
        return map(self._told, sources_of(sources, sample_rate))

    def _told(self, source: Source) -> dict[str, Any]:
        try:
            return self.answer(source)
        except AudioError as error:
            return failed(self.task.no_answer, str(error))

    def timeline(self, source: Source, *, window_s: float | None = None, step_s: float | None = None) -> Timeline:
        """Predict a recording piece by piece; see :func:`ser_experiments.timeline`.

        Examples
        --------
        >>> from ser_experiments import load_model
        >>> load_model("models/calls").timeline("call.wav", window_s=0.5, step_s=0.5)
        Timeline of 1.0 s: 2 steps, somebody speaks in 2
        """
        from ser_experiments.serving.timeline import timeline

        return timeline(self, source, window_s=window_s, step_s=step_s)

    def inspect(self, sources: Recording | Iterable[Recording], sample_rate: int | None = None) -> Inspection:
        """Look at recordings beside those that the model learned from: why does it answer as it does?

        Parameters
        ----------
        sources, sample_rate
            As of :meth:`predict`.

        Returns
        -------
        Inspection
            ``words`` is a paragraph, ``table`` a row a measure, ``qualities`` a row a recording.

        Raises
        ------
        InputError
            No recording can be used, or something is none.

        Examples
        --------
        >>> from ser_experiments import load_model
        >>> found = load_model("models/calls").inspect(["call.wav", "other.wav"])
        >>> found
        Inspection of 2 recordings beside the training of logreg_lld
        >>> found.table.loc["length, s", "verdict"]
        'outside'
        """
        from ser_experiments.serving.inspection.looking import inspected

        return inspected(self, sources_of(sources, sample_rate))

    def answer(self, source: Source, limits: Bounds | None = None) -> dict[str, Any]:
        """Predict one recording, and say what is to be said with it.

        Parameters
        ----------
        source : path, bytes, or (ndarray of shape (n_samples,), sample rate in Hz)
            The recording.
        limits : Limits or Budget, optional
            How much of it is decoded.

        Returns
        -------
        dict
            As :meth:`predict` yields.

        Raises
        ------
        AudioError
            It cannot be used.
        """
        return self.answered(*heard(source, limits))[0]

    def answered(self, audio: NDArray[np.float32], sample_rate: int) -> tuple[dict[str, Any], pd.DataFrame]:
        """Return the answer to one recording, as :meth:`answer`, and the row of measures that it is made of."""
        table = self._without_speaker(self.features(audio, sample_rate))
        unlike = [*self.unlike(audio, sample_rate), *self._usual.beyond(table)]
        found = self.task.answer(self._values(table), {**self.meta, "doubted": bool(unlike)})
        return {**found, "warnings": [*self.warnings, *unlike], "error": ""}, table

    def cautious(self, risk: float) -> AudioModel:
        """Return this model bound to be wrong at most so often on a new speaker: it answers ``unsure`` else.

        Its answers have ``candidates``, too: the classes among which the truth is in all but such a share of the
        utterances. A recording that is unlike those learned from is answered ``unsure``.

        Parameters
        ----------
        risk : float
            The share of the answers that may be wrong, between 0 and 1.

        Raises
        ------
        InputError
            The risk is none, the task is not of classes, or the model does not know how often it is wrong.
        """
        self.task.check_risk(self.meta, risk)
        return replace(self, meta={**self.meta, "risk": risk})

    def for_speaker(self, sources: Recording | Iterable[Recording], *, skip_bad: bool = False) -> AudioModel:
        """Return this model for one speaker, whose recordings `sources` are.

        Parameters
        ----------
        sources : path, bytes, pair of ndarray and rate, or iterable of such
            What the mode asks for: K neutral clips, K clips, or all that is to be predicted.
        skip_bad : bool
            Whether recordings that cannot be used are left out.

        Raises
        ------
        InputError
            The model needs nothing of a speaker, or more clips than there are.
        AudioError
            A recording cannot be used.
        """
        return replace(self, speaker=statistics_of(self, sources_of(sources), skip_bad=skip_bad))

    def check_ready(self) -> None:
        """Refuse to answer where recordings of the speaker are needed and were not given.

        Raises
        ------
        InputError
            The model was normalised by speaker, and :meth:`for_speaker` was not called.
        """
        if self.normalization.kind != "none" and self.speaker is None:
            raise InputError(
                f"the model was normalised by speaker ({self.normalization}) and cannot answer for a single "
                "recording: give recordings of the speaker with --enrol, or several with --by-speaker"
            )

    def _without_speaker(self, table: pd.DataFrame) -> pd.DataFrame:
        self.check_ready()
        if self.speaker is None:
            return table
        return self.speaker.without(table)

    def unlike(self, audio: NDArray[np.float32], sample_rate: int) -> list[str]:
        """Say how a recording is unlike those that the model learned from, and unlike speech."""
        learned: Mapping[str, Any] = self.meta.get("training", {})
        return [*unlike_training(learned, audio, sample_rate), *unlike_speech(audio, sample_rate)]
