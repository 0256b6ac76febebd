"""Read files that somebody named: definitions, cards, tables, lists, manifests, models. One gate for all of them.

A name may lead to anything. What is no regular file is refused at once: a pipe would be waited for without end, and a
device such as ``/dev/zero`` never ends. So is what is larger than its kind ever is, and what is nested deeper than
anybody nests. Whatever is wrong with a file is an :class:`Unreadable` of one line.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import tomllib
from io import BufferedReader
from pathlib import Path
from typing import Any

from ser_experiments.errors import InputError
from ser_experiments.words import cut, in_one_line

MIB = 1 << 20
#: Bytes of what is read whole: what people write, such as a definition; what programs write, such as a card of a large
#: corpus, a list of recordings or predictions.
WRITTEN, MADE = MIB, 512 * MIB
#: So deep may tables and lists stand in each other. Definitions need five.
DEEPEST = 64
#: TOML's whole numbers have 64 bits; nothing that is counted needs more.
_LARGEST = 1 << 63
#: A key of so many parts is none. The parser takes time by the square of their number.
_PART = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+"""
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_-])(?:{_PART}){{{DEEPEST}}}")
_KINDS = (
    (stat.S_ISFIFO, "is a pipe, not a file"),
    (stat.S_ISSOCK, "is a socket, not a file"),
    (stat.S_ISCHR, "is a device, not a file"),
    (stat.S_ISBLK, "is a device, not a file"),
)
#: Opening never waits, whatever took the file's place a moment ago. Windows knows neither.
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


class Unreadable(InputError):
    """A file that cannot be used.

    Parameters
    ----------
    path : path
        As it was named.
    reason : str
        What is wrong with it, in one line, without the path.
    """

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(f"{in_one_line(str(path))}: {reason}")
        self.path, self.reason = path, reason

    def __reduce__(self) -> tuple[type[Unreadable], tuple[Any, str]]:
        return type(self), (self.path, self.reason)


class Missing(Unreadable):
    """A file that is not there."""


def open_regular(path: str | os.PathLike[str]) -> BufferedReader:
    """Open a regular file to read its bytes; a link to one is one.

    Raises
    ------
    OSError
        It is not there, cannot be read, or is something else: a folder, a pipe, a device, a socket.
    """
    _must_be_regular(os.stat(path), path)
    descriptor = os.open(path, _FLAGS | getattr(os, "O_CLOEXEC", 0))
    try:
        # Once more: of what was opened.
        _must_be_regular(os.fstat(descriptor), path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _must_be_regular(told: os.stat_result, path: str | os.PathLike[str]) -> None:
    if stat.S_ISREG(told.st_mode):
        return
    if stat.S_ISDIR(told.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder", os.fspath(path))
    kind = next((said for test, said in _KINDS if test(told.st_mode)), "is no file")
    raise OSError(errno.EINVAL, kind, os.fspath(path))


def path_of(named: str | os.PathLike[str]) -> Path:
    """Return the path that somebody named, ``~`` in it written out.

    Raises
    ------
    Missing
        No system takes a name of that length.
    """
    path = Path(os.path.expanduser(named))
    try:
        os.stat(path)
    except (OSError, ValueError) as error:
        if not isinstance(error, OSError) or error.errno == errno.ENAMETOOLONG:
            raise Missing(cut(str(named)), why(error)) from error
    return path


def read_bytes(path: str | os.PathLike[str], *, most: int = MADE) -> bytes:
    """Read a regular file whole.

    Parameters
    ----------
    path : path
        The file.
    most : int
        Bytes that a file of its kind may have.

    Raises
    ------
    Unreadable
        It is not there (:class:`Missing`), is no regular file, cannot be read, or is too large.
    """
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            # Some files of the system say that they are empty, and a file may grow.
            content = b"" if size > most else file.read(most + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Missing(path, "no such file") from error
    except (OSError, ValueError, MemoryError) as error:
        raise Unreadable(path, why(error)) from error
    if max(size, len(content)) > most:
        raise Unreadable(path, f"{max(size, len(content)) / MIB:.0f} MiB; such a file has at most {most / MIB:g} MiB")
    return content


def why(error: BaseException) -> str:
    """Return in one line why a file cannot be read, without its path."""
    if isinstance(error, MemoryError):
        return "too large for this machine's memory"
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return "no such file: its name is too long for this system"
    if isinstance(error, OSError) and (error.strerror or "").startswith("is "):
        return str(error.strerror)
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"cannot be read: {in_one_line(said)}"


def read_text(path: str | os.PathLike[str], *, most: int = MADE) -> str:
    """Read a text file in UTF-8 whole; see :func:`read_bytes`."""
    try:
        text = read_bytes(path, most=most).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(path, f"not UTF-8 text ({error.reason} at byte {error.start})") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_json(path: str | os.PathLike[str], *, most: int = MADE) -> Any:
    """Read a JSON file; see :func:`read_bytes`.

    Raises
    ------
    Unreadable
        As :func:`read_bytes`; or it is not JSON, nested more than :data:`DEEPEST` deep, or holds a number beyond 64
        bits.
    """
    return parse_json(read_text(path, most=most), path)


def parse_json(text: str | bytes, path: str | os.PathLike[str]) -> Any:
    """Return what a JSON text holds; `path` is what messages call it. As :func:`read_json`."""
    try:
        found = json.loads(text)
        check_plain(found)
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(path, f"cannot be read as JSON: {_of_syntax(error)}") from error
    return found


def read_toml(path: str | os.PathLike[str], *, most: int = WRITTEN) -> dict[str, Any]:
    """Read a TOML file; see :func:`read_json`."""
    return parse_toml(read_text(path, most=most), path)


def parse_toml(text: str, path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what a TOML text holds; `path` is what messages call it. As :func:`read_json`."""
    try:
        if any(line.count(".") >= DEEPEST and _LONG_KEY.search(line) for line in text.splitlines()):
            raise ValueError(f"a key of more than {DEEPEST} parts")
        found = tomllib.loads(text)
        check_plain(found)
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(path, f"not TOML: {_of_syntax(error)}") from error
    return found


def _of_syntax(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return f"nested more than {DEEPEST} deep"
    if isinstance(error, MemoryError):
        return "too large for this machine's memory"
    if "integer string conversion" in str(error):
        return "a number of thousands of digits"
    return in_one_line(str(error))


def check_plain(found: Any) -> None:
    """Refuse what was parsed where it is nested too deeply or holds a whole number beyond 64 bits.

    Raises
    ------
    RecursionError, ValueError
        Said without walking by recursion, which such a value would end.
    """
    level: list[Any] = [found]
    for _ in range(DEEPEST + 1):
        below: list[Any] = []
        for one in level:
            if isinstance(one, str):
                continue
            if isinstance(one, dict):
                below += one.values()
            elif isinstance(one, list):
                below += one
            elif isinstance(one, int) and not -_LARGEST <= one < 2 * _LARGEST:
                raise ValueError(f"a whole number of {one.bit_length()} bits; at most 64 are taken")
        if not below:
            return
        level = below
    raise RecursionError
