"""``ser init``: a folder becomes a project."""

from __future__ import annotations

from pathlib import Path

import click

from ser_experiments.cli._say import say


@click.command("init")
@click.argument("folder", default=".", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Make FOLDER a project, by default the current one.

    It gets a ser.toml, which marks it, an experiment of its own to begin with, and a .gitignore. What is there already
    stays as it is.
    """
    from ser_experiments import project
    from ser_experiments.cli._beginnings import FIRST, files
    from ser_experiments.errors import InputError

    above = project.locate(folder)
    try:
        made = [path for path, text in files(folder).items() if _written(path, text)]
    except OSError as error:
        raise InputError(f"{error.filename or folder}: cannot be made: {error.strerror or error}") from error
    for path in files(folder):
        say(f"{'made' if path in made else 'there already, left as it is'}: {path}")
    if above.is_marked and above.folder != folder.resolve():
        say(f"note: it lies in another project, {above.folder}, whose runs and experiments are not its own")
    at = "" if folder.resolve() == Path.cwd().resolve() else f"cd {folder}, then "
    first = FIRST if (folder / "experiments" / f"{FIRST}.toml").is_file() else "svm_lld"
    say(f"next: {at}ser list, ser run {first}, ser compare")


def _written(path: Path, text: str) -> bool:
    """Write a file where there is none; return whether it was written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        return False
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True
