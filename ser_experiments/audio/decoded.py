"""Recordings in containers that libsndfile does not read, through PyAV where it is installed: ``ser_experiments[av]``.

Phones and browsers record nothing else (m4a, webm, 3gp). What FFmpeg's libraries decode is written to a temporary file,
which is then read like any other, so that hours of it need the memory of a moment.
"""

from __future__ import annotations

import importlib.util
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
import soundfile

from ser_experiments.audio.container import File, name_of
from ser_experiments.audio.limits import Bounds
from ser_experiments.files import open_regular

#: What recordings may be in, by FFmpeg's names. Of others some are no recordings and name files or addresses that hold
#: some (ffconcat, SDP, HLS): whoever hands one in would have them read here.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,aac,asf,asf_o,amr,amrnb,amrwb,rm,ape,wv,flv,mpc,mpc8,tta,tak,dts,dtshd,"
    "ac3,eac3,dsf,iff,shn,act,dss,mpeg,mpegts,ogg,wav,w64,caf,aiff,au,mp3,flac"
)

#: The channel of a surround layout in front of the listener, as FFmpeg calls it.
_CENTRE = "FC"


def is_installed() -> bool:
    """Whether there is PyAV."""
    return importlib.util.find_spec("av") is not None


@contextmanager
def decoded(source: File, limits: Bounds | None = None) -> Iterator[BinaryIO]:
    """Decode the first audio track of a recording and give a file that libsndfile reads.

    Parameters
    ----------
    source : path or bytes
        The recording.
    limits : Limits or Budget, optional
        How much of it is decoded.

    Raises
    ------
    ValueError
        It holds no audio, or cannot be decoded.
    TooLong
        It has more than the limits allow.
    """
    import av

    # Opened here, since a name need be no text in this system's encoding.
    with (
        tempfile.TemporaryFile() as file,
        io.BytesIO(source) if isinstance(source, bytes) else open_regular(source) as own,
    ):
        try:
            with av.open(own, container_options={"format_whitelist": _FORMATS}) as container:
                if not container.streams.audio:
                    raise ValueError("holds no audio")
                _write(container, file, name_of(source), limits)
        except (av.FFmpegError, EOFError, OSError) as error:
            raise ValueError(f"cannot be decoded: {getattr(error, 'strerror', None) or error}") from error
        file.seek(0)
        yield file


def _write(container: Any, file: Any, name: str, limits: Bounds | None) -> None:
    """Write the samples of the first audio track at its own rate, as float32.

    Of surround sound the front centre is written alone: films have their voices there, and music and noise elsewhere.
    """
    import av

    track = container.streams.audio[0]
    resampler = av.AudioResampler(format="flt", layout=track.layout, rate=track.rate)
    n_channels = track.layout.nb_channels
    names = [channel.name for channel in track.layout.channels]
    taken = [names.index(_CENTRE)] if n_channels > 2 and _CENTRE in names else list(range(n_channels))
    with soundfile.SoundFile(file, "w", track.rate, len(taken), format="W64", subtype="FLOAT") as written:
        for frame in _frames(container, track):
            for piece in resampler.resample(frame):
                written.write(np.ascontiguousarray(piece.to_ndarray().reshape(-1, n_channels)[:, taken]))
            if limits is not None:
                limits.check(written.frames, track.rate, n_channels, name, ended=False)


def _frames(container: Any, track: Any) -> Iterator[Any]:
    """Yield the frames of a track, then None, at which a resampler gives what it still holds."""
    yield from container.decode(track)
    yield None
