"""Recordings that are handed to the page: kept in a folder of this process, answered once, and deleted.

Gradio keeps uploads in the temporary folder for ever, and fetches for any client what a public address holds. Here a
recording is one that was uploaded to this page, and nothing else is asked of Gradio than the page needs.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from ser_experiments.serving.asgi import Application, Message, Receive, Scope, Send, respond

#: Bytes of a recording: ten minutes of stereo at 48 kHz.
MAX_UPLOAD = 128 * 2**20
#: Bytes of all that is there at a time, and how long what nobody asks about stays.
_MOST, _STAY_S = 1024 * 2**20, 900.0
_PREFIX = "ser-app-"
#: What the page asks of Gradio's interface, and what of that takes a body of a recording.
_API, _UPLOAD = "/gradio_api/", "/gradio_api/upload"
_ASKED = ("upload", "upload_progress", "queue/join", "queue/data", "call/hear", "heartbeat/", "info", "app_id",
          "startup-events", "theme.css", "cancel", "reset", "file=")  # fmt: skip


def make_folder() -> Path:
    """Make the folder for uploads, which goes with this process, and let Gradio and others write nowhere else.

    Folders of processes that were killed are deleted.
    """
    for old in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        number = old.name.removeprefix(_PREFIX).partition("-")[0]
        if number.isdigit() and not psutil.pid_exists(int(number)) and _is_own(old):
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")).resolve()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["GRADIO_TEMP_DIR"] = tempfile.tempdir = str(folder)
    return folder


def _is_own(folder: Path) -> bool:
    found = folder.lstat()
    return not folder.is_symlink() and (not hasattr(os, "getuid") or found.st_uid == os.getuid())


def delete(path: str, folder: Path) -> None:
    """Delete an upload, with the folder that Gradio made for it."""
    own = Path(path).resolve()
    if own.is_relative_to(folder):
        own.unlink(missing_ok=True)
        with suppress(OSError):
            if own.parent != folder:
                own.parent.rmdir()


class Gate:
    """An ASGI application that lets through what the page needs.

    Parameters
    ----------
    app : ASGI application
        Gradio's.
    folder : Path
        Of the uploads.
    """

    def __init__(self, app: Application, folder: Path) -> None:
        self._app, self._folder = app, folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that it is not."""
        refused = self._refused(scope) if scope["type"] == "http" else 0
        if refused:
            await respond(send, refused, "text/plain", _SAID[refused])
            return
        await self._app(scope, _bounded(receive) if scope["type"] == "http" else receive, send)

    def _refused(self, scope: Scope) -> int:
        """Return the status of a request that is not passed on; 0 of any other."""
        path: str = scope["path"]
        if path.startswith(_API):
            asked = path.removeprefix(_API)
            if not asked.startswith(_ASKED) or (asked.startswith("file=") and not self._is_here(asked[5:])):
                return 404
        elif scope["method"] not in ("GET", "HEAD"):
            return 404
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not length.isdigit() or int(length) > _MOST_BODY:
            return 413
        return 507 if path.startswith(_UPLOAD) and scope["method"] == "POST" and self._is_full() else 0

    def _is_here(self, path: str) -> bool:
        return Path(os.path.abspath(path)).is_relative_to(self._folder)

    def _is_full(self) -> bool:
        """Whether no more uploads are taken; what lies there for long is deleted first."""
        held = 0
        for path in self._folder.rglob("*"):
            with suppress(OSError):
                found = path.lstat()
                if path.is_file() and time.time() - found.st_mtime > _STAY_S:
                    delete(str(path), self._folder)
                else:
                    held += found.st_size
        return held + MAX_UPLOAD > _MOST


#: What surrounds a recording in a request.
_MOST_BODY = MAX_UPLOAD + 2**20
_SAID = {404: b"not part of this page", 413: b"too large", 507: b"too many recordings; try again in some minutes"}


def _bounded(receive: Receive) -> Receive:
    """Return what receives a body and lets go of a client that sends more than a recording."""
    n_bytes = 0

    async def bounded() -> Message:
        nonlocal n_bytes
        message = await receive()
        n_bytes += len(message.get("body", b""))
        return message if n_bytes <= _MOST_BODY else {"type": "http.disconnect"}

    return bounded
