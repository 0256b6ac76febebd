"""The page of `ser app`, asked by programs: it answers its own uploads, under its own name, and keeps none of them."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import gradio
import pytest

from ser_experiments import load_model
from ser_experiments.cli._page import build_page
from ser_experiments.cli._uploads import MAX_UPLOAD
from tests.browser import free_port
from tests.command import PROGRAM
from tests.served import encoded, small_model, voice, wait_until_answered

pytestmark = pytest.mark.slow
CLIP = encoded(voice(2.0))
API = "/gradio_api"


class Page:
    """A page that is served in a process of its own, with a temporary folder of its own."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, temporary: Path) -> None:
        self.process, self.port, self.temporary = process, port, temporary

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): v for name, v in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def upload(self, data: bytes, **headers: str) -> tuple[int, bytes]:
        body = (
            b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\n' + data + b"\r\n--x--\r\n"
        )
        return self.request("POST", f"{API}/upload", body, Content_Type="multipart/form-data; boundary=x", **headers)

    def uploaded(self, data: bytes) -> str:
        status, said = self.upload(data)
        assert status == 200
        return str(json.loads(said)[0])

    def hear(self, path: str, **more: str) -> tuple[str, Any]:
        """Ask about a file; return what became of it, and what was answered."""
        asked = json.dumps({"data": [{"path": path, "meta": {"_type": "gradio.FileData"}, **more}]})
        status, said = self.request("POST", f"{API}/call/hear", asked, Content_Type="application/json")
        assert status == 200, said
        _, said = self.request("GET", f"{API}/call/hear/{json.loads(said)['event_id']}")
        event, data = said.decode().strip().splitlines()[-2:]
        return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))

    def files(self) -> list[Path]:
        """Return the files that lie in the temporary folder."""
        return [path for path in self.temporary.rglob("*") if path.is_file()]


@contextmanager
def serving(folder: Path, temporary: Path) -> Iterator[Page]:
    port, log = free_port(), folder / "app.log"
    temporary.mkdir(exist_ok=True)
    command = [*PROGRAM, "app", "--no-open", "--port", str(port), "--model", str(folder / "model")]
    with open(log, "wb") as said:
        process = subprocess.Popen(
            command, stdout=said, stderr=said, cwd=folder, env={**os.environ, "TMPDIR": str(temporary)}
        )
    try:
        wait_until_answered(f"http://127.0.0.1:{port}", process, log)
        yield Page(process, port, temporary)
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("page")
    small_model(made / "model")
    return made


@pytest.fixture(scope="module")
def page(folder: Path) -> Iterator[Page]:
    with serving(folder, folder / "tmp") as one:
        yield one


def test_an_upload_is_answered_once_and_deleted(page: Page) -> None:
    path = page.uploaded(CLIP)
    assert page.files() == [Path(path)]
    event, (label, words, *_) = page.hear(path)
    assert event == "complete"
    assert "Angry" in label
    assert "Sad" in label
    assert words.startswith("2.0 s of audio.")
    assert page.files() == []
    event, (label, words, *_) = page.hear(path)
    assert (event, label) == ("complete", "")
    assert words.startswith("The recording was deleted")


def test_a_bad_upload_is_deleted_too(page: Page) -> None:
    event, (label, words, *_) = page.hear(page.uploaded(b"no audio"))
    assert (event, label) == ("complete", "")
    assert words == "The recording: unreadable audio (Format not recognised)"
    assert page.files() == []


OTHERS = ["/etc/hostname", "/etc/passwd", "a.wav", "../a.wav", "file:///etc/hostname", "http://192.0.2.1/a.wav",
          "https://192.0.2.1/a.wav", "HTTP://192.0.2.1/a.wav", "http:/192.0.2.1/a.wav", "ftp://192.0.2.1/a.wav",
          "data:audio/wav;base64,UklGRg==", "/proc/self/environ", "\\\\host\\share\\a.wav", ""]  # fmt: skip


@pytest.mark.parametrize("path", OTHERS)
def test_nothing_but_an_upload_is_answered(page: Page, path: str) -> None:
    for more in ({}, {"url": "http://192.0.2.1/a.wav"}):
        event, said = page.hear(path, **more)
        assert event == "error" or not said[0], said
    inside = str(next(page.temporary.glob("ser-app-*")))
    for away in (f"{inside}/../../model/model.json", f"{inside}/../../app.log"):
        event, said = page.hear(away)
        assert event == "error", said


def test_no_address_is_fetched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = []
    blocks, _ = build_page(load_model(folder / "model"), folder)
    (speech,) = [block for block in blocks.blocks.values() if isinstance(block, gradio.Audio)]
    monkeypatch.setattr("gradio.processing_utils.async_ssrf_protected_download", lambda *a, **k: fetched.append(a))
    for address in ("http://192.0.2.1/a.wav", "HTTPS://192.0.2.1/a.wav"):
        with pytest.raises(gradio.Error, match="uploaded to this page"):
            asyncio.run(speech.async_move_resource_to_block_cache(address))
    assert fetched == []


@pytest.mark.parametrize(
    "path",
    ["file=http://192.0.2.1/", "file=/etc/passwd", "file=../../etc/passwd", "file/etc/passwd", "proxy=http://a.hf.space/",
     "runs", "run-history/buckets", "deep_link?session_hash=a", "custom_component/a/b/c/d", "openapi.json",
     "dev/reload", "stream/a/b/c/playlist.m3u8", "mcp/sse", "queue/status"],
)  # fmt: skip
def test_what_the_page_does_not_need_is_not_there(page: Page, path: str) -> None:
    assert page.request("GET", f"{API}/{path}")[0] == 404


@pytest.mark.parametrize("path", ["component_server", "run/hear", "api/hear", "stream/a", "run-history/connect"])
def test_nor_is_what_takes_more(page: Page, path: str) -> None:
    assert page.request("POST", f"{API}/{path}", b"{}", Content_Type="application/json")[0] == 404
    assert page.request("POST", "/login", b"", Content_Type="application/json")[0] == 404


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:1"}],
)
def test_pages_of_others(page: Page, headers: dict[str, str]) -> None:
    for path in ("/", "/config", f"{API}/info"):
        assert page.request("GET", path, **headers)[0] == 403
    assert page.upload(CLIP, **headers)[0] == 403
    assert page.files() == []


def test_uploads_that_are_too_large(page: Page) -> None:
    assert page.upload(bytes(MAX_UPLOAD + 2**21))[0] == 413
    assert page.upload(bytes(MAX_UPLOAD + 2**10))[0] == 413
    pieces = [b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\n']
    pieces += [bytes(2**20)] * (MAX_UPLOAD // 2**20 + 2)
    status = 0
    with suppress(OSError):
        status, _ = page.request("POST", f"{API}/upload", iter(pieces), Content_Type="multipart/form-data; boundary=x")
    assert status != 200
    many = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\n' + bytes(2**24) + b"\r\n"
        for _ in range(12)
    )
    assert (
        page.request("POST", f"{API}/upload", many + b"--x--\r\n", Content_Type="multipart/form-data; boundary=x")[0]
        == 413
    )
    assert page.files() == []


def test_a_full_folder_takes_no_more(page: Page) -> None:
    held = next(page.temporary.glob("ser-app-*")) / "held"
    with open(held, "wb") as file:
        file.truncate(1024 * 2**20)
    try:
        assert page.upload(CLIP)[0] == 507
        os.utime(held, (0, 0))
        Path(page.uploaded(CLIP)).unlink()
        assert not held.exists()
    finally:
        held.unlink(missing_ok=True)


def test_nothing_stays_when_it_ends(folder: Path, tmp_path: Path) -> None:
    for how in (signal.SIGTERM, signal.SIGINT):
        with serving(folder, tmp_path / "tmp") as page:
            page.uploaded(CLIP)
            assert page.files()
            page.process.send_signal(how)
            page.process.wait(30)
            assert list(page.temporary.iterdir()) == []
    with serving(folder, tmp_path / "tmp") as page:
        page.uploaded(CLIP)
        page.process.kill()
        page.process.wait(30)
        assert page.files()
    # What a killed one left, the next one deletes; a folder of somebody else it leaves alone.
    (tmp_path / "tmp" / f"ser-app-{os.getpid()}-mine").mkdir()
    with serving(folder, tmp_path / "tmp") as page:
        assert page.files() == []
        assert (tmp_path / "tmp" / f"ser-app-{os.getpid()}-mine").is_dir()
        urllib.request.urlopen(f"http://127.0.0.1:{page.port}/config").read()
