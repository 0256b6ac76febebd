"""Files that somebody named: whatever a name leads to, the answer comes at once and is one line with exit code 2."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pandas as pd
import pytest
from click.testing import CliRunner

import ser_experiments
from ser_experiments import identity
from ser_experiments.audio import read_audio
from ser_experiments.cli import ser
from ser_experiments.cli._recordings import recordings
from ser_experiments.corpora._alike import slips
from ser_experiments.csvfile import cuts_folds, cuts_segments, read_csv
from ser_experiments.errors import AudioError, InputError, SerError
from ser_experiments.evaluation.card import read_card
from ser_experiments.evaluation.lists import read_list
from ser_experiments.evaluation.predictions import read_predictions
from ser_experiments.experiment.definition import load_experiment
from ser_experiments.features.encoders.checkpoint import Checkpoint
from ser_experiments.features.external import read_table
from ser_experiments.files import DEEPEST, Missing, Unreadable, parse_json, parse_toml, read_bytes, read_text
from ser_experiments.models.persistence import load_estimator
from ser_experiments.serving.folder import load_folder

#: Whoever waits for a pipe, or reads a device that never ends, is called off after so many seconds.
_PATIENCE_S = 20
_DEEP, _DIGITS, _LONG = 100_000, 5_000, 5_000


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    def called_off(*_: object) -> None:
        raise TimeoutError("it waits")

    before = signal.signal(signal.SIGALRM, called_off)
    signal.alarm(_PATIENCE_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def outcome(*arguments: str) -> tuple[int, str]:
    """Return the exit code and the one line of a command."""
    result = CliRunner().invoke(ser, list(arguments))
    error = result.exception
    if isinstance(error, SerError):
        return error.exit_code, str(error)
    if isinstance(error, click.ClickException):
        return error.exit_code, error.format_message()
    if error is None or isinstance(error, SystemExit):
        return result.exit_code, result.stderr
    raise error  # what a user would see as a traceback


def pipe(path: Path) -> None:
    os.mkfifo(path)


def zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        before = Path.cwd()
        os.chdir(path.parent)  # names of sockets are short
        try:
            one.bind(path.name)
        finally:
            os.chdir(before)


def folder(path: Path) -> None:
    path.mkdir()


UTTERANCES = pd.DataFrame(
    {"path": ["/a.wav"], "start_s": [None], "end_s": [None], "speaker": ["s"]},
    index=pd.Index(["a"], name="utterance_id"),
)


def _definition(path: Path) -> object:
    path.parent.joinpath("experiments").mkdir()
    path.rename(path.parent / "experiments" / "odd.toml")
    return load_experiment("odd", path.parent / "experiments")


def _about(path: Path) -> object:
    path.rename(path.with_name("model.json"))
    return load_folder(path.parent)


def _config(path: Path) -> object:
    path.rename(path.with_name("config.json"))
    return Checkpoint(path.parent).config


#: What reads a file that a user names, by the name that the file has.
READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "a definition": ("odd.toml", _definition),
    "a card": ("card.json", read_card),
    "a list": ("list.csv", read_csv),
    "predictions": ("predictions.csv", read_predictions),
    "a list of others": ("list.jsonl", read_list),
    "a table": ("table.csv", lambda path: read_table(path, UTTERANCES)),
    "a packed table": ("table.parquet", lambda path: read_table(path, UTTERANCES)),
    "what a model is": ("about.json", _about),
    "an estimator": ("estimator.skops", load_estimator),
    "an encoder": ("config", _config),
    "a recording": ("a.wav", read_audio),
}


@pytest.mark.parametrize("make", [pipe, zeros, listening, folder], ids=lambda make: make.__name__)
@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_file_is_refused_at_once(
    reader: str, make: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name, read = READERS[reader]
    make(tmp_path / name)
    with pytest.raises(InputError) as told:
        read(tmp_path / name)
    assert "\n" not in str(told.value)
    assert " is a " in str(told.value) or "is a " in str(told.value)


#: Modules that read files of their own by other means, and why that is nobody's to name.
_OWN = {
    "cli/__init__.py": "the null device", "cli/init.py": "writes", "cli/_live_page.py": "in the package",
    "corpora/_demo/builder.py": "what the demo's builder wrote", "corpora/_demo/release.py": "writes",
    "features/encoders/catalogue.py": "in the package", "features/encoders/transfer.py": "writes",
    "features/store/compaction.py": "a lock", "features/store/costs.py": "in the cache",
    "features/store/files.py": "writes", "features/store/maintenance.py": "in the cache",
    "doing.py": "what workers of this run write", "models/source.py": "our code",
    "models/trials.py": "in the cache", "serving/http/worker.py": "of the system", "tracking/kept.py": "of an outbox",
    "serving/export.py": "our licence", "serving/traced.py": "what a process of its own wrote",
    "tracking/placing.py": "writes",
    "features/store/in_use.py": "a lock",
}  # fmt: skip
_OPENS = re.compile(r"(?<![\w.])open\(|\.open\((?:\"|encoding|$)|\.read_(?:text|bytes)\(|json\.load\(|tomllib\.load\(")


def test_every_file_that_is_named_passes_the_gate() -> None:
    """A new module that opens files by itself is either listed, with why nobody names them, or goes by `files`."""
    package = Path(ser_experiments.__file__).parent
    found = set()
    for path in package.rglob("*.py"):
        lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith(("#", "def"))]
        if any(_OPENS.search(line) for line in lines):
            found.add(path.relative_to(package).as_posix())
    assert found - set(_OWN) <= {"files.py"}, sorted(found - set(_OWN))


def test_a_pipe_among_definitions_is_left_out_of_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ser.toml").touch()
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "good.toml").write_text('[features]\nsets=["lld"]\n[model]\ntype = "dummy"\n')
    os.mkfifo(tmp_path / "experiments" / "bad.toml")
    code, said = outcome("list")
    assert code == 0
    assert said.count("left out") == 1
    assert "is a pipe" in said


def test_a_pipe_in_a_folder_of_recordings_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    (tmp_path / "a.wav").write_bytes(b"")
    assert [one.path.name for one in recordings([tmp_path])] == ["a.wav"]
    with pytest.raises(AudioError, match="is a pipe or a device"):
        read_audio(tmp_path / "pipe")
    with pytest.raises(OSError, match="is a pipe"):
        identity.of_file(tmp_path / "pipe")


#: By what is wrong, the text of a JSON and of a TOML file.
NONSENSE = {
    "lists in lists": ("[" * _DEEP + "]" * _DEEP, "a = " + "[" * _DEEP + "]" * _DEEP),
    "lists that begin": ("[" * _DEEP, "a = " + "[" * _DEEP),
    "mappings in mappings": ('{"a":' * _DEEP + "1" + "}" * _DEEP, "a = " + "{a = " * _DEEP + "1" + "}" * _DEEP),
    "just beyond what is taken": ("[" * 400 + "]" * 400, "[" + "a." * 400 + "a]\nb = 1\n"),
    "a number of digits": ('{"a": ' + "9" * _DIGITS + "}", "a = " + "9" * _DIGITS),
    "a number beyond 64 bits": ('{"a": ' + "9" * 30 + "}", "a = " + "9" * 30),
    "a key of parts": ('{"a', "a." * _DEEP + "a = 1"),
}


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_is_one_line(what: str) -> None:
    as_json, as_toml = NONSENSE[what]
    for parse, text in ((parse_json, as_json), (parse_toml, as_toml)):
        with pytest.raises(Unreadable) as told:
            parse(text, "odd")
        assert "\n" not in str(told.value)
        assert len(str(told.value)) < 300


def test_what_is_nested_as_deep_as_allowed_is_taken() -> None:
    assert parse_json("[" * DEEPEST + "]" * DEEPEST, "x")
    assert parse_toml("a." * (DEEPEST - 2) + "a = 18446744073709551615", "x")


@pytest.mark.parametrize("what", NONSENSE)
@pytest.mark.parametrize("reader", ["a definition", "a card", "what a model is", "an encoder"])
def test_nonsense_in_a_file_is_one_line(
    reader: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name, read = READERS[reader]
    (tmp_path / name).write_text(NONSENSE[what][reader == "a definition"])
    with pytest.raises(InputError) as told:
        read(tmp_path / name)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 500


@pytest.mark.parametrize(
    "value", ["[" * _DEEP, "9" * 4_000, "9" * _DIGITS, "[[[" * 200 + "]]]" * 200], ids=["deep", "digits", "long", "200"]
)
def test_nonsense_after_set_is_one_line(value: str, project_folder: Path) -> None:
    with pytest.raises(InputError) as told:
        load_experiment("svm_lld", project_folder / "experiments", [f"model.C={value}"])
    assert len(str(told.value)) < 300


def test_a_project_file_of_nonsense_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text in (NONSENSE["lists in lists"][1], NONSENSE["a number of digits"][1]):
        (tmp_path / "ser.toml").write_text(text)
        code, said = outcome("list")
        assert code == 2
        assert "cannot be read as TOML" in said


_NAME = "n" * _LONG

#: Commands that take a name, and none of which waits for anything else first.
NAMED = [
    ("run", _NAME), ("run", "svm_lld", "--corpus", "manifest", "--root", _NAME),
    ("run", "svm_lld", "--corpus", "iemocap", "--root", _NAME), ("run", "svm_lld", "--root", _NAME),
    ("corpora", "describe", "manifest", "--root", _NAME), ("verify", _NAME, "--card", _NAME), ("verify", _NAME),
    ("verify", _NAME, "--train", _NAME, "--corpus", "emodb"),
    ("protocol", "--import", _NAME), ("predict", "a.wav", "--model", _NAME), ("run", "svm_lld", "--corpus", _NAME),
    ("run", "svm_lld", "--set", f"{_NAME}=1"), ("run", "svm_lld", "--set", f"model.{_NAME}=1"),
    ("run", "svm_encoder", "--set", f"features.params.encoder.model={_NAME}"),
    ("run", "svm_lld", "--labels", _NAME), ("encoders", "describe", _NAME),
]  # fmt: skip


@pytest.mark.parametrize("arguments", NAMED, ids=lambda words: " ".join(words).replace(_NAME, "NAME"))
def test_a_name_of_thousands_of_characters_is_one_line(
    arguments: tuple[str, ...], project_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project_folder)
    code, said = outcome(*arguments)
    assert code == 2
    assert "Traceback" not in said
    assert said.strip().count("\n") <= 2


def test_a_long_name_in_a_list_ends_neither_it_nor_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(f"path\n{_NAME}.wav\nb.wav\n")
    found = [one.path.name for one in recordings([tmp_path / "list.csv", Path(_NAME)])]
    assert found == [f"{_NAME}.wav", "b.wav", _NAME]
    with pytest.raises(AudioError, match="no such file"):
        read_audio(_NAME)
    with pytest.raises(InputError, match="its name is too long"):
        read_table(_NAME, UTTERANCES)


def test_names_of_columns_and_classes_take_no_time_by_the_square_or_worse(tmp_path: Path) -> None:
    """One of 160 characters took 2 to the power of 40 steps; thousands were compared each with each."""
    assert not cuts_segments("start" + "secs" * 40 + "x")
    assert not cuts_folds("fold" * 40 + "x")
    assert cuts_segments("utterance_start_time_seconds")
    assert cuts_folds("is_train_validation_set")
    names = [f"c{number}" for number in range(200_000)]
    (tmp_path / "wide.csv").write_text(",".join([*names, names[-1]]) + "\n1\n")
    with pytest.raises(InputError, match="occurs twice"):
        read_csv(tmp_path / "wide.csv")
    letters = "abcdefghijklmnop"
    many = ["w" + "".join(letters[number >> shift & 15] for shift in (0, 4, 8, 12)) * 4 for number in range(20_000)]
    assert slips(many, ()) == []
    assert slips(["hapiness", "happiness"], ()) == [("hapiness", "happiness")]


def test_what_is_too_large_or_no_text_is_refused(tmp_path: Path) -> None:
    big, odd = tmp_path / "big", tmp_path / "odd"
    big.write_bytes(bytes(2000))
    odd.write_bytes(b"a\xff")
    with pytest.raises(Unreadable, match="such a file has at most"):
        read_bytes(big, most=1000)
    with pytest.raises(Unreadable, match="not UTF-8 text"):
        read_text(odd)
    with pytest.raises(Missing, match="no such file"):
        read_text(tmp_path / "none")
    with pytest.raises(Unreadable):
        read_bytes("a\0b")
    # A file of the system says that it is empty, and is read all the same.
    assert read_bytes("/proc/self/status")


def test_a_few_hundred_bytes_do_not_become_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import psutil

    path = tmp_path / "t.parquet"
    pd.DataFrame({"utterance_id": ["a"] * 1000, "x": 0.0}).to_parquet(path)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("memory", (), {"total": 1000}))
    with pytest.raises(InputError, match="too large for this machine's memory"):
        read_table(path, UTTERANCES)
