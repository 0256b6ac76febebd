"""Waiting for the servers that tests start."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from pathlib import Path


def wait_until_answered(url: str, server: subprocess.Popen[bytes], log: Path, seconds: float = 300) -> None:
    """Return once the server answers; fail with what it logged where it ended or is still silent after the seconds."""
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).read()
            return
        except OSError:
            assert server.poll() is None, f"ended with {server.returncode}: {log.read_text()}"
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.3)
