"""Which corpus is meant where none is named, and that nothing is written into a root."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ser_experiments import plugins, run_experiment
from ser_experiments.cli import ser
from ser_experiments.corpora import chosen, load_corpus
from ser_experiments.errors import InputError
from ser_experiments.experiment.request import CorpusRequest
from ser_experiments.experiment.selection import load
from ser_experiments.project import Project
from tests.iemocap_tree import small_tree

MANIFEST = "path,label,speaker\n"


def everything_in(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_without_a_root_it_is_the_demo() -> None:
    assert chosen(None, None) == "demo"
    assert chosen(None, "") == "demo"


def test_what_is_named_is_meant(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text(MANIFEST)
    assert chosen("iemocap", tmp_path) == "iemocap"
    assert chosen("anything", None) == "anything"


@pytest.mark.parametrize("name", ["metadata.csv", "manifest.csv"])
def test_a_root_with_a_list_is_a_manifest(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(MANIFEST)
    assert chosen(None, tmp_path) == "manifest"
    assert chosen(None, str(tmp_path / name)) == "manifest"
    (tmp_path / name).rename(tmp_path / "list.tsv")
    assert chosen(None, tmp_path / "list.tsv") == "manifest"


def test_a_release_is_iemocap_wherever_the_root_points(tmp_path: Path) -> None:
    release = small_tree(tmp_path / "IEMOCAP_full_release")
    assert chosen(None, release) == chosen(None, tmp_path) == "iemocap"


def test_a_demo_is_no_iemocap(demo_root: Path) -> None:
    assert chosen(None, demo_root) == chosen(None, demo_root.parent) == "demo"


def test_a_root_that_may_be_two_things_is_asked_about(tmp_path: Path) -> None:
    small_tree(tmp_path / "IEMOCAP_full_release")
    (tmp_path / "metadata.csv").write_text(MANIFEST)
    with pytest.raises(InputError, match="may be of iemocap or manifest: say which with --corpus"):
        chosen(None, tmp_path)


def test_a_demo_that_was_once_built_among_recordings_is_asked_about(tmp_path: Path, demo_root: Path) -> None:
    """As earlier versions did, without a word."""
    (tmp_path / demo_root.name).symlink_to(demo_root)
    assert chosen(None, tmp_path) == "demo"
    (tmp_path / "manifest.csv").write_text(MANIFEST)
    with pytest.raises(InputError, match="may be of demo or manifest: say which with --corpus"):
        chosen(None, tmp_path)
    (tmp_path / "manifest.csv").unlink()
    small_tree(tmp_path / "IEMOCAP_full_release")
    with pytest.raises(InputError, match="may be of demo or iemocap"):
        chosen(None, tmp_path)


@pytest.mark.parametrize("below", ["", ".."])
def test_the_demo_never_passes_for_what_it_imitates(tmp_path: Path, demo_root: Path, below: str) -> None:
    with pytest.raises(InputError, match="is the demo, in which nobody speaks; say --corpus demo"):
        load_corpus("iemocap", demo_root / below)
    (tmp_path / demo_root.name).symlink_to(demo_root)
    small_tree(tmp_path / "z")
    assert load_corpus("iemocap", tmp_path).root == tmp_path / "z"


@pytest.mark.parametrize("how", ["variable", "ser.toml"])
def test_where_another_corpus_has_a_root_the_demo_is_said_to_be_meant(
    demo_root: Path, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    roots = {"demo": str(demo_root)}
    if how == "variable":
        monkeypatch.setenv("SER_MANIFEST_ROOT", str(tmp_path))
    load(CorpusRequest(), Project(tmp_path, roots if how == "variable" else {**roots, "manifest": "mine.csv"}))
    assert caplog.messages == ["no corpus is named: it is the demo; others have a root: --corpus manifest"]
    caplog.clear()
    monkeypatch.delenv("SER_MANIFEST_ROOT", raising=False)
    load(CorpusRequest(), Project(tmp_path, roots))
    load(CorpusRequest(corpus="demo"), Project(tmp_path, {**roots, "manifest": "mine.csv"}))
    assert caplog.messages == []


@pytest.mark.parametrize("name", ["data.csv", "list.tsv", "LABELS.CSV"])
def test_a_list_of_any_name_is_a_manifest_where_the_root_points_at_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(MANIFEST)
    assert chosen(None, tmp_path / name) == "manifest"
    with pytest.raises(InputError, match=f"if {name} lists recordings .* --root"):
        chosen(None, tmp_path)


def test_a_root_of_nothing_known_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file or folder .*nowhere; --root is where"):
        chosen(None, tmp_path / "nowhere")
    for folder in ("audio", "audio/Actor_01"):
        (tmp_path / folder).mkdir()
    (tmp_path / "audio" / "a.wav").touch()
    with pytest.raises(
        InputError, match=r"--corpus \(.*demo, .*iemocap, .*manifest, .*\); your own recordings need a list"
    ):
        chosen(None, tmp_path)
    (tmp_path / "labels.csv").write_text(MANIFEST)
    with pytest.raises(InputError, match=r"if labels\.csv lists recordings .* --root .*labels\.csv"):
        chosen(None, tmp_path)


def test_a_plug_in_says_itself_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "plugins" / "corpora" / "own.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "from ser_experiments.corpora import SCHEMES, CorpusSpec\n"
        "SPEC = CorpusSpec(name='own', title='t', licence='l', citation='c', read=None, schemes=SCHEMES,\n"
        "                  recognises=lambda root: (root / 'own.db').is_file())\n"
    )
    (tmp_path / "ser.toml").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "own.db").touch()
    before = plugins.folder()
    plugins.use(tmp_path / "plugins")
    try:
        assert chosen(None, tmp_path / "data") == "own"
    finally:
        plugins.use(before)


@pytest.mark.parametrize("text", ["SPEC = 1\n", "SPEC = None\n", "def read(:\n", "x = 1\n"])
def test_a_half_written_plug_in_leaves_the_others(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "plugins" / "corpora" / "own.py"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    (tmp_path / "metadata.csv").write_text(MANIFEST)
    before = plugins.folder()
    plugins.use(tmp_path / "plugins")
    try:
        assert chosen(None, tmp_path) == "manifest"
        with pytest.raises(InputError, match="corpus 'own': plug-in "):
            load_corpus("own", tmp_path)
    finally:
        plugins.use(before)
    assert "left out: corpus 'own': plug-in" in caplog.text


@pytest.mark.parametrize("corpus", ["demo", None])
@pytest.mark.parametrize("holds", ["recordings", "nothing", "half a demo"])
def test_nothing_is_written_into_a_root(tmp_path: Path, demo_root: Path, corpus: str | None, holds: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    if holds == "recordings":
        (root / "a.wav").write_bytes(b"RIFF")
    elif holds == "half a demo":
        (root / "demo.json").write_bytes((demo_root / "demo.json").read_bytes())
    before = everything_in(root)
    with pytest.raises(InputError):
        run_experiment("dummy", corpus=corpus, root=root, log_run=False)
    assert everything_in(root) == before


@pytest.mark.parametrize("how", ["root", "variable", "ser.toml"])
def test_the_demo_is_read_where_a_root_says(
    demo_root: Path, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "variable":
        monkeypatch.setenv("SER_DEMO_ROOT", str(demo_root.parent))
    project = Project(tmp_path, {"demo": str(demo_root)} if how == "ser.toml" else {})
    before = everything_in(demo_root)
    found = load_corpus("demo", demo_root if how == "root" else None, project=project)
    assert found.root == demo_root
    with pytest.raises(InputError, match="no whole demo corpus of seed 1 under"):
        load_corpus("demo", demo_root if how == "root" else None, project=project, seed=1)
    assert everything_in(demo_root) == before
    assert not (tmp_path / "cache").exists()


def test_the_command_says_what_it_took_a_root_for(project_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    release = small_tree(project_folder / "IEMOCAP_full_release")
    done = CliRunner().invoke(ser, ["protocol", "--root", str(release), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["setting"]["corpus"] == "iemocap"
    assert f"{release} is taken for the corpus iemocap; --corpus says it otherwise" in caplog.text


def test_options_of_the_corpus_that_a_root_is_of(project_folder: Path) -> None:
    listed = project_folder / "mine" / "metadata.csv"
    listed.parent.mkdir()
    listed.write_text(MANIFEST + "a.wav,joy,1\nb.wav,anger,1\nc.wav,joy,2\nd.wav,anger,2\n")
    for name in "abcd":
        (listed.parent / f"{name}.wav").touch()
    done = CliRunner().invoke(ser, ["protocol", "--root", str(listed), "--name", "walk", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["setting"]["corpus"] == "walk"
