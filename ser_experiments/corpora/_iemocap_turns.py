"""The evaluation files of IEMOCAP: one block a turn, with what each rater said."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from ser_experiments.files import MIB, read_bytes

_HEAD = re.compile(
    r"^\[\s*([\d.]+)\s*-\s*([\d.]+)\s*\]\s+(\S+)\s+(\S+)\s+\[\s*([-\d.]+)\s*,\s*([-\d.]+)\s*,\s*([-\d.]+)\s*\]\s*$"
)
_VOTE = re.compile(r"^C-(E\w*|F\w*|M\w*):\s*([^(]*)")
#: Whose words may count, by the first letters of raters: the speakers are called by theirs.
RATERS: dict[str, tuple[str, ...]] = {"external": ("E",), "self": ("F", "M"), "all": ("E", "F", "M")}
#: The turn's own name: dialog, then the speaker's letter and number. The first field only names who wore the markers.
_TURN = re.compile(r"^(Ses0([1-5])[FM]_\w+)_([FM])\w+$")
#: The raters' word of each code.
_WORDS = {
    "neu": "neutral",
    "hap": "happiness",
    "exc": "excited",
    "ang": "anger",
    "sad": "sadness",
    "fru": "frustration",
    "sur": "surprise",
    "fea": "fear",
    "dis": "disgust",
    "oth": "other",
}


def listed(folder: Path, suffix: str) -> list[Path]:
    """Return the files of a folder with an ending, in order; a Mac leaves others between them."""
    """List the files of a kind, without the hidden ones that a Mac or an editor leaves behind."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.suffix == suffix and not p.name.startswith(".") and p.is_file())


def lines_of(path: Path) -> list[str]:
    """Read the lines of a text file; older copies hold a few Latin-1 characters in the comments."""
    data = read_bytes(path, most=64 * MIB)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return [line.strip() for line in text.splitlines()]


def turns_of(folder: Path, raters: str) -> tuple[dict[str, dict[str, object]], list[str]]:
    """Parse the evaluation files of a session into one row a turn, and say what could not be read."""
    turns: dict[str, dict[str, object]] = {}
    problems: list[str] = []
    for path in listed(folder, ".txt"):
        current: str | None = None
        votes: dict[str, list[str]] = {}
        for line in lines_of(path):
            if head := _HEAD.match(line):
                row = _row(head)
                current = None
                if row is None or row["dialog"] != path.stem:
                    problems.append(f"{path}: {head[3]!r} is no turn of this dialog and is left out")
                elif row["utterance_id"] in turns:
                    problems.append(f"{path}: turn {head[3]!r} occurs twice; the first one counts")
                else:
                    current = str(row["utterance_id"])
                    turns[current] = row
            elif line.startswith("["):
                current = None
                problems.append(f"{path}: cannot be read as a turn: {line[:60]!r}")
            elif current and (vote := _VOTE.match(line)) and vote[1].startswith(RATERS[raters]):
                votes.setdefault(current, []).append(vote[2])
        for turn, named in votes.items():
            turns[turn].update(_agreement(str(turns[turn]["emotion"]), named))
    return turns, problems


def _row(head: re.Match[str]) -> dict[str, object] | None:
    told = of_name(head[3])
    if told is None:
        return None
    return {
        **told,
        "emotion": head[4],
        "code": head[4],
        "valence": float(head[5]),
        "activation": float(head[6]),
        "dominance": float(head[7]),
        "votes": "",
        "n_raters": 0,
        "agreement": float("nan"),
    }


def of_name(name: str) -> dict[str, object] | None:
    """Return what the name of a turn tells, in the columns of utterances; None where it is none."""
    turn = _TURN.match(name)
    if turn is None:
        return None
    dialog, session, letter = turn[1], int(turn[2]), turn[3]
    return {
        "utterance_id": name,
        "start_s": float("nan"),
        "end_s": float("nan"),
        "speaker": f"{session}{letter}",
        "session": f"Session{session}",
        "gender": letter.lower(),
        "dialog": dialog,
        "scenario": "improvised" if "_impro" in dialog else "scripted",
    }


def _agreement(code: str, named: list[str]) -> dict[str, object]:
    """Count the raters' words; a rater who gives several counts once for each."""
    sets = [{word.strip().lower() for word in words.split(";") if word.strip()} for words in named]
    counted = Counter(word for words in sets for word in words)
    majority = _WORDS.get(code)
    # Where most do not agree: how many said what was said most.
    agreeing = sum(majority in words for words in sets) if majority else max(counted.values(), default=0)
    votes = ";".join(f"{word}={count}" for word, count in sorted(counted.items(), key=lambda v: (-v[1], v[0])))
    return {"votes": votes, "n_raters": len(sets), "agreement": agreeing / len(sets) if counted else float("nan")}
