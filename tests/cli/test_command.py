"""The command: what is imported, what is printed, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ser_experiments import plugins
from tests.command import program, ser

HEAVY = ("torch", "xgboost", "lightgbm", "librosa", "numba", "mlflow", "sklearn.ensemble")


@pytest.mark.parametrize("arguments", [("--help",), ("list",), ("run", "--help")])
def test_nothing_heavy_is_imported(arguments: tuple[str, ...], project_folder: Path) -> None:
    code = (
        "import sys\nfrom ser_experiments.cli import main\n"
        f"sys.argv = ['ser', *{list(arguments)}]\n"
        "try:\n    main()\nfinally:\n"
        f"    print('HEAVY', [m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "HEAVY []" in done.stderr, done.stderr
    assert done.stdout


def test_help_names_every_command() -> None:
    out = ser("--help").stdout
    commands = plugins.names("ser_experiments.cli")
    assert {"run", "list", "corpora", "features", "ui"} <= set(commands)
    for name in commands:
        assert f"\n  {name}" in out


@pytest.mark.parametrize("group", [(), ("corpora",), ("features",), ("cache",), ("encoders",)])
def test_who_says_nothing_is_helped(group: tuple[str, ...], project_folder: Path) -> None:
    done = ser(*group)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ser(*group, "--help").stdout


def test_help_fits_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_: os.terminal_size((80, 24)))
    pages = [ser(*group, "--help").stdout for group in ((), ("corpora",), ("features",))]
    lines = "\n".join(pages).splitlines()
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if line.endswith("...") and not line.startswith("Usage")]


def test_list(project_folder: Path) -> None:
    done = ser("list")
    assert done.returncode == 0
    assert "xgb_lld " in done.stdout
    rows = json.loads(ser("list", "--json").stdout)
    assert rows["xgb_lld"]["model"]["type"] == "xgboost"


def test_a_definition_that_cannot_be_used_does_not_hide_the_others(project_folder: Path) -> None:
    for name, sets in {"odd": "nothing", "odd_output": "lld/nothing"}.items():
        text = f'[features]\nsets = ["{sets}"]\n[model]\ntype = "svm"\n'
        (project_folder / "experiments" / f"{name}.toml").write_text(text)
    done = ser("list")
    assert done.returncode == 0
    one, two = done.stderr.splitlines()
    assert one.startswith("left out: experiments/odd.toml: features: unknown feature set 'nothing'")
    assert two.startswith(
        "left out: experiments/odd_output.toml: features: feature set 'lld': unknown output 'nothing'"
    )
    assert "xgb_lld " in done.stdout
    assert "odd" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("rum",), "unknown command 'rum'; did you mean 'run'"),
        (("run", "xgb_ldd"), "unknown experiment 'xgb_ldd'; did you mean 'xgb_lld'"),
        (("run", "xgb_lld", "--corpus", "iemocp"), "unknown corpus 'iemocp'; did you mean 'iemocap'"),
        (("run", "xgb_lld", "--corpus", "iemocap"), "no root given"),
        (("run", "xgb_lld", "--corpus", "iemocap", "--root", "."), "no folder Session1 under"),
        (("run", "xgb_lld", "--labels", "4clas"), "unknown label scheme '4clas'; did you mean '4class'"),
        (("run", "xgb_lld", "--set", "model.max_dept=3"), "unknown 'max_dept' for 'xgboost'; did you mean 'max_depth'"),
        (("run", "xgb_lld", "--name", "x"), "--name is for --corpus manifest"),
        (
            ("run", "xgb_lld", "--set", "features.sets=['lld/nothing']"),
            "features: feature set 'lld': unknown output 'nothing'",
        ),
        (
            ("run", "xgb_lld", "--set", "features.sets=['mfcc']", "--set", "features.params.mfcc.n_mfc=3"),
            "features: feature set 'mfcc': unknown parameter 'n_mfc'; did you mean 'n_mfcc'?",
        ),
        (
            ("run", "xgb_lld", "--set", "features.sets=['mfcc']", "--set", "features.params.mfcc.n_mfcc=99"),
            "experiments/xgb_lld.toml: feature set 'mfcc': n_mfcc must be from 1 to 39, got 99",
        ),
        (("run", "xgb_lld", "--jobs", "0"), "--jobs"),
        (("run",), "Missing argument 'EXPERIMENT...'"),
        (("corpora", "describe", "nothing"), "unknown corpus 'nothing'"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(
    project_folder: Path,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    done = ser(*arguments)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert not (project_folder / "cache").exists(), "nothing was read, made or measured"


def test_the_program_itself_ends_with_code_2(project_folder: Path) -> None:
    done = program("run", "xgb_ldd")
    assert done.returncode == 2
    assert done.stderr == "error: unknown experiment 'xgb_ldd'; did you mean 'xgb_lld'?\n"


def test_a_closed_pipe_is_no_traceback(project_folder: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -c 'from ser_experiments.cli import main; main()' corpora list | head -1",
        shell=True, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr


def test_a_signal_after_the_work_ends_it_quietly(project_folder: Path) -> None:
    # A thread that the interpreter waits for in its shutdown, as joblib's are.
    code = (
        "import sys, threading, time; from ser_experiments.cli import main; "
        "threading.Thread(target=time.sleep, args=(60,)).start(); sys.argv = ['ser', 'corpora', 'list']; main()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.5)
    process.terminate()
    err = process.communicate(timeout=20)[1]
    assert process.returncode == -signal.SIGTERM
    assert err == ""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_heard_though_a_call_from_c_swallows_it(number: int, code: int) -> None:
    # As when numba's compiler calls back, or a destructor runs.
    program = f"""
import ctypes, signal, time
import ser_experiments.cli as cli

class Command:
    def main(self, **options):
        def interrupted():
            signal.raise_signal({int(number)})
            return 0
        ctypes.CFUNCTYPE(ctypes.c_int)(interrupted)()
        time.sleep(60)

signal.signal(signal.SIGINT, signal.default_int_handler)
cli.ser = Command()
cli.main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == code
    assert done.stderr == ("interrupted\n" if number == signal.SIGINT else "")
