"""What ends a command that nobody foresaw, and what must not end one: streams, half-written files, taken ports."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from ser_experiments.cli import _programs
from ser_experiments.errors import InputError
from ser_experiments.experiment import run as running
from tests.command import program, ser
from tests.iemocap_tree import tone

# --- the last handler ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [RuntimeError, KeyError, ZeroDivisionError, AssertionError, UnicodeError])
def test_an_error_that_nobody_foresaw_is_one_line_and_a_file(
    project_folder: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise kind("no\nway")

    monkeypatch.setenv("SER_CACHE", str(project_folder / "cache"))
    monkeypatch.setattr("ser_experiments.experiment.run_experiment", broken)
    done = ser("run", "dummy")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: unforeseen, please report it: {kind.__name__}: ")
    (file,) = (project_folder / "cache" / "errors").iterdir()
    assert str(file) in line
    text = file.read_text()
    assert "Traceback (most recent call last)" in text
    assert "ser run dummy" in text


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "no space left on the device that is written to"), (errno.EROFS, "is read-only (/x)"),
        (errno.EMFILE, "too many files are open; raise the limit"), (errno.EDQUOT, "the quota of the disk"),
    ],
)  # fmt: skip
def test_what_the_machine_refuses_is_no_fault_of_the_program(
    project_folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def refused(*args: object, **kwargs: object) -> None:
        raise OSError(number, os.strerror(number), "/x")

    monkeypatch.setattr("ser_experiments.experiment.run_experiment", refused)
    done = ser("run", "dummy")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert words in line
    assert "unforeseen" not in line


def test_a_folder_that_was_removed_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    done = ser("list")
    assert done.returncode == 2
    assert done.stderr == "error: the current folder is no longer there; change to another\n"


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["1", "2"])
def test_a_closed_stream_ends_no_command(project_folder: Path, closed: str) -> None:
    command = f'exec {closed}>&-; exec "$0" -c "from ser_experiments.cli import main; main()" list --json'
    done = subprocess.run(["sh", "-c", command, sys.executable], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert ("svm_lld" in done.stdout) == (closed == "2")


def test_the_traceback_goes_elsewhere_where_the_project_cannot_be_written(
    project_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SER_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "tmp"))
    monkeypatch.setattr("ser_experiments.experiment.run_experiment", lambda *a, **k: 1 / 0)
    done = ser("run", "dummy")
    assert done.returncode == 1
    assert str(next((tmp_path / "tmp").iterdir())) in done.stderr


@pytest.mark.parametrize("error", [RuntimeError("no ink"), InputError("no paper"), KeyboardInterrupt()])
def test_results_are_kept_whatever_fails_after_the_folds(
    project_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    for i in range(8):
        tone(tmp_path / "own" / f"{i}.wav", i, seconds=0.1)
    lines = [f"{i}.wav,{'xy'[i % 2]},p{i // 2}" for i in range(8)]
    (tmp_path / "own" / "metadata.csv").write_text("\n".join(["path,label,speaker", *lines]))
    monkeypatch.setenv("SER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SER_TRACKER", "json")

    def broken(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr("ser_experiments.experiment.record.describe", broken)
    done = ser("run", "dummy", "--corpus", "manifest", "--root", str(tmp_path / "own"))
    assert done.returncode == {RuntimeError: 1, InputError: 2, KeyboardInterrupt: 130}[type(error)]
    (folder,) = (project_folder / "mlruns" / "kept").iterdir()
    assert len(pd.read_csv(folder / "predictions.csv")) == 8
    assert json.loads((folder / "result.json").read_text())["metrics"]["uar"] == pytest.approx(0.5)
    if not isinstance(error, KeyboardInterrupt):
        assert f"scores and predictions are kept in {folder}" in done.stderr.splitlines()[-1]
    assert running._kept is not None


# --- streams ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_name_that_the_output_cannot_encode(project_folder: Path, encoding: str) -> None:
    name = "výsledek 語 (😀)"
    (project_folder / "experiments" / f"{name}.toml").write_text('description = "語"\n[model]\ntype = "dummy"\n')
    done = subprocess.run(
        [sys.executable, "-c", "from ser_experiments.cli import main; main()", "list"],
        capture_output=True, env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shown = name.encode(encoding, errors="backslashreplace")
    # click writes UTF-8 where the output says ASCII, which it takes for an oversight.
    assert shown in done.stdout or (encoding == "ascii" and name.encode() in done.stdout)
    assert b"svm_lld" in done.stdout


def test_a_file_name_that_is_no_text(project_folder: Path) -> None:
    path = os.fsencode(project_folder / "experiments") + b"/\xff\xfe.toml"
    Path(os.fsdecode(path)).write_text('[model]\ntype = "dummy"\n')
    for arguments in (["list"], ["list", "--json"]):
        done = program(*arguments, PYTHONIOENCODING="utf-8")
        assert done.returncode == 0, done.stderr
        assert "svm_lld" in done.stdout


# --- half-written definitions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        b'description = "half', b"[model]\ntype = ", b"", b"\xff\xfe[", b"a = " + b"[" * 5000, b"[[model]]\n",
        b'[model]\ntype = "svm"\nC = 2020-01-01\n', b'[model]\ntype = "svm"\nC = nan\n', b'model = "svm"\n',
        b'[model]\ntype = "svm"\n[features]\nsets = ["lld', b'[model]\ntype = ["svm"]\n', b'members = [1]\n',
        b'[model]\ntype = "svm"\n[features.params.lld]\nx = 1979-05-27T07:32:00Z\n', b"\0",
    ],
)  # fmt: skip
def test_a_half_written_definition_leaves_the_others(project_folder: Path, text: bytes) -> None:
    (project_folder / "experiments" / "half.toml").write_bytes(text)
    for arguments in (["list"], ["list", "--json"]):
        done = ser(*arguments)
        assert done.returncode == 0
        assert "svm_lld" in done.stdout
        (line,) = done.stderr.splitlines()
        assert line.startswith("left out: experiments/half.toml: ")
    assert "half" not in json.loads(done.stdout)
    refused = ser("run", "half")
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1


# --- programs that listen --------------------------------------------------------------------------------------------


@pytest.fixture
def taken() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_a_taken_port_is_said_and_no_address_announced(project_folder: Path, taken: int) -> None:
    done = ser("ui", "--port", str(taken))
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"port {taken} of 127.0.0.1 cannot be listened on" in done.stderr
    assert "--port" in done.stderr


@pytest.mark.parametrize(("host", "port"), [("no.such.host.invalid", 5000), ("203.0.113.7", 5000)])
def test_addresses_that_are_not_of_this_machine(host: str, port: int) -> None:
    with pytest.raises(InputError, match="cannot be listened on"):
        _programs.check_port(host, port)


LISTENER = """
import sys
from ser_experiments.cli import _programs
from ser_experiments.tracking.backend import Program
port = int(sys.argv[1])
words = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"] if sys.argv[2] == "up" else [
    sys.executable, "-c", "import sys; sys.exit(3)"]
import os
_programs.leave(_programs.run(Program(words, dict(os.environ)), "127.0.0.1", port, lambda: print("up", flush=True)))
"""


def _hear_all() -> None:
    """Hear what whoever started the tests let be ignored."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@pytest.mark.parametrize("number", ["SIGHUP", "SIGTERM", "SIGINT"])
def test_what_ends_the_command_ends_what_it_runs(number: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", LISTENER, str(port), "up"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=_hear_all,  # noqa: PLW1509
    ) as running:
        try:
            assert running.stdout is not None
            assert "up\n" in iter(running.stdout.readline, "")
            running.send_signal(getattr(signal, number))
            assert running.wait(20) != 0
        finally:
            running.kill()
    for _ in range(50):
        if not _programs._listens("127.0.0.1", port):
            break
        time.sleep(0.1)
    assert not _programs._listens("127.0.0.1", port)


def test_a_program_that_cannot_go_on_is_a_failure_and_announces_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LISTENER, "1", "down"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (3, "")


# --- parameters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("svm_lld", "model.C=abc", "The 'C' parameter of SVC must be a float"),
        ("svm_lld", "model.kernel=rfb", "The 'kernel' parameter of SVC must be a str among"),
        ("svm_lld", "model.kernel=precomputed", "'svm' cannot be fitted with"),
        ("svm_lld", "model.tol=1e-300", "'svm' finds no end with"),
        ("logreg_lld", "model.solver=liblinear", "'logreg' cannot be fitted with"),
        ("rf_lld", "model.n_jobs=0", "'random_forest' cannot be fitted with"),
        ("xgb_lld", "model.device=gpux", "The 'device' parameter of XGBoostClassifier must be"),
        ("lgbm_lld", "model.n_estimators=10000000000000", "n_estimators must be below"),
        ("cnn_melspec", "model.device=gpux", "device must be 'auto', 'cpu' or 'cuda[:n]', got 'gpux'"),
        ("lstm_frames", "model.lr=inf", "lr must be a number above 0"),
        ("dummy", "model.strategy=constant", "'dummy' cannot be fitted with"),
    ],
)
def test_a_parameter_that_no_fit_takes_is_one_line_before_the_folds(
    project_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, change: str, words: str
) -> None:
    def measured(*args: object, **kwargs: object) -> None:
        pytest.fail("measured")

    monkeypatch.setattr("ser_experiments.experiment.run.measure", measured)
    lines = ["path,label,speaker"]
    for i in range(12):
        soundfile.write(tmp_path / f"{i}.wav", np.random.default_rng(i).normal(0, 0.1, 800), 8000)
        lines.append(f"{i}.wav,{'xyz'[i % 3]},p{i // 3}")
    (tmp_path / "metadata.csv").write_text("\n".join(lines))
    done = ser("run", name, "--corpus", "manifest", "--root", str(tmp_path), "--set", change)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert words in line
    assert f"experiments/{name}.toml" in line
