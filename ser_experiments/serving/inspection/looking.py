"""Look at recordings beside those that a model learned from: what they are like, and what it answers to them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments import doing
from ser_experiments.audio import Source, file_of, heard, read_audio
from ser_experiments.audio.quality import Quality, channels_of, quality
from ser_experiments.errors import AudioError, InputError
from ser_experiments.parallel import as_completed, single_threaded
from ser_experiments.serving.inspection.recorded import RISK, Recorded
from ser_experiments.shown import html, several

if TYPE_CHECKING:
    from ser_experiments.serving.audio_model import AudioModel

#: How long this process works by itself, and what workers must save to be worth their start, in seconds.
_ALONE_S, _WORTH_S = 4.0, 8.0
#: Recordings that a worker takes at a time.
_CHUNK = 16


class Piece(NamedTuple):
    """A recording that is to be looked at, or a piece of one.

    Attributes
    ----------
    name : str
        What it is called.
    source : path, bytes, or (ndarray of shape (n_samples,), sample rate in Hz)
        What is heard.
    start_s, end_s : float or None
        The piece of a file, in seconds.
    speaker : str
        Who speaks.
    language : str
        What is spoken, where somebody said it.
    """

    name: str
    source: Source
    start_s: float | None = None
    end_s: float | None = None
    speaker: str = ""
    language: str = ""


class Looked(NamedTuple):
    """What was found of one recording.

    Attributes
    ----------
    quality : Quality or None
        What it is like; None where it cannot be used.
    answer : dict or None
        What the model answers, with ``warnings``; None without a model.
    voice : tuple of float
        The measures that speakers are told apart by.
    problem : str
        Why it cannot be used.
    """

    quality: Quality | None
    answer: dict[str, Any] | None = None
    voice: tuple[float, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Inspection:
    """What recordings are like, beside those that a model learned from.

    Parameters
    ----------
    model : AudioModel or None
        The model; None where recordings are described alone.
    known : Recorded or None
        What it keeps of its training; None where it does not know.
    pieces : list of Piece
        The recordings that can be used.
    looked : list of Looked
        What was found of each.
    problems : dict of str to str
        Why others cannot be used, by what they are called.
    notes : list of str
        What could not be looked at.
    """

    model: AudioModel | None
    known: Recorded | None
    pieces: Sequence[Piece]
    looked: Sequence[Looked]
    problems: dict[str, str]
    notes: Sequence[str] = ()

    def __repr__(self) -> str:
        beside = "" if self.model is None else f" beside the training of {self.model.meta.get('experiment', 'a model')}"
        return f"Inspection of {several(len(self.pieces), 'recording')}{beside}"

    def _repr_html_(self) -> str:
        cells = [[str(one) for one in row] for row in self.table.reset_index().itertuples(index=False)]
        facts = {"cannot be used": len(self.problems) or None}
        headings = ["measure", *self.table.columns]
        return html(repr(self), facts, headings=headings, rows=cells, notes=[self.words, *self.notes])

    @property
    def words(self) -> str:
        """What was found in words, one paragraph: what differs most, what that does, what helps."""
        from ser_experiments.serving.inspection.advice import words_of

        return words_of(self)

    @property
    def table(self) -> pd.DataFrame:
        """A measure a row: ``yours`` and ``training`` (the middle, and 5 to 95 %), ``verdict``."""
        from ser_experiments.serving.inspection.findings import rows_of

        rows = {
            row.measure.title: [row.shown(row.yours), row.shown(row.training), row.verdict] for row in rows_of(self)
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=["yours", "training", "verdict"]).rename_axis(
            "measure"
        )

    @property
    def qualities(self) -> pd.DataFrame:
        """What the recordings are like: one row each, on their names; columns are the fields of a Quality."""
        rows = [one.quality for one in self.looked]
        return pd.DataFrame(rows, index=[one.name for one in self.pieces], columns=list(Quality._fields))

    @property
    def answers(self) -> list[dict[str, Any]]:
        """What the model answers, in the order of the recordings; nothing without a model."""
        return [one.answer for one in self.looked if one.answer is not None]


def inspection(
    pieces: Sequence[Piece], model: AudioModel | None = None, *, folder: Path | None = None, jobs: int | None = None
) -> Inspection:
    """Look at recordings.

    Parameters
    ----------
    pieces : sequence of Piece
        The recordings.
    model : AudioModel, optional
        Whose training they are held against; by default they are described alone.
    folder : Path, optional
        Where the model lies, so that other processes can load it; without, this process does it all.
    jobs : int, optional
        Processes at most; by default one a core.

    Raises
    ------
    InputError
        There is no recording, or none that can be used.
    """
    if not pieces:
        raise InputError("no recordings; name files, folders of them, or lists")
    answers, notes = _answering(model)
    if answers is not None and answers.normalization.kind == "speaker" and answers.speaker is None:
        found = dict(_by_speaker(pieces, answers))
    else:
        found = dict(_looked(pieces, answers, folder, jobs or os.cpu_count() or 1))
    if answers is not None and not any(one.answer for one in found.values()):
        notes.append("no answers: the model was normalised by speaker, of whom it needs several recordings")
    good = [place for place in range(len(pieces)) if not found[place].problem]
    problems = {piece.name: found[place].problem for place, piece in enumerate(pieces) if found[place].problem}
    if not good:
        first = next(iter(problems.values()))
        raise InputError(f"none of {len(pieces)} recordings can be used: {first}" if len(pieces) > 1 else first)
    known = None if model is None else Recorded.of(model.meta)
    return Inspection(model, known, [pieces[one] for one in good], [found[one] for one in good], problems, notes)


def inspected(model: AudioModel, sources: Iterable[Source]) -> Inspection:
    """Look at recordings in this process; see :meth:`AudioModel.inspect`."""
    return inspection([Piece(_name(one, place), one) for place, one in enumerate(sources, start=1)], model)


def _name(source: Source, place: int) -> str:
    return f"recording {place}" if isinstance(source, bytes | tuple) else os.fspath(source)


def _answering(model: AudioModel | None) -> tuple[AudioModel | None, list[str]]:
    """Return the model that answers, bound to a risk where it can be, and what it cannot do."""
    if model is None:
        return None, []
    if model.normalization.kind not in ("none", "speaker") and model.speaker is None:
        return None, [
            f"the model asks for recordings of the speaker ({model.normalization}), so that its answers are not looked "
            "at; see: ser predict --enrol"
        ]
    try:
        return model.cautious(RISK), []
    except InputError:
        return model, []


def _looked(
    pieces: Sequence[Piece], model: AudioModel | None, folder: Path | None, jobs: int
) -> Iterator[tuple[int, Looked]]:
    """Yield what is found of each recording, with its place: alone at first, with workers where that is worth it."""
    began, pace = time.monotonic(), doing.Pace()
    shared = model is None or (folder is not None and not any(one.measure.needs.alone for one in model.extractors()))
    at = 0
    while at < len(pieces):
        doing.stage("looking at recordings", at, len(pieces), left_s=pace.left_s(at, len(pieces)))
        yield at, look(pieces[at], model)
        at += 1
        took = time.monotonic() - began
        left_s = took / at * (len(pieces) - at)
        if shared and jobs > 1 and took > _ALONE_S and left_s * (1 - 1 / jobs) > _WORTH_S:
            break
    chunks = [range(first, min(first + _CHUNK, len(pieces))) for first in range(at, len(pieces), _CHUNK)]
    bound = model is not None and "risk" in model.meta
    tasks = [
        joblib.delayed(_chunk)(None if model is None else folder, bound, [(place, pieces[place]) for place in chunk])
        for chunk in chunks
    ]
    for rows in as_completed(tasks, jobs) if tasks else ():
        at += len(rows)
        doing.stage("looking at recordings", at, len(pieces), left_s=pace.left_s(at, len(pieces)))
        yield from rows


def _by_speaker(pieces: Sequence[Piece], model: AudioModel) -> Iterator[tuple[int, Looked]]:
    """Yield what is found of each recording, with its place, where a speaker is known by all of them together."""
    speakers: dict[str, list[int]] = {}
    for place, piece in enumerate(pieces):
        speakers.setdefault(piece.speaker, []).append(place)
    done = 0
    for places in speakers.values():
        own: AudioModel | None = None
        with suppress(InputError):
            own = model.for_speaker(_readable(pieces[place] for place in places))
        for place in places:
            doing.stage("looking at recordings", done, len(pieces))
            yield place, look(pieces[place], own)
            done += 1


def _readable(pieces: Iterable[Piece]) -> Iterator[Source]:
    for piece in pieces:
        with suppress(AudioError):
            audio, rate, _ = _heard(piece)
            yield audio, rate


def _chunk(folder: Path | None, bound: bool, pieces: Sequence[tuple[int, Piece]]) -> list[tuple[int, Looked]]:
    model = None if folder is None else _loaded(folder, bound)
    with single_threaded():
        return [(place, look(piece, model)) for place, piece in pieces]


@lru_cache(maxsize=1)
def _loaded(folder: Path, bound: bool) -> AudioModel:
    from ser_experiments.serving.folder import load_folder

    model = load_folder(folder)
    return model.cautious(RISK) if bound else model


def look(piece: Piece, model: AudioModel | None) -> Looked:
    """Look at one recording."""
    try:
        audio, rate, channels = _heard(piece)
        told = quality(audio, rate, channels)
        if model is None:
            return Looked(told)
        answer, table = model.answered(audio, rate)
    except AudioError as error:
        return Looked(None, problem=str(error))
    known = Recorded.of(model.meta)
    if known is None or not known.voices.columns:
        return Looked(told, answer)
    return Looked(told, answer, tuple(map(float, table.reindex(columns=list(known.voices.columns)).iloc[0])))


def _heard(piece: Piece) -> tuple[NDArray[np.float32], int, int]:
    if isinstance(piece.source, tuple):
        return *heard(piece.source), 1
    file = file_of(piece.source)
    audio, rate = read_audio(file, start_s=piece.start_s, end_s=piece.end_s)
    return audio, rate, channels_of(file)
