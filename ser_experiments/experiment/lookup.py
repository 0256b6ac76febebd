"""Where definitions lie: in a project's ``experiments/``, among the shipped ones, or in a file that is named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ser_experiments import project
from ser_experiments.errors import InputError, nearest
from ser_experiments.words import check_word, cut

#: How the file of a definition ends; who says it names a file.
ENDING = ".toml"


class Place(NamedTuple):
    """Where a definition lies.

    Parameters
    ----------
    name : str
        Of the experiment: its file's, without the ending.
    path : Path
        Its file.
    folders : tuple of Path
        Where members are looked for before the shipped ones, in this order.
    """

    name: str
    path: Path
    folders: tuple[Path, ...]


def shipped() -> Path:
    """Return the folder of the definitions that came with the program."""
    # A checkout whose system knows no symbolic links has them in one place only.
    inside = Path(__file__).parents[1] / "shipped"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "experiments"


def experiment_names(folder: Path | None = None) -> list[str]:
    """List the experiments of a folder, by default the project's, and the shipped ones."""
    return _known((folder or project.find().experiments, shipped()))


def own_names(folder: Path) -> list[str]:
    """List the experiments of one folder."""
    return sorted(path.stem for path in folder.glob(f"*{ENDING}") if not path.name.startswith("."))


def place_of(name: str | Path, folders: Sequence[Path]) -> Place:
    """Find a definition: the first of its name in some folders and among the shipped ones, or a file.

    Parameters
    ----------
    name : str or Path
        The name of an experiment; or a file, which a text is that ends in ``.toml``.
    folders : sequence of Path
        Where to look before the shipped ones.

    Raises
    ------
    InputError
        There is none of that name, which comes with the nearest, or no such file.
    """
    everywhere = (*folders, shipped())
    if isinstance(name, Path) or name.endswith(ENDING):
        return _file(Path(name), everywhere)
    for folder in everywhere:
        if name in own_names(folder):
            check_word(name, f"{folder}: experiment")
            return Place(name, folder / f"{name}{ENDING}", tuple(folders))
    known = _known(everywhere)
    hint = nearest(name, known) if known else f"; there is no definition in {folders[0]}"
    file = f"; a file is named with its ending {ENDING}" if "/" in name else ""
    raise InputError(f"unknown experiment {cut(name)!r}{file or hint}")


def _file(path: Path, everywhere: tuple[Path, ...]) -> Place:
    if path.suffix != ENDING:
        raise InputError(f"{cut(str(path))}: the file of a definition ends in {ENDING}; call it so")
    check_word(path.stem, f"{path.parent}: experiment")
    if path.parent == Path() and not path.is_file() and path.stem in _known(everywhere):
        raise InputError(f"{path}: no such file; the experiment is called {path.stem!r}")
    # A folder that the project has in its list already is looked at once.
    return Place(path.stem, path, tuple(dict.fromkeys((path.parent, *everywhere[:-1]))))


def _known(folders: Sequence[Path]) -> list[str]:
    return sorted({name for folder in folders for name in own_names(folder)})
