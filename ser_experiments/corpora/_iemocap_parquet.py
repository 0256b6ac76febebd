"""IEMOCAP as Parquet files with the audio in them, as copies on Hugging Face have it.

The column ``file`` names the turn, which says who speaks: the copies have no column that does. Their labels are
pluralities over what raters named, not the codes of the release, so that the counts of classes differ. Nine columns
hold the share of the votes that each emotion has, smoothed so that none is zero.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from ser_experiments import identity
from ser_experiments import project as projects
from ser_experiments.corpora._aliases import ALIASES
from ser_experiments.corpora._copy import walk
from ser_experiments.corpora._votes import VOTES
from ser_experiments.errors import InputError

_FILE, _AUDIO, _EMOTION = "file", "audio", "major_emotion"
_NUMBERS = {"EmoVal": "valence", "EmoAct": "activation", "EmoDom": "dominance"}
#: The columns of votes; there are more emotions than raters, so that the least of them is what nobody named.
_SHARES = ("frustrated", "angry", "sad", "disgust", "excited", "fear", "neutral", "surprise", "happy")
#: Shares that differ by less differ by their rounding.
_NOTHING = 1e-4
#: Rows that are read at a time: each holds a recording.
_AT_A_TIME = 64
#: So many files are looked at to find the first.
_LOOKED_AT = 2_000


def parts(root: Path) -> list[Path]:
    """Return the Parquet files below a folder that hold turns with their audio."""
    import pyarrow.parquet as pq

    found = []
    listed = (root / below for below in islice(walk(root), _LOOKED_AT) if below.lower().endswith(".parquet"))
    for path in listed:
        try:
            names = set(pq.read_schema(path).names)
        except (OSError, ValueError):
            continue
        if {_FILE, _AUDIO, _EMOTION} <= names:
            found.append(path)
    return found


def turns(root: Path, files: list[Path], row_of: Callable[[str], Mapping[str, object] | None]) -> pd.DataFrame:
    """Read what the files hold, and put each recording into the project's cache, as nothing is written into a root.

    Parameters
    ----------
    root : Path
        Where the files lie.
    files : list of Path
        From :func:`parts`.
    row_of : callable
        What the name of a turn tells; None of what is no turn.

    Returns
    -------
    DataFrame
        One row a turn, by ``utterance_id``.
    """
    cache = projects.find().cache / "iemocap" / identity.of(str(root.resolve()), size=identity.SHORT)
    cache.mkdir(parents=True, exist_ok=True)
    rows: dict[str, dict[str, object]] = {}
    for held in _rows(files):
        turn = Path(str(held[_FILE])).stem
        told = row_of(turn)
        if told is None or turn in rows:
            continue
        word = str(held.get(_EMOTION) or "").strip().lower()
        code = ALIASES.get(word)
        if code is None:
            continue
        said = " ".join(str(held.get("transcription") or "").lower().split())
        rows[turn] = {
            **{name: cell for name, cell in told.items() if name != "utterance_id"},
            "path": str(_written(cache / f"{turn}.wav", held[_AUDIO])),
            "emotion": code,
            "code": code,
            "text_id": identity.of_lines([said], size=identity.SHORT) if said else None,
            **{ours: float(held.get(its) or "nan") for its, ours in _NUMBERS.items()},
            VOTES: _votes(held),
        }
    if not rows:
        raise InputError(f"corpus 'iemocap': no turn in {files[0]}; expected names such as Ses01F_impro01_M003.wav")
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("utterance_id").sort_index()


def _rows(files: list[Path]) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    wanted = (_FILE, _AUDIO, _EMOTION, "transcription", *_NUMBERS, *_SHARES)
    for path in files:
        with pq.ParquetFile(path) as file:
            columns = [name for name in wanted if name in file.schema_arrow.names]
            for batch in file.iter_batches(_AT_A_TIME, columns=columns):
                yield from batch.to_pylist()


def _votes(held: Mapping[str, Any]) -> str:
    """Return the shares of the votes as they were before something was added to each; nothing where they are not told.

    The columns are those of EMO-SUPERB's labels (github.com/EMOsuperb/EMO-SUPERB-submission), where a share y became
    0.95 y + 0.00625 (1 - y). Whatever was added, and by whatever part the votes were shrunk for it: a share stays
    linear in the number of votes.
    """
    told = {word: held[word] for word in _SHARES if isinstance(held.get(word), int | float)}
    if len(told) < len(_SHARES) or not all(math.isfinite(share) for share in told.values()):
        return ""
    least = min(told.values())
    above = {word: share - least for word, share in told.items() if share - least > _NOTHING}
    return ";".join(f"{word}={share / sum(above.values()):.4f}" for word, share in above.items())


def _written(path: Path, audio: Any) -> Path:
    """Write a recording where it does not lie yet, whole or not at all."""
    data = audio.get("bytes") if isinstance(audio, dict) else audio
    if not isinstance(data, bytes):
        raise InputError(f"corpus 'iemocap': {path.stem} has no audio in it; get the copy with its bytes")
    if not path.is_file() or path.stat().st_size != len(data):
        half = path.with_name(f"{path.name}.{os.getpid()}.part")
        half.write_bytes(data)
        os.replace(half, path)
    return path
