"""A pretrained encoder by what is in it: the folder that it lies in may be another tomorrow, and on another machine."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from ser_experiments.errors import InputError
from ser_experiments.features.encoders import hub
from ser_experiments.features.encoders.checkpoint import Checkpoint, seen

#: Digits of a digest that a message shows.
_SHOWN = 12


@dataclass(frozen=True)
class EncoderRef:
    """A reference to an encoder's weights; of its two parts the digest alone says what it is.

    Parameters
    ----------
    digest : str
        Of the checkpoint, see :attr:`~ser_experiments.features.encoders.checkpoint.Checkpoint.digest`.
    model : str
        Where it lay: a folder, or an id of the hub with its commit.
    """

    digest: str
    model: str

    @classmethod
    def to(cls, model: str) -> EncoderRef:
        """Return the reference to what a folder or an id of the hub is now; an InputError where that is not here."""
        pinned, folder = hub.found(model)
        return cls(Checkpoint(str(folder)).digest, pinned)

    @property
    def identity(self) -> str:
        """Return the digest: weights count by what is in them."""
        return self.digest

    def found(self) -> Checkpoint:
        """Return the checkpoint, from where it lay or from where this process has met the same weights since.

        Raises
        ------
        InputError
            It is not on this machine, or what lies there is another.
        """
        told = None
        with suppress(InputError):
            told = Checkpoint(str(hub.found(self.model)[1]))
            if told.digest == self.digest:
                return told
        for path in seen(self.digest):
            with suppress(InputError, OSError):
                if Checkpoint(path).digest == self.digest:
                    return Checkpoint(path)
        where = "is not there" if told is None else "is another encoder now"
        raise InputError(
            f"encoder {self.model}: {where}; the model was trained on top of weights {self.digest[:_SHOWN]}, bring them"
        )
