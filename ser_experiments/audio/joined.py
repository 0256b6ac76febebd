"""Files that hold recordings one after the other, of which libsndfile reads the first alone and says nothing."""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

#: Of Ogg: how every page begins, how long its fixed part is, and the flag of a stream's first page (RFC 3533).
_PAGE, _FIXED, _FIRST = b"OggS", 27, 2
#: No page is longer.
_LONGEST = 65_307
_TAGS = (b"ID3",)
#: A stream of MP3 that is longer than its header says by this share holds another one.
_MORE = 1.25
#: Bytes that headers count or do not, and that tags behind the sound take.
_SLACK = 4096
_SYNC = 0xFF


def is_joined(file: BinaryIO) -> bool:
    """Tell whether a file, open at any place, holds more than the one recording that is read of it."""
    file.seek(0)
    head = file.read(_LONGEST)
    size = file.seek(0, os.SEEK_END)
    if head[:4] == _PAGE:
        return _is_chained(file, head, size)
    return _is_longer_than_said(file, head, size)


def _is_chained(file: BinaryIO, head: bytes, size: int) -> bool:
    """Tell whether an Ogg file ends with another stream than it begins with."""
    first, place = set(), 0
    while head[place : place + 4] == _PAGE and len(head) >= place + _FIXED and head[place + 5] & _FIRST:
        first.add(head[place + 14 : place + 18])
        n_parts = head[place + 26]
        place += _FIXED + n_parts + sum(head[place + _FIXED : place + _FIXED + n_parts])
    file.seek(max(0, size - _LONGEST))
    end = file.read()
    last = end.rfind(_PAGE)
    return bool(first) and last >= 0 and end[last + 14 : last + 18] not in {*first, b""}


def _is_longer_than_said(file: BinaryIO, head: bytes, size: int) -> bool:
    """Tell whether an MP3 goes on after the bytes that its first frame says it has (the header of Xing and LAME)."""
    begin = 0
    if head[:3] in _TAGS and len(head) >= 10:
        # Its length is in four groups of seven bits.
        begin = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        file.seek(begin)
        head = file.read(256)
    place = _said_at(head, 0)
    if place is None or len(head) < place + 16:
        return False
    flags, n_frames, n_bytes = struct.unpack_from(">III", head, place + 4)
    if flags & 3 != 3 or not n_frames or not n_bytes:
        return False
    file.seek(begin + max(n_bytes - _SLACK, place + 4))
    rest = file.read(_LONGEST)
    again = any(_said_at(rest, start) is not None for start in range(len(rest)) if rest[start] == _SYNC)
    return again or size - begin > _MORE * n_bytes + _SLACK


def _said_at(data: bytes, start: int) -> int | None:
    """Return where the frame of MP3 that starts in a place says how much there is; None where none starts that does."""
    if len(data) < start + 4 or data[start] != _SYNC or data[start + 1] & 0xE6 != 0xE2:  # layer 3
        return None
    # Behind the side information: by version and number of channels.
    return next((start + k for k in (13, 21, 36) if data[start + k : start + k + 4] in (b"Xing", b"Info")), None)
