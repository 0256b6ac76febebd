"""What users hand over in Python: whatever is meant is taken, and whatever is not says why in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.dummy import DummyClassifier

from ser_experiments import (
    AudioModel,
    build_estimator,
    compare_results,
    extract,
    feature_table,
    load_corpus,
    load_model,
    project,
    run_experiment,
    timeline,
)
from ser_experiments.corpora import pool
from ser_experiments.errors import AudioError, InputError
from ser_experiments.experiment.request import RunRequest
from ser_experiments.experiment.selection import load, load_setting
from ser_experiments.features.asked import utterances_of
from ser_experiments.project import Project
from ser_experiments.shown import html
from ser_experiments.tasks.classes import Classes
from ser_experiments.tracking import connect
from tests.corpora.trees import manifest

RATE = 16_000
NOISE = (0.1 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
EXPERIMENTS = Path(__file__).parents[1] / "experiments"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return manifest.build(tmp_path_factory.mktemp("mine"))


@pytest.fixture(scope="module")
def table(tree: Path) -> pd.DataFrame:
    return pd.read_csv(tree / "metadata.csv", sep=";", dtype=str)


@pytest.fixture
def model() -> AudioModel:
    """Return a model."""
    fitted = DummyClassifier(strategy="prior").fit([[0.0], [1.0]], ["a", "b"])
    meta = {"task": {"kind": "classes", "targets": ["a", "b"]}, "experiment": "<b>mine</b>", "setting": "here"}
    return AudioModel(fitted, [("mfcc", {})], meta)


@pytest.fixture
def hearing(model: AudioModel, monkeypatch: pytest.MonkeyPatch) -> AudioModel:
    """Return a model that answers with the length of what it hears."""

    def features(self: AudioModel, audio: np.ndarray, rate: int) -> pd.DataFrame:
        return pd.DataFrame({"heard": [f"{len(audio)} at {rate}"]})

    monkeypatch.setattr(AudioModel, "features", features)
    monkeypatch.setattr(AudioModel, "_values", lambda self, table: table["heard"][0])
    monkeypatch.setattr(Classes, "answer", lambda self, values, known: {"label": values})
    return model


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "a.wav", NOISE, RATE)
    return tmp_path / "a.wav"


def heard(answers: list[dict[str, Any]]) -> list[str]:
    assert isinstance(answers, list)
    return [one["label"] for one in answers]


def test_one_recording_is_a_list_of_one(hearing: AudioModel, wav: Path) -> None:
    model = hearing
    whole = [f"{RATE} at {RATE}"]
    content = wav.read_bytes()
    for one in (
        str(wav),
        wav,
        content,
        bytearray(content),
        memoryview(content),
        (NOISE, RATE),
        (NOISE, np.int64(RATE)),
    ):
        assert heard(model.predict(one)) == whole
        assert heard(model.predict([one])) == whole
    assert heard(model.predict(NOISE, RATE)) == heard(model.predict(NOISE, sample_rate=16_000.0)) == whole
    assert heard(model.predict(np.stack([NOISE, NOISE], axis=1), RATE)) == whole
    assert heard(model.predict(NOISE.astype(np.float64), RATE)) == whole


def test_several_are_answered_in_their_order(hearing: AudioModel, wav: Path) -> None:
    model = hearing
    half, whole = NOISE[: RATE // 2], f"{RATE} at {RATE}"
    expected = [f"{RATE // 2} at {RATE}", whole]
    assert heard(model.predict([half, NOISE], sample_rate=RATE)) == expected
    assert heard(model.predict(((half, RATE), wav))) == expected
    assert heard(model.predict(pd.Series([str(wav), str(wav)], index=["x", "y"]))) == [whole, whole]
    assert heard(model.predict(one for one in [wav])) == [whole]
    assert model.predict([]) == []


def test_a_stream_asks_for_one_at_a_time(model: AudioModel, wav: Path) -> None:
    asked = []

    def paths() -> Any:
        for name in (wav, "nowhere.wav", wav):
            asked.append(name)
            yield name

    answers = model.stream(paths())
    assert asked == []
    assert next(answers)["error"] == ""
    assert len(asked) == 1
    assert next(answers)["error"] == "nowhere.wav: no such file"
    assert len(list(answers)) == 1


@pytest.mark.parametrize(
    ("sources", "rate", "said"),
    [
        (NOISE, None, "samples come without their rate; say sample_rate=, in Hz"),
        ([NOISE], None, "samples come without their rate"),
        (NOISE, 0, "sample_rate must be a positive whole number of Hz, got 0 (int)"),
        (NOISE, 1.5, "positive whole number of Hz, got 1.5 (float)"),
        (NOISE, float("nan"), "positive whole number"),
        (NOISE, "16000", "positive whole number of Hz, got '16000' (str)"),
        (NOISE, True, "positive whole number"),
        ((RATE, NOISE), None, "a pair (audio, sample_rate), in this order"),
        ((NOISE * 3e4).astype(np.int16), RATE, "samples of type int16; full scale must be 1: divide by 32768"),
        (np.full(9, 128, np.uint8), RATE, "divide by 128 after taking 128 away"),
        (NOISE.astype(complex), RATE, "samples of type complex128; expected floating point"),
        (np.array(["a.wav"]), RATE, "samples of type <U5; expected floating point"),
        (NOISE[None], RATE, "shape (1, 16000); expected (n_samples,) or (n_samples, n_channels), here audio.T"),
        (NOISE[None, None], RATE, "samples of shape (1, 1, 16000)"),
        ("a.wav", RATE, "sample_rate=16000 is of samples; a file says its own rate"),
        ([0.1, 0.2], RATE, "a recording is a path, the bytes of a file, or samples with their rate; got 0.1 (float)"),
        (["a.wav", None], None, "got NoneType"),
        (None, None, "or a list of such; got NoneType"),
        (3, None, "got 3 (int)"),
        (pd.DataFrame({"path": ["a.wav"]}), None, "got a DataFrame; recordings are a list: hand on its paths"),
        ({"path": "a.wav"}, None, "got a dict"),
        ((NOISE, RATE, 3), None, "samples come without their rate"),
    ],
)  # fmt: skip
def test_what_is_no_recording_is_one_line(sources: Any, rate: Any, said: str, model: AudioModel) -> None:
    with pytest.raises(InputError) as refused:
        model.predict(sources, rate)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not isinstance(refused.value, AudioError)


def test_samples_that_cannot_be_used_are_an_answer(model: AudioModel) -> None:
    silent, empty, broken = model.predict([np.zeros(RATE), np.zeros(0), np.full(9, np.nan)], RATE)
    assert silent["error"] == "<array>: silent recording (all samples alike)"
    assert "empty" in empty["error"]
    assert "NaN" in broken["error"]


def test_a_timeline_and_features_take_the_same(wav: Path, model: AudioModel) -> None:
    row = extract("mfcc", wav)
    pd.testing.assert_series_equal(extract("mfcc", str(wav)), row)
    pd.testing.assert_series_equal(extract("mfcc", *soundfile.read(wav)), row)
    with pytest.raises(InputError, match="samples come without their rate"):
        extract("mfcc", NOISE)
    with pytest.raises(InputError, match="got 2 recordings; features are extracted of one"):
        extract("mfcc", [wav, wav])
    with pytest.raises(InputError, match=r"a recording is a path.*got list"):
        timeline(model, [wav])


def test_a_feature_table_takes_paths_a_corpus_and_one_name(wav: Path, tree: Path, tmp_path: Path) -> None:
    how = {"cache": tmp_path / "cache", "jobs": 1}
    one = feature_table("mfcc", str(wav), **how)
    assert one.index.tolist() == [str(wav)]
    np.testing.assert_array_equal(feature_table(["mfcc"], [wav], **how), one)
    kept = feature_table("mfcc", pd.Series([str(wav)], index=["mine"]), **how)
    assert kept.index.tolist() == ["mine"]
    corpus = load_corpus(tree, labels="4class")
    assert utterances_of(corpus) is corpus.utterances
    with pytest.raises(InputError, match="utterances are a table with a column 'path', a corpus, or paths.*got int"):
        feature_table("mfcc", 3, **how)
    with pytest.raises(InputError, match="got a list with float in it"):
        feature_table("mfcc", [0.1], **how)
    with pytest.raises(InputError, match=r"feature sets are named, e.g. \['lld'\]; got int"):
        feature_table(3, wav, **how)
    with pytest.raises(InputError, match="did you mean 'mfcc'"):
        feature_table("mfc", wav, **how)


def test_a_corpus_is_a_path_a_table_or_a_name(tree: Path, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    named = load_corpus("manifest", tree, "4class")
    monkeypatch.chdir(tree)
    same = [
        load_corpus(tree, labels="4class"),
        load_corpus(str(tree / "metadata.csv"), labels="4class"),
        load_corpus(root=tree, labels="4class"),
        load_corpus(f"manifest={tree}", labels="4class"),
        load_corpus(table, tree, "4class"),
        load_corpus(table, labels="4class"),
        load_corpus(table.assign(path=[str(tree / path) for path in table["path"]],
                                 utterance_id=table["path"]), labels="4class"),
        load_corpus(table.set_index(table["path"].rename("utterance_id")), labels="4class"),
        load_corpus(table.rename(columns=str.upper), labels="4class"),
    ]  # fmt: skip
    for one in same:
        assert (one.name, one.row_digest) == (named.name, named.row_digest)
        pd.testing.assert_frame_equal(one.utterances, named.utterances)


def test_a_table_is_read_as_a_file_is(table: pd.DataFrame, tree: Path) -> None:
    numbers = table.assign(speaker=table["speaker"].astype(float), session=[None] * len(table), label=table["label"])
    read = load_corpus(numbers, tree, "4class")
    assert sorted(read.utterances["speaker"].unique()) == ["1", "2", "3", "4"]
    pieces = pd.concat([table.assign(start=0.0, end=0.05), table.assign(start=0.05, end=np.nan)])
    cut = load_corpus(pieces, tree, "4class").utterances
    assert len(cut) == 2 * len(load_corpus(tree, labels="4class").utterances)
    again = load_corpus(cut[cut["speaker"] != "04"], labels="as-is")
    pd.testing.assert_series_equal(again.utterances["start_s"], cut.loc[again.utterances.index, "start_s"])
    assert again.utterances.index.tolist() == cut.index[cut["speaker"] != "04"].tolist()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop(columns="speaker"), "the table: no column 'speaker'; got path, label"),
        (lambda t: t.iloc[:0], "the table has no rows"),
        (lambda t: t.assign(Path=t["path"]), "the table has the column 'path' twice"),
        (lambda t: t.assign(speaker=[None, *t["speaker"][1:]]), "the table: row 0: empty 'speaker'"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "the table: row 64: '01/00.wav' again, first in row 0"),
        (lambda t: t.assign(path="x" + t["path"]), "the table: 64 missing files: 'x01/00.wav' (row 0), "),
        (lambda t: t.assign(start="1", end="0"), "the table: row 0: segment 1.0-0.0 s"),
        (lambda t: t.set_index("label", drop=False).assign(start="x"), "start is 'x'; expected seconds"),
        (lambda t: t.assign(speaker="one"), "one speaker only"),
    ],
)
def test_what_is_wrong_with_a_table_is_one_line(change: Any, said: str, table: pd.DataFrame, tree: Path) -> None:
    with pytest.raises(InputError) as refused:
        load_corpus(change(table), tree)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_is_no_corpus_is_one_line(tree: Path, table: pd.DataFrame, tmp_path: Path) -> None:
    for source, root, said in (
        ("rec/none.csv", None, "no file or folder rec/none.csv; a corpus is where it lies, or a name"),
        (tmp_path / "none", None, "no file or folder"),
        ("demmo", None, "unknown corpus 'demmo'; did you mean 'demo'?"),
        (3, None, "a corpus is a name, a path or a table of utterances; got int"),
        (tree, tree, "say once where the corpus lies"),
        (table, tmp_path / "none", "of a table, root is the folder that its paths are relative to"),
        (load_corpus(tree), None, "the corpus is loaded already"),
    ):
        with pytest.raises(InputError) as refused:
            load_corpus(source, root)
        assert said in str(refused.value), source
    with pytest.raises(InputError, match="did you mean 'votes'"):
        load_corpus(table, tree, vote="x.csv")


def test_a_run_takes_what_load_corpus_takes_and_what_it_gives(tree: Path, table: pd.DataFrame, tmp_path: Path) -> None:
    project = Project(tmp_path, {})
    of_path = load(RunRequest(experiment="x", corpus=tree, labels="4class"), project)
    loaded = load_corpus(tree, labels="4class")
    absolute = table.assign(path=[str(tree / path) for path in table["path"]])
    of_table = load(RunRequest(experiment="x", corpus=absolute, labels="4class"), project)
    assert load(RunRequest(experiment="x", corpus=loaded), project) is loaded
    assert of_path.row_digest == loaded.row_digest
    assert len(of_table.utterances) == len(loaded.utterances)
    both = load(RunRequest(experiment="x", corpus=[loaded, of_table], labels="4class"), project)
    assert both.names == pool([loaded, of_table]).names
    tested = load_setting(RunRequest(experiment="x", corpus=loaded, test_corpus=of_table), project)
    assert tested.tested == of_table.name
    for said in ({"labels": "5class"}, {"root": tree}, {"drop": ["joy"]}):
        with pytest.raises(InputError, match=f"{next(iter(said))}: the corpus '{loaded.name}' is loaded already"):
            load(RunRequest(experiment="x", corpus=loaded, **said), project)


def test_an_experiment_is_a_name_a_file_or_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXPERIMENTS.parent)
    by_name = build_estimator("svm_lld")
    assert repr(build_estimator(EXPERIMENTS / "svm_lld.toml")) == repr(by_name)
    assert repr(build_estimator("experiments/svm_lld.toml")) == repr(by_name)
    for said, expected in (("svm_ldl", "did you mean 'svm_lld'"), (3, "an experiment is a name, a file, or.*got int")):
        with pytest.raises(InputError, match=expected):
            build_estimator(said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (None, "no model is registered; register the best run with: ser register"),
        ("mine", "unknown model 'mine'; register the best run with"),
        ("mine@champion", "unknown model 'mine@champion'"),
        ("models:/ser-mine@champion", "models:/ser-mine@champion: not a model that can be loaded"),
        ("runs:/0123456789abcdef/model", "not a model that can be loaded"),
        ("0123abcd", "unknown model '0123abcd'"),
        ("./none", "none: not a model of this project"),
        (Path("none"), "none: not a model of this project"),
        (3, "a model is named by a text or lies in a folder; got int"),
    ],
)
def test_what_is_no_model_is_one_line(name: Any, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SER_TRACKER", "json")
    monkeypatch.chdir(tmp_path)
    connect(project.find())
    with pytest.raises(InputError) as refused:
        load_model(name)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_users_wrote_is_text_in_a_notebook(table: pd.DataFrame, tree: Path, model: AudioModel) -> None:
    labels = ["<script>$x$</script>" if label == "joy" else label for label in table["label"]]
    corpus = load_corpus(table.assign(label=labels), tree, name="a<i>b")
    made = html("<i>$", {"<i>": "<i>"}, headings=["<i>"], rows=[["<i>"]], notes=["<i>"])
    for shown in (corpus._repr_html_(), model._repr_html_(), made):
        assert "<script" not in shown
        assert "<i>" not in shown
        assert "$" not in shown
        assert "&lt;" in shown
    assert "\x1b" not in html("a\x1b[2Jb", notes=["c\x1bd"])
    assert "and 60 more" in html("long", rows=[[i] for i in range(100)])


@pytest.mark.slow
def test_results_are_shown_in_a_line_and_in_a_small_table(tree: Path, tmp_path: Path) -> None:
    project = Project(tmp_path, {})
    (tmp_path / "experiments").symlink_to(EXPERIMENTS)
    told = {"corpus": load_corpus(tree, labels="4class"), "log_run": False, "project": project, "jobs": 1}
    mfcc = {"features.sets": ["mfcc"]}
    dummy, logreg = (run_experiment(name, overrides=mfcc, **told) for name in ("dummy", "logreg_lld"))
    assert repr(dummy).startswith("Result dummy on ")
    assert repr(dummy).endswith("UAR 0.250 [0.250, 0.250] over 4 speakers")
    assert len(repr(dummy.prepared)) < 200
    shown = dummy._repr_html_()
    assert all(word in shown for word in ("UAR", "0.250", "fold_uar", "not logged", "4class"))
    assert dummy.pictures[0] in shown or dummy.plot().axes
    with pytest.raises(InputError, match="no picture 'confusion'.*did you mean 'confusion_matrix'"):
        dummy.plot("confusion")
    board = compare_results(dummy, logreg)
    assert repr(board).startswith("Comparison by UAR over 4 groups: ")
    assert "minus the best" in board._repr_html_()
    with pytest.raises(InputError, match="is there twice"):
        compare_results(dummy, dummy)
    with pytest.raises(InputError, match="results are what run_experiment returns; got str"):
        compare_results("dummy")
    with pytest.raises(InputError, match="nothing to compare"):
        compare_results()
    assert repr(logreg.prepared.selection).startswith("Selection ")
