"""References to arrays in the store: a cell of a table is one, and what it refers to is mapped from disk on use."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ser_experiments.errors import StoreError
from ser_experiments.features.store.checksum import checksum
from ser_experiments.features.store.files import name_and_digest, store_error
from ser_experiments.features.store.parts import KEY, Part, PartitionedTable

#: Shards that are mapped at a time, in each process: random access over any corpus stays within half a gigabyte.
OPEN_SHARDS = 8
#: The index of an array set: where in the shard of the same name an array lies, how long it is, and the checksum of its
#: bytes. Parts of earlier versions have none: what they point to is believed.
UNCHECKED = pa.schema(
    [KEY, *(pa.field(name, pa.int64(), nullable=False) for name in ("offset", "n_bytes", "n_frames"))]
)
SCHEMA = UNCHECKED.append(pa.field("checksum", pa.uint32(), nullable=False))


class Place(NamedTuple):
    """Where an array lies: name of the shard, bytes from its start, number of frames, perhaps a checksum."""

    shard: str
    offset: int
    n_frames: int
    checksum: int | None = None


class ArrayRef:
    """A reference to one array of shape (n_frames, n_columns) in the store.

    ``numpy.asarray(ref)`` and ``ref[start:stop]`` give read-only views of the mapped file. It can be pickled and costs
    a few hundred bytes; no file stays open for it.

    Parameters
    ----------
    folder : str
        The folder of the set in the store.
    key : bytes
        The key of the row, by which the array is found again after shards were merged.
    place : Place
        Where it lay when the table was read.
    n_columns : int
    dtype : str
        ``"float32"`` or ``"float16"``.
    """

    __slots__ = ("_dtype", "_folder", "_key", "_n_columns", "_place")

    def __init__(self, folder: str, key: bytes, place: Place, n_columns: int, dtype: str) -> None:
        self._folder = folder
        self._key = key
        self._place = place
        self._n_columns = n_columns
        self._dtype = dtype

    @property
    def identity(self) -> dict[str, str]:
        """Return what the array is: set, identity of the set, recording; neither its path nor its place, which move."""
        name, digest = name_and_digest(Path(self._folder))
        return {"set": name, "digest": digest, "key": self._key.hex()}

    @property
    def shape(self) -> tuple[int, int]:
        """Return (n_frames, n_columns)."""
        return self._place.n_frames, self._n_columns

    @property
    def ndim(self) -> int:
        """Return 2."""
        return 2

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return the type on disk."""
        return np.dtype(self._dtype)

    @property
    def nbytes(self) -> int:
        """Return what the array takes."""
        return self._place.n_frames * self._n_columns * self.dtype.itemsize

    def __len__(self) -> int:
        return self._place.n_frames

    def __getitem__(self, item: Any) -> NDArray[np.floating]:
        view: NDArray[np.floating] = self._view()[item]
        return view

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[np.floating]:
        view = self._view()
        wanted = view.dtype if dtype is None else np.dtype(dtype)
        if copy is False and wanted != view.dtype:
            raise ValueError(f"array is stored as {view.dtype}; as {wanted} it must be copied")
        return view.astype(wanted) if copy or wanted != view.dtype else view

    def __repr__(self) -> str:
        return f"<array {self.shape[0]} x {self.shape[1]} {self._dtype}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return ArrayRef, (self._folder, self._key, self._place, self._n_columns, self._dtype)

    def _view(self) -> NDArray[np.floating]:
        where, data = _SHARDS.find(self._folder, self._key, self._place)
        count = where.n_frames * self._n_columns
        view = np.frombuffer(data, self.dtype, count, where.offset)
        _SHARDS.check(self._folder, where, view)
        return view.reshape(where.n_frames, self._n_columns)


class _Shards:
    """The shards that are mapped, least recently used first, and where arrays went that are not where they were."""

    def __init__(self) -> None:
        self._maps: OrderedDict[str, pa.Buffer] = OrderedDict()
        self._moved: dict[str, dict[bytes, Place]] = {}
        self._checked: dict[tuple[str, str], set[int]] = {}
        self._lock = threading.Lock()

    def check(self, folder: str, where: Place, view: NDArray[np.floating]) -> None:
        """Compare an array with its checksum when this process uses it first.

        Raises
        ------
        StoreError
            It is not what was written. It has left the store, so that the next run measures it again.
        """
        checked = self._checked.setdefault((folder, where.shard), set())
        if where.offset in checked:
            return
        if where.checksum is not None and checksum(view.view(np.uint8).data) != where.checksum:
            # Imported here: what writes arrays hands out references to them.
            from ser_experiments.features.store.arrays import ShardedTable

            gone = ShardedTable(Path(folder)).drop_damaged(where.shard)
            then = "it was taken out of the store: run again, and it is measured anew" if gone else "remove that file"
            raise StoreError(f"{folder}/{where.shard}: an array in it is not what was written; {then}")
        checked.add(where.offset)

    def find(self, folder: str, key: bytes, place: Place) -> tuple[Place, pa.Buffer]:
        with self._lock:
            known = self._moved.get(folder, {}).get(key, place)
            data = self._map(folder, known.shard)
            if data is None:
                # Merged in the meantime; the index tells where to.
                self._moved[folder] = places(table_of(Path(folder)))
                known = self._moved[folder].get(key, place)
                data = self._map(folder, known.shard)
        if data is None:
            raise StoreError(f"{folder}: an array was removed from the store while it was in use; run again")
        return known, data

    def _map(self, folder: str, shard: str) -> pa.Buffer | None:
        path = f"{folder}/{shard}"
        if path in self._maps:
            self._maps.move_to_end(path)
            return self._maps[path]
        try:
            # Arrow's map outlives its file handle, so arrays in use never exhaust the open files of the process.
            with pa.memory_map(path) as file:
                data = file.read_buffer()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise store_error(Path(path), error) from error
        self._maps[path] = data
        while len(self._maps) > OPEN_SHARDS:
            self._maps.popitem(last=False)
        return data


_SHARDS = _Shards()


def table_of(folder: Path) -> PartitionedTable:
    """Return the index of the arrays in a folder."""
    return PartitionedTable(folder, SCHEMA, older=[UNCHECKED])


def places(table: PartitionedTable, wanted: set[bytes] | None = None) -> dict[bytes, Place]:
    """Read where arrays lie.

    Parameters
    ----------
    table : PartitionedTable
        Of the schema above.
    wanted : set of bytes, optional
        The keys looked for; by default all.

    Returns
    -------
    dict of bytes to Place
        By key; an array that ends beyond its shard is passed over.
    """
    found: dict[bytes, Place] = {}

    def read(part: Part) -> bool:
        try:
            size = part.shard.stat().st_size
        except FileNotFoundError:
            # Either being merged, then the rows stand in a newer part, or lost, then they are measured again.
            return True
        columns = [column.to_pylist() for column in part.file.read().columns]
        for key, offset, n_bytes, *rest in zip(*columns, strict=True):
            if (wanted is None or key in wanted) and offset + n_bytes <= size:
                found[key] = Place(part.shard.name, offset, *rest)
        return wanted is None or len(found) < len(wanted)

    if wanted is None or wanted:
        table.visit(read)
    return found
