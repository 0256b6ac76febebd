"""``ser predict``: emotion of recordings, one line each as it is known."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

#: Files of a folder that are taken for recordings.
AUDIO = frozenset({".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".opus", ".au", ".w64", ".caf"})


@click.command("predict")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--model", help="A setting or registered name with @alias or /version, or a URI; by default the champion."
)
@click.option("--json", "form", flag_value="json", help="One JSON object a line.")
@click.option("--csv", "form", flag_value="csv", help="CSV with a probability for each class.")
def command(sources: tuple[Path, ...], model: str | None, form: str | None) -> None:
    """Predict the emotion of recordings with the champion.

    SOURCES are audio files, folders of them, or CSV files with a column `path`. A recording that cannot be used gets
    its reason on standard error, the others go on, and the exit code is 1.
    """
    from ser_experiments.tracking.loading import load_model

    loaded = load_model(model)
    click.echo(f"{loaded.meta['experiment']} of {loaded.meta['setting']}", err=True)
    for note in loaded.meta.get("notes", []):
        click.echo(f"note: {note}", err=True)
    show = {"json": _json, "csv": _csv, None: _line}[form]
    width = max(map(len, loaded.classes))
    failed = 0
    if form == "csv":
        _row(["path", "label", *(f"p_{c}" for c in loaded.classes), "warnings", "error"])
    for path in _recordings(sources):
        (answer,) = loaded.predict([path])
        if answer["error"]:
            failed += 1
            click.echo(answer["error"], err=True)
            if form is None:
                continue
        show(path, answer, loaded.classes, width)
    if failed:
        sys.exit(1)


def _recordings(sources: tuple[Path, ...]) -> Iterator[Path]:
    """Yield the recordings of files, folders and lists, one after the other."""
    from ser_experiments.errors import InputError

    for source in sources:
        if source.is_dir():
            found = (p for p in sorted(source.rglob("*")) if p.suffix.lower() in AUDIO and not p.name.startswith("."))
            first = next(found, None)
            if first is None:
                raise InputError(f"{source}: no audio files in this folder; looked for {', '.join(sorted(AUDIO))}")
            yield first
            yield from found
        elif source.suffix.lower() == ".csv":
            yield from _listed(source)
        else:
            yield source


def _listed(source: Path) -> Iterator[Path]:
    from ser_experiments.errors import InputError

    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if "path" not in (rows.fieldnames or []):
                raise InputError(f"{source}: no column 'path'; found {', '.join(rows.fieldnames or []) or 'nothing'}")
            for row in rows:
                yield source.parent / row["path"]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{source}: cannot be read: {error}") from error


def _line(path: Path, answer: dict[str, object], classes: list[str], width: int) -> None:
    chances: dict[str, float] = answer["probabilities"]  # type: ignore[assignment]
    shown = "  ".join(f"{name} {chances[name]:.2f}" for name in classes)
    unlike: list[str] = answer["warnings"]  # type: ignore[assignment]
    click.echo(
        f"{answer['label']:<{width}}  {shown}  {path}" + (f"  (unlike training: {'; '.join(unlike)})" if unlike else "")
    )


def _json(path: Path, answer: dict[str, object], classes: list[str], width: int) -> None:
    click.echo(json.dumps({"path": str(path), **answer}))


def _csv(path: Path, answer: dict[str, object], classes: list[str], width: int) -> None:
    chances: dict[str, float] = answer["probabilities"]  # type: ignore[assignment]
    unlike: list[str] = answer["warnings"]  # type: ignore[assignment]
    values = [f"{chances[c]:.6f}" if chances else "" for c in classes]
    _row([str(path), str(answer["label"]), *values, "; ".join(unlike), str(answer["error"])])


def _row(cells: list[str]) -> None:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    click.echo(line.getvalue())
