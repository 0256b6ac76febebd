"""Build trees in IEMOCAP's layout: a small one with every trap, and one with the counts of a complete copy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from ser_experiments.corpora._iemocap_counts import _CODES, _SESSIONS, _SPEAKERS

WORDS = {
    "neu": "Neutral",
    "hap": "Happiness",
    "exc": "Excited",
    "ang": "Anger",
    "sad": "Sadness",
    "fru": "Frustration",
    "sur": "Surprise",
    "fea": "Fear",
    "dis": "Disgust",
    "oth": "Other",
}
HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"


def block(turn: str, code: str, start: float = 1.0, vad: str = "2.5000, 2.5000, 2.5000") -> str:
    """Write one turn of an evaluation file with three external raters and a self-report."""
    word = WORDS.get(code, "Neutral")
    letter = turn.rsplit("_", 1)[1][0]
    own = "Sadness" if code != "sad" else "Anger"
    return (
        f"[{start:.4f} - {start + 2:.4f}]\t{turn}\t{code}\t[{vad}]\n"
        f"C-E2:\t{word};\t()\nC-E3:\t{word}; Other;\t()\nC-E4:\tSurprise;\t(free; text)\n"
        f"C-{letter}1:\t{own};\t(curious)\n"
        f"A-E3:\tval 3; act 2; dom  2;\t()\nA-{letter}1:\tval 3; act 2; dom  1;\t()\n\n"
    )


def tone(path: Path, seed: int, seconds: float = 0.4) -> None:
    """Write a short noisy recording that no other seed equals."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = 0.1 * np.random.default_rng(seed).standard_normal(int(seconds * 16_000))
    soundfile.write(path, samples.astype(np.float32), 16_000, subtype="PCM_16")


def add_dialog(root: Path, session: int, dialog: str, turns: dict[str, str], *, seconds: float = 0.4) -> None:
    """Write one dialog: turn name to code, with labels, words and recordings."""
    folder = root / f"Session{session}"
    labels = folder / "dialog" / "EmoEvaluation" / f"{dialog}.txt"
    labels.parent.mkdir(parents=True, exist_ok=True)
    labels.write_text(HEADER + "".join(block(t, c, i + 1.0) for i, (t, c) in enumerate(turns.items())))
    words = folder / "dialog" / "transcriptions" / f"{dialog}.txt"
    words.parent.mkdir(parents=True, exist_ok=True)
    words.write_text("".join(f"{turn} [001.0000-003.0000]: Line {i}.\n" for i, turn in enumerate(turns)))
    for i, turn in enumerate(turns):
        tone(folder / "sentences" / "wav" / dialog / f"{turn}.wav", hash_of(turn) + i, seconds)


def hash_of(text: str) -> int:
    """Return a number that stays the same from process to process."""
    return sum((i + 1) * ord(c) for i, c in enumerate(text)) * 1000


def small_tree(root: Path) -> Path:
    """Two sessions with both voices in every dialog, an odd dialog name, and all four classes."""
    codes = ["neu", "hap", "exc", "ang", "sad", "fru", "xxx"]
    for session, dialogs in {
        1: ["Ses01F_impro01", "Ses01M_script01_1"],
        3: ["Ses03M_impro05a", "Ses03F_script01_1"],
    }.items():
        for dialog in dialogs:
            turns = {f"{dialog}_{letter}{i:03d}": code for letter in "FM" for i, code in enumerate(codes)}
            add_dialog(root, session, dialog, turns)
    return root


def complete_tree(root: Path) -> Path:
    """Write a tree with exactly the counts of a complete copy; the recordings are empty stand-ins for the real ones."""
    for session, counts in _SESSIONS.items():
        number = int(session[-1])
        by_code = dict(zip(_CODES, counts[3:], strict=True))
        turns = _speakers_and_codes(number, by_code)
        improvised, dialogs = counts[2], counts[1]
        n_improvised = 8
        names = [f"Ses0{number}F_impro{i:02d}" for i in range(1, n_improvised + 1)]
        names += [f"Ses0{number}M_script{i:02d}_1" for i in range(1, dialogs - n_improvised + 1)]
        assigned = [names[i % n_improvised] for i in range(improvised)]
        assigned += [names[n_improvised + i % (dialogs - n_improvised)] for i in range(len(turns) - improvised)]
        files: dict[str, list[str]] = {name: [] for name in names}
        numbers: dict[tuple[str, str], int] = {}
        for (letter, code), dialog in zip(turns, assigned, strict=True):
            i = numbers[dialog, letter] = numbers.get((dialog, letter), -1) + 1
            turn = f"{dialog}_{letter}{i:03d}"
            files[dialog].append(f"[{i}.0 - {i + 1}.0]\t{turn}\t{code}\t[2.5, 2.5, 2.5]\nC-E1:\tNeutral;\t()\n\n")
            wav = root / session / "sentences" / "wav" / dialog / f"{turn}.wav"
            wav.parent.mkdir(parents=True, exist_ok=True)
            wav.touch()
        folder = root / session / "dialog" / "EmoEvaluation"
        folder.mkdir(parents=True)
        for dialog, blocks in files.items():
            (folder / f"{dialog}.txt").write_text(HEADER + "".join(blocks))
    return root


def _speakers_and_codes(number: int, by_code: dict[str, int]) -> list[tuple[str, str]]:
    """Deal codes to the two speakers so that each has the known count of each of the four classes."""
    wanted = dict(zip(["neu", "hap", "ang", "sad"], _SPEAKERS[f"{number}F"], strict=True))
    turns = []
    for code, count in by_code.items():
        merged = "hap" if code == "exc" else code
        for _ in range(count):
            hers = wanted.get(merged, 0) > 0 or (merged not in wanted and len(turns) % 2 == 0)
            if hers and merged in wanted:
                wanted[merged] -= 1
            turns.append(("F" if hers else "M", code))
    return turns


#: What raters say of an emotion in :func:`rated_tree`: valence, activation and dominance.
_RATED = {"neu": (3, 2, 3), "hap": (5, 4, 4), "ang": (1, 5, 5), "sad": (2, 1, 1)}


def rated_tree(root: Path, *, each: int = 3, first: int = 1) -> Path:
    """Write three sessions whose raters agree, differ and are torn, over voices that tell of both by pitch and hiss.

    Parameters
    ----------
    root : Path
        Is made.
    each : int
        Utterances of each speaker and emotion; the last of them has no majority.
    first : int
        Number of the first session; other sessions have other recordings.
    """
    for session in range(first, first + 3):
        dialog = f"Ses0{session}F_impro01"
        blocks, number = [], 0
        for letter in "FM":
            for code, (valence, activation, dominance) in _RATED.items():
                for take in range(each):
                    turn = f"{dialog}_{letter}{number:03d}"
                    other = WORDS["sad" if code == "neu" else "neu"]
                    votes = [
                        WORDS[code],
                        other if take else WORDS[code],
                        "Surprise" if take == each - 1 else WORDS[code],
                    ]
                    said = "xxx" if take == each - 1 else code
                    shift = 0.5 * (take % 2)
                    blocks.append(
                        f"[{number}.0 - {number + 1}.0]\t{turn}\t{said}\t"
                        f"[{valence - shift:.4f}, {activation - shift:.4f}, {dominance - shift:.4f}]\n"
                        + "".join(f"C-E{i}:\t{word};\t()\n" for i, word in enumerate(votes, start=2))
                        + f"C-{letter}1:\tOther;\t()\n\n"
                    )
                    path = root / f"Session{session}" / "sentences" / "wav" / dialog / f"{turn}.wav"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    spoken = _spoken(valence - shift, activation - shift, [hash_of(turn), first])
                    soundfile.write(path, spoken.astype(np.float32), 16_000, subtype="PCM_16")
                    number += 1
        folder = root / f"Session{session}" / "dialog" / "EmoEvaluation"
        folder.mkdir(parents=True)
        (folder / f"{dialog}.txt").write_text(HEADER + "".join(blocks))
    return root


def _spoken(valence: float, activation: float, seed: list[int]) -> np.ndarray:
    """Return half a second of a buzz in syllables: higher with activation, and clearer with valence."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(8000 + int(rng.integers(2000))) / 16_000
    pitch_hz = 90 + 35 * (activation + 0.3 * rng.standard_normal())
    buzz = sum(np.sin(2 * np.pi * pitch_hz * k * time_s) / k for k in range(1, 12))
    beats = np.interp(time_s, np.linspace(0, time_s[-1], 24), rng.uniform(0.2, 1.8, 24))
    hiss = (0.9 - 0.15 * (valence + 0.3 * rng.standard_normal())) * rng.standard_normal(len(time_s))
    return np.clip(0.1 * beats * (buzz + hiss), -1, 1)
