"""Open recordings, whatever they are in; what is wrong with one is an AudioError that names it."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from ser_experiments.audio.container import (
    HEAD,
    HEADLESS,
    File,
    container_of,
    ending_of,
    head_of,
    is_readable,
    name_of,
    why_not,
)
from ser_experiments.audio.decoded import decoded, is_installed
from ser_experiments.audio.joined import is_joined
from ser_experiments.audio.limits import Bounds
from ser_experiments.audio.unfinished import Patched, unfinished
from ser_experiments.errors import AudioError, SerError
from ser_experiments.files import open_regular

#: Samples, of all channels together, that are read at once where many are to come.
BLOCK = 1 << 19
#: What libsndfile says where the header does not say how many frames there are.
_UNKNOWN = 1 << 62


class Forward(soundfile.SoundFile):
    """A recording that is read from its beginning to its end: soundfile then asks the decoder for no other place.

    Not every format can go elsewhere, and none whose length is not known can go to its end.
    """

    def seekable(self) -> bool:
        """Return False, whatever the format can."""
        return False

    @property
    def n_frames(self) -> int | None:
        """The number of frames; None where the header does not say it."""
        return None if self.frames >= _UNKNOWN else int(self.frames)

    def skip(self, frames: int) -> None:
        """Go on by so many frames from the beginning: at once where the format can, else by reading."""
        if frames and self.n_frames is not None and super().seekable():
            self.seek(frames)
            return
        for _ in self.blocks_of(BLOCK, frames):
            pass

    def blocks_of(self, n_samples: int, frames: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Yield so many frames, by default all that are left, in blocks of shape (n_frames, n_channels).

        Parameters
        ----------
        n_samples : int
            Of all channels together in a block, as nearly as that goes; the last may be shorter.
        frames : int, optional
            How many frames are wanted.
        """
        most = max(1, n_samples // self.channels)
        left = math.inf if frames is None else frames
        while left > 0 and len(block := self.read(int(min(left, most)), dtype="float32", always_2d=True)):
            left -= len(block)
            yield block


@contextmanager
def opened(source: File, limits: Bounds | None = None) -> Iterator[Forward]:
    """Open a recording; whatever goes wrong with it while it is open is an AudioError that names it.

    Parameters
    ----------
    source : path or bytes
        The recording.
    limits : Limits or Budget, optional
        How much of it is decoded in order to open it, as one must be that libsndfile does not read.

    Raises
    ------
    AudioError
        The recording is missing, empty or unreadable.
    """
    name = name_of(source)
    try:
        if not isinstance(source, bytes):
            _check_file(Path(source), name)
        with ExitStack() as held:
            yield _file(source, held, limits)
    except SerError:
        raise
    except Exception as error:  # whatever a decoder raises: the others of a batch go on
        said = getattr(error, "error_string", None) or getattr(error, "strerror", None) or error
        cure = "" if is_installed() and ending_of(source) not in HEADLESS else why_not(source, str(said))
        reason = cure or " ".join(str(said).split()).rstrip(".") or type(error).__name__
        raise AudioError(name, f"unreadable audio ({reason})") from error


def _file(source: File, held: ExitStack, limits: Bounds | None) -> Forward:
    """Open a recording by libsndfile; a codec that it does not know, in a container that it does, through PyAV."""
    try:
        return held.enter_context(Forward(held.enter_context(_handle(source, limits))))
    except soundfile.LibsndfileError:
        if not (is_readable(head_of(source)) and is_installed()):
            raise
        try:
            return held.enter_context(Forward(held.enter_context(decoded(source, limits))))
        except ValueError:
            pass
        raise


@contextmanager
def _handle(source: File, limits: Bounds | None) -> Iterator[str | bytes | BinaryIO]:
    """Give what libsndfile is to read: a path, which is fastest, or a file that reads as it should have been."""
    with io.BytesIO(source) if isinstance(source, bytes) else open_regular(source) as file:
        head = file.read(HEAD)
        if _is_for_av(source, head):
            with decoded(source, limits) as samples:
                yield samples
            return
        if is_joined(file, head):
            raise AudioError(
                name_of(source),
                "holds several recordings one after the other, of which only the first would be read; "
                "cut them apart, or make one WAV of them",
            )
        file.seek(0)
        patch = unfinished(file)
        file.seek(0)
        if patch is not None:
            yield Patched(file, *patch)  # type: ignore[misc]
        elif isinstance(source, bytes):
            yield file
        elif ending_of(source) == ".raw":
            # By its name soundfile would take it for headless, whatever it begins with.
            yield Patched(file)  # type: ignore[misc]
        else:
            # A name that is no text in this system's encoding is one all the same.
            yield str(source) if os.name == "nt" else os.fsencode(source)


def _is_for_av(source: File, head: bytes | None = None) -> bool:
    return container_of(source, head) is not None and is_installed()


def _check_file(path: Path, name: str) -> None:
    if os.path.isdir(path):
        raise AudioError(name, "is a folder" if os.access(path, os.R_OK | os.X_OK) else "no permission to look into it")
    if not os.path.isfile(path):
        raise AudioError(name, "is a pipe or a device, not a file" if os.path.exists(path) else "no such file")
    if path.stat().st_size == 0:
        raise AudioError(name, "empty file (0 bytes)")
    if not os.access(path, os.R_OK):
        # libsndfile would speak of a system error.
        raise AudioError(name, "no permission to read it")
