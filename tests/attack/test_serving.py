"""What a served model is sent by those who mean it ill, or know no better; and those who wait beside them."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ser_experiments.serving import AudioModel
from ser_experiments.serving.bounds import MAX_BODY, MAX_BYTES, MAX_ROWS, MAX_VALUES
from tests.served import Server, encoded, serving, small_model, voice

#: What the server and all its processes may take, whatever is sent.
MOST_MEMORY = 1.2 * 2**30
CLIP = encoded(voice(3.0))
FIELDS = {"label", "probabilities", "warnings", "error"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> AudioModel:
    return small_model(tmp_path_factory.mktemp("served") / "model")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    small_model(folder / "model")
    with serving(folder / "model", folder / "log", "--workers", "2", "--timeout", "20") as one:
        yield one
        assert one.ask(CLIP).rows[0]["error"] == ""


# --- rows ------------------------------------------------------------------------------------------------------------


BAD = [
    ("null", None, "audio must be bytes, got nothing"),
    ("a number", 5, "audio must be bytes, got int"),
    ("a number that is none", float("nan"), "audio must be bytes, got float"),
    ("a truth", True, "audio must be bytes, got bool"),
    ("a list", [1], "audio must be bytes, got list"),
    ("an object", {"a": 1}, "audio must be bytes, got dict"),
    ("without padding", base64.b64encode(CLIP).decode().rstrip("=")[:-1], "in base64"),
    ("a path", "/etc/passwd", "in base64"),
    ("a path in base64", b"/etc/passwd", "unreadable audio"),
    ("an address", "http://127.0.0.1/a.wav", "in base64"),
    ("no letters of base64", "ä\u0000\ud800", "in base64"),
    ("nothing", "", "unreadable audio"),
    ("silence", encoded(np.zeros(16_000, np.float32)), "silent recording"),
    ("not finite", encoded(np.full(16_000, np.nan, np.float32), subtype="FLOAT"), "NaN"),
    ("a rate of gigahertz", encoded(voice(1.0), 2**31 - 1), "at most 768000 Hz are read"),
    ("no samples", encoded(np.zeros(0, np.float32)), "no samples"),
]


def test_a_bad_row_is_its_own_answer(server: Server, model: AudioModel) -> None:
    values: list[object] = [CLIP]
    for _, value, _ in BAD:
        values += [value, CLIP]
    rows = server.ask(*values).rows
    expected = model.answer(CLIP)
    for row in rows[::2]:
        assert row["label"] == expected["label"]
        assert row["probabilities"] == pytest.approx(expected["probabilities"])
        assert row["error"] == ""
    for row, (name, _, words) in zip(rows[1::2], BAD, strict=True):
        assert set(row) == FIELDS
        assert words in row["error"], name
        assert (row["label"], row["probabilities"], row["warnings"]) == ("", {}, []), name
        assert "0x" not in row["error"]


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": ["audio"], "index": [7], "data": [["@"]]}},
        {"dataframe_split": {"columns": ["name", "audio"], "data": [["a", "@"]]}},
        {"dataframe_records": [{"audio": "@", "name": "ä"}]},
        {"instances": [{"audio": "@"}]},
        {"instances": ["@"]},
        {"inputs": {"audio": ["@"]}},
        {"inputs": ["@"]},
    ],
)
def test_all_shapes_of_a_request(server: Server, model: AudioModel, body: dict[str, object]) -> None:
    text = json.dumps(body).replace("@", base64.encodebytes(CLIP).decode().replace("\n", "\\n"))
    (row,) = server.ask(body=text.encode()).rows
    assert row["label"] == model.answer(CLIP)["label"]


def test_a_request_of_csv(server: Server, model: AudioModel) -> None:
    text = f"audio\n{base64.b64encode(CLIP).decode()}\n\nnonsense!\n"
    good, bad = server.ask(body=text.encode(), Content_Type="text/csv; charset=utf-8").rows
    assert good["label"] == model.answer(CLIP)["label"]
    assert "in base64" in bad["error"]


REFUSED = [
    ("no JSON", b"{", 400, "not JSON"),
    ("no UTF-8", b'{"instances": ["\xff"]}', 400, "not JSON"),
    ("deep", b"[" * 5000, 400, "too deep"),
    ("digits", b'{"instances": [' + b"9" * 5000 + b"]}", 400, "not JSON"),
    ("a list", b"[1]", 400, "one of dataframe_split"),
    ("two", b'{"instances": [], "inputs": []}', 400, "one of dataframe_split"),
    ("no rows", b'{"instances": 3}', 400, "no rows with a column 'audio'"),
    ("another column", b'{"dataframe_split": {"columns": ["a"], "data": [["b"]]}}', 400, "no rows with a column"),
    ("no columns", b'{"dataframe_split": [1]}', 400, "no rows with a column"),
    ("rows", b'{"instances": [' + b"0," * MAX_ROWS + b"0]}", 413, f"at most {MAX_ROWS}"),
    ("values", b'{"instances": [' + b"[]," * MAX_VALUES + b"0]}", 413, f"more than {MAX_VALUES} values"),
]


@pytest.mark.parametrize(("name", "body", "status", "words"), REFUSED, ids=[one[0] for one in REFUSED])
def test_a_request_of_nonsense(server: Server, name: str, body: bytes, status: int, words: str) -> None:
    said = server.ask(body=body)
    assert said.status == status
    assert words in said.message
    assert "Traceback" not in said.message


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Content_Type": "application/vnd.apache.parquet"}, "content-type must be"),
        ({"Content_Type": "text/plain"}, "content-type must be"),
        ({"Content_Type": "application/json; charset=utf-16"}, "content-type must be"),
        ({"Content_Encoding": "gzip"}, "not to be compressed"),
    ],
)
def test_types_that_are_not_taken(server: Server, headers: dict[str, str], words: str) -> None:
    said = server.ask(body=b"PAR1", **headers)
    assert said.status == 415
    assert words in said.message


def test_paths(server: Server) -> None:
    assert server.ask(path="/").status == 404
    assert server.ask(path="/ping").status == 405
    assert server.ask(path="/../etc/passwd").status == 404


# --- who asks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "localhost.evil.example", "[", ""])
def test_a_name_that_somebody_gave_this_machine(server: Server, host: str) -> None:
    said = server.ask(CLIP, Host=host)
    assert said.status == 403
    assert "--allowed-hosts" in said.message


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:80", "192.168.1.7", socket.gethostname()]
)
def test_names_and_addresses_of_this_machine(server: Server, host: str) -> None:
    assert server.ask(CLIP, Host=host).status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_somebody_else(server: Server, origin: str) -> None:
    assert server.ask(CLIP, Origin=origin).status == 403


def test_a_page_of_this_server(server: Server) -> None:
    host = f"127.0.0.1:{server.port}"
    assert server.ask(CLIP, Host=host, Origin=f"http://{host}").status == 200


# --- what it costs ---------------------------------------------------------------------------------------------------


def near_silence(seconds: float, rate: int = 16_000, channels: int = 1) -> bytes:
    """Return a FLAC of a few kilobytes a minute: nothing, but for a sample now and then."""
    audio = np.zeros((int(seconds * rate), channels), np.int16)
    audio[:: rate // 2] = 300
    return encoded(audio.squeeze(), rate, "FLAC")


def said_to_be(data: bytes, *, rate: int, channels: int, frames: int) -> bytes:
    """Return a FLAC whose header says something else of it (STREAMINFO, RFC 9639)."""
    packed = (rate << 44) | ((channels - 1) << 41) | (15 << 36) | frames
    return data[:18] + packed.to_bytes(8, "big") + data[26:]


BOMB = said_to_be(encoded(voice(1.0), form="FLAC"), rate=192_000, channels=8, frames=192_000 * 299)


def test_a_bomb_is_refused_by_its_header(server: Server) -> None:
    before = time.perf_counter()
    bomb, good = server.ask(BOMB, CLIP).rows
    assert time.perf_counter() - before < 5
    assert "459 million samples (299 s, 8 channels, 192000 Hz); at most 30 million are decoded" in bomb["error"]
    assert good["error"] == ""


def test_a_recording_that_is_too_long(server: Server) -> None:
    bomb = said_to_be(near_silence(5), rate=16_000, channels=1, frames=16_000 * 301)
    (row,) = server.ask(bomb).rows
    assert "301 s long; at most 300 s" in row["error"]


def test_a_recording_that_does_not_say_its_length(server: Server) -> None:
    bomb = said_to_be(near_silence(360, 8000), rate=8000, channels=1, frames=0)
    (row,) = server.ask(bomb).rows
    assert "or longer; at most 300 s" in row["error"]


@pytest.mark.slow
def test_recordings_together(server: Server) -> None:
    long = near_silence(299, 8000)
    *good, late = server.ask(long, long, long, long).rows
    assert [row["error"] for row in good] == [""] * 3
    assert "together at most 900 s" in late["error"]


def test_bodies_that_are_too_large(server: Server) -> None:
    said = server.ask(body=b" " * (MAX_BODY + 1))
    assert (said.status, said.message) == (413, f"{MAX_BODY + 1} bytes; a request has at most {MAX_BODY}")
    chunks = (b" " * 2**20 for _ in range(MAX_BODY // 2**20 + 1))
    assert server.ask(body=chunks).status == 413  # type: ignore[arg-type]
    (row,) = server.ask(bytes(MAX_BYTES + 1)).rows
    assert row["error"] == f"audio of {MAX_BYTES + 1} bytes; at most {MAX_BYTES} are read"


@pytest.mark.slow
def test_short_recordings_do_not_wait_for_long_ones(server: Server) -> None:
    long = near_silence(299)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(server.ask, long) for _ in range(6)]
        time.sleep(0.5)
        times = []
        for _ in range(10):
            began = time.perf_counter()
            assert server.ask(CLIP).rows[0]["error"] == ""
            times.append(time.perf_counter() - began)
        said = [one.result() for one in waiting]
    assert np.median(times) < 2
    assert max(times) < 6
    assert {one.status for one in said} <= {200, 503}
    assert any(one.status == 200 for one in said)


@pytest.mark.slow
def test_memory_is_bounded_whatever_is_sent(server: Server) -> None:
    rng = np.random.default_rng(0)
    large = encoded(rng.integers(-999, 999, 16_000 * 295, np.int16))
    stereo = encoded(rng.integers(-2, 2, (48_000 * 295, 2), np.int16), 48_000, "FLAC")
    wide = encoded(rng.integers(-2, 2, (96_000 * 30, 8), np.int16), 96_000, "FLAC")
    js = b'{"instances": [' + b"[]," * (MAX_BODY // 4) + b"0]}"
    text = '{"instances": ["ä'.encode() + b"A" * (MAX_BODY - 100) + b'"]}'
    asked: list[dict[str, object]] = [
        {"values": [large]}, {"values": [stereo]}, {"values": [wide]}, {"values": [near_silence(299)] * 6},
        {"body": js}, {"body": text}, {"body": b"[" * MAX_BODY}, {"values": [BOMB] * 20}, {"body": bytes(MAX_BODY)},
    ]  # fmt: skip
    done, most = threading.Event(), 0

    def send(one: dict[str, object]) -> int:
        return server.ask(*one.get("values", ()), body=one.get("body"), timeout=120).status  # type: ignore[misc, arg-type]

    def look() -> None:
        nonlocal most
        while not done.wait(0.1):
            most = max(most, server.memory())

    looking = threading.Thread(target=look)
    looking.start()
    with ThreadPoolExecutor(18) as pool:
        statuses = list(pool.map(send, asked * 4))
    assert server.ask(stereo, timeout=120).rows[0]["error"] == ""
    done.set()
    looking.join()
    assert set(statuses) <= {200, 400, 413, 503}
    assert most < MOST_MEMORY, most / 2**20
    print(f"most: {most / 2**20:.0f} MiB")
