"""The counts that a complete copy of IEMOCAP has."""

from __future__ import annotations

import pandas as pd

_CODES = ["neu", "hap", "exc", "ang", "sad", "fru", "xxx", "sur", "fea", "dis", "oth"]
_SESSIONS = {
    # session: recordings, dialogs, improvised, then the codes in the order above
    "Session1": (1819, 28, 759, 384, 135, 143, 229, 194, 280, 415, 25, 12, 1, 1),
    "Session2": (1811, 30, 788, 362, 117, 210, 137, 197, 325, 436, 17, 9, 0, 1),
    "Session3": (2136, 32, 1044, 320, 135, 151, 240, 305, 382, 572, 28, 2, 1, 0),
    "Session4": (2103, 30, 1060, 258, 65, 238, 327, 143, 481, 564, 19, 7, 0, 1),
    "Session5": (2170, 31, 1133, 384, 143, 299, 170, 245, 381, 520, 18, 10, 0, 0),
}
#: Four classes by speaker: neutral, happy, angry, sad.
_SPEAKERS = {
    "1F": (171, 132, 147, 78),
    "1M": (213, 146, 82, 116),
    "2F": (135, 166, 67, 113),
    "2M": (227, 161, 70, 84),
    "3F": (130, 128, 92, 172),
    "3M": (190, 158, 148, 133),
    "4F": (76, 185, 205, 62),
    "4M": (182, 118, 122, 81),
    "5F": (221, 159, 78, 132),
    "5M": (163, 283, 92, 113),
}


def expected() -> pd.DataFrame:
    """Return the counts as :func:`ser_experiments.corpora._describe.compare_counts` takes them."""
    rows: list[tuple[str, str, str, str, str, int]] = []
    for session, counts in _SESSIONS.items():
        n_utterances, n_dialogs, n_improvised, *of_codes = counts
        rows.append(("session", session, "utterances", "rows", "", n_utterances))
        rows.append(("session", session, "dialogs", "values", "dialog", n_dialogs))
        rows.append(("session", session, "improvised", "equal", "scenario", n_improvised))
        rows += [
            ("session", session, code, "equal", "code", count) for code, count in zip(_CODES, of_codes, strict=True)
        ]
    for speaker, of_classes in _SPEAKERS.items():
        classes = zip(["neutral", "happy", "angry", "sad"], of_classes, strict=True)
        rows += [("speaker", speaker, name, "equal", "4class", count) for name, count in classes]
    return pd.DataFrame(rows, columns=["by", "value", "what", "how", "column", "expected"])
