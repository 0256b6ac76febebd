"""Which audio an utterance is: its key is a digest of the file's content, its fingerprint, and of the segment.

Fingerprints are remembered by what the file system says of a file, so that unchanged files are not read again.
"""

from __future__ import annotations

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

from ser_experiments import identity
from ser_experiments.errors import StoreError
from ser_experiments.features.progress import Meter
from ser_experiments.features.store.files import Sync, table_folder
from ser_experiments.features.store.parts import KEY, KEY_BYTES, Part, PartitionedTable

SCHEMA = pa.schema([KEY, pa.field("content", KEY.type, nullable=False)])
#: A file that changed less than so many seconds ago may change again within the tick of the file system's clock:
#: its fingerprint is used but not remembered.
_SETTLED_S = 2.0
_FLUSH_S = 1.0


class Recordings(NamedTuple):
    """What audio the utterances are.

    Attributes
    ----------
    keys : list of bytes or None
        One an utterance; None where the file cannot be read.
    problems : dict of int to str
        Why, by the place of the utterance.
    segments : list of (float, float)
        Start and end in seconds; NaN for the start and the end of the file.
    contents : list of bytes or None
        The fingerprint of each utterance's file.
    """

    keys: list[bytes | None]
    problems: dict[int, str]
    segments: list[tuple[float, float]]
    contents: list[bytes | None]


class _File(NamedTuple):
    path: str
    key: bytes
    settled: bool


def identify(utterances: pd.DataFrame, cache: Path, *, jobs: int, meter: Meter) -> Recordings:
    """Find the key of every utterance, reading only files that are new or changed.

    Parameters
    ----------
    utterances : DataFrame
        With ``path`` and perhaps ``start_s`` and ``end_s``.
    cache : Path
        The cache folder; where it cannot be written, fingerprints are not remembered.
    jobs : int
        Files read at a time.
    meter : Meter
        Told of every file that is read.
    """
    paths = [str(path) for path in utterances["path"]]
    files, reasons = _stat_all(dict.fromkeys(paths))
    fingerprints = _remembered(cache, files)
    unknown = [file for file in files.values() if file.path not in fingerprints]
    for path, got in _read_all(unknown, cache, jobs, meter):
        if isinstance(got, bytes):
            fingerprints[path] = got
        else:
            reasons[path] = got
    segments = list(zip(_seconds(utterances, "start_s"), _seconds(utterances, "end_s"), strict=True))
    keys = [
        utterance_key(fingerprints[path], *segment) if path in fingerprints else None
        for path, segment in zip(paths, segments, strict=True)
    ]
    problems = {i: reasons[path] for i, path in enumerate(paths) if path in reasons}
    return Recordings(keys, problems, segments, [fingerprints.get(path) for path in paths])


def utterance_key(fingerprint: bytes, start_s: float, end_s: float) -> bytes:
    """Return the key of a segment of a file; NaN stands for the file's start and end."""
    start = 0.0 if math.isnan(start_s) else start_s
    end = math.inf if math.isnan(end_s) else end_s
    return _digest(fingerprint, struct.pack("<dd", start, end))


def _seconds(utterances: pd.DataFrame, column: str) -> Iterable[float]:
    if column not in utterances:
        return [math.nan] * len(utterances)
    return utterances[column].to_numpy(dtype=float).tolist()


def _stat_all(paths: Iterable[str]) -> tuple[dict[str, _File], dict[str, str]]:
    files, reasons = {}, {}
    now = time.time_ns()
    for path in paths:
        try:
            told = os.stat(path)
        except (OSError, ValueError) as error:
            reasons[path] = _reason(error)
            continue
        # The change time also moves where a tool writes into a file and puts its modification time back.
        changed = told.st_ctime_ns if os.name == "posix" else told.st_mtime_ns
        numbers = struct.pack("<qqqQ", told.st_size, told.st_mtime_ns, changed, told.st_ino)
        key = _digest(os.fsencode(os.path.abspath(path)), b"\0", numbers)
        files[path] = _File(path, key, now - changed > _SETTLED_S * 1e9)
    return files, reasons


def _remembered(cache: Path, files: dict[str, _File]) -> dict[str, bytes]:
    wanted = {file.key: file.path for file in files.values()}
    fingerprints: dict[str, bytes] = {}

    def read(part: Part) -> bool:
        table = part.file.read()
        for key, content in zip(table["key"].to_pylist(), table["content"].to_pylist(), strict=True):
            path = wanted.pop(key, None)
            if path is not None:
                fingerprints[path] = content
        return bool(wanted)

    fingerprints_table(cache).visit(read)
    return fingerprints


def fingerprints_table(cache: Path) -> PartitionedTable:
    """Return the table of remembered fingerprints."""
    return PartitionedTable(table_folder(cache, "_contents", "1"), SCHEMA)


def _read_all(files: Sequence[_File], cache: Path, jobs: int, meter: Meter) -> Iterator[tuple[str, bytes | str]]:
    """Yield the path of each file and its fingerprint, or the reason why it cannot be read."""
    if not files:
        return
    meter.start("reading", len(files))
    fresh: dict[bytes, bytes] = {}
    flushed = time.monotonic()
    with ThreadPoolExecutor(max(jobs, 1)) as pool:
        rest = iter(files)
        while batch := list(islice(rest, 64 * max(jobs, 1))):
            for file, got in zip(batch, pool.map(_fingerprint, batch), strict=True):
                if isinstance(got, bytes) and file.settled:
                    fresh[file.key] = got
                meter.step()
                yield file.path, got
            if time.monotonic() - flushed > _FLUSH_S:
                _remember(cache, fresh)
                flushed = time.monotonic()
    _remember(cache, fresh)


def _remember(cache: Path, fresh: dict[bytes, bytes]) -> None:
    if not fresh:
        return
    columns = [pa.array(cells, KEY.type) for cells in (list(fresh), list(fresh.values()))]
    try:
        fingerprints_table(cache).append(pa.table(columns, schema=SCHEMA), sync=Sync.NOTHING)
    except StoreError:
        # A store that cannot be written still serves; what must be written later says so then.
        return
    fresh.clear()


def _fingerprint(file: _File) -> bytes | str:
    try:
        return bytes.fromhex(identity.of_file(file.path, size=KEY_BYTES))
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


def _digest(*blocks: bytes) -> bytes:
    return bytes.fromhex(identity.of_bytes(blocks, size=KEY_BYTES))
