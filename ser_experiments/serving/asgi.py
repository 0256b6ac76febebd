"""How web servers and applications speak with each other (ASGI 3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


async def respond(send: Send, status: int, kind: str, body: bytes, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
    """Answer an HTTP request in one piece.

    Parameters
    ----------
    send : callable
        Of the request.
    status : int
        Of HTTP.
    kind : str
        The content type.
    body : bytes
        The content.
    headers : sequence of (bytes, bytes)
        Others than its type and length.
    """
    own = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": [*own, *headers]})
    await send({"type": "http.response.body", "body": body})
