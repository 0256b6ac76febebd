"""Files that are no recordings but name others: FFmpeg would read those, files of this machine and addresses alike."""

from __future__ import annotations

import http.server
import importlib.util
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_experiments.audio import read_audio, scan
from ser_experiments.errors import AudioError

pytestmark = pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="needs PyAV")
HLS = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n"
DASH = """<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
 mediaPresentationDuration="PT10S" profiles="urn:mpeg:dash:profile:isoff-main:2011"><Period><AdaptationSet
 mimeType="audio/mp4"><Representation id="1" bandwidth="1"><BaseURL>{}</BaseURL></Representation></AdaptationSet>
 </Period></MPD>"""
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n{}"
KINDS = {
    "ffconcat": "ffconcat version 1.0\nfile {}\n",
    "HLS": HLS,
    "a master of HLS": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{}\n",
    "DASH": DASH,
    "SDP": SDP,
}


@pytest.fixture
def asked() -> Iterator[tuple[int, list[str]]]:
    """Return the port of a server, and what it is asked for."""
    paths: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, paths
        server.shutdown()


@pytest.mark.parametrize("ending", [".m4a", ".webm", ".aac", ".wv"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_file_names_is_not_read(
    kind: str, ending: str, asked: tuple[int, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, paths = asked
    monkeypatch.chdir(tmp_path)
    soundfile.write("secret.wav", 0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000)
    for named in ("secret.wav", str(tmp_path / "secret.wav"), f"http://127.0.0.1:{port}/a.wav", "pipe:0"):
        (tmp_path / f"a{ending}").write_text(KINDS[kind].format(named))
        began = time.perf_counter()
        for read in (read_audio, scan):
            with pytest.raises(AudioError, match="unreadable audio"):
                read(tmp_path / f"a{ending}")
        # SDP would wait for what comes over the network.
        assert time.perf_counter() - began < 5
    assert paths == []
