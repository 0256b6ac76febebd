"""Which audio an utterance is: a hash of the file's content and of the segment.

Hashes are remembered by what the file system says of a file, so that unchanged files are not read again.
"""

from __future__ import annotations

import hashlib
import math
import os
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from ser_experiments.errors import StoreError
from ser_experiments.features.progress import Meter
from ser_experiments.features.store import KEY, KEY_BYTES, Part, Parts, Sync, tables_folder

SCHEMA = pa.schema([KEY, pa.field("content", KEY.type, nullable=False)])
#: A file that changed less than so many seconds ago may change again within the tick of the file system's clock:
#: its hash is used but not remembered.
_SETTLED_S = 2.0
_FLUSH_S = 1.0


class Identified(NamedTuple):
    """What audio the utterances are.

    Attributes
    ----------
    keys : list of bytes or None
        One an utterance; None where the file cannot be read.
    problems : dict of int to str
        Why, by the place of the utterance.
    segments : list of (float, float)
        Start and end in seconds; NaN for the start and the end of the file.
    """

    keys: list[bytes | None]
    problems: dict[int, str]
    segments: list[tuple[float, float]]


class _File(NamedTuple):
    path: str
    key: bytes
    settled: bool


def identify(utterances: pd.DataFrame, cache: Path, *, jobs: int, meter: Meter) -> Identified:
    """Find the key of every utterance, reading only files that are new or changed.

    Parameters
    ----------
    utterances : DataFrame
        With ``path`` and perhaps ``start_s`` and ``end_s``.
    cache : Path
        The cache folder; where it cannot be written, hashes are not remembered.
    jobs : int
        Files read at a time.
    meter : Meter
        Told of every file that is read.
    """
    paths = [str(path) for path in utterances["path"]]
    files, reasons = _stat_all(dict.fromkeys(paths))
    contents = _remembered(cache, files)
    unknown = [file for file in files.values() if file.path not in contents]
    for path, found in _hash_all(unknown, cache, jobs, meter):
        if isinstance(found, bytes):
            contents[path] = found
        else:
            reasons[path] = found
    segments = list(zip(_seconds(utterances, "start_s"), _seconds(utterances, "end_s"), strict=True))
    keys = [
        utterance_key(contents[path], *segment) if path in contents else None
        for path, segment in zip(paths, segments, strict=True)
    ]
    return Identified(keys, {i: reasons[path] for i, path in enumerate(paths) if path in reasons}, segments)


def utterance_key(content: bytes, start_s: float, end_s: float) -> bytes:
    """Return the key of a segment of a file of known content; NaN stands for the file's start and end."""
    start = 0.0 if math.isnan(start_s) else start_s
    end = math.inf if math.isnan(end_s) else end_s
    return _hash(content + struct.pack("<dd", start, end))


def _seconds(utterances: pd.DataFrame, column: str) -> Iterable[float]:
    if column not in utterances:
        return [math.nan] * len(utterances)
    return utterances[column].to_numpy(dtype=float).tolist()


def _stat_all(paths: Iterable[str]) -> tuple[dict[str, _File], dict[str, str]]:
    files, reasons = {}, {}
    now = time.time_ns()
    for path in paths:
        try:
            facts = os.stat(path)
        except (OSError, ValueError) as error:
            reasons[path] = _reason(error)
            continue
        # The change time also moves where a tool writes into a file and puts its modification time back.
        changed = facts.st_ctime_ns if os.name == "posix" else facts.st_mtime_ns
        numbers = struct.pack("<qqqQ", facts.st_size, facts.st_mtime_ns, changed, facts.st_ino)
        key = _hash(os.fsencode(os.path.abspath(path)) + b"\0" + numbers)
        files[path] = _File(path, key, now - changed > _SETTLED_S * 1e9)
    return files, reasons


def _remembered(cache: Path, files: dict[str, _File]) -> dict[str, bytes]:
    wanted = {file.key: file.path for file in files.values()}
    contents: dict[str, bytes] = {}

    def read(part: Part) -> bool:
        table = part.file.read()
        for key, content in zip(table["key"].to_pylist(), table["content"].to_pylist(), strict=True):
            path = wanted.pop(key, None)
            if path is not None:
                contents[path] = content
        return bool(wanted)

    contents_table(cache).visit(read)
    return contents


def contents_table(cache: Path) -> Parts:
    """Return the table of remembered hashes."""
    return Parts(tables_folder(cache) / "_contents" / "1", SCHEMA)


def _hash_all(files: Sequence[_File], cache: Path, jobs: int, meter: Meter) -> Iterator[tuple[str, bytes | str]]:
    """Yield the path of each file and the hash of its content, or the reason why it cannot be read."""
    if not files:
        return
    meter.start("reading", len(files))
    fresh: dict[bytes, bytes] = {}
    flushed = time.monotonic()
    with ThreadPoolExecutor(max(jobs, 1)) as pool:
        rest = iter(files)
        while batch := list(islice(rest, 64 * max(jobs, 1))):
            for file, found in zip(batch, pool.map(_hash_file, batch), strict=True):
                if isinstance(found, bytes) and file.settled:
                    fresh[file.key] = found
                meter.step()
                yield file.path, found
            if time.monotonic() - flushed > _FLUSH_S:
                _remember(cache, fresh)
                flushed = time.monotonic()
    _remember(cache, fresh)


def _remember(cache: Path, fresh: dict[bytes, bytes]) -> None:
    if not fresh:
        return
    columns = [pa.array(cells, KEY.type) for cells in (list(fresh), list(fresh.values()))]
    try:
        contents_table(cache).append(pa.table(columns, schema=SCHEMA), sync=Sync.NOTHING)
    except StoreError:
        # A store that cannot be written still serves; what must be written later says so then.
        return
    fresh.clear()


def _hash_file(file: _File) -> bytes | str:
    try:
        with open(file.path, "rb") as opened:
            return hashlib.file_digest(opened, lambda: hashlib.blake2b(digest_size=KEY_BYTES)).digest()
    except OSError as error:
        return _reason(error)


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "is a folder"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    return f"cannot be read ({getattr(error, 'strerror', None) or error})"


def _hash(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=KEY_BYTES).digest()
