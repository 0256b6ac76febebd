"""What a shell is offered, asked as a shell asks; and that every parameter that takes a known name offers some."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete

from ser_experiments import plugins
from ser_experiments.cli import ser as program
from ser_experiments.cli._complete import COMPLETERS, VARIABLE
from ser_experiments.cli._keys import SECTIONS, keys
from ser_experiments.experiment.sections import Definition
from tests.command import PROGRAM, ser
from tests.tracking.test_backends import log

#: Parameters of free words: no name that is known beforehand fits them. A new parameter is either here or completes.
FREE = {
    "map", "drop",  # words of a corpus, which only its files tell
    "allow_columns", "folder", "pattern", "revision", "name", "host", "allowed_hosts", "scheduler", "device",
}  # fmt: skip


def offered(*words: str) -> list[str]:
    """Return what is offered for the last of some words."""
    *before, incomplete = words
    items: list[CompletionItem] = ShellComplete(program, {}, "ser", VARIABLE).get_completions(before, incomplete)
    return [item.value if item.type == "plain" else item.type for item in items]


def parameters(command: click.Command = program, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Parameter]]:
    """Yield every parameter of every command."""
    for param in command.params:
        yield " ".join((*path, str(param.name))), param
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from parameters(below, (*path, name))


def test_every_parameter_that_takes_a_known_name_completes() -> None:
    found, silent = 0, []
    for place, param in parameters():
        if not isinstance(param.type, click.types.StringParamType) or getattr(param, "is_flag", False):
            continue
        found += 1
        if param._custom_shell_complete is None and param.name not in FREE:
            silent.append(place)
        assert param.name not in FREE or param.name not in COMPLETERS
    assert found > 100
    assert not silent, "complete them in cli/_complete.py, or list them in FREE with why not"


@pytest.mark.parametrize(
    ("words", "among"),
    [
        (["run", "xgb_"], "xgb_lld"),
        (["check", "svm_"], "svm_lld"),
        (["audit", "svm_"], "svm_lld"),
        (["audit", "svm_lld", "--condition", "tele"], "telephone"),
        (["register", "--require-audit", "gen"], "gender"),
        (["run", "xgb_lld", "--corpus", "iem"], "iemocap"),
        (["run", "xgb_lld", "--labels", "4"], "4class"),
        (["run", "xgb_lld", "--corpus", "emodb", "--labels", ""], "7class"),
        (["run", "xgb_lld", "--corpus", "iemocap", "--subset", ""], "improvised"),
        (["run", "xgb_lld", "--protocol", "leave-one-s"], "leave-one-session-out"),
        (["run", "xgb_lld", "--normalize", "neutral-"], "neutral-5"),
        (["run", "xgb_lld", "--weights", ""], "agreement"),
        (["run", "xgb_lld", "--root", ""], "file"),
        (["run", "xgb_lld", "--set", "pipeline."], "pipeline.scale="),
        (["run", "xgb_lld", "--set", "model.max"], "model.max_depth="),
        (["run", "svm_encoder", "--set", "features.params."], "features.params.encoder.layers="),
        (["run", "stack_tables", "--set", "members.model.C"], "members.model.C="),
        (["compare", "--metric", "ua"], "uar"),
        (["features", "describe", "l"], "lld"),
        (["features", "export", "lld@no"], "lld@noise"),
        (["encoders", "pull", "openai/whisper-b"], "openai/whisper-base"),
        (["cache", "prune", "fi"], "fits"),
        (["completion", ""], "zsh"),
        (["runs", ""], "delete"),
        (["run", "xgb_lld", "--corpus", "iemocap", "--ra"], "--raters"),
    ],
)
def test_what_is_offered(project_folder: Path, words: list[str], among: str) -> None:
    found = offered(*words)
    assert among in found
    assert among == "file" or all(one.startswith(words[-1]) for one in found)


@pytest.mark.parametrize("tracker", ["mlflow", "json"])
def test_names_of_the_store_are_offered(project_folder: Path, monkeypatch: pytest.MonkeyPatch, tracker: str) -> None:
    monkeypatch.setenv("SER_TRACKER", tracker)
    from ser_experiments import project
    from ser_experiments.tracking import connect

    run_id = log().run_id
    store = connect(project.find())
    store.set_alias("ser-x", "champion", store.register("ser-x", run_id, description="", tags={}))
    assert offered("compare", "--setting", "") == ["demo-4class"]
    assert offered("runs", "show", run_id[:3]) == [run_id[:8]]
    assert offered("register", run_id[:4]) == [run_id[:8]]
    assert offered("audit", run_id[:4]) == [run_id[:8]]
    assert sorted(offered("audit", "ser-")) == ["ser-x/1", "ser-x@champion"]
    assert offered("predict", "--model", "") == ["ser-x/1", "ser-x@champion"] or offered("predict", "--model", "") == [
        "ser-x@champion", "ser-x/1"
    ]  # fmt: skip
    store.keeper().delete(run_id)
    assert offered("runs", "show", "") == []


def test_of_a_server_nothing_is_asked(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://192.0.2.1:1")
    assert offered("runs", "show", "") == []


def test_a_plugin_of_a_folder_is_offered_and_not_run(project_folder: Path) -> None:
    """Somebody else's folder must not run code because a key was pressed in it."""
    for kind in ("corpora", "models", "scores"):
        (project_folder / "plugins" / kind).mkdir(parents=True)
        text = f"import pathlib\npathlib.Path({str(project_folder / 'ran')!r}).touch()\n"
        (project_folder / "plugins" / kind / "mine.py").write_text(text)
    (project_folder / "experiments" / "own.toml").write_text('[features]\nsets=["lld"]\n[model]\ntype="mine"\n')
    try:
        assert "mine" in offered("run", "xgb_lld", "--corpus", "")
        assert offered("run", "own", "--corpus", "mine", "--labels", "") == []
        assert "model.type=" in offered("run", "own", "--set", "model.")
        assert offered("compare", "--metric", "mi") == ["mine"]
        assert not (project_folder / "ran").exists()
    finally:
        plugins.use(None)


@pytest.mark.parametrize("shell", [BashComplete, ZshComplete, FishComplete])
def test_the_script_of_each_shell(shell: type[ShellComplete]) -> None:
    done = ser("completion", shell.name)
    assert done.returncode == 0, done.stderr
    assert f"{VARIABLE}={shell.name}_complete" in done.stdout
    assert "ser" in done.stdout


def asked(line: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Ask as bash does, which hands over the line and where in it somebody is."""
    words = line.split(" ")
    environment = {VARIABLE: "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), **more}
    code = (
        f"import os, sys\nos.environ |= {environment!r}\nfrom ser_experiments.cli import main\ntry:\n    main()\n"
        "finally:\n    print([m for m in ('mlflow', 'torch', 'librosa', 'pandas', 'scipy') if m in sys.modules])"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_a_shell_is_answered_lightly_and_nothing_is_written(project_folder: Path) -> None:
    before = sorted(project_folder.rglob("*"))
    done = asked("ser run xgb_lld_")
    assert done.stdout.splitlines() == ["plain,xgb_lld_tuned", "[]"]
    assert done.stderr == ""
    done = asked("ser runs show ")
    assert (done.stdout, done.stderr) == ("\n[]\n", "")
    assert sorted(project_folder.rglob("*")) == before


@pytest.mark.parametrize("line", ["ser nonsense x", "ser run x --corpus nonsense --labels ", "ser run --nonsense "])
def test_a_shell_hears_no_errors(project_folder: Path, line: str) -> None:
    done = asked(line)
    assert done.stderr == ""
    assert "error" not in done.stdout
    assert not (project_folder / "cache").exists()


def test_a_store_that_is_no_store_offers_nothing(project_folder: Path) -> None:
    (project_folder / "mlruns" / "mlflow.db").write_bytes(b"nonsense")
    assert offered("compare", "--setting", "") == []
    assert offered("runs", "show", "") == []


def test_keys_are_those_that_a_definition_has() -> None:
    for section, own in SECTIONS.items():
        fields = Definition.model_fields[section].annotation
        kind = next(one for one in (fields, *getattr(fields, "__args__", ())) if hasattr(one, "model_fields"))
        assert set(own) == set(kind.model_fields) - {"params", "space"}, section
    assert "model.max_depth" not in keys([])


def test_a_real_bash_completes(project_folder: Path) -> None:
    """As somebody types it: the script is sourced, and what it defines is called."""
    code = "ser() { " + " ".join(f"'{word}'" for word in PROGRAM[:2]) + ' "$SER_MAIN" "$@"; }\n'
    script = ser("completion", "bash").stdout.replace("compopt", "true").replace("$1)", "ser)").replace("env ", "")
    line = "COMP_WORDS=(ser run xgb_); COMP_CWORD=2; _ser_completion ser; echo ${COMPREPLY[@]}"
    own = {"PATH": "/usr/bin:/bin", "HOME": str(project_folder), "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        ["bash", "-c", f"{code}{script}\n{line}"],
        capture_output=True,
        text=True,
        check=False,
        env={**own, "SER_MAIN": PROGRAM[2]},
    )
    assert done.stdout.split() == ["xgb_lld", "xgb_lld_tuned"], done.stderr
