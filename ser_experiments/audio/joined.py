"""Files that hold recordings one after the other, of which libsndfile reads the first alone and says nothing.

Ogg: RFC 3533. MP3: the header that Xing's encoder, and LAME after it, put into the first frame.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

#: How every page of Ogg begins, how long its fixed part is, and the flag of a stream's first page.
_PAGE, _FIXED, _FIRST = b"OggS", 27, 2
#: No page is longer.
_LONGEST = 65_307
#: What an MP3 says of itself stands behind the side information of its first frame: by version and channels.
_SAID, _PLACES = re.compile(b"Xing|Info"), (13, 21, 36)
#: A stream of MP3 that is longer than it says by this share holds another one.
_MORE = 1.25
#: Bytes that headers count or do not, and that tags behind the sound take.
_SLACK = 4096


def is_joined(file: BinaryIO, head: bytes) -> bool:
    """Tell whether a file holds more than the one recording that is read of it; nothing is read of other formats.

    Parameters
    ----------
    file : binary file
        At any place.
    head : bytes
        Its first bytes, four or more.
    """
    if head[:4] == _PAGE:
        return _is_chained(file)
    return (head[:3] == b"ID3" or head[:1] == b"\xff") and _is_longer_than_said(file)


def _is_chained(file: BinaryIO) -> bool:
    """Tell whether an Ogg file ends with another stream than those it begins with."""
    file.seek(0)
    head = file.read(_LONGEST)
    first, place = set(), 0
    while (length := _page_length(head, place)) and head[place + 5] & _FIRST:
        first.add(head[place + 14 : place + 18])
        place += length
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _LONGEST))
    last = next(_pages_from_behind(file.read()), None)
    return bool(first) and last is not None and last not in first


def _pages_from_behind(data: bytes) -> Iterator[bytes]:
    """Yield the number of the stream that each whole page is of, the last page first."""
    place = data.rfind(_PAGE)
    while place >= 0:
        if 0 < _page_length(data, place) <= len(data) - place:
            yield data[place + 14 : place + 18]
        place = data.rfind(_PAGE, 0, place)


def _page_length(data: bytes, place: int) -> int:
    """Return the bytes of the page of Ogg that begins in a place; 0 where none does."""
    if data[place : place + 5] != _PAGE + b"\0" or len(data) < place + _FIXED:
        return 0
    n_parts = data[place + 26]
    return _FIXED + n_parts + sum(data[place + _FIXED : place + _FIXED + n_parts])


def _is_longer_than_said(file: BinaryIO) -> bool:
    """Tell whether an MP3 goes on after the bytes that its first frame says it has."""
    begin = 0
    file.seek(0)
    head = file.read(256)
    if head[:3] == b"ID3" and len(head) >= 10:
        # The tag's length is in four groups of seven bits.
        begin = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        file.seek(begin)
        head = file.read(256)
    frame = next(_frames_that_say(head), None)
    if frame is None or frame[0] or len(head) < frame[1] + 16:
        return False
    flags, n_frames, n_bytes = struct.unpack_from(">III", head, frame[1] + 4)
    if flags & 3 != 3 or not n_frames or not n_bytes:
        return False
    file.seek(begin + max(n_bytes - _SLACK, frame[1] + 4))
    again = next(_frames_that_say(file.read(_LONGEST)), None)
    size = file.seek(0, os.SEEK_END)
    return again is not None or size - begin > _MORE * n_bytes + _SLACK


def _frames_that_say(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where frames of MP3 begin that say how much there is, and where they say it."""
    for found in _SAID.finditer(data):
        for start in (found.start() - place for place in _PLACES):
            # The sync word, and layer 3.
            if start >= 0 and data[start] == 0xFF and data[start + 1] & 0xE6 == 0xE2:
                yield start, found.start()
