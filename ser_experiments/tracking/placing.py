"""Files of a store: whether there is room for them; those that many models share are beside each, and kept once."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from ser_experiments.errors import StoreError

#: What a run leaves at the least: its table of predictions, pictures and a small model.
_LEAST_BYTES = 1 << 20


def place(files: Mapping[str, Path], folder: Path, models: Iterable[Path] = ()) -> int:
    """Put files into a model's folder, each whole or not at all; what is there already stays.

    Parameters
    ----------
    files : mapping of str to Path
        By their place in the folder; what lies at one place is the same in every model.
    folder : Path
        The model's.
    models : iterable of Path
        Folders of other models: a file that one of them holds takes no more room.

    Returns
    -------
    int
        Bytes of the files that were not there.
    """
    others = list(models)
    added = 0
    for name, source in files.items():
        target = folder / name
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        known = next((other / name for other in others if (other / name).is_file()), None)
        try:
            if known is None or not _linked(known, temporary):
                shutil.copyfile(source, temporary)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        added += target.stat().st_size
    return added


def probe(folder: Path) -> None:
    """Find out whether files can be written to a folder, which is made where it is not there.

    Raises
    ------
    StoreError
        They cannot; better known before hours of work than after.
    """
    temporary = folder / f".probe-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(b"\0" * _LEAST_BYTES)
                file.flush()
                os.fsync(file.fileno())
        finally:
            with suppress(OSError):
                temporary.unlink()
    except OSError as error:
        raise StoreError(
            f"{folder}: runs cannot be written ({error.strerror or error}); make room or give leave, or set "
            "MLFLOW_TRACKING_URI to another store, or say --no-log"
        ) from error


def _linked(known: Path, target: Path) -> bool:
    """Give a file a second name, where the file system can."""
    with suppress(OSError):
        os.link(known, target)
        return True
    return False
