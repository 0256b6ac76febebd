"""``ser predict --timeline``: a table and a picture for each recording."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ser_experiments.cli._answers import TIMES
from ser_experiments.cli._recordings import Recording
from ser_experiments.cli._say import said, say
from ser_experiments.words import as_file_name

if TYPE_CHECKING:
    from ser_experiments.serving.audio_model import AudioModel
    from ser_experiments.serving.timeline import Timeline

#: What `--picture` takes for no picture.
NONE = Path("none")


def timelines(
    model: AudioModel, found: Iterable[Recording], *, window_s: float | None, step_s: float | None, folder: Path
) -> Iterator[tuple[Recording, dict[str, Any]]]:
    """Predict each recording over time, and draw it into `folder`."""
    from ser_experiments.errors import AudioError, InputError
    from ser_experiments.serving.timeline import timeline

    taken: set[Path] = set()
    for recording in found:
        if recording.start_s is not None or recording.end_s is not None:
            raise InputError(f"{recording}: a timeline is of whole recordings; leave `start` and `end` out of the list")
        answer: dict[str, Any] = {**model.task.no_answer, "warnings": [], "timeline": [], "error": ""}
        try:
            with _Done(recording) as done:
                line = timeline(model, recording.path, window_s=window_s, step_s=step_s, progress=done)
            answer["timeline"] = _steps(line)
            if folder != NONE:
                _draw(line, recording, model, _free(folder, recording.path.stem, taken))
        except AudioError as error:
            answer["error"] = str(error)
        yield recording, answer


def _steps(line: Timeline) -> list[dict[str, Any]]:
    times = line.table[list(TIMES)].to_numpy()
    rounded = [dict(zip(TIMES, (round(float(time), 3) for time in row), strict=True)) for row in times]
    return [{**when, **answer} for when, answer in zip(rounded, line.answers(), strict=True)]


def _free(folder: Path, stem: str, taken: set[Path]) -> Path:
    """Return a name that no other recording of this call has."""
    path, number = folder / as_file_name(stem, "_timeline.png"), 2
    while path in taken:
        path, number = folder / as_file_name(stem, f"-{number}_timeline.png"), number + 1
    taken.add(path)
    return path


def _draw(line: Timeline, recording: Recording, model: AudioModel, path: Path) -> None:
    from ser_experiments.errors import SerError
    from ser_experiments.evaluation.plots import plot_timeline

    title = f"{recording.path.name}: {model.meta['experiment']} of {model.meta['setting']}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure = plot_timeline(
            line.task, line.table, line.waveform, line.spectrogram, title, scale=model.meta.get("scale")
        )
        figure.savefig(path)
    except OSError as error:
        raise SerError(f"{path}: the picture cannot be written ({error.strerror}); --picture names a folder") from error
    say(f"picture: {path}", err=True)


class _Done:
    """Show on a terminal how much of a recording is done."""

    def __init__(self, recording: Recording) -> None:
        self._name, self._shown, self._on = said(recording.path.name), -1, sys.stderr.isatty()

    def __enter__(self) -> _Done:
        return self

    def __call__(self, share: float) -> None:
        percent = int(100 * share)
        if self._on and percent != self._shown:
            click.echo(f"\r{self._name}: {percent} %", nl=False, err=True)
            self._shown = percent

    def __exit__(self, *error: object) -> None:
        if self._on:
            click.echo("\r\033[K", nl=False, err=True)
