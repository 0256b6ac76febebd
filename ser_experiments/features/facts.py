"""What every recording is like, and which cannot be used; kept in the store beside the features."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ser_experiments.features.store import KEY, Part, Parts, tables_folder

NAME = "_survey"
VERSION = "1"
FIELDS = ("samples_digest", "duration_s", "sample_rate", "peak", "rms_db", "problem")
PROBLEM = FIELDS.index("problem")
SCHEMA = pa.schema(
    [
        KEY,
        pa.field("samples_digest", pa.string()),
        pa.field("duration_s", pa.float64()),
        pa.field("sample_rate", pa.int32()),
        pa.field("peak", pa.float32()),
        pa.field("rms_db", pa.float32()),
        pa.field("problem", pa.string()),
    ]
)


def of_audio(audio: NDArray[np.float32], sample_rate: int) -> tuple[str, float, int, float, float, None]:
    """Return the facts of a usable recording in the order of :data:`FIELDS`.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
        As :func:`~ser_experiments.audio.read_audio` gives it, at its own rate.
    sample_rate : int
        In Hz.
    """
    digest = hashlib.blake2b(np.ascontiguousarray(audio).data, digest_size=16).hexdigest()
    power = float(np.dot(audio, audio)) / len(audio)
    return (
        digest,
        len(audio) / sample_rate,
        sample_rate,
        float(np.abs(audio).max()),
        10 * math.log10(max(power, 1e-20)),
        None,
    )


def unusable(problem: str) -> tuple[None, None, None, None, None, str]:
    """Return the facts of a recording that cannot be used."""
    return None, None, None, None, None, problem


def identity() -> dict[str, object]:
    """Everything that can change a fact."""
    import soundfile

    libraries = {"soundfile": version("soundfile"), "libsndfile": soundfile.__libsndfile_version__}
    return {"set": NAME, "version": VERSION, "libraries": libraries}


def parts(cache: Path) -> Parts:
    """Return the table of facts in the store."""
    digest = hashlib.blake2b(repr(sorted(identity().items())).encode(), digest_size=8).hexdigest()
    return Parts(tables_folder(cache) / NAME / digest, SCHEMA)


def to_table(keys: Sequence[bytes], rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Return the content of a part from rows in the order of :data:`FIELDS`."""
    columns = [list(keys), *map(list, zip(*rows, strict=True))]
    arrays = [pa.array(cells, field.type) for cells, field in zip(columns, SCHEMA, strict=True)]
    return pa.table(arrays, schema=SCHEMA)


def fill(table: Parts, wanted: dict[bytes, list[int]], out: list[tuple[Any, ...] | None]) -> None:
    """Put stored facts in their places; what is found is taken out of `wanted`."""

    def read(part: Part) -> bool:
        hits = [(i, key) for i, key in enumerate(part.keys()) if key in wanted]
        if hits:
            rows = part.file.read(list(FIELDS)).take([i for i, _ in hits]).to_pydict()
            for (_, key), row in zip(hits, zip(*(rows[name] for name in FIELDS), strict=True), strict=True):
                for position in wanted.pop(key, []):
                    out[position] = row
        return bool(wanted)

    if wanted:
        table.visit(read)


def to_frame(rows: Sequence[tuple[Any, ...]], index: pd.Index) -> pd.DataFrame:
    """Return facts as a table on an index."""
    frame = pd.DataFrame(list(rows), index=index, columns=list(FIELDS), dtype=object)
    numbers = {"duration_s": "float64", "sample_rate": "float64", "peak": "float32", "rms_db": "float32"}
    frame = frame.astype(numbers)
    frame["sample_rate"] = frame["sample_rate"].astype("Int64")
    return frame
