"""``ser inspect``: what recordings are like, beside those that a model learned from, and what it answers to them."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ser_experiments.cli._boards import console, give, picture_option, print_table, save_picture
from ser_experiments.cli._options import as_json
from ser_experiments.cli._progress import Showing
from ser_experiments.cli._project import here
from ser_experiments.cli._say import said, say
from ser_experiments.shown import several
from ser_experiments.words import in_one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ser_experiments.cli._recordings import Recording
    from ser_experiments.serving.audio_model import AudioModel
    from ser_experiments.serving.inspection.looking import Inspection, Piece

#: Recordings that cannot be used, reasons and speakers that are shown; of more, how many there are.
_SHOWN = 5
_WIDTH = 80


@click.command("inspect")
@click.argument("sources", nargs=-1, required=True, type=click.Path(readable=False, path_type=Path))
@click.option(
    "--model", help="A setting or registered name with @alias or /version, or a URI; by default the only champion."
)
@click.option("--jobs", type=click.IntRange(1), help="Processes; by default one a core.")
@picture_option
@as_json
def command(sources: tuple[Path, ...], model: str | None, jobs: int | None, picture: str | None, as_json: bool) -> None:
    """Look at recordings beside those of the training.

    Why does a model answer as it does? Length, sample rate, where the spectrum really ends, level, noise, clipping and
    speech, beside those of the recordings that it learned from; what it answers, and which voices are near.
    SOURCES are those of `ser predict`: files, folders, lists (with a column `speaker` or `language`, too).
    """
    from ser_experiments.cli._recordings import recordings

    folder = _folder(model)
    pieces = [_piece(one) for one in recordings(sources)]
    with Showing():
        from ser_experiments.serving.inspection.looking import inspection

        loaded = None if folder is None else _load(folder)
        found = inspection(pieces, loaded, folder=folder, jobs=jobs)
    give(lambda: _told(found), lambda: _show(found), lambda path: _draw(path, found), as_json=as_json, picture=picture)
    if found.problems:
        sys.exit(1)


def _folder(model: str | None) -> Path | None:
    """Return where the model lies; without a name that of the only champion, if there is one."""
    from ser_experiments.errors import InputError
    from ser_experiments.tracking.loading import is_folder, model_folder

    if model is None or not is_folder(model):
        here()
    try:
        return model_folder(model)
    except InputError as error:
        if model is not None:
            raise
        say(f"described without a model: {error}", err=True)
        return None


def _load(folder: Path) -> AudioModel:
    from ser_experiments.serving.folder import load_folder

    return load_folder(folder)


def _piece(one: Recording) -> Piece:
    from ser_experiments.serving.inspection.looking import Piece

    return Piece(str(one), one.path, one.start_s, one.end_s, one.speaker, one.language)


def _told(found: Inspection) -> dict[str, Any]:
    from ser_experiments.serving.inspection.advice import words_of
    from ser_experiments.serving.inspection.findings import numbers_of, rows_of, shares_of, voices_in
    from ser_experiments.serving.inspection.recorded import PERCENTS

    shares, voices = shares_of(found), voices_in(found)
    apart = None if found.known is None else found.known.voices.apart
    return {
        **({} if found.model is None else {key: found.model.meta[key] for key in ("experiment", "setting")}),
        "n_recordings": len(found.pieces),
        "n_speakers": len({piece.speaker for piece in found.pieces}),
        "unusable": dict(found.problems),
        "percents": list(PERCENTS),
        "measures": {
            row.measure.field: {
                "unit": row.measure.title.partition(", ")[2],
                "yours": list(row.yours),
                "training": None if row.training is None else list(row.training),
                "below": row.below,
                "above": row.above,
                "verdict": row.verdict or None,
            }
            for row in rows_of(found)
        },
        "answers": None if shares is None else {**shares._asdict(), "reasons": dict(shares.reasons)},
        "numbers": {name: {"yours": yours, "training": known} for name, (yours, known) in numbers_of(found).items()},
        "voices": {
            "apart": None if apart is None else {"median": apart[0], "most": apart[1]},
            "speakers": {one.name: {"n": one.n, **one.near._asdict()} for one in voices},
        },
        "languages": sorted({piece.language for piece in found.pieces if piece.language}),
        "languages_training": [] if found.known is None else list(found.known.languages),
        "words": words_of(found),
        "notes": list(found.notes),
    }


def _show(found: Inspection) -> None:
    from rich.markup import escape

    from ser_experiments.serving.inspection.advice import words_of

    on = console(_WIDTH, whole=True)
    beside = ""
    if found.model is not None:
        beside = f" beside the training of {found.model.meta['experiment']}, {found.model.meta['setting']}"
    speakers = several(len({piece.speaker for piece in found.pieces}), "speaker")
    on.print(f"\n[bold]{several(len(found.pieces), 'recording')}[/] of {speakers}{escape(said(beside))}")
    _measures(on, found)
    _answers(on, found)
    _voices(found)
    for note in found.notes:
        say(_filled(f"note: {note}"))
    say()
    say(_filled(words_of(found)))
    if found.problems:
        say()
        _some([in_one_line(reason) for reason in found.problems.values()], "recordings cannot be used")


def _filled(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=2 * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _measures(on: Any, found: Inspection) -> None:
    from ser_experiments.serving.inspection.findings import hears_hz, rows_of

    known = found.known is not None
    headings = ["measure", "yours", *(["training", "verdict"] if known else [])]
    rows = [
        [row.measure.title, row.shown(row.yours), *([row.shown(row.training), row.verdict] if known else [])]
        for row in rows_of(found)
    ]
    languages = sorted({piece.language for piece in found.pieces if piece.language})
    spoken = [] if found.known is None else list(found.known.languages)
    if languages or spoken:
        new = "outside" if spoken and not set(languages) <= set(spoken) else "inside" if spoken and languages else ""
        rows.append(["language", ", ".join(languages), *([", ".join(spoken), new] if known else [])])
    print_table(on, headings, rows, left=[0, 3])
    hears = hears_hz(found)
    if found.qualities["bandwidth_hz"].median() > hears:
        say(f"the model hears up to {hears / 1000:g} kHz, whatever is recorded above")
    say(f"medians, with 5 to 95 %{'; outside is beyond 1 to 99 % of the training' if known else ''}")


def _answers(on: Any, found: Inspection) -> None:
    from ser_experiments.serving.inspection.findings import numbers_of, shares_of
    from ser_experiments.serving.inspection.recorded import PERCENTS, RISK

    shares, place = shares_of(found), PERCENTS.index(50)
    if shares is None:
        return

    def percent(share: float | None) -> str:
        return "" if share is None else f"{100 * share:.0f} %"

    rows = [[name, percent(share), percent(shares.training.get(name))] for name, share in shares.yours.items()]
    if shares.unsure is not None:
        rows.append([f"unsure at --abstain {RISK:g}", percent(shares.unsure), percent(shares.unsure_training)])
    for name, (yours, training) in numbers_of(found).items():
        rows.append([name, *(_between(one, place) for one in (yours, training))])
    rows.append(["unlike the training", percent(shares.unlike), ""])
    on.print()
    print_table(on, ["answer", "yours", "training"], rows, left=[0])
    _some([f"{percent(share)}: {reason}" for reason, share in shares.reasons], "reasons", indent="  ")


def _between(values: Sequence[float] | None, place: int) -> str:
    return "" if values is None else f"{values[place]:.2f} ({values[place - 1]:.2f} to {values[place + 1]:.2f})"


def _voices(found: Inspection) -> None:
    from ser_experiments.evaluation.scoring import get_score
    from ser_experiments.serving.inspection.findings import voices_in

    voices = voices_in(found)
    apart = None if found.known is None else found.known.voices.apart
    if not voices or found.model is None or apart is None:
        return
    title = get_score(found.model.task.primary).title
    say()
    say(f"nearest speakers of the training (these: {apart[0]:.1f} from their nearest, at most {apart[1]:.1f})")
    lines = []
    for one in voices:
        score = "" if one.near.score is None else f", {title} {one.near.score:.2f} on it"
        lines.append(f"{one.name} ({one.n}): {one.near.away:.1f} away, a speaker of {one.near.n} recordings{score}")
    _some(lines, "speakers", indent="  ")


def _some(lines: Sequence[str], what: str, indent: str = "") -> None:
    """Print some of many lines, and how many more there are."""
    for line in lines[:_SHOWN]:
        say(_filled(line, indent))
    if len(lines) > _SHOWN:
        say(f"{indent}and {len(lines) - _SHOWN} more {what}")


def _draw(path: str, found: Inspection) -> None:
    from ser_experiments.evaluation.plots import plot_recordings
    from ser_experiments.serving.inspection.findings import rows_of, shares_of

    table = found.qualities
    measures = [
        (row.measure.title, table[row.measure.field].to_numpy(dtype=float) * row.measure.scale, row.training)
        for row in rows_of(found)
        if row.measure.drawn
    ]
    shares = shares_of(found)
    answers = {} if shares is None else {name: (one, shares.training.get(name)) for name, one in shares.yours.items()}
    beside = "" if found.model is None else f" beside the training of {found.model.meta['experiment']}"
    save_picture(plot_recordings(measures, answers, f"{len(found.pieces)} recordings{beside}"), path)
