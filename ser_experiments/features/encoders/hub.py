"""Where the weights of an encoder lie: a folder, or what was fetched from the hub, pinned to a commit.

What is fetched lies in the cache of the hub's own library, where every program finds it. Only configurations and
safetensors are; a repository is taken for fetched when all of them are there.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ser_experiments.errors import InputError
from ser_experiments.features.assets import AssetAway
from ser_experiments.features.encoders.checkpoint import CONFIG, INDEX, PREPROCESSOR, WEIGHTS, is_pickled, shards_of
from ser_experiments.features.progress import Callback, Meter
from ser_experiments.files import WRITTEN, path_of, read_text

log = logging.getLogger(__name__)
#: What is fetched of a repository, and nothing that could run; weights come whole or in parts.
_SETTINGS = (CONFIG, PREPROCESSOR)
_PART = re.compile(r"model-\d+-of-\d+\.safetensors")
_ID = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")
_MAIN = "main"
_MB = 1_000_000
#: Left free on the disk.
_SPARE = 50 * _MB
NEEDED = "encoders need packages that are not here ({}); say pip install 'ser_experiments[encoders]'"


class Repository(NamedTuple):
    """A revision of a repository of the hub.

    Attributes
    ----------
    name : str
        Its id.
    commit : str
        What the revision is.
    sizes : dict of str to int
        Bytes of the files that an encoder needs, by name.
    """

    name: str
    commit: str
    sizes: dict[str, int]


class NotFetched(AssetAway):
    """An encoder of the hub that is not on this machine yet."""

    def __init__(self, model: str) -> None:
        super().__init__(f"encoder {model}: not on this machine; say ser encoders pull {model}")
        self.model = model

    def __reduce__(self) -> tuple[type[NotFetched], tuple[str]]:
        return type(self), (self.model,)


def found(model: str) -> tuple[str, Path]:
    """Return what pins an encoder and the folder that it lies in on this machine; nothing is fetched.

    Parameters
    ----------
    model : str
        A folder, or an id of the hub, perhaps with ``@`` and a revision.

    Returns
    -------
    str
        The folder, or the id with the commit.
    Path
        The folder.

    Raises
    ------
    InputError
        There is no such folder, or the id was not fetched yet.
    """
    folder = path_of(model)
    if folder.is_dir():
        return str(folder.resolve()), folder.resolve()
    name, revision = parse(model)
    snapshot = _snapshot(name, revision)
    if snapshot is None:
        raise NotFetched(model)
    return f"{name}@{snapshot.name}", snapshot


def fetch(model: str, *, progress: Callback | None = None) -> tuple[str, Path]:
    """Fetch an encoder from the hub where it is not on this machine; return as :func:`found`.

    A revision is resolved to a commit once: what is here of it is not asked for again. What was interrupted goes on
    where it stopped. ``HF_ENDPOINT``, ``HF_HOME``, ``HF_TOKEN`` and ``HF_HUB_OFFLINE`` count as in the hub's library.

    Parameters
    ----------
    model : str
        As of :func:`found`; a folder is only looked for.
    progress : callable, optional
        Takes a :class:`~ser_experiments.features.progress.Progress` in MB; by default a log line now and then.

    Raises
    ------
    InputError
        It cannot be had; what was here stays as it was.
    """
    try:
        return found(model)
    except NotFetched:
        pass
    name, revision = parse(model)
    with _explained(model):
        from ser_experiments.features.encoders import transfer

        repository = _needed(name, *transfer.listed(name, revision))
        base = _base(name)
        missing = {file: size for file, size in repository.sizes.items() if not _here(base, repository.commit, file)}
        total = sum(missing.values())
        _check_room(model, base, total)
        log.info("fetching %s at %s (%.0f MB, once)", name, repository.commit[:12], total / _MB)
        meter = Meter(progress)
        meter.start(f"fetching {name}, MB", -(-total // _MB))
        before = 0
        for file, size in sorted(missing.items(), key=lambda one: one[1]):
            transfer.file(name, repository.commit, file, cache_folder(), partial(_tell, meter, before))
            before += size
        meter.step(meter.total - meter.done)
        if not _is_whole(base / "snapshots" / repository.commit):
            raise InputError(f"encoder {model}: the files that came are not a whole checkpoint; say it again")
        _write_ref(base, revision or _MAIN, repository.commit)
    return found(f"{name}@{repository.commit}")


def parse(model: str) -> tuple[str, str | None]:
    """Return the id and the revision; an InputError where it is neither an id nor a folder."""
    match = _ID.fullmatch(model) if isinstance(model, str) else None
    if not match or str(model).startswith((".", "/", "~")) or ".." in str(model):
        raise InputError(f"encoder {model}: no such folder, and no id of the hub such as openai/whisper-base")
    return match["id"], match["revision"]


def cache_folder() -> Path:
    """Return where the hub's library keeps what it fetched, for every program of a user."""
    if found := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(found).expanduser()
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "huggingface"
    return Path(home).expanduser() / "hub"


def _base(name: str) -> Path:
    return cache_folder() / f"models--{name.replace('/', '--')}"


def _snapshot(name: str, revision: str | None) -> Path | None:
    """Return the folder of a revision in the hub's cache; its library takes longer to import than this to read."""
    base = _base(name)
    ref = base / "refs" / (revision or _MAIN)
    commit = read_text(ref, most=WRITTEN).strip() if os.path.isfile(ref) else revision or _MAIN
    folder = base / "snapshots" / commit
    return folder if _is_whole(folder) else None


def _is_whole(folder: Path) -> bool:
    """Whether everything is there: another program may have fetched a part, and this one may have been killed."""
    if not all((folder / name).is_file() for name in _SETTINGS):
        return False
    if (folder / WEIGHTS).is_file():
        return True
    return (folder / INDEX).is_file() and all((folder / shard).is_file() for shard in shards_of(folder))


def _here(base: Path, commit: str, file: str) -> bool:
    return (base / "snapshots" / commit / file).is_file()


def _needed(name: str, commit: str, sizes: dict[str, int]) -> Repository:
    """Return what is fetched of the files of a revision; an InputError where an encoder cannot be made of them."""
    parts = {file for file in sizes if _PART.fullmatch(file)} | {INDEX}
    weights = {WEIGHTS} if WEIGHTS in sizes else parts
    if not weights <= sizes.keys():
        pickled = next((file for file in sorted(sizes) if is_pickled(file)), None)
        why = (
            f"its weights are in {pickled} alone, which can run code when it is read; look for a revision with "
            f"{WEIGHTS} (ID@refs/pr/N), or convert a trusted copy once and name its folder"
            if pickled
            else f"no {WEIGHTS} in it; is it a speech encoder?"
        )
        raise InputError(f"encoder {name}: {why}")
    for file in _SETTINGS:
        if file not in sizes:
            raise InputError(f"encoder {name}: no {file} in its repository; is it a speech encoder?")
    return Repository(name, commit, {file: sizes[file] for file in (*_SETTINGS, *sorted(weights))})


def _check_room(model: str, base: Path, total: int) -> None:
    there = next(folder for folder in (base, *base.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if total + _SPARE > free:
        raise InputError(
            f"encoder {model}: {total / _MB:.0f} MB are to be fetched, {free / _MB:.0f} MB are free in {there}; make "
            "room, or let HF_HOME name another disk"
        )


def _tell(meter: Meter, before: int, n_bytes: int) -> None:
    meter.step(max(0, (before + n_bytes) // _MB - meter.done))


def _write_ref(base: Path, revision: str, commit: str) -> None:
    """Note the commit of a branch or tag, as the hub's library does, at the end: what has a ref is whole."""
    if revision == commit:
        return
    ref = base / "refs" / revision
    ref.parent.mkdir(parents=True, exist_ok=True)
    new = ref.with_name(f"{ref.name}.{os.getpid()}.new")
    new.write_text(commit, encoding="utf-8")
    new.replace(ref)


@contextmanager
def _explained(model: str) -> Iterator[None]:
    """Say in one line why the hub's library gave up."""
    try:
        from huggingface_hub import errors
    except ImportError as error:
        raise InputError(f"encoder {model}: {NEEDED.format(error.name)}") from error
    folder = "name a folder that holds it"
    try:
        yield
    except errors.OfflineModeIsEnabled as error:
        said = f"not on this machine, and HF_HUB_OFFLINE forbids to fetch it; unset that, or {folder}"
        raise InputError(f"encoder {model}: {said}") from error
    except errors.GatedRepoError as error:
        said = "its owner gives it only to those who asked; ask on its page, then set HF_TOKEN"
        raise InputError(f"encoder {model}: {said}") from error
    except errors.RevisionNotFoundError as error:
        raise InputError(f"encoder {model}: the hub has no such revision of it") from error
    except errors.RepositoryNotFoundError as error:
        said = "the hub has none of that id, or it is private; mend the id, or set HF_TOKEN"
        raise InputError(f"encoder {model}: {said}") from error
    except errors.HFValidationError as error:
        raise InputError(f"encoder {model}: no id of the hub such as openai/whisper-base") from error
    except errors.HfHubHTTPError as error:
        said = f"the hub answers {error.response.status_code}; say it again later, or {folder}"
        raise InputError(f"encoder {model}: {said}") from error
    except (errors.HTTPError, errors.FileMetadataError, errors.LocalEntryNotFoundError) as error:
        why = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(
            f"encoder {model}: the hub cannot be reached ({why}); look after the network or HF_ENDPOINT, or {folder}"
        ) from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        said = "the disk is full; make room, or let HF_HOME name another" if full else str(error)
        raise InputError(f"encoder {model}: cannot be kept in {cache_folder()}: {said}") from error
