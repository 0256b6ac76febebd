"""What a server says of itself, and that it is warm before it says that it can answer."""

from __future__ import annotations

import html
import json
import statistics
import time
import urllib.request
from pathlib import Path

import pytest

from ser_experiments.serving import AudioModel
from ser_experiments.serving.http.body import JSON, rows_of
from ser_experiments.serving.http.docs import page
from ser_experiments.serving.http.openapi import openapi
from ser_experiments.serving.rows import recording_of
from tests.served import encoded, model_of_dimensions, serving, small_model, voice


@pytest.fixture(params=[small_model, lambda folder: model_of_dimensions()], ids=["classes", "dimensions"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> AudioModel:
    return request.param(tmp_path / "model")


def test_the_example_is_answered_as_it_is_said(model: AudioModel) -> None:
    described = json.loads(json.dumps(openapi(model)))
    invoked = described["paths"]["/invocations"]["post"]
    asked = json.dumps(invoked["requestBody"]["content"]["application/json"]["example"]).encode()
    (row,) = rows_of(asked, JSON)
    answer = json.loads(json.dumps(model.answer(recording_of(row))))
    told = invoked["responses"]["200"]["content"]["application/json"]
    assert told["example"] == {"predictions": [answer]}
    schema = told["schema"]["properties"]["predictions"]["items"]
    assert set(schema["required"]) == set(schema["properties"]) == set(answer)
    (numbers,) = model.task.fields("numbers")
    assert list(schema["properties"][numbers]["properties"]) == list(model.task.targets)
    assert [*described["paths"]] == ["/invocations", "/health", "/ping", "/version"]


def test_the_page_obeys_no_name(tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    evil = "<script>alert(1)</script>"
    shown = page(openapi(AudioModel(model.estimator, model.sets, {**model.meta, "experiment": evil, "notes": [evil]})))
    assert evil.encode() not in shown
    assert html.escape(evil).encode() in shown


@pytest.mark.slow
def test_a_server_is_warm_when_it_says_so(tmp_path: Path) -> None:
    small_model(tmp_path / "model")
    with serving(tmp_path / "model", tmp_path / "log", "--workers", "1") as server:
        clip, took = encoded(voice(3.0)), []
        for _ in range(9):
            begun = time.monotonic()
            assert server.ask(clip).rows[0]["label"]
            took.append(time.monotonic() - begun)
        # What is compiled or imported at a first request takes seconds.
        assert took[0] < 3 * statistics.median(took[1:]) + 0.3, took
        address = f"http://127.0.0.1:{server.port}"
        described = json.load(urllib.request.urlopen(f"{address}/openapi.json"))
        given = described["paths"]["/invocations"]["post"]["requestBody"]["content"]["application/json"]["example"]
        assert server.ask(body=json.dumps(given).encode()).rows[0]["error"] == ""
        with urllib.request.urlopen(f"{address}/docs") as shown:
            assert shown.headers["content-type"].startswith("text/html")
            assert "default-src 'none'" in shown.headers["content-security-policy"]
            assert b"Send the example" in shown.read()
        assert server.ask(path="/docs").status == 405
        path = "/data/call.wav"
        assert "a path or an address names is not opened" in server.ask(path).rows[0]["error"]
        assert server.ask(path).rows[0]["probabilities"] == {}
