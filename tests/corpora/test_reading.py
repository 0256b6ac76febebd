"""What a corpus's reader gives is checked before anything is made of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_experiments import plugins
from ser_experiments.corpora import Corpus, LabelScheme, get_corpus, load_corpus, read_corpus
from ser_experiments.errors import InputError
from ser_experiments.project import Project
from ser_experiments.tasks.classes import Classes
from tests.command import ser

#: A reader as somebody writes it; what a test spoils stands between.
READER = """
import pandas as pd
from ser_experiments.corpora import CorpusSpec, LabelScheme, Reading

def read(root, *, seed: int = 0):
    rows = [
        {{"utterance_id": f"{{s}}-{{i}}", "path": f"{{root}}/{{s}}{{i}}.wav",
          "start_s": float("nan"), "end_s": float("nan"), "speaker": s, "session": "1", "gender": None, "emotion": e}}
        for s in ("01", "02") for i, e in enumerate(("calm", "wild"))
    ]
    table = pd.DataFrame(rows).set_index("utterance_id")
    {spoil}
    return Reading("own", root, table)

TWO = LabelScheme("2class", {{"calm": "low", "wild": "high"}}, "n")
SPEC = CorpusSpec(
    name="own", title="t", licence="l", citation="c", read=read, make=lambda folder, **options: folder,
    schemes={{"as-is": LabelScheme("as-is", {{}}, "n"), "2class": TWO}}, subsets={subsets},
)
"""


@pytest.fixture(autouse=True)
def left_as_found() -> Iterator[None]:
    before = plugins.folder()
    yield
    plugins.use(before)


def write(folder: Path, spoil: str = "pass", subsets: str = '("all",)') -> Project:
    path = folder / "plugins" / "corpora" / "own.py"
    path.parent.mkdir(parents=True)
    path.write_text(READER.format(spoil=spoil, subsets=subsets))
    (folder / "ser.toml").touch()
    plugins.use(folder / "plugins")
    return Project(folder, {})


def test_words_of_its_own_need_no_code(tmp_path: Path) -> None:
    corpus = load_corpus("own", project=write(tmp_path))
    assert corpus.task == Classes(("calm", "wild"))
    assert list(corpus.utterances.columns[:7]) == [
        "path", "start_s", "end_s", "speaker", "session", "gender", "label",
    ]  # fmt: skip
    assert load_corpus("own", labels="2class", project=Project(tmp_path, {})).task == Classes(("high", "low"))


FAULTS = [
    ("table.index.name = None", "the index is named None; it must be 'utterance_id'"),
    ("table = table.drop(columns='session')", "no column 'session'"),
    ("table = table.drop(columns='emotion')", "no column 'emotion'"),
    ("table['speaker'] = [1, 1, 2, 2]", "speaker 1 is a int; it must be text"),
    ("table['session'] = [1, 1, 2, 2]", "session 1 is a int; it must be text or empty"),
    ("table['speaker'] = ['01', '', '02', '02']", "utterance '01-1' has no speaker"),
    ("table['emotion'] = ['calm', None, 'calm', 'wild']", "utterance '01-1' has no emotion"),
    ("table['path'] = None", "utterance '01-0' has no path"),
    ("table.index = pd.Index(['a', 'b', 'a', 'c'], name='utterance_id')", "utterance id 'a' occurs twice"),
    ("table.index = pd.Index([1, 2, 3, 4], name='utterance_id')", "utterance id 1 is a int"),
    ("table[['start_s', 'end_s']] = 2.0", "utterance '01-0' is the segment 2.0-2.0 s"),
    ("table['end_s'] = '3'", "end_s holds str values; it must hold seconds or NaN"),
    ("table = table.iloc[:0]", "no utterances under"),
]


@pytest.mark.parametrize(("spoil", "message"), FAULTS)
def test_a_reader_that_forgets_something_is_told_in_one_line(tmp_path: Path, spoil: str, message: str) -> None:
    project = write(tmp_path, spoil)
    for load in (load_corpus, read_corpus):
        with pytest.raises(InputError) as error:
            load("own", project=project)
        assert str(error.value).startswith(f"corpus 'own': {message}")
        assert "\n" not in str(error.value)


def test_a_subset_needs_its_column(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="corpus 'own': no column 'scenario' to choose a subset by"):
        load_corpus("own", subset="read", project=write(tmp_path, subsets='("all", "read")'))


def test_nothing_is_run_on_a_table_that_is_none(project_folder: Path) -> None:
    write(project_folder, FAULTS[0][0])
    done = ser("run", "dummy", "--corpus", "own", "--no-log")
    assert done.returncode == 2
    assert done.stderr == "error: corpus 'own': the index is named None; it must be 'utterance_id'\n"
    assert not (project_folder / "cache").exists()


def test_options_are_those_of_the_reader(tmp_path: Path) -> None:
    project = write(tmp_path, "table = table.assign(seed=seed)")
    assert set(load_corpus("own", project=project, seed=3).utterances["seed"]) == {3}
    with pytest.raises(InputError, match="corpus 'own': unknown option 'sede'; did you mean 'seed'"):
        load_corpus("own", project=project, sede=3)


def test_without_a_project_a_root_is_needed() -> None:
    with pytest.raises(InputError, match="corpus 'demo': no root given"):
        read_corpus("demo")


def _digest_as_ever(table: pd.DataFrame) -> str:
    """Compute what ``ser.rows`` of finished runs was made from, with nothing of the package."""
    lines = []
    for key, row in table.iterrows():
        cells = ["" if row[c] is None or row[c] != row[c] else str(row[c]) for c in ("speaker", "session", "label")]
        lines.append("\t".join((str(key), *cells)))
    return hashlib.blake2b("\n".join(sorted(lines)).encode(), digest_size=6).hexdigest()


@pytest.mark.parametrize("session", [["s1", "s2", "s1"], [None, None, None], [np.nan, "s1", "s2"]])
def test_the_digest_of_rows_is_what_it_was(session: list[object]) -> None:
    index = pd.Index(["b", "a é", "c"], name="utterance_id")
    table = pd.DataFrame({"speaker": ["1", "2", "2"], "session": session, "label": ["x", "none", "x"]}, index=index)
    corpus = Corpus(get_corpus("manifest"), "m", Path(), LabelScheme("as-is", {}, ""), "all", table)
    assert corpus.row_digest == _digest_as_ever(table)
