"""The survey: what every recording is like, and which cannot be used; kept in the store beside the features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ser_experiments import identity
from ser_experiments.features.dsp.envelope import envelope
from ser_experiments.features.store.files import table_folder
from ser_experiments.features.store.parts import KEY, Part, PartitionedTable, RowsByKey

NAME = "_survey"
VERSION = "2"
FIELDS = ("samples_digest", "duration_s", "sample_rate", "peak", "rms_db", "problem")
PROBLEM = FIELDS.index("problem")
#: Kept beside them, and read only by those who ask for it: a thousand bytes a second of audio.
ENVELOPE = "envelope"
SCHEMA = pa.schema(
    [
        KEY,
        pa.field("samples_digest", pa.string()),
        pa.field("duration_s", pa.float64()),
        pa.field("sample_rate", pa.int32()),
        pa.field("peak", pa.float32()),
        pa.field("rms_db", pa.float32()),
        pa.field("problem", pa.string()),
        pa.field(ENVELOPE, pa.binary()),
    ]
)


def of_audio(audio: NDArray[np.float32], sample_rate: int) -> tuple[str, float, int, float, float, None, bytes]:
    """Return the row of a usable recording in the order of :data:`FIELDS`, and its envelope.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
        As :func:`~ser_experiments.audio.read_audio` gives it, at its own rate.
    sample_rate : int
        In Hz.
    """
    digest = identity.of_bytes([np.ascontiguousarray(audio).data])
    power = float(np.dot(audio, audio)) / len(audio)
    return (
        digest,
        len(audio) / sample_rate,
        sample_rate,
        float(np.abs(audio).max()),
        10 * math.log10(max(power, 1e-20)),
        None,
        envelope(audio, sample_rate).tobytes(),
    )


def unusable(problem: str) -> tuple[None, None, None, None, None, str, None]:
    """Return the row of a recording that cannot be used."""
    return None, None, None, None, None, problem, None


def table(cache: Path) -> PartitionedTable:
    """Return the table of the survey in the store."""
    import soundfile

    libraries = identity.libraries(["soundfile"]) | {"libsndfile": soundfile.__libsndfile_version__}
    counts = {"set": NAME, "version": VERSION, "libraries": libraries}
    # This text and no other, so that what was surveyed before stays known.
    digest = identity.of_lines([repr(sorted(counts.items()))])
    return PartitionedTable(table_folder(cache, NAME, digest), SCHEMA)


def to_table(keys: Sequence[bytes], rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Return the content of a part from rows in the order of :data:`FIELDS`, with envelopes."""
    columns = [list(keys), *map(list, zip(*rows, strict=True))]
    arrays = [pa.array(cells, field.type) for cells, field in zip(columns, SCHEMA, strict=True)]
    return pa.table(arrays, schema=SCHEMA)


def fill(
    known: PartitionedTable,
    wanted: RowsByKey,
    out: list[tuple[Any, ...] | None],
    fields: Sequence[str] = FIELDS,
) -> None:
    """Put what is stored of recordings in their places; what is found is taken out of `wanted`."""

    def read(part: Part) -> bool:
        hits = [(i, key) for i, key in enumerate(part.keys()) if key in wanted]
        if hits:
            rows = part.file.read(list(fields)).take([i for i, _ in hits]).to_pydict()
            for (_, key), row in zip(hits, zip(*(rows[name] for name in fields), strict=True), strict=True):
                for position in wanted.pop(key, []):
                    out[position] = row
        return bool(wanted)

    if wanted:
        known.visit(read)


def to_frame(rows: Sequence[tuple[Any, ...]], index: pd.Index) -> pd.DataFrame:
    """Return rows as a table on an index."""
    frame = pd.DataFrame([row[: len(FIELDS)] for row in rows], index=index, columns=list(FIELDS), dtype=object)
    numbers = {"duration_s": "float64", "sample_rate": "float64", "peak": "float32", "rms_db": "float32"}
    frame = frame.astype(numbers)
    frame["sample_rate"] = frame["sample_rate"].astype("Int64")
    return frame
