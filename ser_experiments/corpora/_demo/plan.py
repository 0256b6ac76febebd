"""Decide everything about a demo corpus before a word is spoken: who says what, meant how, in which room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ser_experiments.corpora._demo import prosody, raters, texts
from ser_experiments.corpora._demo.speakers import SPEAKERS, Speaker

SESSIONS = (1, 2, 3, 4, 5)
N_TURNS = 16

#: The mood of an improvised scene: how often each emotion is meant, in the order of prosody.EMOTIONS.
_MOODS = {
    #        neu   hap   exc   ang   sad   fru   sur   fea   dis   oth
    "quarrel": (0.23, 0.01, 0.02, 0.45, 0.05, 0.15, 0.01, 0.03, 0.04, 0.01),
    "loss": (0.26, 0.03, 0.01, 0.05, 0.53, 0.07, 0.01, 0.03, 0.00, 0.01),
    "good news": (0.27, 0.27, 0.33, 0.02, 0.03, 0.02, 0.05, 0.00, 0.00, 0.01),
    "errand": (0.41, 0.08, 0.08, 0.13, 0.14, 0.11, 0.01, 0.01, 0.01, 0.02),
}
#: Improvised scenes: marker side, number and mood. Session 3 has two names out of the pattern, as IEMOCAP has.
_SCENES = (
    ("F", "01", "quarrel"),
    ("F", "03", "good news"),
    ("F", "04", "errand"),
    ("M", "02", "loss"),
    ("M", "05", "quarrel"),
    ("M", "08", "good news"),
)
_ODD_SCENES = {(3, "M", "05"): "05a", (3, "M", "08"): "08b"}
_PLAYS = (("F", "01_1"), ("F", "01_2"), ("M", "02_1"))
_ODD_PLAYS = {(5, "F", "01_1"): ("M", "01_1b")}
#: How often an actor follows the script's emotion rather than the mood of any scene.
_FAITHFUL = 0.6
_SPEAKERS_WHO_REPORT = 0.7


@dataclass(frozen=True)
class Room:
    """Where a session is recorded: the same for all of its utterances, whatever is meant.

    Parameters
    ----------
    reverberation_s : float
        Time to decay by 60 dB.
    direct_db : float
        Level of the direct sound relative to the reverberation.
    noise_db : float
        Level of the noise, full scale is 0.
    noise_slope_db : float
        Slope of the noise, dB an octave.
    tone_db : float
        The microphone's level at 4 kHz and above relative to 500 Hz.
    """

    reverberation_s: float
    direct_db: float
    noise_db: float
    noise_slope_db: float
    tone_db: float


@dataclass(frozen=True)
class Turn:
    """One utterance to be spoken.

    Parameters
    ----------
    name : str
        The utterance id.
    speaker : Speaker
        Who speaks.
    text : str
        What is said.
    emotion : str
        What is meant, one of prosody.EMOTIONS.
    intensity : float
        How strongly.
    cues : ndarray of shape (n_cues,)
        How it is spoken, in the order of prosody.CUES.
    gain_db : float
        Level of the recording, independent of the emotion.
    gap_s : float
        Pause after the turn before; negative when they overlap.
    verdict : Verdict
        What the raters say.
    """

    name: str
    speaker: Speaker
    text: str
    emotion: str
    intensity: float
    cues: NDArray[np.float64]
    gain_db: float
    gap_s: float
    verdict: raters.Verdict


@dataclass(frozen=True)
class Dialog:
    """A dialog, its room and its turns in time."""

    name: str
    session: int
    room: Room
    turns: tuple[Turn, ...]


def speaker_styles(seed: int) -> dict[str, prosody.Style]:
    """Draw what each speaker makes of the cues."""
    rng = _generator(seed, 0, 1)
    return {speaker.name: prosody.draw_style(rng) for speaker in SPEAKERS}


def plan(seed: int) -> list[Dialog]:
    """Plan a corpus.

    Parameters
    ----------
    seed : int
        The same seed gives the same corpus.

    Returns
    -------
    list of Dialog
        Session by session, always in the same order.
    """
    styles = speaker_styles(seed)
    n_improvised = len(SESSIONS) * len(_SCENES) * N_TURNS
    sentences = iter(texts.improvise(n_improvised, _generator(seed, 0, 2)))
    dialogs = []
    for session in SESSIONS:
        rng = _generator(seed, session, 3)
        company = _Company(session, styles, _draw_room(rng), raters.leanings(rng), _draw_reporters(session, rng))
        for side, number, mood in _SCENES:
            name = f"Ses{session:02d}{side}_impro{_ODD_SCENES.get((session, side, number), number)}"
            lines = [(next(sentences), _draw_emotion(_MOODS[mood], rng)) for _ in range(N_TURNS)]
            dialogs.append(company.dialog(name, lines, rng))
        for side, script in _PLAYS:
            odd_side, odd_script = _ODD_PLAYS.get((session, side, script), (side, script))
            lines = [(text, _follow(written, rng)) for text, written in texts.SCRIPTS[script]]
            dialogs.append(company.dialog(f"Ses{session:02d}{odd_side}_script{odd_script}", lines, rng))
    return dialogs


@dataclass(frozen=True)
class _Company:
    """The two speakers of a session, their room and their raters."""

    session: int
    styles: dict[str, prosody.Style]
    room: Room
    leanings: NDArray[np.float64]
    reporters: frozenset[str]

    def dialog(self, name: str, lines: list[tuple[str, str]], rng: np.random.Generator) -> Dialog:
        pair = [speaker for speaker in SPEAKERS if speaker.session == self.session]
        counts = {"F": 0, "M": 0}
        turns = []
        for place, (text, emotion) in enumerate(lines):
            speaker = pair[place % 2]
            turn_name = f"{name}_{speaker.gender}{counts[speaker.gender]:03d}"
            counts[speaker.gender] += 1
            turns.append(self._turn(turn_name, speaker, text, emotion, rng))
        return Dialog(name, self.session, self.room, tuple(turns))

    def _turn(self, name: str, speaker: Speaker, text: str, emotion: str, rng: np.random.Generator) -> Turn:
        intensity = prosody.draw_intensity(emotion, rng)
        cues = prosody.draw_cues(emotion, intensity, self.styles[speaker.name], rng)
        verdict = raters.judge(
            emotion,
            intensity,
            gender=speaker.gender,
            reports=speaker.name in self.reporters,
            leaning=self.leanings,
            rng=rng,
        )
        gap_s = float(rng.normal(0.15, 0.3))
        return Turn(
            name=name,
            speaker=speaker,
            text=text,
            emotion=emotion,
            intensity=intensity,
            cues=cues,
            gain_db=float(rng.uniform(-6.0, 6.0)),
            gap_s=min(1.0, max(-0.3, gap_s)),
            verdict=verdict,
        )


def _draw_room(rng: np.random.Generator) -> Room:
    return Room(
        reverberation_s=float(rng.uniform(0.15, 0.4)),
        direct_db=float(rng.uniform(5.0, 11.0)),
        noise_db=float(rng.uniform(-72.0, -62.0)),
        noise_slope_db=float(rng.uniform(-6.0, -2.0)),
        tone_db=float(rng.uniform(-1.5, 1.5)),
    )


def _draw_reporters(session: int, rng: np.random.Generator) -> frozenset[str]:
    names = [speaker.name for speaker in SPEAKERS if speaker.session == session]
    return frozenset(name for name in names if rng.random() < _SPEAKERS_WHO_REPORT)


def _draw_emotion(chances: tuple[float, ...], rng: np.random.Generator) -> str:
    weights = np.asarray(chances)
    return prosody.EMOTIONS[int(rng.choice(len(weights), p=weights / weights.sum()))]


def _follow(written: str, rng: np.random.Generator) -> str:
    return written if rng.random() < _FAITHFUL else _draw_emotion(_MOODS["errand"], rng)


def _generator(seed: int, session: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng([seed, session, purpose])
