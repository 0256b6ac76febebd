"""Bring files of the hub into its library's cache, by the library; a big one goes on where it was interrupted.

huggingface_hub itself begins anew what was killed. So the bytes of a big file come by its session, kept beside until
they are all there and are those that the hub means; the library then finds them and puts them where they belong.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from ser_experiments import identity
from ser_experiments.errors import InputError

log = logging.getLogger(__name__)
#: What is smaller begins anew.
BIG = 1_000_000
#: A transfer that breaks off is taken up again so often while nothing comes, after so many seconds.
_TRIES, _WAIT_S = 4, 1.0
#: Seconds without a byte.
_SILENT_S = 30.0
_SHA256 = re.compile(r"[0-9a-f]{64}")


def listed(name: str, revision: str | None) -> tuple[str, dict[str, int]]:
    """Return the commit of a revision and the bytes of its files by name."""
    from huggingface_hub import HfApi

    told = HfApi(endpoint=_endpoint()).model_info(name, revision=revision, files_metadata=True, timeout=_SILENT_S)
    if not told.sha:
        raise InputError(f"encoder {name}: what answers is no hub of Hugging Face; look at HF_ENDPOINT")
    return told.sha, {one.rfilename: int(one.size or 0) for one in told.siblings or ()}


def file(name: str, commit: str, wanted: str, cache: Path, tell: Callable[[int], None]) -> None:
    """Bring a file of a commit into the cache.

    Parameters
    ----------
    name : str
        The repository's id.
    commit : str
        Of its revision.
    wanted : str
        The file.
    cache : Path
        The cache folder of the hub's library.
    tell : callable
        Takes how many bytes of it are here.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    url = hf_hub_url(name, wanted, revision=commit, endpoint=_endpoint())
    told = get_hf_file_metadata(url)
    if told.etag and told.size and told.size >= BIG:
        blob = cache / f"models--{name.replace('/', '--')}" / "blobs" / told.etag
        if not blob.exists():
            _bring(url, blob, told.etag, told.size, tell)
    hf_hub_download(name, wanted, revision=commit, cache_dir=cache, endpoint=_endpoint())


def _endpoint() -> str | None:
    """Return the address of another hub; the library reads it once, when it is imported."""
    return os.environ.get("HF_ENDPOINT") or None


def _bring(url: str, blob: Path, etag: str, size: int, tell: Callable[[int], None]) -> None:
    from filelock import FileLock

    blob.parent.mkdir(parents=True, exist_ok=True)
    part = blob.with_name(f"{blob.name}.part")
    # Two processes that want one file: the second waits, and finds it done.
    with FileLock(f"{part}.lock"):
        if blob.exists():
            return
        _receive(url, part, size, tell)
        if _SHA256.fullmatch(etag) and identity.sha256_of_file(part) != etag:
            part.unlink()
            raise InputError(f"{url}: what came is not what the hub says it is, and was thrown away; say it again")
        os.replace(part, blob)
    Path(f"{part}.lock").unlink(missing_ok=True)


def _receive(url: str, part: Path, size: int, tell: Callable[[int], None]) -> None:
    """Append to what is there until it is as long as it should be."""
    from huggingface_hub.errors import HTTPError

    left = _TRIES
    while (before := part.stat().st_size if part.exists() else 0) != size:
        if before > size:
            part.unlink()
            continue
        try:
            _append(url, part, before, tell)
        except HTTPError:
            left = _TRIES if part.exists() and part.stat().st_size > before else left - 1
            if not left:
                raise
            log.info("%s: broke off at %d of %d bytes; going on", url, part.stat().st_size if before else 0, size)
            time.sleep(_WAIT_S)


def _append(url: str, part: Path, before: int, tell: Callable[[int], None]) -> None:
    from huggingface_hub import get_session
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

    headers = build_hf_headers() | {"Accept-Encoding": "identity"}
    if before:
        headers["Range"] = f"bytes={before}-"
    with get_session().stream("GET", url, headers=headers, timeout=_SILENT_S) as answer:
        hf_raise_for_status(answer)
        # A server that knows no ranges sends it all.
        goes_on = before and answer.status_code == 206
        n_bytes = before if goes_on else 0
        with part.open("ab" if goes_on else "wb") as kept:
            for block in answer.iter_bytes():
                kept.write(block)
                n_bytes += len(block)
                tell(n_bytes)
