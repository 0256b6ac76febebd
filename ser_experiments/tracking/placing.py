"""Files that many models share, such as the weights of an encoder: put beside each, kept on a disk once."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path


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


def _linked(known: Path, target: Path) -> bool:
    """Give a file a second name, where the file system can."""
    with suppress(OSError):
        os.link(known, target)
        return True
    return False
