"""The text files of the release: labels, transcripts, the record of the cues, and what the corpus is."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from ser_experiments.corpora._demo import prosody
from ser_experiments.corpora._demo.plan import Dialog, Turn, speaker_styles
from ser_experiments.corpora._demo.raters import WORDS, Rating
from ser_experiments.corpora._demo.speakers import SPEAKERS

_HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]"
#: How often somebody makes a sound that is written down and has neither a file nor a label.
_NOISES = 0.3

_COLUMNS = (
    *("utterance_id", "dialog", "session", "speaker", "emotion", "intensity", "code"),
    *prosody.CUES,
    *("f0_hz", "f0_sd_st", "gain_db", "noise_db", "reverberation_s", "microphone_db", "text"),
)

README = """\
Synthetic demonstration corpus
==============================

Nobody speaks here. Sentences about keys, shelves and trains were spoken by the eSpeak NG synthesizer in ten voices;
emotions were put on by rules for pitch, speed, level and voice, and "raters" are random numbers. The files are laid
out as those of the IEMOCAP release and hold nothing of it.

What a model scores here says nothing about people, nor about how it would score on a real corpus.

cues.csv      what generated each utterance: the emotion that was meant, its strength, and every cue in it
speakers.csv  how strongly each speaker uses each cue (0.5 is a cue that the speaker uses little)
demo.json     builder, seed and versions

The recordings and texts may be used by anybody for anything.
"""


def write_dialog(folder: Path, dialog: Dialog, times: list[tuple[float, float]], rng: np.random.Generator) -> None:
    """Write the evaluation and the transcript of a dialog.

    Parameters
    ----------
    folder : Path
        Of the session.
    dialog : Dialog
        What was said and how it was rated.
    times : list of (float, float)
        Begin and end of each turn in seconds.
    rng : Generator
        Source of the sounds that are no turns.
    """
    blocks = [_HEADER]
    lines = []
    for turn, (start_s, end_s) in zip(dialog.turns, times, strict=True):
        blocks.append(_evaluation(turn, start_s, end_s))
        lines.append(f"{turn.name} [{start_s:08.4f}-{end_s:08.4f}]: {turn.text}")
    if rng.random() < _NOISES:
        after_s = times[-1][1]
        lines.append(f"{dialog.name}_MXX0 [{after_s:08.4f}-{after_s + 0.4:08.4f}]: [BREATHING]")
    _write(folder / "dialog" / "EmoEvaluation" / f"{dialog.name}.txt", "\n\n".join(blocks) + "\n\n")
    _write(folder / "dialog" / "transcriptions" / f"{dialog.name}.txt", "\n".join(lines) + "\n")


def write_records(root: Path, seed: int, dialogs: list[Dialog]) -> None:
    """Write cues.csv, speakers.csv and the README of a corpus.

    Parameters
    ----------
    root : Path
        Of the release.
    seed : int
        Of the corpus.
    dialogs : list of Dialog
        The plan.
    """
    _write(root / "README.txt", README)
    with (root / "cues.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(_record(dialog, turn) for dialog in dialogs for turn in dialog.turns)
    styles = speaker_styles(seed)
    with (root / "speakers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["speaker", "voice", "f0_hz", *(f"uses_{cue}" for cue in prosody.CUES)])
        for speaker in SPEAKERS:
            weights = [f"{weight:.3f}" for weight in styles[speaker.name].weights]
            writer.writerow([speaker.name, speaker.voice, speaker.f0_hz, *weights])


def _evaluation(turn: Turn, start_s: float, end_s: float) -> str:
    valence, activation, dominance = turn.verdict.attributes
    head = (
        f"[{start_s:.4f} - {end_s:.4f}]\t{turn.name}\t{turn.verdict.code}"
        f"\t[{valence:.4f}, {activation:.4f}, {dominance:.4f}]"
    )
    votes = [_votes(rating) for rating in turn.verdict.ratings]
    scales = [_scales(rating) for rating in turn.verdict.ratings if rating.attributes]
    return "\n".join([head, *votes, *scales])


def _votes(rating: Rating) -> str:
    words = " ".join(f"{WORDS[code]};" for code in rating.codes)
    return f"C-{rating.rater}:\t{words}\t({rating.comment})"


def _scales(rating: Rating) -> str:
    assert rating.attributes is not None
    valence, activation, dominance = rating.attributes
    return f"A-{rating.rater}:\tval {valence}; act {activation}; dom  {dominance};\t({rating.comment})"


def _record(dialog: Dialog, turn: Turn) -> list[str]:
    cues = dict(zip(prosody.CUES, turn.cues.tolist(), strict=True))
    speaker, room = turn.speaker, dialog.room
    numbers = [
        *cues.values(),
        speaker.f0_hz * 2 ** (cues["level_st"] / 12),
        speaker.f0_sd_st * 2 ** cues["range_log2"],
        turn.gain_db,
        room.noise_db,
        room.reverberation_s,
        room.tone_db,
    ]
    return [
        turn.name,
        dialog.name,
        f"Session{dialog.session}",
        speaker.name,
        turn.emotion,
        f"{turn.intensity:.3f}",
        turn.verdict.code,
        *(f"{number:.3f}" for number in numbers),
        turn.text,
    ]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
