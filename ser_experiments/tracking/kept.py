"""The steps of an outbox on disk: what is read again is what was written, or says that it is not."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ser_experiments import identity
from ser_experiments.errors import StoreError

#: In the folder of a step: what is to be done, and the files that belong to it.
STEP, FILES = "step.json", "files"
_CHECK = "digest"


class Damaged(StoreError):
    """What was kept is not what was written, so that no later try helps."""


@dataclass(frozen=True)
class Step:
    """One step of logging.

    Parameters
    ----------
    folder : Path
        Where it is kept.
    kind : str
        What is to be done, e.g. ``metrics``; each store knows how.
    arguments : dict
        JSON values.
    damage : str
        What is wrong with it; empty where it is as it was written.
    """

    folder: Path
    kind: str
    arguments: dict[str, Any]
    damage: str = ""

    @property
    def files(self) -> Path:
        """Return the folder of the files that belong to it."""
        return self.folder / FILES


def read_step(folder: Path) -> Step:
    """Return the step in a folder, and what is wrong with it."""
    try:
        said = read_checked(folder / STEP, ("kind", "arguments"))
    except Damaged as error:
        return Step(folder, folder.name.partition("-")[2], {}, str(error))
    step = Step(folder, str(said["kind"]), said["arguments"])
    if not isinstance(step.arguments, dict):
        return replace(step, arguments={}, damage=f"{folder / STEP}: is not what an outbox holds")
    # What a version before had written knows sizes alone, or nothing.
    kept: Any = said.get("files", said.get("sizes"))
    found: Any = digests(step.files)
    if "files" not in said:
        kept, found = kept or {}, {name: (step.files / name).stat().st_size for name in found if kept}
    if kept == found:
        return step
    wrong = sorted(name for name in kept.keys() | found.keys() if kept.get(name) != found.get(name))
    return replace(step, damage=f"{step.files}: files of it are lost or not what was written ({', '.join(wrong)[:80]})")


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of each file of a step."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): identity.of_file(path) for path in found}


def write_checked(path: Path, values: Mapping[str, Any]) -> None:
    """Write values with a digest of them, whole or not at all."""
    told = json.loads(json.dumps(dict(values)))
    write_whole(path, json.dumps({**told, _CHECK: _digest(told)}))


def read_checked(path: Path, keys: Iterable[str]) -> dict[str, Any]:
    """Return values that were written, with some keys that there must be."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Damaged(f"{path}: is lost") from error
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise Damaged(f"{path}: cannot be read ({error})") from error
    if not isinstance(found, dict) or not found.keys() >= set(keys):
        raise Damaged(f"{path}: is not what an outbox holds")
    # What a version before had written has none.
    if found.pop(_CHECK, None) not in (None, _digest(found)):
        raise Damaged(f"{path}: is not what was written")
    return found


def _digest(told: Mapping[str, Any]) -> str:
    return identity.of_bytes([json.dumps(told, sort_keys=True).encode()])


def sync_to_disk(path: Path) -> None:
    """Follow a file or a folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, text: str) -> None:
    """Write a text file whole or not at all, whatever ends the process meanwhile."""
    half = path.with_name(f".{path.name}")
    with half.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
