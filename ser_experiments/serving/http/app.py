"""What is answered over HTTP: ``/invocations``, and what tells whether the server is well; bodies are bounded here."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ser_experiments.serving.asgi import Receive, Scope, Send, respond
from ser_experiments.serving.bounds import MAX_BODY, SHORT_BODY
from ser_experiments.serving.http.body import CSV, JSON, Refused
from ser_experiments.serving.http.docs import DESCRIPTION, PAGE, POLICY, page
from ser_experiments.serving.http.lanes import Asked, Full, Lane

#: Status, headers beside those of the body, and body.
_Response = tuple[int, list[tuple[bytes, bytes]], bytes]
#: Bytes of all requests that are there at a time: of short ones, and of others.
ROOM, LARGE_ROOM = 64 * 2**20, 96 * 2**20
#: A body comes within so many seconds, and so many more as it has these bytes.
_ARRIVAL_S, _BYTES_A_SECOND = 10.0, 64 * 2**10
#: After so many seconds what found no room may be sent again.
_AGAIN_S = 1


class App:
    """An ASGI application with the paths of MLflow's scoring servers.

    Parameters
    ----------
    short, long : Lane
        Who answers.
    seconds : float
        How long a request may take once it is there.
    """

    def __init__(self, short: Lane, long: Lane, seconds: float) -> None:
        self._short, self._long, self._seconds = short, long, seconds
        self._rooms = {False: ROOM, True: LARGE_ROOM}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        if scope["path"] in _PAGES and scope["method"] in ("GET", "HEAD"):
            await respond(send, 200, *_PAGES[scope["path"]](self._short.description), _GUARDS)
            return
        try:
            answered = await self._answer(scope, receive)
        except Refused as refused:
            answered = _said(refused.status, str(refused))
        except Full as full:
            answered = _said(503, "too many requests wait; send it again later", full.seconds)
        if answered is not None:
            status, headers, body = answered
            await respond(send, status, JSON, body, headers)

    async def _answer(self, scope: Scope, receive: Receive) -> _Response | None:
        path, method = scope["path"], scope["method"]
        if path == "/invocations":
            if method != "POST":
                raise Refused(405, "only POST")
            return await self._invoked(_kind(scope), _length(scope), receive)
        if path not in ("/ping", "/health", "/version", *_PAGES):
            raise Refused(404, "not found; there are /invocations, /ping, /health, /version and /docs")
        if method not in ("GET", "HEAD"):
            raise Refused(405, "only GET")
        if path == "/version":
            return 200, [], _protocol().encode()
        return (200, [], b"\n") if self._short.is_there else _said(503, "the model is started again", _AGAIN_S)

    async def _invoked(self, kind: str, length: int | None, receive: Receive) -> _Response | None:
        if length is not None and length > MAX_BODY:
            raise Refused(413, f"{length} bytes; a request has at most {MAX_BODY}")
        if (self._long if (length or 0) > SHORT_BODY else self._short).is_full:
            raise Full(_AGAIN_S)
        with self._room() as take:
            body = await _body(receive, take)
            if body is None:
                return None
            return await self._while_there(Asked(body, kind, self._seconds), receive)

    @contextmanager
    def _room(self) -> Iterator[Callable[[int], None]]:
        """Give a function that takes room for so many bytes of a body; all of it is given back at the end."""
        taken = 0

        def take(n_bytes: int) -> None:
            nonlocal taken
            for is_large, change in ((taken > SHORT_BODY, -taken), (taken + n_bytes > SHORT_BODY, taken + n_bytes)):
                self._rooms[is_large] -= change
            taken += n_bytes
            if self._rooms[taken > SHORT_BODY] < 0:
                raise Full(_AGAIN_S)

        try:
            yield take
        finally:
            self._rooms[taken > SHORT_BODY] += taken

    async def _while_there(self, asked: Asked, receive: Receive) -> _Response | None:
        """Answer a request while somebody waits for it."""
        answering, leaving = asyncio.ensure_future(self._asked(asked)), asyncio.ensure_future(receive())
        try:
            await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
            return await answering if answering.done() else None
        finally:
            for one in (answering, leaving):
                one.cancel()

    async def _asked(self, asked: Asked) -> _Response:
        if len(asked.body) <= SHORT_BODY:
            await self._short.answer(asked)
        if asked.is_long or len(asked.body) > SHORT_BODY:
            await self._long.answer(asked)
        if asked.refused is not None:
            return _said(*asked.refused)
        return 200, [], json.dumps({"predictions": asked.answers}).encode()


#: What describes the server: its type and its content.
_PAGES: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, bytes]]] = {
    DESCRIPTION: lambda described: (JSON, json.dumps(described).encode()),
    PAGE: lambda described: ("text/html; charset=utf-8", page(described)),
}
_GUARDS = [(b"content-security-policy", POLICY.encode()), (b"x-content-type-options", b"nosniff")]


def _protocol() -> str:
    """Return the version of the protocol, which its clients ask for: MLflow's, where that is installed."""
    try:
        return version("mlflow")
    except PackageNotFoundError:
        return "unknown"


#: MLflow's names of what is wrong.
_CODES = {404: "ENDPOINT_NOT_FOUND", 500: "INTERNAL_ERROR", 503: "TEMPORARILY_UNAVAILABLE"}


def _said(status: int, message: str, again_s: int | None = None) -> _Response:
    """Return what is answered to a request that has no other answer."""
    code = _CODES.get(status, "BAD_REQUEST")
    headers = [] if again_s is None and status != 503 else [(b"retry-after", b"%d" % (again_s or _AGAIN_S))]
    return status, headers, json.dumps({"error_code": code, "message": message}).encode()


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1").strip() for key, value in scope["headers"] if key == name), "")


def _kind(scope: Scope) -> str:
    kind, *rest = (one.strip().lower() for one in _header(scope, b"content-type").split(";"))
    if kind not in (JSON, CSV) or any(one and one not in ("charset=utf-8", 'charset="utf-8"') for one in rest):
        raise Refused(415, f"content-type must be {JSON} or {CSV}, in UTF-8")
    if _header(scope, b"content-encoding").lower() not in ("", "identity"):
        raise Refused(415, "a request is not to be compressed: send it without content-encoding")
    return kind


def _length(scope: Scope) -> int | None:
    said = _header(scope, b"content-length")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 20 else None


async def _body(receive: Receive, take: Callable[[int], None]) -> bytearray | None:
    """Return a body as it comes; None where the client went away."""
    body, began, more = bytearray(), time.monotonic(), True
    while more:
        left = began + _ARRIVAL_S + len(body) / _BYTES_A_SECOND - time.monotonic()
        try:
            message = await asyncio.wait_for(receive(), max(0.0, left))
        except TimeoutError:
            raise Refused(408, f"the request did not come within {time.monotonic() - began:.0f} s") from None
        if message["type"] == "http.disconnect":
            return None
        piece = message.get("body", b"")
        if len(body) + len(piece) > MAX_BODY:
            raise Refused(413, f"a request has at most {MAX_BODY} bytes")
        take(len(piece))
        body += piece
        more = message.get("more_body", False)
    return body
