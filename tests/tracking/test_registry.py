"""From runs to a champion and from the champion to answers, on a small tree in IEMOCAP's layout and a real store."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from click.testing import CliRunner, Result

from ser_experiments import load_model, project, run_experiment
from ser_experiments.cli import ser
from ser_experiments.errors import InputError, SerError
from ser_experiments.tracking import connect
from ser_experiments.tracking.registry import model_uri, registered
from tests.iemocap_tree import small_tree
from tests.served import wait_until_answered

NAME = "ser-iemocap-4class-leave-one-session-out"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(ser, list(arguments))


@pytest.fixture
def tree(tmp_path: Path, project_folder: Path) -> Path:
    return small_tree(tmp_path / "IEMOCAP_full_release")


def aliases() -> dict[int, tuple[str, ...]]:
    return {one.version: one.aliases for one in registered(connect(project.find()))}


@pytest.mark.slow
def test_champions_follow_each_other_and_come_back(tree: Path) -> None:
    nothing = call("register", "--list")
    assert "nothing is registered" in nothing.stdout
    assert "no finished run" in str(call("register").exception)
    run_experiment("dummy", corpus="iemocap", root=tree)
    assert f"{NAME} version 1 (dummy) is champion" in call("register").stdout
    with pytest.raises(SerError, match=r"run \w{8} \(dummy\) is the champion of .* already"):
        raise call("register").exception  # type: ignore[misc]
    run_experiment("logreg_lld", corpus="iemocap", root=tree)
    # Two sessions cannot show that anything is better.
    refused = call("register", "logreg_lld")
    assert isinstance(refused.exception, SerError)
    assert "logreg_lld is not registered: it is not clearly better than the champion dummy, version 1: UAR " in str(
        refused.exception
    )
    assert ", where more is better (95 % interval " in str(refused.exception)
    assert " over 2 groups; a difference below " in str(refused.exception)
    assert "--force" in str(refused.exception)
    assert aliases() == {1: ("champion",)}
    assert call("register", "logreg_lld", "--force").exit_code == 0
    assert aliases() == {2: ("champion",), 1: ("previous",)}
    listed = call("register", "--list").stdout.splitlines()
    assert "logreg_lld" in listed[0]
    assert listed[0].endswith("champion")
    assert call("register", "--rollback").exit_code == 0
    assert aliases() == {2: ("previous",), 1: ("champion",)}
    assert load_model().meta["experiment"] == "dummy"
    assert load_model(NAME + "@previous").meta["experiment"] == "logreg_lld"
    assert load_model(NAME + "/2").meta["experiment"] == "logreg_lld"
    assert json.loads(call("register", "--list", "--json").stdout)[0]["tags"]["experiment"] == "logreg_lld"


def test_what_nobody_should_use_is_refused(tree: Path) -> None:
    leaky = run_experiment("dummy", corpus="iemocap", root=tree, protocol="random")
    refused = call("register", leaky.run_id[:8], "--setting", leaky.prepared.setting.name, "--force")
    assert "protocol random" in str(refused.exception)
    assert registered(connect(project.find())) == []


def test_the_answer_is_the_fitted_models(champion: Path) -> None:
    result = run_experiment("svm_lld", corpus="iemocap", root=Path("..", "IEMOCAP_full_release"))
    loaded = load_model()
    audio, rate = soundfile.read(champion, dtype="float32")
    answers = list(loaded.predict([champion, str(champion), champion.read_bytes(), (audio, rate)]))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["error"] == ""
    row = result.prepared.table.loc[[champion.stem]]
    fitted = result.prepared.estimator.fit(
        result.prepared.rows.table, result.prepared.utterances["label"].to_numpy(dtype=str)
    )
    expected = dict(zip(fitted.classes_, fitted.predict_proba(row)[0], strict=True))
    assert answers[0]["probabilities"] == pytest.approx(expected, abs=1e-9)


def test_a_recording_unlike_the_training_data(champion: Path) -> None:
    loaded = load_model()
    audio, rate = soundfile.read(champion, dtype="float32")
    # It is of the training, and noise.
    (noise,) = loaded.unlike(audio, rate)
    assert noise.startswith("hardly any voice")
    said, *_ = loaded.unlike(audio * 1e-3, rate)
    assert said.startswith("level -")
    assert "training" in said
    said, *_ = loaded.unlike(np.tile(audio, 30), rate)
    assert said.startswith("length ")
    assert loaded.unlike(audio, 8000)[0] == "sampled at 8000 Hz, training at 16000 Hz or more"


def test_predict_many(champion: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    for name in ("one.wav", "zwei ü.WAV"):
        shutil.copy(champion, folder / name)
    (folder / "broken.wav").write_text("no audio")
    (folder / ".hidden.wav").write_text("no audio")
    (tmp_path / "empty.csv").write_text("path\n")
    plain = call("predict", str(folder))
    assert plain.exit_code == 1
    assert [line.split("  ")[-2] for line in plain.stdout.splitlines()] == [
        str(folder / "one.wav"), str(folder / "zwei ü.WAV")
    ]  # fmt: skip
    assert "broken.wav: unreadable audio" in plain.stderr
    (tmp_path / "list.csv").write_text("path,who\na folder/one.wav,x\na folder/zwei ü.WAV,y\n", encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(call("predict", "--csv", str(tmp_path / "list.csv")).stdout)))
    assert len(rows) == 2
    assert sum(float(v) for k, v in rows[0].items() if k.startswith("p_")) == pytest.approx(1, abs=1e-5)
    answers = json.loads(call("predict", "--json", str(folder)).stdout)
    assert [bool(answer["error"]) for answer in answers] == [True, False, False]
    assert json.loads(call("predict", "--json", str(tmp_path / "empty.csv")).stdout) == []


def test_wrong_use(champion: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, message in (
        (["predict", str(tmp_path / "empty")], "no audio files in this folder"),
        (["predict", "--model", "nothing", str(champion)], "unknown model 'nothing'"),
        (["predict", "--model", NAME + "@best", str(champion)], "has no 'best'; allowed: 1, champion"),
        (["predict", "--model", NAME + "/7", str(champion)], "has no '7'"),
        (["predict", "--model", "models:/other@x", str(champion)], "not a model that can be loaded"),
        (["register", "--metric", "uarr"], "unknown metric 'uarr'; did you mean 'uar'"),
    ):
        failed = call(*arguments)
        assert isinstance(failed.exception, InputError), failed
        assert message in str(failed.exception)
        assert "\n" not in str(failed.exception)


def test_changed_files_are_not_loaded(champion: Path) -> None:
    backend = connect(project.find())
    folder = backend.model_folder(model_uri(backend))
    with (folder / "estimator.skops").open("ab") as file:
        file.write(b"x")
    with pytest.raises(InputError, match="the model was changed, do not use it"):
        load_model()


def test_a_model_whose_description_makes_no_sense(champion: Path) -> None:
    backend = connect(project.find())
    uri = model_uri(backend)
    stored = backend.model_folder(uri).parent.parent
    about = yaml.safe_load((stored / "MLmodel").read_text())
    about["flavors"]["python_function"]["data"] = "../../../../../.."
    for nonsense in (yaml.safe_dump(about), "{", "[]", "flavors: 3"):
        (stored / "MLmodel").write_text(nonsense)
        with pytest.raises(InputError, match="not a model that can be loaded"):
            backend.model_folder(uri)


@pytest.mark.slow
def test_a_served_model_answers_bytes_and_opens_no_path(champion: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from ser_experiments.cli import main; main()", "serve", "--port", str(port)]
    with open("serve.log", "wb") as said:
        server = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until_answered(f"{address}/ping", server, Path("serve.log"))

        def ask(*values: str) -> list[dict[str, object]]:
            body = {"dataframe_split": {"columns": ["audio"], "data": [[value] for value in values]}}
            request = urllib.request.Request(
                f"{address}/invocations", json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
            found: list[dict[str, object]] = json.loads(urllib.request.urlopen(request, timeout=60).read())[
                "predictions"
            ]
            return found

        encoded = base64.b64encode(champion.read_bytes()).decode()
        path = base64.b64encode(str(champion).encode()).decode()
        good, named = ask(encoded, path)
        (expected,) = load_model().predict([champion])
        assert good["label"] == expected["label"]
        assert good["probabilities"] == pytest.approx(expected["probabilities"])
        assert good["error"] == ""
        assert named["label"] == ""
        assert named["error"] == "<bytes>: unreadable audio (Format not recognised)"
        times = []
        for _ in range(10):
            start = time.perf_counter()
            ask(encoded)
            times.append(time.perf_counter() - start)
        print(f"median answer {1000 * float(np.median(times)):.0f} ms")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(60)
