"""The additions that CONTRIBUTING.md shows are what it says: taken from the page and used together."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from ser_experiments import load_corpus, plugins
from tests.command import ser

PAGE = Path(__file__).parents[1] / "CONTRIBUTING.md"
#: Where a file of ours lies in a project of somebody else's.
KINDS = {
    "ser_experiments/corpora": "plugins/corpora",
    "ser_experiments/features/sets": "plugins/features",
    "ser_experiments/features/views": "plugins/views",
    "ser_experiments/audio/conditions": "plugins/conditions",
    "ser_experiments/models/zoo": "plugins/models",
    "ser_experiments/evaluation/protocols": "plugins/protocols",
    "ser_experiments/evaluation/scores": "plugins/scores",
    "experiments": "experiments",
}


def shown() -> dict[str, str]:
    """Return each file of the page by the path that is said before it."""
    found, fenced = {}, re.compile(r"(.*?)^ *```(?:python|toml)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
    for text, block in fenced.findall(PAGE.read_text(encoding="utf-8")):
        found[re.findall(r"`([\w/]+/\w+\.(?:py|toml))`", text)[-1]] = textwrap.dedent(block)
    return found


FILES = shown()


@pytest.fixture
def project_with_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a project that holds every addition; plug-ins are left as they were found."""
    before = plugins.folder()
    (tmp_path / "ser.toml").write_text("")
    for path, text in FILES.items():
        folder, _, name = path.rpartition("/")
        if folder in KINDS:
            to = tmp_path / KINDS[folder] / name
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SER_TRACKER", "json")
    yield tmp_path
    plugins.use(before)


def module(path: str, folder: Path) -> ModuleType:
    """Return a file of the page as a module."""
    file = folder / Path(path).name
    file.write_text(FILES[path])
    spec = importlib.util.spec_from_file_location(f"shown_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    return made


def test_every_kind_is_shown_once() -> None:
    folders = [path.rpartition("/")[0] for path in FILES]
    assert sorted(folders) == sorted([*KINDS, "ser_experiments/cli", "tests/corpora/trees"])


def test_a_command(tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text("path,label,speaker\na.wav,sad,Anna\nb.wav,angry,Anna\nc.wav,sad,Bela\n")
    for name in "abc":
        module("tests/corpora/trees/polish.py", tmp_path).clips(tmp_path, f"{name}.wav")
    command = module("ser_experiments/cli/speakers.py", tmp_path).command
    found = CliRunner().invoke(command, [str(listed), "--json"])
    assert json.loads(found.stdout) == {"Anna": 2, "Bela": 1}
    assert CliRunner().invoke(command, [str(listed)]).stdout == "Anna  2\nBela  1\n"


@pytest.mark.slow
def test_one_experiment_goes_through_all_of_them(project_with_all: Path, tmp_path: Path) -> None:
    tree = module("tests/corpora/trees/polish.py", tmp_path)
    root = tree.build(tmp_path / "release")
    found = ser("run", "nearest_loudness", "--root", str(root), "--protocol", "two-halves", "--jobs", "1", "--json")
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    assert "polish" in told["setting"]
    assert told["metrics"]["worst_recall"] <= told["metrics"]["uar"]
    board = ser("compare", "--metric", "worst_recall")
    assert board.returncode == 0, board.stderr
    assert "worst recall" in board.stdout.lower()
    audit = ser(
        "audit", "nearest_loudness", "--root", str(root), "--protocol", "two-halves", "--condition", "loss",
        "--jobs", "1", "--json",
    )  # fmt: skip
    assert audit.returncode == 0, audit.stderr
    assert [one["condition"] for one in json.loads(audit.stdout)["robustness"]] == ["5 % lost"]
    table = load_corpus("polish", root).utterances
    for utterance, row in tree.ROWS.items():
        assert table.loc[utterance, list(row)].to_dict() == row
