"""Tables on object storage: a URL that fsspec knows stands wherever the path of a table may."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import fsspec

from ser_experiments.errors import InputError
from ser_experiments.secret import hidden, know, without_query

#: What begins a URL ends in this; a path never holds it.
_SCHEME = "://"


def is_url(where: str | Path) -> bool:
    """Say whether a table lies elsewhere than on a mounted disk."""
    return isinstance(where, str) and _SCHEME in where


def file_name(where: str | Path) -> str:
    """Return the last part of a path or URL; what follows the path of a URL, such as a token, is none of it."""
    return PurePosixPath(without_query(str(where))).name


@contextmanager
def fetched(where: str | Path) -> Iterator[Path]:
    """Hand out a local file with what lies there, as long as the block lasts.

    Parameters
    ----------
    where : str or Path
        A path, which is handed out as it is, or a URL, e.g. ``"s3://bucket/lld.parquet"``.

    Raises
    ------
    InputError
        The URL cannot be read: nothing is there, access was refused, or the package for its kind is not installed.
    """
    if not is_url(where):
        yield Path(where)
        return
    know(where)
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder) / file_name(where)
        try:
            files, place = fsspec.core.url_to_fs(str(where))
            files.get_file(place, str(local))
        except Exception as error:  # each kind of storage has errors of its own
            raise _not_there(where, "read", error) from error
        yield local


@contextmanager
def handed_over(where: str | Path) -> Iterator[Path]:
    """Hand out a local file to write, and put it where it belongs when the block ends well: all of it or nothing.

    Raises
    ------
    InputError
        The place cannot be written.
    """
    if is_url(where):
        know(where)
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / file_name(where)
            try:
                yield local
                files, place = fsspec.core.url_to_fs(str(where))
                files.put_file(str(local), place)
            except Exception as error:  # as above
                raise _not_there(where, "written", error) from error
        return
    path = Path(where)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.touch()
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise _not_there(where, "written", error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _not_there(where: str | Path, done: str, error: Exception) -> InputError:
    if isinstance(error, FileNotFoundError):
        reason = "nothing is there" if done == "read" else "no such folder"
    else:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
    # Nor may what raised it be told, with the address in it.
    return InputError(hidden(f"table {where}: cannot be {done}: {reason}"))
