"""``ser predict``: emotion of recordings, one line each as it is known."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ser_experiments.cli._abstain import abstain_option
from ser_experiments.cli._project import here
from ser_experiments.cli._say import say

if TYPE_CHECKING:
    from ser_experiments.cli._recordings import Recording
    from ser_experiments.serving.audio_model import AudioModel


@click.command("predict")
@click.argument("sources", nargs=-1, required=True, type=click.Path(readable=False, path_type=Path))
@click.option(
    "--model", help="A setting or registered name with @alias or /version, or a URI; by default the only champion."
)
@click.option("--json", "form", flag_value="json", help="A JSON list, one object a recording.")
@click.option("--csv", "form", flag_value="csv", help="CSV with a column for each number.")
@abstain_option
@click.option("--timeline", is_flag=True, help="Emotion over time: a table and a picture for each recording.")
@click.option("--window", type=float, help="Seconds of a window of the timeline; by default 3.")
@click.option("--step", type=float, help="Seconds between two windows; by default 1.")
@click.option(
    "--picture",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Folder for the timeline's pictures, by default the current one; `none` draws none.",
)
@click.option(
    "--enrol",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Recordings of the speaker, for a model that was normalised by speaker; may be given several times.",
)
@click.option(
    "--by-speaker",
    is_flag=True,
    help="Normalise over all recordings of a speaker: the list's column `speaker`, or the folder a file lies in.",
)
def command(
    sources: tuple[Path, ...],
    model: str | None,
    form: str | None,
    abstain: float | None,
    timeline: bool,
    window: float | None,
    step: float | None,
    picture: Path,
    enrol: tuple[Path, ...],
    by_speaker: bool,
) -> None:
    """Predict the emotion of recordings with the champion.

    SOURCES are audio files, folders of them, or lists (.csv, .tsv or .txt) with a column `path` (and perhaps `start`,
    `end` in seconds and `speaker`). A recording that cannot be used gets its reason on standard error, the others go
    on, and the exit code is 1.
    """
    from ser_experiments.cli import _answers
    from ser_experiments.cli._recordings import recordings
    from ser_experiments.errors import InputError
    from ser_experiments.tracking.loading import is_folder, load_model

    if by_speaker and (enrol or timeline):
        raise InputError("--by-speaker goes with neither --enrol nor --timeline: it needs whole recordings to predict")
    if model is None or not is_folder(model):
        here()
    loaded = load_model(model)
    say(f"{loaded.meta['experiment']} of {loaded.meta['setting']}", err=True)
    for note in loaded.meta.get("notes", []):
        say(f"note: {note}", err=True)
    if abstain is not None:
        loaded = loaded.cautious(abstain)
    if enrol:
        loaded = loaded.for_speaker(one.source() for one in recordings(enrol))
    found = recordings(sources)
    if timeline:
        from ser_experiments.cli._timelines import timelines

        answers = timelines(loaded, found, window_s=window, step_s=step, folder=picture)
    elif by_speaker:
        answers = _by_speaker(loaded, found)
    else:
        loaded.check_ready()
        answers = _each(loaded, found)
    failed, total = _answers.show(answers, loaded.task, form, also=loaded.says)
    if failed:
        say(f"{failed} of {total} recordings could not be used; see above", err=True)
        sys.exit(1)


def _each(model: AudioModel, found: Iterable[Recording]) -> Iterator[tuple[Recording, dict[str, Any]]]:
    from ser_experiments.errors import AudioError
    from ser_experiments.serving.rows import failed

    for recording in found:
        try:
            (answer,) = model.predict([recording.source()])
        except AudioError as error:
            answer = failed(model.task.no_answer, str(error))
        yield recording, answer


def _by_speaker(model: AudioModel, found: Iterable[Recording]) -> Iterator[tuple[Recording, dict[str, Any]]]:
    """Predict speaker by speaker; each of them is normalised over what is predicted."""
    from ser_experiments.errors import InputError

    if model.normalization.kind != "speaker":
        raise InputError(
            f"--by-speaker is for models normalised by `speaker`, this one by `{model.normalization}`"
            + ("; predict without it" if model.normalization.kind == "none" else "; use --enrol")
        )
    speakers: dict[str, list[Recording]] = {}
    for recording in found:
        speakers.setdefault(recording.speaker, []).append(recording)
    for own in speakers.values():
        yield from _each(model.for_speaker(_readable(own), skip_bad=True), own)


def _readable(found: Iterable[Recording]) -> Iterator[Any]:
    from ser_experiments.errors import AudioError

    for recording in found:
        try:
            yield recording.source()
        except AudioError:
            continue
