"""What every corpus of the folder keeps; a new one adds its tree in ``trees/`` and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from ser_experiments.corpora import CorpusSpec, Option, corpus_names, get_corpus, load_corpus, read_corpus
from ser_experiments.corpora._describe import beside, compare_counts, counts
from ser_experiments.evaluation.cutting import make_folds
from ser_experiments.evaluation.tripwires import check_leaks
from ser_experiments.frames import check_utterances
from tests.command import ser

NAMES = corpus_names()


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory, demo_root: Path) -> Callable[[str], Path]:
    """Return what makes a small copy of a corpus, once for all tests."""
    made: dict[str, Path] = {"demo": demo_root.parent}

    def make(name: str) -> Path:
        if name not in made:
            made[name] = import_module(f"tests.corpora.trees.{name}").build(tmp_path_factory.mktemp(name))
        return made[name]

    return make


def test_every_corpus_is_here() -> None:
    assert {"demo", "iemocap", "manifest"} <= set(NAMES)
    # The demo is built by a fixture, as it takes the longest.
    for name in set(NAMES) - {"demo"}:
        assert (Path(__file__).parent / "trees" / f"{name}.py").is_file(), (
            "a corpus needs its tree in tests/corpora/trees/"
        )


@pytest.mark.parametrize("name", NAMES)
def test_its_facts_are_there(name: str) -> None:
    spec = get_corpus(name)
    assert isinstance(spec, CorpusSpec)
    assert spec.name == name
    assert all([spec.title, spec.licence, spec.citation])
    assert list(spec.schemes) == [scheme.name for scheme in spec.schemes.values()]
    assert all(scheme.note for scheme in spec.schemes.values())
    assert spec.subsets[0] == "all"
    assert all(isinstance(option, Option) and option.help.endswith(".") for option in spec.options)
    for labels, subset, _ in spec.ceilings:
        assert labels in spec.schemes
        assert subset in spec.subsets


@pytest.mark.parametrize("name", NAMES)
def test_its_table_is_one(name: str, sample: Callable[[str], Path]) -> None:
    _, reading = read_corpus(name, sample(name))
    assert check_utterances(reading.utterances, name, also=("emotion",)) is reading.utterances
    assert all(Path(path).is_file() for path in reading.utterances["path"])
    assert reading.root.exists()
    again = read_corpus(name, sample(name))[1].utterances
    assert again.equals(reading.utterances)
    if "partition" in reading.utterances:
        assert set(reading.utterances["partition"].dropna()) <= {"train", "dev", "test"}


@pytest.mark.parametrize(("name", "labels"), [(n, labels) for n in NAMES for labels in get_corpus(n).schemes])
def test_every_scheme_gives_its_classes(name: str, labels: str, sample: Callable[[str], Path]) -> None:
    corpus = load_corpus(name, sample(name), labels)
    table = corpus.utterances
    assert len(corpus.task.targets) >= 2
    assert set(corpus.task.truth(table)) == set(corpus.task.targets)
    if corpus.labels.classes:
        assert set(corpus.task.targets) <= set(corpus.labels.classes.values())
        assert corpus.labels.rule


@pytest.mark.parametrize("name", NAMES)
def test_folds_can_be_cut_that_hold(name: str, sample: Callable[[str], Path]) -> None:
    corpus = load_corpus(name, sample(name))
    folds = make_folds(corpus.utterances, "leave-one-speaker-out", shares_room=corpus.spec.shares_room)
    check_leaks(folds, corpus.utterances)
    assert len(folds.folds) == corpus.utterances["speaker"].nunique()
    assert make_folds(corpus.utterances, shares_room=corpus.spec.shares_room).folds


@pytest.mark.parametrize(("name", "subset"), [(n, subset) for n in NAMES for subset in get_corpus(n).subsets])
def test_every_subset_is_a_part_of_it(name: str, subset: str, sample: Callable[[str], Path]) -> None:
    whole, part = (load_corpus(name, sample(name), subset=one).utterances for one in ("all", subset))
    assert set(part.index) <= set(whole.index)
    assert (len(part) < len(whole)) == (subset != "all")


@pytest.mark.parametrize("name", NAMES)
def test_its_copy_can_be_described(name: str, sample: Callable[[str], Path]) -> None:
    spec, reading = read_corpus(name, sample(name))
    tables = counts(reading.utterances, spec.schemes)
    assert tables["by speaker"].loc["total", "total"] == len(reading.utterances)
    if spec.expected is not None:
        compared = compare_counts(reading.utterances, spec.expected(), spec.schemes)
        for by in compared["by"].unique():
            found = compared.loc[(compared["by"] == by) & (compared["how"] == "rows"), "found"]
            assert len(found) == 0 or found.sum() <= len(reading.utterances)
            assert beside(compared, by).notna().all(axis=None)
    done = ser("corpora", "describe", name, "--root", str(sample(name)), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["corpus"] == reading.name
