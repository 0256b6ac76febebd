"""Emotion of what is being said, and the command that listens."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ser_experiments.cli.listen import line, summary
from ser_experiments.errors import InputError
from ser_experiments.serving.live import Live, Moment
from ser_experiments.serving.timeline import timeline
from ser_experiments.tasks.classes import Classes
from tests.command import PROGRAM
from tests.served import encoded, model_of_dimensions, voice

SOUND = np.concatenate([voice(4.0), np.zeros(32_000, dtype=np.float32), voice(3.0, pitch=250.0)])


def moments(pieces: list[np.ndarray]) -> list[Moment]:
    live = Live(model_of_dimensions(), 16_000)
    return [one for piece in pieces for one in live.hear(piece)]


def test_how_sound_is_cut_into_pieces_changes_nothing() -> None:
    whole = moments([SOUND])
    assert [one.end_s for one in whole] == list(range(1, 10))
    rng = np.random.default_rng(0)
    cuts = np.sort(rng.choice(len(SOUND), 60, replace=False))
    assert moments(np.split(SOUND, cuts)) == whole
    # Nobody speaks in the middle, and the window that ends there is of what was before.
    assert [bool(one.answer["values"]) for one in whole] == [True] * 4 + [False] * 2 + [True] * 3


def test_a_full_window_is_answered_as_on_a_timeline() -> None:
    model, sound = model_of_dimensions(), voice(3.0)
    (*_, last) = Live(model, 16_000).hear(sound)
    of_window = timeline(model, encoded(sound, subtype="FLOAT"), window_s=3.0, step_s=3.0)
    assert last.answer == of_window.answers()[0]


def test_what_is_kept_is_bounded() -> None:
    live = Live(model_of_dimensions(), 16_000)
    for _ in range(40):
        list(live.hear(np.zeros(4_000, dtype=np.float32)))
    held = [*live._pending, *(step.audio for step in live._recent)]
    assert sum(map(len, held)) <= 16_000 * 4


@pytest.mark.parametrize("rate", [0, 100, 10**9])
def test_a_rate_that_is_none(rate: int) -> None:
    with pytest.raises(InputError, match="Hz; sound must have"):
        Live(model_of_dimensions(), rate)


def test_lines_fit_a_terminal() -> None:
    task = Classes.of(["angry", "a_class_with_a_name_that_is_far_too_long", "sad"])
    answer = task.answer(np.array([0.6, 0.3, 0.1]), {})
    assert line(task, Moment(599.0, 600.0, 1.0, answer)).startswith(" 10:00  A class with a... 0.60 ############")
    assert max(len(line(task, Moment(1e4, 1e4, 1.0, answer))), 10) <= 80
    assert line(task, Moment(0.0, 1.0, 0.0, task.no_answer)) == "  0:01  no speech"
    assert len(list(summary([0.1, 0.2, 0.4], 1.0, 2.0))) == 3
    assert all(len(one) <= 100 for one in summary([0.1], 1.0, 2.0))


@pytest.mark.slow
def test_a_file_is_heard_as_fast_as_it_was_spoken(tmp_path: Path) -> None:
    model_of_dimensions(tmp_path / "model")
    (tmp_path / "call.wav").write_bytes(encoded(SOUND[: 4 * 16_000]))
    command = [*PROGRAM, "listen", "--model", str(tmp_path / "model")]
    done = subprocess.run([*command, "--from", "call.wav"], capture_output=True, text=True, cwd=tmp_path, check=True)
    lines = done.stdout.splitlines()
    assert [one.split()[0] for one in lines] == ["0:01", "0:02", "0:03", "0:04"]
    assert all("valence" in one and len(one) <= 80 for one in lines)
    assert "4 answers" in done.stderr
    raw = (SOUND[: 2 * 16_000] * 32767).astype("<i2").tobytes()
    done_raw = subprocess.run(
        [*command, "--from", "-", "--json"], input=raw, capture_output=True, cwd=tmp_path, check=True
    )
    told: list[dict[str, Any]] = json.loads(done_raw.stdout)
    assert [one["end_s"] for one in told] == [1.0, 2.0]
    assert all(0 <= one["delay_s"] < 5 for one in told)


def test_the_page_that_listens_answers_in_pieces() -> None:
    from ser_experiments.cli._live_page import _MOST, LivePage

    async def elsewhere(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "elsewhere"})

    async def ask(method: str, path: str, query: str = "", body: bytes = b"") -> tuple[int, Any]:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "query_string": query.encode()}
        await app(scope, receive, send)
        return (sent[0].get("status", 0), sent[-1].get("body", b""))

    async def talk() -> None:
        sound = (SOUND * 32767).astype("<i2").tobytes()
        status, body = await ask("POST", "/live/hear", "session=a&rate=16000", sound[:80_000])
        told = json.loads(body)
        assert status == 200
        assert [one["end_s"] for one in told["moments"]] == [1.0, 2.0]
        assert [name for name, _ in told["moments"][0]["numbers"]] == ["Valence", "Arousal", "Dominance"]
        told = json.loads((await ask("POST", "/live/hear", "session=a&rate=16000", sound[80_000:112_000]))[1])
        assert [one["end_s"] for one in told["moments"]] == [3.0]
        for query in (
            "",
            "session=b",
            "rate=16000",
            "session=b&rate=1",
            "session=b&rate=x",
            f"session={'b' * 99}&rate=16000",
        ):
            assert (await ask("POST", "/live/hear", query))[0] == 400
        assert (await ask("POST", "/live/hear", "session=a&rate=16000", bytes(5 * 2**20)))[0] == 413
        for number in range(_MOST - 1):
            assert (await ask("POST", "/live/hear", f"session={number}&rate=16000"))[0] == 200
        status, body = await ask("POST", "/live/hear", "session=more&rate=16000")
        assert (status, "too many" in json.loads(body)["error"]) == (400, True)
        status, body = await ask("GET", "/live")
        assert status == 200
        assert b"getUserMedia" in body
        assert (await ask("GET", "/"))[0] == 0

    app = LivePage(elsewhere, model_of_dimensions())
    asyncio.run(talk())
