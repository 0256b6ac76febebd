"""The part of the page that says the emotion while somebody speaks: a small page of its own, and what it asks.

The browser sends the samples of each second; the answer comes with the reply. What is kept is a window of sound for
each page that is open, and nothing of who went.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs

import numpy as np

from ser_experiments.cli._abstain import unsure
from ser_experiments.errors import InputError
from ser_experiments.serving.asgi import Application, Receive, Scope, Send, respond
from ser_experiments.serving.audio_model import AudioModel
from ser_experiments.serving.live import Live, Moment
from ser_experiments.words import as_people_write

#: The page, and what it asks.
PAGE, HEAR = "/live", "/live/hear"
#: Pages that are heard at a time, seconds until one that is silent is forgotten, and bytes of a request.
_MOST, _FORGOTTEN_S, _MOST_BYTES = 8, 60.0, 4 * 2**20
_LONGEST_ID = 64


@dataclass
class _Session:
    """What is kept of a page, and when it asked last."""

    live: Live
    asked: float


class LivePage:
    """An ASGI application that answers what is said now, and hands everything else on.

    Parameters
    ----------
    app : ASGI application
        What it stands before.
    model : AudioModel
        Answers for single recordings.
    """

    def __init__(self, app: Application, model: AudioModel) -> None:
        self._app, self._model = app, model
        self._sessions: dict[str, _Session] = {}
        # One after the other, as recordings are.
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        asked = (scope.get("method"), scope.get("path")) if scope["type"] == "http" else None
        if asked == ("GET", PAGE):
            page = files(__package__).joinpath("_live.html").read_bytes()
            await respond(send, 200, "text/html; charset=utf-8", page)
        elif asked == ("POST", HEAR):
            status, told = await self._heard(scope, receive)
            await respond(send, status, "application/json", json.dumps(told).encode())
        else:
            await self._app(scope, receive, send)

    async def _heard(self, scope: Scope, receive: Receive) -> tuple[int, dict[str, Any]]:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return 400, {"error": "the sound ended before its time"}
            body += message.get("body", b"")
            if len(body) > _MOST_BYTES:
                return 413, {"error": "too much sound at once"}
            if not message.get("more_body"):
                break
        begun = time.monotonic()
        try:
            async with self._turn:
                session = self._session(scope)
                audio = np.frombuffer(bytes(body[: len(body) // 2 * 2]), dtype="<i2").astype(np.float32)
                moments = await asyncio.to_thread(lambda: list(session.live.hear(audio / np.float32(32768))))
        except InputError as error:
            return 400, {"error": str(error)}
        told = [self._told(one) for one in moments]
        return 200, {"moments": told, "window_s": session.live.window_s, "step_s": session.live.step_s,
                     "took_s": time.monotonic() - begun}  # fmt: skip

    def _session(self, scope: Scope) -> _Session:
        """Return the session that a request is of, a new one where there is none."""
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        name, rate = (asked.get(key, [""])[0] for key in ("session", "rate"))
        if not 0 < len(name) <= _LONGEST_ID or not rate.isdigit() or len(rate) > len("192000"):
            raise InputError("a session and a rate in Hz are needed")
        now = time.monotonic()
        for old in [key for key, one in self._sessions.items() if now - one.asked > _FORGOTTEN_S]:
            del self._sessions[old]
        if name not in self._sessions:
            if len(self._sessions) >= _MOST:
                raise InputError("too many are heard at this moment; try again in a minute")
            self._sessions[name] = _Session(Live(self._model, int(rate)), now)
        session = self._sessions[name]
        session.asked = now
        return session

    def _told(self, moment: Moment) -> dict[str, Any]:
        task = self._model.task
        numbers = [(as_people_write(name), value) for name, value in task.numbers(moment.answer).items()]
        if task.are_shares:
            numbers.sort(key=lambda one: -one[1])
        unsaid = unsure(task, moment.answer)
        return {"end_s": moment.end_s, "shares": task.are_shares, "numbers": numbers, "unsure": unsaid}
