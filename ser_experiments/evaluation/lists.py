"""Read a list of recordings as others publish them: CSV, JSON or JSON lines, whatever its columns are called.

EmoBox writes JSON lines with ``wav`` and ``emo``, SpeechBrain one JSON object of clips, s3prl one with the clips in
``meta_data``, nkululeko and audEERING CSV with ``file``, notebooks CSV with ``path`` and ``pred``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ser_experiments.corpora import stem_of
from ser_experiments.csvfile import headings, read_csv
from ser_experiments.errors import InputError
from ser_experiments.files import parse_json, path_of, read_text
from ser_experiments.frames import DEV, FOLD, TEST, TEXT, TRAIN, UTTERANCE_ID
from ser_experiments.tasks.classes import PREDICTED
from ser_experiments.words import MOST_OF_ID, check_words, cut

#: What lists call a column, by our name of it; of several that a list has, the first.
CALLED: Mapping[str, tuple[str, ...]] = {
    UTTERANCE_ID: (
        UTTERANCE_ID, "path", "wav_path", "audio_path", "file_path", "filepath", "wav", "audio", "file", "filename",
        "file_name", "name", "key", "id", "utt_id", "sid",
    ),
    FOLD: (FOLD, "split", "partition", "subset", "set"),
    "speaker": ("speaker", "speaker_id", "spk", "spk_id", "actor", "actor_id"),
    "session": ("session", "session_id"),
    TEXT: (TEXT, "sentence_id", "text", "sentence", "transcription"),
    "label": ("label", "emotion", "emo", "truth", "true_label", "y_true"),
    PREDICTED: (PREDICTED, "prediction", "pred", "predicted_label", "pred_label", "y_pred"),
}  # fmt: skip
#: Words for sides, where a list has sides instead of folds.
_SIDES = {
    **dict.fromkeys(("train", "training", "tr"), TRAIN),
    **dict.fromkeys(("dev", "val", "valid", "validation", "development", "devel"), DEV),
    **dict.fromkeys(("test", "testing", "evaluation", "eval"), TEST),
}


def read_list(path: str | Path) -> pd.DataFrame:
    """Read a list.

    Returns
    -------
    DataFrame of str
        By the number of the row; with ``utterance_id`` as the list writes it (an id, or the path of a file) and
        whichever of :data:`CALLED` it has, under our names; others under theirs.

    Raises
    ------
    InputError
        The file cannot be read, or no column says which recordings are meant.
    """
    path = path_of(path)
    text = read_text(path) if path.suffix.lower() in {".json", ".jsonl", ".ndjson"} else ""
    table = _of_json(text, path) if text else read_csv(path)
    return renamed(table, path)


def renamed(table: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """Give the columns of a list our names.

    Raises
    ------
    InputError
        No column says which recordings are meant.
    """
    lower = {str(name).strip().lower(): name for name in reversed(table.columns)}
    ours = {}
    for our, names in CALLED.items():
        theirs = next((lower[name] for name in names if name in lower), None)
        if theirs is not None and our not in table:
            ours[theirs] = our
    table = table.rename(columns=ours)
    if UTTERANCE_ID not in table:
        shown = headings(map(str, table.columns), [name for names in CALLED.values() for name in names])
        raise InputError(
            f"{path}: no column {UTTERANCE_ID!r}, nor path, file or key; {shown}; add the ids of the utterances or the "
            "names of their files"
        )
    check_words(table[UTTERANCE_ID], f"{path}: utterance", most=MOST_OF_ID)
    return table


def sides(folds: pd.Series) -> pd.Series:
    """Return folds with the words for sides in our spelling: ``valid`` is ``dev``."""
    return folds.map(lambda one: _SIDES.get(str(one).strip().lower(), one))


def by_name(table: pd.DataFrame, ids: pd.Index, said: str) -> pd.DataFrame:
    """Return a list whose index is made of the ids that its own names mean.

    A name means the utterance of that id, or else the one whose file is called so, whatever the folders and endings.

    Parameters
    ----------
    table : DataFrame
        Indexed by the names that a list writes.
    ids : Index
        The utterances there are.
    said : str
        What messages call the list.

    Raises
    ------
    InputError
        Two rows mean one utterance, or a name may mean several.
    """
    if table.index.isin(ids).any():
        return table
    stems = pd.Series(ids, index=[stem_of(one) for one in ids])
    unique = stems[~stems.index.duplicated(keep=False)]
    found = [unique.get(stem_of(one), one) for one in table.index]
    twice = pd.Index(found).duplicated()
    if twice.any():
        first = found[twice.argmax()]
        raise InputError(f"{said}: several rows mean the utterance {cut(first)!r}; keep one")
    several = stems.index[stems.index.duplicated()].intersection([stem_of(one) for one in table.index])
    if len(several):
        raise InputError(
            f"{said}: {cut(several[0])!r} may mean several utterances, e.g. {cut(stems[several[0]].iloc[0])!r}; write "
            "their ids"
        )
    return table.set_axis(pd.Index(found, name=UTTERANCE_ID), axis=0)


def _of_json(text: str, path: Path) -> pd.DataFrame:
    """Return the rows of JSON: one object a line, a list of objects, or one object of objects by name."""
    lines = [line for line in text.splitlines() if line.strip()]
    # What is written over several lines ends its first one in the middle of an object.
    by_line = len(lines) > 1 and lines[0].strip().startswith("{") and lines[0].strip().endswith("}")
    found = [parse_json(line, path) for line in lines] if by_line else parse_json(text, path)
    rows = list(_objects(found))
    if not rows:
        raise InputError(
            f"{path}: no list of recordings; expected one JSON object a line, a list of them, or one of them"
        )
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pd.DataFrame([[_text(row.get(name)) for name in names] for row in rows], columns=names)


def _objects(found: Any) -> Iterable[Mapping[str, Any]]:
    if isinstance(found, list):
        return [one for one in found if isinstance(one, dict)]
    if not isinstance(found, dict):
        return []
    if found and all(isinstance(one, dict) for one in found.values()):
        return [one if _names_itself(one) else {"key": name, **one} for name, one in found.items()]
    below = [one for one in found.values() if isinstance(one, list) and one and isinstance(one[0], dict)]
    if len(below) == 1:
        return _objects(below[0])
    return [found]


def _names_itself(row: Mapping[str, Any]) -> bool:
    return any(name in row for name in CALLED[UTTERANCE_ID])


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()
