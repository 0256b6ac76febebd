"""Recordings that end, stop or fill a process, clients that keep a server waiting, and too many of them."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from ser_experiments import plugins
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.serving import AudioModel, save_model
from ser_experiments.serving.http.__main__ import WAITING
from ser_experiments.serving.http.protocol import IDLE_S
from tests.served import Server, encoded, serving

pytestmark = pytest.mark.slow
#: A feature set that does by the level of a recording what decoders and numerical libraries do by accident.
TRAP = """
import os, signal, time
import numpy as np
from ser_experiments.features.columns import Column
from ser_experiments.features.measure import Measure, Output, ROW, per_clip

def compute(audio):
    peak = float(np.abs(audio).max())
    if peak > 0.9:
        os.kill(os.getpid(), signal.SIGKILL)
    if peak > 0.8:
        time.sleep(3600)
    if peak > 0.7:
        np.ones(2**31, np.uint8)
    if peak > 0.6:
        raise ValueError("strange")
    if peak > 0.5:
        time.sleep(0.5)
    return np.array([peak, 1.0], np.float32)

def extractor():
    columns = tuple(Column(f"trap_{i}", "1", "level") for i in range(2))
    return Measure(name="trap", version="1", outputs=(Output("level", ROW, columns),), open=per_clip(compute))
"""
TIMEOUT_S = 3.0
HEAD = b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HEAD += b"Content-Length: %d\r\n\r\n"


def level(peak: float, seconds: float = 0.5) -> bytes:
    """Return a recording of a level."""
    return encoded((peak * np.sin(np.arange(int(16_000 * seconds)))).astype(np.float32))


GOOD, SLOW, STRANGE, LARGE, STUCK, DEADLY = (level(peak) for peak in (0.1, 0.55, 0.65, 0.75, 0.85, 0.95))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve a model on the trap with one process for short requests."""
    folder = tmp_path_factory.mktemp("trap")
    (folder / "plugins" / "features").mkdir(parents=True)
    (folder / "plugins" / "features" / "trap.py").write_text(TRAP)
    before = plugins.folder()
    plugins.use(folder / "plugins")
    patch = pytest.MonkeyPatch()
    try:
        table = pd.DataFrame(np.random.default_rng(0).random((40, 2)).astype(np.float32), columns=["trap_0", "trap_1"])
        fitted = build_pipeline("logreg", sets=["trap"]).fit(table.assign(group="g"), np.array(["x", "y"] * 20))
        save_model(AudioModel(fitted, [("trap", {})], {"experiment": "x", "setting": "s"}), folder / "model")
        patch.setenv(plugins.VARIABLE, str(folder / "plugins"))
        with serving(folder / "model", folder / "log", "--workers", "1", "--timeout", str(TIMEOUT_S)) as one:
            yield one
    finally:
        patch.undo()
        plugins.use(before)


def test_a_row_that_ends_its_process_spoils_no_other(server: Server) -> None:
    rows = server.ask(GOOD, DEADLY, GOOD, LARGE, GOOD, STRANGE, GOOD, DEADLY, GOOD).rows
    assert [row["error"] for row in rows[::2]] == [""] * 5
    assert all(row == rows[0] for row in rows[::2])
    errors = [row["error"] for row in rows[1::2]]
    assert errors == [
        "ended the process that measured it",
        "takes more memory than a request may",
        "could not be answered (ValueError)",
        "ended the process that measured it",
    ]
    assert all(row["probabilities"] == {} for row in rows[1::2])
    assert server.ask(GOOD).rows == rows[:1]


def test_a_row_that_never_ends_is_answered_in_time(server: Server) -> None:
    began = time.perf_counter()
    first, stuck, last = server.ask(GOOD, STUCK, GOOD).rows
    assert time.perf_counter() - began < TIMEOUT_S + 2
    assert first["error"] == ""
    for row in (stuck, last):
        assert row["error"].startswith("not answered within 3 s")
    assert server.ask(GOOD).rows == [first]


def test_rows_that_are_not_reached_say_so(server: Server) -> None:
    began = time.perf_counter()
    rows = server.ask(*[SLOW] * 20).rows
    assert time.perf_counter() - began < TIMEOUT_S + 2
    n_done = sum(row["error"] == "" for row in rows)
    assert 3 <= n_done <= 7
    assert all(row["error"].startswith("not answered within 3 s") for row in rows[n_done:])


def test_more_than_wait_are_sent_away(server: Server) -> None:
    asked = WAITING + 20
    began = time.perf_counter()
    with ThreadPoolExecutor(asked) as pool:
        said = list(pool.map(lambda _: server.ask(STUCK), range(asked)))
    assert time.perf_counter() - began < 2 * TIMEOUT_S + 4
    statuses = [one.status for one in said]
    assert set(statuses) == {200, 503}
    assert statuses.count(503) > asked - 4
    for one in said:
        if one.status == 503:
            assert int(one.headers["retry-after"]) >= 1
            assert "send it again" in one.message
    assert server.ask(GOOD).rows[0]["error"] == ""


def test_who_leaves_is_not_waited_for(server: Server) -> None:
    body = json.dumps({"instances": [base64.b64encode(STUCK).decode()]}).encode()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(server.ask, STUCK)
        time.sleep(0.3)
        for _ in range(WAITING + 10):
            with socket.create_connection(("127.0.0.1", server.port)) as one:
                one.sendall(HEAD % len(body) + body)
                time.sleep(0.01)
        time.sleep(0.3)
        # There is room for it, and its turn comes.
        assert server.ask(GOOD).rows[0]["error"] == ""
        first.result()


def test_a_body_that_does_not_come(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=40) as one:
        one.sendall(HEAD % 9999 + b"{")
        began = time.perf_counter()
        said = one.recv(4096)
        assert said.startswith(b"HTTP/1.1 408 ")
        assert 8 < time.perf_counter() - began < 15


@pytest.mark.parametrize(
    "begun", [b"", b"POST /invocations HTTP/1.1\r\nHost: a", b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\nGET"]
)
def test_a_connection_of_nothing_is_closed(server: Server, begun: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=IDLE_S + 10) as one:
        one.sendall(begun)
        began = time.perf_counter()
        while one.recv(4096):
            pass
        assert time.perf_counter() - began < IDLE_S + 5


def test_many_connections_of_nothing_keep_nobody_out(server: Server) -> None:
    held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(300)]
    try:
        assert server.ask(GOOD).status == 200
    finally:
        for one in held:
            one.close()


def test_a_body_that_nobody_wants_is_not_kept(server: Server) -> None:
    before = psutil.Process(server.process.pid).memory_info().rss
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    pieces = (bytes(2**20) for _ in range(200))
    connection.request("POST", "/invocations", pieces, {"Content-Type": "application/vnd.apache.parquet"})
    assert connection.getresponse().status == 415
    connection.close()
    assert psutil.Process(server.process.pid).memory_info().rss - before < 32 * 2**20


def test_a_process_that_is_gone_is_replaced(server: Server) -> None:
    for _ in range(3):
        for one in server.tree():
            if one.ppid() not in (server.process.pid, psutil.Process().pid):
                one.kill()
        assert server.ask(GOOD).rows[0]["error"] == ""
        assert server.ask(level(0.1, seconds=40)).rows[0]["error"] == ""
    assert len(server.tree()) == 5


def test_wait_answers_while_it_works(server: Server) -> None:
    asking = threading.Thread(target=server.ask, args=(STUCK,))
    asking.start()
    began = time.perf_counter()
    for path in ("/ping", "/health", "/version"):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", path)
        assert connection.getresponse().status == 200
        connection.close()
    assert time.perf_counter() - began < 1
    asking.join()


def test_the_log_has_no_more_than_it_needs(server: Server) -> None:
    said = Path(server.log).read_text()
    assert said.count("Traceback") <= 1 + said.count("a row could not be answered")
