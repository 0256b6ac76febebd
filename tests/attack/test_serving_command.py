"""`ser serve` as it is typed: nothing that lies beside a model or in the current folder is executed, nothing stays."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import yaml

from ser_experiments import load_model, project
from ser_experiments.tracking import connect
from ser_experiments.tracking.registry import model_uri
from tests.browser import free_port
from tests.command import PROGRAM, program
from tests.served import Server, wait_until_answered

EVIL = "from pathlib import Path\nPath({mark!r}).touch()\ndef _load_pyfunc(path):\n    raise SystemExit('evil')\n"


@contextmanager
def served(*options: str, folder: Path | None = None) -> Iterator[Server]:
    port, log = free_port(), Path("serve.log").absolute()
    with open(log, "wb") as said:
        process = subprocess.Popen(
            [*PROGRAM, "serve", "--port", str(port), "--workers", "1", *options], stdout=said, stderr=said, cwd=folder
        )
    try:
        wait_until_answered(f"http://127.0.0.1:{port}/ping", process, log)
        yield Server(process, port, log)
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
def test_nothing_that_lies_about_is_executed(champion: Path, tmp_path: Path) -> None:
    backend = connect(project.find())
    stored, mark = backend.model_folder(model_uri(backend)).parent.parent, tmp_path / "was here"
    (expected,) = load_model().predict([champion])
    about = yaml.safe_load((stored / "MLmodel").read_text())
    about["flavors"]["python_function"] |= {"loader_module": "evil", "code": "code"}
    (stored / "MLmodel").write_text(yaml.safe_dump(about))
    names = ("evil", "sitecustomize", "uvicorn", "soundfile", "json", "multiprocessing", "secrets")
    for folder in (stored / "code", stored, Path.cwd(), stored / "data" / "ser_model"):
        folder.mkdir(exist_ok=True)
        for name in names:
            (folder / f"{name}.py").write_text(EVIL.format(mark=str(mark)))
    # As an installed command is: it looks for nothing in the current folder.
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        with served() as server:
            (answer,) = server.ask(champion.read_bytes()).rows
    finally:
        del os.environ["PYTHONSAFEPATH"]
    assert answer["label"] == expected["label"]
    assert answer["probabilities"] == pytest.approx(expected["probabilities"])
    assert not mark.exists()


@pytest.mark.slow
def test_what_was_read_is_what_answers(champion: Path) -> None:
    with served() as server:
        data = champion.read_bytes()
        before = server.ask(data).rows
        backend = connect(project.find())
        shutil.rmtree(backend.model_folder(model_uri(backend)))
        # One that answers is lost, and another one begins.
        for one in server.tree()[2:]:
            if one.ppid() not in (server.process.pid, os.getpid()):
                one.kill()
        assert server.ask(data).rows == before


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGHUP])
def test_nothing_stays_when_it_ends(champion: Path, how: signal.Signals) -> None:
    with served() as server:
        processes = server.tree()
        assert len(processes) >= 4
        server.process.send_signal(how)
        expected = {signal.SIGTERM: 143, signal.SIGINT: 130}.get(how, -how)
        assert server.process.wait(20) == expected
        _, left = psutil.wait_procs(processes, 10)
        assert not left
    assert "Traceback" not in server.log.read_text()


@pytest.mark.slow
def test_a_model_that_cannot_be_served_is_one_line(champion: Path) -> None:
    backend = connect(project.find())
    about = backend.model_folder(model_uri(backend)) / "model.json"
    about.write_text(json.dumps({**json.loads(about.read_text()), "format": 99}))
    done = program("serve", "--port", str(free_port()))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "format" in line


@pytest.mark.slow
def test_a_name_that_was_allowed(champion: Path) -> None:
    data = champion.read_bytes()
    with served("--allowed-hosts", "ser.example, *.lab.example") as server:
        for host, status in (("ser.example", 200), ("a.lab.example:80", 200), ("lab.example", 403), ("x.example", 403)):
            assert server.ask(data, Host=host).status == status
        assert server.ask(data, Host="ser.example", Origin="https://ser.example").status == 200
        until = time.monotonic() + 5
        while "serving models:/" not in server.log.read_text():
            assert time.monotonic() < until
            time.sleep(0.1)
