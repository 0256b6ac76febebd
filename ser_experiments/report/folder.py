"""Write a report to a folder: its own files are replaced, and nobody else's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ser_experiments import identity
from ser_experiments.errors import InputError
from ser_experiments.files import Missing, Unreadable, path_of, read_bytes, read_json
from ser_experiments.words import as_file_name, in_one_line

#: Lists what was written, with the digest of each file, so that what is ours is told from what is not.
LIST = "report.json"
FORMAT = "ser-report/1"


def default_folder(setting: str) -> str:
    """Return the name of the folder of a setting's report."""
    return as_file_name(f"report-{setting}")


def check_folder(named: str) -> Path:
    """Return a folder that a report may be written to.

    Raises
    ------
    InputError
        It is a file, or its list of what was written is somebody else's.
    """
    folder = path_of(named)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out {in_one_line(named)}: is a file; name a folder")
    _ours(folder)
    return folder


def write_folder(folder: Path, files: Mapping[str, bytes], told: Mapping[str, Any]) -> list[Path]:
    """Write the files of a report; those of an earlier one that are no longer a part of it are removed.

    Parameters
    ----------
    folder : Path
        Made where it is not there.
    files : mapping of str to bytes
        By their names in it, perhaps with one folder before them.
    told : mapping
        What :data:`LIST` says besides.

    Returns
    -------
    list of Path
        What was written, :data:`LIST` last.

    Raises
    ------
    InputError
        A file that is not ours, or that was changed since, would be replaced; or the folder cannot be written. Nothing
        has been replaced then.
    """
    known = _ours(folder)
    _must_be_ours(folder, files, known)
    digests = {name: _digest(content) for name, content in files.items()}
    # Ours are these files and those of the report before, whichever of them an interruption leaves.
    both = {
        name: sorted({*known.get(name, ()), *([digests[name]] if name in digests else [])}) for name in {*known, *files}
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / LIST, _listed(told, both))
        for name, content in files.items():
            _write(folder / name, content)
        for name in known.keys() - files.keys():
            _remove(folder / name, known[name])
        _write(folder / LIST, _listed(told, {name: [one] for name, one in digests.items()}))
    except OSError as error:
        raise InputError(
            f"{in_one_line(str(folder))}: cannot be written ({error.strerror or error}); choose another with --out"
        ) from error
    return [*(folder / name for name in files), folder / LIST]


def _listed(told: Mapping[str, Any], digests: Mapping[str, list[str]]) -> bytes:
    content = {"format": FORMAT, **told, "files": digests}
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _ours(folder: Path) -> dict[str, list[str]]:
    """Return the digests that our files have, by name, as the list says; none in a folder without one."""
    path = folder / LIST
    try:
        found = read_json(path)
    except Missing:
        return {}
    except Unreadable as error:
        raise InputError(f"{error}; it is not a report's: choose another folder with --out") from error
    files = found.get("files") if isinstance(found, dict) and found.get("format") == FORMAT else None
    if not isinstance(files, dict) or not all(_is_one(name, digests) for name, digests in files.items()):
        raise InputError(f"{in_one_line(str(path))}: was not written by `ser report`; choose another folder with --out")
    return files


def _is_one(name: str, digests: Any) -> bool:
    """Whether a name leads to a file in the folder, or in one in it, and has digests."""
    parts = Path(name).parts
    inside = 0 < len(parts) <= 2 and not Path(name).is_absolute() and ".." not in parts
    return inside and isinstance(digests, list) and all(isinstance(one, str) for one in digests)


def _must_be_ours(folder: Path, files: Mapping[str, bytes], known: Mapping[str, list[str]]) -> None:
    for name, content in files.items():
        path = folder / name
        if not path.exists() and not path.is_symlink():
            continue
        try:
            there = _digest(read_bytes(path))
        except Unreadable as error:
            raise InputError(f"{error}; choose another folder with --out") from error
        if there not in (*known.get(name, ()), _digest(content)) or path.is_symlink():
            why = "was changed since it was written" if name in known else "is not a report's"
            raise InputError(f"{in_one_line(str(path))}: {why}; move it away, or choose another folder with --out")


def _digest(content: bytes) -> str:
    return identity.of_bytes([content])


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    half = path.with_name(f".{path.name}.half")
    half.write_bytes(content)
    half.replace(path)


def _remove(path: Path, digests: list[str]) -> None:
    """Remove a file of an earlier report, if it is as it was written."""
    if path.is_file() and not path.is_symlink() and _digest(read_bytes(path)) in digests:
        path.unlink()
