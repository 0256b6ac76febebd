"""Servers that tests start, and what they ask of them."""

from __future__ import annotations

import base64
import http.client
import io
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import psutil
import soundfile
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from ser_experiments.features.extractor import get_extractor
from ser_experiments.features.table import table_row
from ser_experiments.models.grouping import TakeColumns
from ser_experiments.models.missing import FillMissing
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.serving import AudioModel, save_model
from tests.browser import free_port


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


class Reply(NamedTuple):
    """What a server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The answers to the rows."""
        assert self.status == 200, (self.status, self.body[:500])
        found: list[dict[str, Any]] = json.loads(self.body)["predictions"]
        return found

    @property
    def message(self) -> str:
        """Why there are none."""
        return str(json.loads(self.body)["message"])


class Server(NamedTuple):
    """A model that is served in processes of its own."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def ask(
        self,
        *values: object,
        body: bytes | None = None,
        path: str = "/invocations",
        timeout: float = 60,
        **headers: str,
    ) -> Reply:
        """Send rows, or a body as it is; names of headers are written with `_`."""
        if body is None:
            rows = [[base64.b64encode(one).decode() if isinstance(one, bytes) else one] for one in values]
            body = json.dumps({"dataframe_split": {"columns": ["audio"], "data": rows}}).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json", **given})
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def tree(self) -> list[psutil.Process]:
        """Return the processes of the server."""
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]

    def memory(self) -> int:
        """Return the bytes that the server takes now; what processes share counts once."""
        held = 0
        for one in self.tree():
            try:
                held += one.memory_full_info().pss
            except psutil.Error:  # it ended meanwhile
                continue
        return held


def small_model(folder: Path) -> AudioModel:
    """Write a model that takes audio and was fitted on noise, and return it."""
    extractor = get_extractor("lld")
    table = pd.DataFrame(
        np.random.default_rng(0).standard_normal((60, len(extractor.columns))), columns=extractor.column_names
    )
    estimator = build_pipeline("logreg", sets=["lld"]).fit(table.assign(group="g"), np.array(["angry", "sad"] * 30))
    model = AudioModel(estimator, [("lld", {})], {"experiment": "x", "setting": "s"})
    save_model(model, folder)
    return model


#: What the model of dimensions knows of its out-of-fold predictions.
KNOWN = {
    "residuals": {"valence": [-0.9, 1.1], "arousal": [-0.5, 0.5], "dominance": [-2.0, 1.0]},
    "scale": {"valence": [1.0, 5.0], "arousal": [1.0, 5.0], "dominance": [1.0, 5.0]},
}


def model_of_dimensions(folder: Path | None = None, names: Sequence[str] = tuple(KNOWN["residuals"])) -> AudioModel:
    """Return a model that answers with numbers on scales, more where the pitch is; write it where a folder is named."""
    pitches = np.linspace(90.0, 330.0, 25)
    X = pd.DataFrame([table_row([get_extractor("lld")], voice(1.0, pitch=pitch), 16_000) for pitch in pitches])
    truth = 3 - 2 * np.cos(np.pi * np.linspace(0, 1, len(pitches))[:, None] * np.arange(1, len(names) + 1))
    steps = [("columns", TakeColumns(("lld",))), ("impute", FillMissing()), ("scale", StandardScaler())]
    estimator = Pipeline([*steps, ("model", RandomForestRegressor(20, random_state=0))]).fit(
        X.assign(group="g"), truth[:, 0] if len(names) == 1 else truth
    )
    known = {key: {name: ends[name] for name in names} for key, ends in KNOWN.items()}
    task = {"kind": "dimensions", "targets": list(names)}
    model = AudioModel(estimator, [("lld", {})], {"experiment": "x", "setting": "s", "task": task, **known})
    if folder is not None:
        save_model(model, folder)
    return model


@contextmanager
def serving(folder: Path, log: Path, *options: str) -> Iterator[Server]:
    """Serve the model of a folder as `ser serve` does."""
    port = free_port()
    command = [sys.executable, "-m", "ser_experiments.serving.http", "--port", str(port), *options, "--", str(folder)]
    with open(log, "wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    server = Server(process, port, log)
    try:
        wait_until_answered(f"http://127.0.0.1:{port}/ping", process, log)
        yield server
    finally:
        process.terminate()
        process.wait(30)


def voice(seconds: float, sample_rate: int = 16_000, pitch: float = 130.0) -> np.ndarray:
    """Speak a buzz with two formants in syllables of a quarter of a second, with a melody."""
    time_s = np.arange(int(seconds * sample_rate)) / sample_rate
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * time_s))) / sample_rate
    sound = sum(np.sin(k * phase) * (np.exp(-(((k * pitch - 600) / 200) ** 2)) + 0.3 / k) for k in range(1, 20))
    return (0.1 * sound * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * time_s))).astype(np.float32)


def encoded(audio: np.ndarray, rate: int = 16_000, form: str = "WAV", subtype: str = "PCM_16") -> bytes:
    """Return a recording as the bytes of a file."""
    buffer = io.BytesIO()
    soundfile.write(buffer, audio, rate, format=form, subtype=subtype)
    return buffer.getvalue()
