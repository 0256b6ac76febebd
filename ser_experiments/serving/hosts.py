"""Whose requests a server on this machine answers: not those that a web page of somebody else makes a browser send.

A page can let its own name mean 127.0.0.1 after it was loaded (DNS rebinding); the browser then takes this server for
a part of that page, and says its name as the host.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from ser_experiments.serving.asgi import Application, Receive, Scope, Send, respond


class TrustedHosts:
    """An ASGI application that answers under known names alone; an address is no name that others can give away.

    Parameters
    ----------
    app : ASGI application
        What it stands before.
    names : iterable of str
        Further hosts, as a proxy may say them; ``*`` stands for any characters.
    """

    def __init__(self, app: Application, names: Iterable[str] = ()) -> None:
        self._app = app
        own = socket.gethostname().lower()
        self._names = ("localhost", own, f"{own}.local", *(name.lower() for name in names))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say that the host is unknown."""
        if scope["type"] not in ("http", "websocket") or self.trusts(scope["headers"]):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            said = {"error_code": "PERMISSION_DENIED", "message": "unknown host or origin; see --allowed-hosts"}
            await respond(send, 403, "application/json", json.dumps(said).encode())

    def trusts(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether the host of a request is known, and the page that made a browser send it is of this server."""
        found = [(name, value.decode("latin-1").strip().lower()) for name, value in headers]
        hosts = [value for name, value in found if name == b"host"]
        origins = [value for name, value in found if name == b"origin"]
        named = [_host(f"//{host}") for host in hosts]
        if not all(host is not None and (_is_address(host) or self._is_known(host)) for host in named):
            return False
        return all(urlsplit(origin).netloc in hosts or self._is_allowed(origin) for origin in origins)

    def _is_known(self, host: str) -> bool:
        return any(fnmatchcase(host, name) for name in self._names)

    def _is_allowed(self, origin: str) -> bool:
        # This machine has other servers too: of its own names, only what was said is trusted.
        host = _host(origin)
        return host is not None and any(fnmatchcase(host, name) for name in self._names[3:])


def names_in(text: str) -> list[str]:
    """Return the names of a list with commas between them."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
