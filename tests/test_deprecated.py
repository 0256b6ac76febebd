"""Old words work on, say once what to write instead, and are refused beside the new ones."""

from __future__ import annotations

import ast
import re
import warnings
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import ser_experiments
from ser_experiments import deprecated
from ser_experiments.cli._renamed import Renamed, renamed_command
from ser_experiments.deprecated import Old, renamed_function, renamed_keys, renamed_parameter
from ser_experiments.errors import InputError
from tests.command import ser
from tests.generated_docs import page

OLD = Old("scaling", "scale", "0.3")
LINE = "'scaling' is deprecated and goes in version 0.3; write 'scale'"


@pytest.fixture(autouse=True)
def _nothing_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deprecated, "_SAID", set())


def test_a_key_is_taken_under_its_old_name_and_told_once_a_file(caplog: pytest.LogCaptureFixture) -> None:
    given = {"scaling": "robust", "select": 3}
    for _ in range(2):
        assert renamed_keys(given, {"scaling": OLD}, "a.toml") == {"scale": "robust", "select": 3}
    renamed_keys(given, {"scaling": OLD}, "b.toml")
    assert caplog.messages == [f"a.toml: {LINE}", f"b.toml: {LINE}"]
    assert given == {"scaling": "robust", "select": 3}


def test_a_new_key_is_not_spoken_of(caplog: pytest.LogCaptureFixture) -> None:
    assert renamed_keys({"scale": "none"}, {"scaling": OLD}, "a.toml") == {"scale": "none"}
    assert caplog.messages == []


def test_both_keys_are_refused() -> None:
    with pytest.raises(InputError, match=r"^a\.toml: 'scaling' is the old word for 'scale', and both are there; leave"):
        renamed_keys({"scale": "none", "scaling": "robust"}, {"scaling": OLD}, "a.toml")


def test_a_parameter_is_taken_under_its_old_name() -> None:
    @renamed_parameter(OLD)
    def measure(x: int, *, scale: str = "none") -> tuple[int, str]:
        """Measure."""
        return x, scale

    with pytest.warns(DeprecationWarning, match=re.escape(f"measure(): {LINE}")) as told:
        assert measure(1, scaling="robust") == (1, "robust")  # type: ignore[call-arg]
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert measure(1, scale="robust") == (1, "robust")
    with pytest.raises(TypeError, match="'scale' and its old name 'scaling'"):
        measure(1, scale="none", scaling="robust")  # type: ignore[call-arg]


def test_a_function_is_called_under_its_old_name() -> None:
    def scale(x: int) -> int:
        return 2 * x

    scaling = renamed_function(scale, OLD)
    with pytest.warns(DeprecationWarning, match=re.escape(LINE)) as told:
        assert scaling(3) == 6
    assert told[0].filename == __file__
    assert scaling.__name__ == "scaling"


@click.command("look")
@click.option("--deep/--flat", cls=Renamed, old=Old("--far", "--deep", "0.3"), default=None)
@click.option("--name", "names", cls=Renamed, old=Old("--called", "--name", "0.3"), multiple=True)
@click.option("--jobs", cls=Renamed, old=Old("--processes", "--jobs", "0.3"), type=int, default=1)
def look(deep: bool | None, names: tuple[str, ...], jobs: int) -> None:
    """Look."""
    click.echo(f"{deep} {names} {jobs}")


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ([], "None () 1"),
        (["--far"], "True () 1"),
        (["--flat"], "False () 1"),
        (["--called", "a", "--called", "b"], "None ('a', 'b') 1"),
        (["--processes", "4"], "None () 4"),
        (["--processes=4", "--deep"], "True () 4"),
    ],
)
def test_an_option_is_taken_under_its_old_name(given: list[str], answer: str, caplog: pytest.LogCaptureFixture) -> None:
    found = CliRunner().invoke(look, given)
    assert (found.exit_code, found.stdout.strip()) == (0, answer)
    old = {one.split("=")[0] for one in given} & {"--far", "--called", "--processes"}
    assert [message.split("'")[1] for message in caplog.messages] == sorted(old)


def test_an_old_option_is_checked_as_the_new_one_and_in_no_help() -> None:
    found = CliRunner().invoke(look, ["--processes", "x"])
    assert found.exit_code == 2
    assert "'x' is not a valid integer" in found.output
    assert "--processes" not in CliRunner().invoke(look, ["--help"]).output


@pytest.mark.parametrize("given", [["--jobs", "1", "--processes", "2"], ["--processes", "2", "--jobs", "1"]])
def test_both_options_are_refused(given: list[str]) -> None:
    found = CliRunner().invoke(look, given)
    assert found.exit_code == 2
    assert "--processes is the old name of --jobs; leave it out" in found.output


def test_a_command_answers_where_it_stood_before(caplog: pytest.LogCaptureFixture) -> None:
    group = click.Group("old", commands=[renamed_command(look, Old("ser old look", "ser look", "0.3"))])
    assert CliRunner().invoke(group, ["look", "--jobs", "2"]).stdout.strip() == "None () 2"
    assert caplog.messages == ["'ser old look' is deprecated and goes in version 0.3; write 'ser look'"]
    assert "look" not in CliRunner().invoke(group, ["--help"]).output
    assert not look.hidden


def test_features_prune_is_cache_prune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SER_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    old, new = ser("features", "prune", "--json", "--dry-run"), ser("cache", "prune", "--json", "--dry-run")
    assert (
        (old.returncode, old.stdout)
        == (new.returncode, new.stdout)
        == (0, '{"removed": [], "dry_run": true, "in_use": false}\n')
    )
    assert "'ser features prune' is deprecated and goes in version 0.3; write 'ser cache prune'" in old.stderr
    assert "prune" not in ser("features", "--help").stdout


def test_the_policy_lists_every_old_word() -> None:
    """Each `Old("..", "..", "..")` of the package has its row, and each row its place."""
    used = set()
    for path in Path(ser_experiments.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "Old(" not in text or path.stem in ("deprecated", "_renamed"):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Old":
                used.add(tuple(ast.literal_eval(one) for one in node.args))
    rows = re.findall(r"^\| `(.+?)` \| `(.+?)` \| (\S+) \|$", page("deprecation"), re.MULTILINE)
    assert used == set(rows) != set()


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", page("deprecation"), re.DOTALL))
def test_the_examples_of_the_policy_run(block: str) -> None:
    exec(compile(block, "docs/deprecation.md", "exec"), {"__name__": "shown"})
