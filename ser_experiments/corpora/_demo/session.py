"""Speak the dialogs of one session and write them down as the release lays them out.

A session is the unit of work: it begins in a fresh process and always speaks the same lines in the same order, so its
bytes do not depend on how many sessions are built at once.
"""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ser_experiments.corpora._demo import prosody, release, sound, speakers
from ser_experiments.corpora._demo.espeak import Line, Voice
from ser_experiments.corpora._demo.plan import Dialog, Turn, plan

#: Silence around a turn in its own file, as segmenters leave it.
_MARGIN_S = 0.12
#: Speed that the sliders reach.
_SLOWEST, _FASTEST = 80, 450
#: F0 never falls below, in Hz; the voices creak there.
_LOWEST_F0_HZ = 60.0


@dataclass(frozen=True)
class Spoken:
    """A turn in the dialog's recording: samples ``start`` to ``end``."""

    turn: Turn
    start: int
    end: int

    @property
    def start_s(self) -> float:
        """Begin in seconds."""
        return self.start / sound.SAMPLE_RATE

    @property
    def end_s(self) -> float:
        """End in seconds."""
        return self.end / sound.SAMPLE_RATE


def write_session(root: Path, seed: int, session: int) -> Iterator[int]:
    """Speak and write one session.

    Parameters
    ----------
    root : Path
        The release's folder.
    seed : int
        Of the corpus.
    session : int
        1-5.

    Yields
    ------
    int
        The number of utterances written by one more dialog.
    """
    voice = Voice()
    folder = root / f"Session{session}"
    dialogs = [dialog for dialog in plan(seed) if dialog.session == session]
    seating = np.random.default_rng([seed, session, 5])
    seats = {gender: sound.room_response(dialogs[0].room, seating) for gender in ("F", "M")}
    for number, dialog in enumerate(dialogs):
        rng = np.random.default_rng([seed, session, 4, number])
        recording, spoken = record(dialog, voice, seats, rng)
        _write_wav(folder / "dialog" / "wav" / f"{dialog.name}.wav", recording)
        for part in spoken:
            path = folder / "sentences" / "wav" / dialog.name / f"{part.turn.name}.wav"
            _write_wav(path, recording[part.start : part.end])
        times = [(part.start_s, part.end_s) for part in spoken]
        release.write_dialog(folder, dialog, times, rng)
        yield len(spoken)


def record(
    dialog: Dialog, voice: Voice, seats: dict[str, sound.Audio], rng: np.random.Generator
) -> tuple[sound.Audio, list[Spoken]]:
    """Let two speakers talk in their room.

    Parameters
    ----------
    dialog : Dialog
        Who says what.
    voice : Voice
        What speaks for both.
    seats : dict of str to ndarray
        The impulse response from the woman's (``"F"``) and the man's (``"M"``) seat to the microphone.
    rng : Generator
        Source of everything irregular.

    Returns
    -------
    recording : ndarray of shape (n_samples,), float32
        The whole dialog.
    spoken : list of Spoken
        Where each turn lies in it; a turn may hold the end of the one before.
    """
    margin = int(_MARGIN_S * sound.SAMPLE_RATE)
    voices: list[tuple[int, sound.Audio]] = []
    spoken: list[Spoken] = []
    cursor = sound.SAMPLE_RATE
    for turn in dialog.turns:
        dry = speak(turn, voice, rng)
        start = max(margin, cursor + int(turn.gap_s * sound.SAMPLE_RATE))
        cursor = start + len(dry)
        voices.append((start, sound.convolve(dry, seats[turn.speaker.gender])))
        spoken.append(Spoken(turn, start - margin, cursor + margin))
    recording = sound.room_noise(dialog.room, cursor + sound.SAMPLE_RATE, rng)
    for start, wet in voices:
        heard = wet[: len(recording) - start]
        recording[start : start + len(heard)] += heard
    return recording, spoken


def speak(turn: Turn, voice: Voice, rng: np.random.Generator) -> sound.Audio:
    """Speak one turn close to the mouth, at the level it has in the dialog.

    Returns
    -------
    ndarray of shape (n_samples,), float32
        At 16 kHz.
    """
    cues = dict(zip(prosody.CUES, turn.cues.tolist(), strict=True))
    speaker = turn.speaker
    factor = speaker.tract * 2 ** cues["tract_log2"]
    f0_hz = max(_LOWEST_F0_HZ, speaker.f0_hz * 2 ** (cues["level_st"] / 12)) / factor
    audio = sound.trim(voice.say(line_of(turn, cues, f0_hz, factor)))
    limit_hz = 0.47 * sound.SAMPLE_RATE / factor
    audio = sound.colour(audio, voice.sample_rate, speaker.tilt_db + cues["tilt_db"], low_pass_hz=limit_hz)
    audio = sound.breathe(audio, voice.sample_rate, speaker.breath_db + cues["breath_db"], rng)
    audio = sound.resample_unsteadily(
        audio,
        voice.sample_rate,
        factor=factor,
        f0_hz=f0_hz,
        jitter_pct=max(0.1, speaker.jitter_pct + cues["jitter_pct"]),
        shimmer_db=max(0.1, speaker.shimmer_db + 0.6 * cues["jitter_pct"]),
        rng=rng,
    )
    return sound.at_level(audio, sound.SPEECH_DB + speaker.loud_db + cues["loud_db"] + turn.gain_db)


def line_of(turn: Turn, cues: dict[str, float], f0_hz: float, factor: float) -> Line:
    """Translate the cues of a turn to sliders.

    Parameters
    ----------
    turn : Turn
        Who says what.
    cues : dict of str to float
        How, by name.
    f0_hz : float
        Median F0 before formants are scaled.
    factor : float
        How much faster the line will be read out.
    """
    speaker = turn.speaker
    words = tuple(turn.text.split())
    _, range_ = speakers.sliders(speaker, f0_hz, speaker.f0_sd_st * 2 ** cues["range_log2"])
    place = np.linspace(-0.5, 0.5, len(words))
    contour = f0_hz * 2 ** (cues["slope_st"] * place / 12)
    rates = np.full(len(words), speaker.words_per_minute * 2 ** cues["rate_log2"] / factor)
    rates[-2:] /= 2 ** cues["final_log2"]
    return Line(
        voice=speaker.voice,
        words=words,
        pitches=tuple(speakers.pitch_slider(speaker, hertz, range_) for hertz in contour.tolist()),
        rates=tuple(int(rate) for rate in np.clip(np.rint(rates), _SLOWEST, _FASTEST)),
        range=range_,
        word_gap=round(cues["pause_cs"]),
    )


def _write_wav(path: Path, audio: NDArray[np.float32]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.clip(np.rint(audio * 32767), -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sound.SAMPLE_RATE)
        file.writeframes(samples.tobytes())
