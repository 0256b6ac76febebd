"""How much of a recording is decoded: a few kilobytes can hold hours of silence, in a thousand channels."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ser_experiments.errors import AudioError


class TooLong(AudioError):
    """A recording has more than is decoded."""


@dataclass(frozen=True)
class Limits:
    """How much of a recording is decoded.

    Parameters
    ----------
    seconds : float
        Length.
    samples : int, optional
        Of all channels together: what decoding costs.
    said : str, optional
        What is said of a longer one, after its length.
    sample_rate : int, optional
        The highest in Hz: from higher ones it takes long to come down.
    """

    seconds: float
    samples: int | None = None
    said: str = ""
    sample_rate: int | None = None

    def check(self, n_frames: int, sample_rate: int, n_channels: int, name: str, *, ended: bool = True) -> None:
        """Refuse a recording that has more.

        Parameters
        ----------
        n_frames : int
            Samples a channel: as the header says, or as were decoded.
        sample_rate : int
            In Hz.
        n_channels : int
            How many there are.
        name : str
            What the message calls it.
        ended : bool
            Whether that is all of it.

        Raises
        ------
        TooLong
            It has more seconds or samples.
        AudioError
            It has a higher rate.
        """
        if sample_rate > (self.sample_rate or math.inf):
            raise AudioError(name, f"sampled at {sample_rate} Hz; at most {self.sample_rate} Hz are read")
        seconds = n_frames / sample_rate
        if seconds > self.seconds:
            said = self.said or f"at most {self.seconds:.0f} s are answered at once"
            raise TooLong(name, f"{seconds:.0f} s {'long' if ended else 'or longer'}; {said}")
        if self.samples is not None and n_frames * n_channels > self.samples:
            raise TooLong(
                name,
                f"{n_frames * n_channels / 1e6:.0f} million samples ({seconds:.0f} s, {n_channels} channels, "
                f"{sample_rate} Hz); at most {self.samples / 1e6:.0f} million are decoded",
            )


class Budget:
    """Limits of several recordings one after the other: of each, and of all together.

    Parameters
    ----------
    each : Limits
        Of one recording.
    together : Limits
        Of all.
    """

    def __init__(self, each: Limits, together: Limits) -> None:
        self._each, self._together = each, together
        self._seconds, self._samples = 0.0, 0
        self._now = 0.0, 0

    def next(self) -> None:
        """Begin with the next recording."""
        self._seconds, self._samples = self._seconds + self._now[0], self._samples + self._now[1]
        self._now = 0.0, 0

    def check(self, n_frames: int, sample_rate: int, n_channels: int, name: str, *, ended: bool = True) -> None:
        """Refuse a recording that has more, or more than the others have left; as :meth:`Limits.check`."""
        self._each.check(n_frames, sample_rate, n_channels, name, ended=ended)
        seconds, samples = n_frames / sample_rate, n_frames * n_channels
        most = self._together
        if self._seconds + seconds > most.seconds or self._samples + samples > (most.samples or math.inf):
            raise TooLong(
                name,
                f"{seconds:.0f} s more than the {self._seconds:.0f} s before it: the recordings of a request have "
                f"together at most {most.seconds:.0f} s; send it in another",
            )
        self._now = seconds, samples


Bounds = Limits | Budget
