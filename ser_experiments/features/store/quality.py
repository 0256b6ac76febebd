"""What recordings are like (:mod:`ser_experiments.audio.quality`), kept in the store beside the features."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from ser_experiments import identity
from ser_experiments.audio.quality import Quality
from ser_experiments.features.store.files import Sync, table_folder
from ser_experiments.features.store.parts import KEY, Part, PartitionedTable

NAME = "_quality"
#: Raised whenever equal audio gives other numbers.
VERSION = "1"
_FIELDS = list(Quality._fields)
SCHEMA = pa.schema([KEY, *(pa.field(name, pa.float64()) for name in _FIELDS)])


def table(cache: Path) -> PartitionedTable:
    """Return the table of what recordings are like in the store."""
    import soundfile

    libraries = identity.libraries(["soundfile", "soxr"]) | {"libsndfile": soundfile.__libsndfile_version__}
    digest = identity.of({"set": NAME, "version": VERSION, "libraries": libraries}, size=8)
    return PartitionedTable(table_folder(cache, NAME, digest), SCHEMA)


def known(cache: Path, keys: set[bytes]) -> dict[bytes, Quality]:
    """Return what is stored of recordings, by key."""
    found: dict[bytes, Quality] = {}

    def read(part: Part) -> bool:
        hits = [(place, key) for place, key in enumerate(part.keys()) if key in keys and key not in found]
        if hits:
            columns = part.file.read(_FIELDS).take([place for place, _ in hits]).to_pydict()
            rows = zip(*(columns[name] for name in _FIELDS), strict=True)
            found.update((key, Quality(*row)) for (_, key), row in zip(hits, rows, strict=True))
        return len(found) < len(keys)

    if keys:
        table(cache).visit(read)
    return found


def add(cache: Path, rows: Mapping[bytes, Quality]) -> None:
    """Keep what recordings are like, by key."""
    if rows:
        cells = [list(rows), *map(list, zip(*rows.values(), strict=True))]
        arrays = [pa.array(column, field.type) for column, field in zip(cells, SCHEMA, strict=True)]
        table(cache).append(pa.table(arrays, schema=SCHEMA), sync=Sync.NOTHING)
