"""MSP-IMPROV with its labels under the misspelt name, activation running downward, NaN and a rater twice."""

from __future__ import annotations

from pathlib import Path

from tests.corpora.trees import clip, clips

_ACTIVATION = {"A": 1.5, "H": 2.0, "S": 4.0, "N": 3.0, "O": 3.0, "X": 3.0}
_SAID = {"A": "Angry", "H": "Happy", "S": "Sad", "N": "Neutral", "O": "Other", "X": "Neutral"}


def build(folder: Path) -> Path:
    blocks = []
    for speaker in ("F01", "M01", "F02", "M02"):
        for code in "AHSNOX":
            for kind in "PRST":
                target = code if code in "AHSN" else "N"
                pair = speaker[0] * 2 if code in "OX" else f"{speaker[0]}{'M' if speaker[0] == 'F' else 'F'}"
                turn = f"S01{target}-{speaker}-{kind}-{pair}{'09' if code == 'X' else '01'}"
                inside = folder / f"session{int(speaker[1:])}" / f"S01{target}" / kind
                clip(inside / f"MSP-IMPROV-{turn}.wav")
                blocks.append(block(turn, code))
    blocks.append(block("S20A-F06-S-FM99", "A"))
    (folder / "Evalution.txt").write_text("\n".join(blocks))
    clips(folder / "session2" / "S02A" / "S", "MSP-IMPROV-S02A-F02-S-FM77.wav")
    return folder


def block(turn: str, code: str) -> str:
    rater = f"1A2B; {_SAID[code]}; ; A:2.0; V:3.0; D:3.0; N:4.0;"
    dominance = "NaN" if code == "O" else "3.0"
    return (
        f"UTD-IMPROV-{turn}.avi; {code}; A:{_ACTIVATION[code]}; V:3.5; D:{dominance} ; N:4.0;\n"
        f"{rater}\n{rater}\n9C; Sad; Annoyed, Excited; A:2.0; V:3.0; D:3.0; N:4.0;\n"
    )


ROWS = {
    "MSP-IMPROV-S01A-F01-S-FM01": {
        "speaker": "F01", "gender": "f", "session": "Session1", "emotion": "anger", "intended": "anger",
        "scenario": "S", "text_id": "01", "activation": 4.5, "valence": 3.5, "dominance": 3.0, "votes": "angry=1;sad=1",
        "n_raters": 2, "published_emosuperb": "4",
    },
    "MSP-IMPROV-S01N-M02-P-MM01": {"speaker": "M02", "emotion": "other", "dominance": None, "session": "Session2"},
    "MSP-IMPROV-S01N-M02-P-MM09": {"emotion": "xxx", "code": "xxx"},
    "MSP-IMPROV-S01S-M02-R-MF01": {"emotion": "sadness", "activation": 2.0, "agreement": 1.0},
}  # fmt: skip
AWAY = ("MSP-IMPROV-S02A-F02-S-FM77", "MSP-IMPROV-S20A-F06-S-FM99")
SAID = (
    "1 labelled turns have no recording, e.g. MSP-IMPROV-S20A-F06-S-FM99",
    "1 recordings have no label and are left out, e.g. MSP-IMPROV-S02A-F02-S-FM77",
    "activation runs downward in this copy .*turned over",
)
