"""What every corpus that is read as released keeps, on copies as people have them; found by its tree in ``trees/``."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

from ser_experiments.corpora import chosen, corpus_names, get_corpus, load_corpus, read_corpus
from ser_experiments.corpora._describe import compare_counts, differences
from ser_experiments.corpora._released import PUBLISHED, VIDEO, Release
from ser_experiments.errors import InputError
from tests.command import ser

NAMES = [name for name in corpus_names() if hasattr(import_module(f"ser_experiments.corpora.{name}"), "RELEASE")]
TREES = {name: import_module(f"tests.corpora.trees.{name}") for name in NAMES}
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def release(name: str) -> Release:
    return import_module(f"ser_experiments.corpora.{name}").RELEASE


def recordings(root: Path, name: str) -> list[Path]:
    """Return the files that are read, in alphabetical order."""
    return sorted(Path(path) for path in read_corpus(name, root)[1].utterances["path"])


def audio(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.suffix.lower() in VIDEO]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in made:
            made[name] = TREES[name].build(tmp_path_factory.mktemp(name) / "as is")
        return made[name]

    return make


@pytest.fixture
def tree(request: pytest.FixtureRequest, whole: Callable[[str], Path], tmp_path: Path) -> Path:
    """Return a copy of a corpus's tree that a test may change."""
    name = request.node.callspec.params["name"]
    return Path(shutil.copytree(whole(name), tmp_path / whole(name).name))


def same(before: pd.DataFrame, after: pd.DataFrame) -> None:
    """Compare all but where the files lie."""
    pd.testing.assert_frame_equal(after.drop(columns="path"), before.drop(columns="path"))


def test_there_are_some() -> None:
    assert len(NAMES) >= 7


@pytest.mark.parametrize("name", NAMES)
def test_what_its_tree_says_is_read(name: str, whole: Callable[[str], Path]) -> None:
    told = TREES[name]
    _, reading = read_corpus(name, whole(name))
    table = reading.utterances
    assert told.ROWS
    for one, cells in told.ROWS.items():
        assert {key: None if pd.isna(cell := table.loc[one, key]) else cell for key in cells} == cells
    for gone in getattr(told, "AWAY", ()):
        assert gone not in table.index
        assert not any(path.endswith(gone) for path in table["path"])
    for said in getattr(told, "SAID", ()):
        assert pd.Series(reading.notes).str.contains(said).any(), reading.notes
    assert set(release(name).words.values()) >= set(table["emotion"]) or not release(name).words


@pytest.mark.parametrize("name", NAMES)
def test_its_facts_are_told(name: str, whole: Callable[[str], Path]) -> None:
    spec = get_corpus(name)
    assert all([spec.facts.language, spec.facts.elicitation])
    assert spec.facts.elicitation.split(",")[0].split(" ")[0] in {"acted", "elicited", "natural"}
    columns = set(read_corpus(name, whole(name))[1].utterances.columns)
    assert set(spec.published) == {one.removeprefix(PUBLISHED) for one in columns if one.startswith(PUBLISHED)}
    for scheme in (scheme for scheme in spec.schemes.values() if scheme.name in ("4class", "6class")):
        assert len(set(scheme.classes.values())) == int(scheme.name[0])


@pytest.mark.parametrize("name", NAMES)
def test_folds_of_others_keep_speakers_apart(name: str, whole: Callable[[str], Path]) -> None:
    for folds in release(name).published.values():
        every = [speaker for speakers in folds.values() for speaker in speakers]
        assert len(every) == len(set(every))
        if "speakers" in (expected := get_corpus(name).expected().set_index("what")["expected"]):
            assert len(every) == expected.loc[["speakers"]].max()


@pytest.mark.parametrize("name", NAMES)
def test_names_alone_tell_what_names_tell(name: str, whole: Callable[[str], Path]) -> None:
    table, tells = read_corpus(name, whole(name))[1].utterances, get_corpus(name).told_by
    assert tells is not None
    for one, path in table["path"].items():
        told = tells(path)
        assert told is not None
        assert told["utterance_id"] == one
        said = [key for key in ("speaker", "text_id", "emotion") if key in told]
        assert {key: str(told[key]) for key in said} == {key: str(table.loc[one, key]) for key in said}
        assert tells(path.rpartition(".")[0].replace("/", "\\")) == told
    assert tells("none of them/readme") is None


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_that_is_nested_is_the_same(name: str, tree: Path, tmp_path: Path) -> None:
    before = read_corpus(name, tree)[1].utterances
    (tmp_path / "a" / "b").mkdir(parents=True)
    tree.rename(tmp_path / "a" / "b" / "c")
    for above in ("a/b/c", "a/b", "a"):
        same(before, read_corpus(name, tmp_path / above)[1].utterances)


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_within_itself_is_read_once(name: str, tree: Path, tmp_path: Path) -> None:
    before, kept = read_corpus(name, tree)[1].utterances, recordings(tree, name)
    shutil.copytree(tree, tmp_path / "again")
    (tmp_path / "again").rename(tree / "zz copy of it")
    _, after = read_corpus(name, tree)
    same(before, after.utterances)
    assert recordings(tree, name) == kept
    said = [note for note in after.notes if "recordings lie here more than once" in note]
    assert len(said) == 1
    assert int(said[0].split()[0]) >= len(before)
    assert "zz copy of it" in said[0]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_mac_leaves_is_no_recording(name: str, tree: Path) -> None:
    _, before = read_corpus(name, tree)
    for path in recordings(tree, name):
        path.with_name(f"._{path.name}").write_bytes(b"\x00\x05\x16\x07")
    (tree / "__MACOSX").mkdir()
    (tree / "__MACOSX" / f"._{path.name}").write_bytes(b"\x00\x05\x16\x07")
    _, after = read_corpus(name, tree)
    pd.testing.assert_frame_equal(after.utterances, before.utterances)
    assert after.notes == before.notes


@pytest.mark.parametrize("name", NAMES)
def test_names_in_capitals_are_the_same(name: str, tree: Path) -> None:
    before = read_corpus(name, tree)[1].utterances
    for path in recordings(tree, name):
        path.rename(path.with_name(path.name.upper()))
    same(before, read_corpus(name, tree)[1].utterances)


@pytest.mark.parametrize("name", NAMES)
def test_pointers_of_git_lfs_are_said(name: str, tree: Path) -> None:
    paths = recordings(tree, name)
    paths[0].write_bytes(POINTER)
    paths[1].write_bytes(b"")
    _, reading = read_corpus(name, tree)
    assert len(reading.utterances) == len(paths) - 2
    assert any(re.match(r"1 of \d+ recordings are pointers of Git LFS, not audio", note) for note in reading.notes)
    assert any("1 recordings are empty files and are left out" in note for note in reading.notes)
    for path in audio(tree):
        path.write_bytes(POINTER)
    with pytest.raises(InputError, match="are pointers of Git LFS, not audio .*run `git lfs pull`"):
        read_corpus(name, tree)


@pytest.mark.parametrize("name", NAMES)
def test_its_root_is_recognised_and_no_other(name: str, tree: Path, tmp_path: Path) -> None:
    for above in (tree, tmp_path):
        assert chosen(None, above) == name
    (tree / "metadata.csv").write_text("path,label,speaker\n")
    assert chosen(None, tree) == "manifest"
    for path in audio(tree):
        path.unlink()
    (tree / "metadata.csv").unlink()
    assert not get_corpus(name).recognises(tree)
    with pytest.raises(InputError, match=f"corpus '{name}': no recording under"):
        read_corpus(name, tree)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_there_is_said(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"corpus '{name}': no folder: "):
        read_corpus(name, tmp_path / "nowhere")
    (tmp_path / "a.wav").touch()
    with pytest.raises(InputError, match=f"corpus '{name}': not a folder: "):
        read_corpus(name, tmp_path / "a.wav")
    with pytest.raises(InputError, match="no recording under .*; expected .*1 recordings are not named as those of"):
        read_corpus(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if hasattr(TREES[name], "complete")])
def test_a_complete_copy_has_every_count(name: str, tmp_path: Path) -> None:
    """The names alone: what is in the files does not count."""
    for path in (tmp_path / "copy" / one for one in TREES[name].complete()):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"RIFF")
    spec, reading = read_corpus(name, tmp_path / "copy")
    compared = compare_counts(reading.utterances, spec.expected(), spec.schemes)
    assert differences(compared) == []
    assert len(compared) >= 8
    assert len(reading.utterances) == spec.facts.n_utterances
    path.unlink()
    again = read_corpus(name, tmp_path / "copy")[1].utterances
    assert differences(compare_counts(again, spec.expected(), spec.schemes)) != []


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_on_this_machine_is_complete(name: str) -> None:
    root = os.environ.get(f"SER_{name.upper()}_ROOT")
    if not root:
        pytest.skip(f"needs a copy: set SER_{name.upper()}_ROOT")
    assert chosen(None, root) in (name, "manifest")
    spec, reading = read_corpus(name, root)
    if spec.expected is not None:
        assert differences(compare_counts(reading.utterances, spec.expected(), spec.schemes)) == []
    for labels in spec.schemes:
        load_corpus(name, root, labels)


def test_a_mix_of_corpora_holds_each(whole: Callable[[str], Path], tmp_path: Path) -> None:
    """As the copies of Kaggle in which four corpora lie side by side."""
    four = ("ravdess", "tess", "savee", "emodb")
    for name in four:
        shutil.copytree(whole(name), tmp_path / name)
    with pytest.raises(InputError, match="may be of emodb or ravdess or savee or tess: say which"):
        chosen(None, tmp_path)
    for name in four:
        same(read_corpus(name, whole(name))[1].utterances, read_corpus(name, tmp_path)[1].utterances)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_support_vector_machine_runs_on_it(name: str, whole: Callable[[str], Path], project_folder: Path) -> None:
    """From the files to a score, as `ser run svm_lld --root X` does it: the root alone says which corpus is meant."""
    done = ser("run", "svm_lld", "--root", str(whole(name)), "--protocol", "leave-one-speaker-out", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["corpus"] == name
    assert 0 <= told["metrics"]["uar"] <= 1
