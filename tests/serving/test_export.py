"""A model as a folder that predicts by itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from ser_experiments.cli import ser
from ser_experiments.errors import InputError, SerError
from ser_experiments.serving import export, load_folder
from ser_experiments.serving.export import export_model
from tests.served import encoded, small_model, voice

#: Without MLflow, without a network, and without what is installed of this package.
ALONE = """
import runpy, socket, sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "mlflow":
            raise ModuleNotFoundError(name)
def away(*words, **more):
    raise OSError("no network")
sys.meta_path.insert(0, Nothing())
socket.socket.connect = socket.create_connection = socket.getaddrinfo = away
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.slow
def test_the_folder_predicts_as_the_model_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small_model(tmp_path / "model")
    done = CliRunner().invoke(ser, ["export", "model", "out", "--container", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    pinned = dict(line.split("==") for line in Path("out/requirements.txt").read_text().splitlines() if line[0] != "#")
    assert told["requirements"] == pinned
    assert {"numpy", "scikit-learn", "skops", "soundfile", "uvicorn"} <= set(pinned)
    assert not {"mlflow", "torch", "gradio", "ser_experiments", "ser-experiments", "matplotlib"} & set(pinned)
    assert {"Dockerfile", "LICENSE", "NOTICE.md", "README.md", "model", "predict.py"} <= set(os.listdir("out"))
    assert not list(Path("out").rglob("__pycache__"))
    (tmp_path / "call.wav").write_bytes(encoded(voice(2.0)))
    (tmp_path / "bad.wav").write_bytes(b"no audio")
    # Elsewhere, and read alone.
    shutil.move("out", tmp_path / "moved")
    asked = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, str(tmp_path / "moved" / "predict.py"), "call.wav", "bad.wav"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert asked.returncode == 1, asked.stderr
    good, bad = map(json.loads, asked.stdout.splitlines())
    assert good == {"path": "call.wav", **load_folder(tmp_path / "model").answer(Path("call.wav"))}
    assert "unreadable audio" in bad["error"]
    assert bad["label"] == ""
    refused = CliRunner().invoke(ser, ["export", "model", "moved"])
    assert isinstance(refused.exception, InputError)
    assert "is there already; name a new folder" in str(refused.exception)


def test_nothing_is_left_of_what_was_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_model(tmp_path / "model")
    with pytest.raises(InputError, match="not a model of this project"):
        export_model(tmp_path / "nothing", tmp_path / "out")

    def other(*words: object) -> None:
        raise SerError("the exported folder does not predict")

    monkeypatch.setattr(export, "trace", other)
    with pytest.raises(SerError, match="does not predict"):
        export_model(tmp_path / "model", tmp_path / "deep" / "out")
    assert not list((tmp_path / "deep").iterdir())


def test_answers_that_differ_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_model(tmp_path / "model")

    def traced(folder: Path, recordings: list[Path], enrol: list[Path]) -> export.Traced:
        found = [{"path": str(path), **model.answer(path)} for path in recordings]
        found[1]["probabilities"]["angry"] += 1e-15
        return export.Traced(json.loads(json.dumps(found)), {})

    monkeypatch.setattr(export, "trace", traced)
    with pytest.raises(SerError, match="answers otherwise than the model"):
        export_model(tmp_path / "model", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_onnx_is_one_file_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnx", reason="pip install 'ser_experiments[onnx]'")
    model = small_model(tmp_path / "model")
    monkeypatch.setattr(export, "trace", lambda folder, recordings, enrol: export.Traced(
        json.loads(json.dumps([{"path": str(path), **model.answer(path)} for path in recordings])), {}))  # fmt: skip
    export_model(tmp_path / "model", tmp_path / "out", onnx=True)
    assert (tmp_path / "out" / "model.onnx").stat().st_size > 1000
    assert "`features`, float32" in (tmp_path / "out" / "README.md").read_text()
    np.testing.assert_equal(load_folder(tmp_path / "out" / "model").answer(encoded(voice(1.0))),
                            model.answer(encoded(voice(1.0))))  # fmt: skip
