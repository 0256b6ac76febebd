"""Speak through the eSpeak NG library that the PyPI package ``espeakng-loader`` ships.

The library is GPL-3 and an optional extra; it is loaded at run time, in processes that do nothing but build the demo
corpus (see ``docs/decisions/0002-espeak-extra.md``).
"""

from __future__ import annotations

import ctypes
import importlib.util
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_experiments.errors import InputError, SerError

INSTALL = "pip install 'ser_experiments[demo]'"

# Constants of espeak_ng/speak_lib.h.
_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_UTF8 = 1
_RATE, _VOLUME, _PITCH, _RANGE, _WORD_GAP = 1, 2, 3, 4, 7
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


@dataclass(frozen=True)
class Line:
    """What eSpeak NG is asked to say, and with which sliders.

    Parameters
    ----------
    voice : str
        Language and variant, e.g. ``"en-us+f3"``.
    words : tuple of str
        The words with their punctuation.
    pitches : tuple of int
        The pitch slider of each word, 0-99.
    rates : tuple of int
        The speed of each word in words a minute, 80-450.
    range : int
        The slider of the F0 range, 0-99.
    word_gap : int
        Pause between words in units of 10 ms.
    """

    voice: str
    words: tuple[str, ...]
    pitches: tuple[int, ...]
    rates: tuple[int, ...]
    range: int
    word_gap: int


def require() -> None:
    """Raise InputError with the cure when the voice is not installed."""
    if importlib.util.find_spec("espeakng_loader") is None:
        raise InputError(
            "corpus 'demo': its voice, the package espeakng-loader, is not installed; "
            f"run: {INSTALL} (or name another corpus)"
        )


class Voice:
    """One eSpeak NG synthesizer: at most one a process, because the library keeps its state in globals.

    The same text spoken twice gives two waveforms; a fresh process that speaks the same lines in the same order
    repeats them exactly. Not for use from several threads: the current folder changes while it speaks.

    Attributes
    ----------
    sample_rate : int
        In Hz; 22050 for all voices used here.
    """

    def __init__(self) -> None:
        require()
        import espeakng_loader

        # The library keeps its data path in 160 bytes: a relative one works wherever the environment lies.
        self._home = Path(espeakng_loader.get_data_path()).parent
        try:
            self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        except OSError as error:
            raise SerError(f"corpus 'demo': eSpeak NG cannot be loaded here: {error}") from error
        with chdir(self._home):
            self.sample_rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, b".", _DONT_EXIT))
        if self.sample_rate <= 0:
            raise SerError(f"corpus 'demo': eSpeak NG finds no data in {self._home}; reinstall: {INSTALL}")
        # Initialize seeds the breath of some voices with the clock.
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        self._pieces: list[bytes] = []
        self._callback = _CALLBACK(self._receive)  # kept: ctypes does not hold a reference
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, line: Line) -> NDArray[np.float32]:
        """Speak one line.

        Returns
        -------
        ndarray of shape (n_samples,), float32
            Full scale is 1.
        """
        # Embedded commands: \x01<number>P sets the pitch slider from here on, S the speed.
        text = " ".join(
            f"\x01{pitch}P\x01{rate}S{word}"
            for word, pitch, rate in zip(line.words, line.pitches, line.rates, strict=True)
        )
        self._pieces.clear()
        with chdir(self._home):
            self._set(line)
            data = text.encode() + b"\0"
            self._library.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, 1, 0, _UTF8, None, None)
            self._library.espeak_Synchronize()
        samples = np.frombuffer(b"".join(self._pieces), dtype=np.int16)
        return (samples / 32768).astype(np.float32)

    def _set(self, line: Line) -> None:
        """Set voice and sliders: all of them, because embedded commands outlast their line."""
        if self._library.espeak_SetVoiceByName(line.voice.encode()) != 0:
            raise SerError(f"corpus 'demo': eSpeak NG has no voice {line.voice!r}; reinstall: {INSTALL}")
        sliders = {
            _RATE: line.rates[0],
            _VOLUME: 100,
            _PITCH: line.pitches[0],
            _RANGE: line.range,
            _WORD_GAP: line.word_gap,
        }
        for slider, value in sliders.items():
            self._library.espeak_SetParameter(slider, value, 0)

    def _receive(self, samples: int | None, n_samples: int, _events: int | None) -> int:
        if samples and n_samples > 0:
            self._pieces.append(ctypes.string_at(samples, 2 * n_samples))
        return 0
