"""A small server that speaks the part of the hub's file API that a download needs, over files in memory."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

_API = re.compile(r"/api/models/(?P<id>[^/]+/[^/]+)(?:/revision/(?P<revision>.+))?")
_FILE = re.compile(r"/(?P<id>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>.+)")


@dataclass
class Hub:
    """What the server has and how it behaves.

    Attributes
    ----------
    files : dict
        Content by id and name.
    commits : dict
        Commit by id.
    gated : set of str
        Ids that need a token.
    breaks_at : int or None
        Bytes of an answer after which the line drops.
    breaks : int
        How often it still drops.
    slow : threading.Event or None
        A file stops in the middle until it is set.
    ranges : bool
        Whether parts of files are given.
    spoilt : bool
        Whether other bytes are sent than the hub says.
    asked : list of tuple
        Method, path and range of every request.
    """

    files: dict[str, dict[str, bytes]]
    commits: dict[str, str]
    gated: set[str] = field(default_factory=set)
    breaks_at: int | None = None
    breaks: int = 0
    slow: threading.Event | None = None
    ranges: bool = True
    spoilt: bool = False
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    address: str = ""

    def sent(self, name: str) -> list[str | None]:
        """Return the ranges in which a file was asked for."""
        return [part for method, path, part in self.asked if method == "GET" and path.endswith(f"/{name}")]


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve a hub at ``hub.address``."""

    class Handler(_Handler):
        server_hub = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Answer with headers alone."""
        self._answer()

    def do_GET(self) -> None:
        """Answer."""
        self._answer()

    def _answer(self) -> None:
        hub, path = self.server_hub, unquote(urlsplit(self.path).path)
        hub.asked.append((self.command, path, self.headers.get("Range")))
        api, file = _API.fullmatch(path), _FILE.fullmatch(path)
        match = api or file
        if not match or match["id"] not in hub.files:
            return self._refuse(401, "RepoNotFound")
        name = match["id"]
        if match["revision"] not in (None, "main", hub.commits[name]):
            return self._refuse(404, "RevisionNotFound")
        if api:
            return self._tell(name)
        if name in hub.gated and self.headers.get("Authorization") != "Bearer hf_secret":
            return self._refuse(401, "GatedRepo")
        if file and file["file"] in hub.files[name]:
            return self._send(name, hub.files[name][file["file"]])
        return self._refuse(404, "EntryNotFound")

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _tell(self, name: str) -> None:
        siblings = [{"rfilename": file, "size": len(content)} for file, content in self.server_hub.files[name].items()]
        told = {"id": name, "modelId": name, "sha": self.server_hub.commits[name], "siblings": siblings, "tags": []}
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send(self, name: str, content: bytes) -> None:
        hub, total, etag = self.server_hub, len(content), hashlib.sha256(content).hexdigest()
        if hub.spoilt:
            content = content[:-1] + bytes([content[-1] ^ 1])
        start = 0
        given = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if given and hub.ranges:
            start = int(given[1])
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.send_header("ETag", f'"{etag}"')
        self.send_header("X-Repo-Commit", hub.commits[name])
        self.send_header("Content-Length", str(total - start))
        self.end_headers()
        if self.command == "HEAD":
            return
        body = content[start:]
        if hub.breaks_at is not None and hub.breaks and len(body) > hub.breaks_at:
            hub.breaks -= 1
            self.wfile.write(body[: hub.breaks_at])
            self.wfile.flush()
            self.close_connection = True
            return
        if hub.slow is not None and len(body) > 1_000_000:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            hub.slow.wait(60)
            body = body[len(body) // 2 :]
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True
