"""Shuffled labels: an honest experiment scores chance, and one that leaks is seen."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from ser_experiments import project
from ser_experiments.corpora import Corpus, get_corpus
from ser_experiments.errors import InputError
from ser_experiments.evaluation.cutting import make_folds
from ser_experiments.evaluation.permutation import choose_shuffle, permute_whole
from ser_experiments.evaluation.rows import Rows
from ser_experiments.experiment import pictures
from ser_experiments.experiment.check import check_experiment, check_prepared
from ser_experiments.experiment.definition import load_experiment
from ser_experiments.experiment.request import RunRequest
from ser_experiments.experiment.result import Prepared
from ser_experiments.experiment.run import score
from ser_experiments.experiment.selection import Selection
from ser_experiments.models.report import FitReport
from ser_experiments.tracking.files import write_pictures

N_SPEAKERS, N_ROWS = 6, 40
EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def _without_group(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns="group", errors="ignore")


def prepared_of(
    labels: np.ndarray,
    features: pd.DataFrame,
    protocol: str = "leave-one-speaker-out",
    speakers: np.ndarray | None = None,
) -> Prepared:
    """Return what `prepare` would, on a table that is handed in."""
    speakers = np.repeat([f"s{i}" for i in range(N_SPEAKERS)], N_ROWS) if speakers is None else speakers
    index = pd.Index([f"u{i}" for i in range(len(labels))], name="utterance_id")
    utterances = pd.DataFrame({"speaker": speakers, "session": None, "label": labels}, index=index)
    spec = get_corpus("manifest")
    corpus = Corpus(spec, "mine", Path(), next(iter(spec.schemes.values())), "all", utterances)
    folds = make_folds(utterances, protocol)
    model = make_pipeline(FunctionTransformer(_without_group), LogisticRegression(max_iter=500))
    experiment = load_experiment("dummy", EXPERIMENTS)
    rows = Rows.align(features.set_index(index), utterances, folds, corpus.task)
    return Prepared(experiment, Selection(corpus, folds), rows, model)


@pytest.fixture
def honest() -> Prepared:
    rng = np.random.default_rng(0)
    labels = np.tile(["a", "b"], N_SPEAKERS * N_ROWS // 2)
    told = (labels == "a") + rng.normal(0, 0.8, len(labels))
    return prepared_of(labels, pd.DataFrame({"told": told, "noise": rng.normal(size=len(labels))}))


def test_an_honest_experiment(honest: Prepared) -> None:
    heard: list[int] = []
    _, found = check_prepared(honest, jobs=1, on_score=lambda i, uar: heard.append(i))
    assert found.score > 0.65
    assert found.p_value == pytest.approx(1 / 21)
    assert found.mean == pytest.approx(0.5, abs=0.04)
    assert not found.above_chance
    assert heard == list(range(21))


@pytest.mark.slow
def test_noise_is_not_told_from_shuffled_labels() -> None:
    rng = np.random.default_rng(3)
    labels = np.tile(["a", "b"], N_SPEAKERS * N_ROWS // 2)
    noise = prepared_of(labels, pd.DataFrame(rng.normal(size=(len(labels), 3))).add_prefix("x"))
    assert check_prepared(noise, jobs=1)[1].p_value > 0.05


@pytest.mark.slow
def test_a_leak_of_voices_under_random_folds_is_seen() -> None:
    """Speakers differ in their labels and the features tell the speaker: shuffled labels still score."""
    rng = np.random.default_rng(0)
    share = np.repeat([0.9, 0.1] * (N_SPEAKERS // 2), N_ROWS)
    labels = np.where(np.tile(np.arange(N_ROWS) / N_ROWS, N_SPEAKERS) < share, "a", "b")
    voice = np.repeat(np.eye(N_SPEAKERS), N_ROWS, axis=0) + rng.normal(0, 0.05, (len(labels), N_SPEAKERS))
    leaky = prepared_of(labels, pd.DataFrame(voice).add_prefix("x"), "random")
    found = check_prepared(leaky, jobs=1)[1]
    assert found.mean > 0.8
    assert found.above_chance
    assert found.p_value > 0.05


def test_what_cannot_be_checked(honest: Prepared) -> None:
    with pytest.raises(InputError, match="at least 20, got 19"):
        check_experiment(RunRequest(experiment="dummy"), project.find(), permutations=19)
    speakers = honest.utterances["speaker"].to_numpy(dtype=str)
    one_each = prepared_of(np.where(np.isin(speakers, ["s0", "s1", "s2"]), "a", "b"), honest.table[["told"]])
    with pytest.raises(InputError, match="one class only"):
        check_prepared(one_each, jobs=1)


@pytest.mark.slow
@pytest.mark.parametrize("clips", [1, 2])
def test_speakers_of_one_clip_exchange_their_labels(clips: int) -> None:
    """Within speakers a shuffle would move no label, and shuffled labels would score as the true ones do."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.tile(["a", "b"], 30), clips)
    told = pd.DataFrame({"told": (labels == "a") + rng.normal(0, 0.5, len(labels))})
    speakers = np.repeat([f"s{i:02d}" for i in range(60)], clips)
    _, found = check_prepared(prepared_of(labels, told, "grouped-k-fold", speakers), jobs=1)
    assert found.how == "of whole speakers"
    assert found.moved == pytest.approx(0.5, abs=0.05)
    assert found.score > 0.7
    assert found.p_value == pytest.approx(1 / 21)
    assert found.mean < 0.6
    assert not found.above_chance


def test_the_share_of_moved_labels_decides_what_is_shuffled() -> None:
    rng = np.random.default_rng(0)
    speakers = np.repeat([f"s{i}" for i in range(20)], 10)
    mixed = np.tile(["a", "b"], 100)
    one_other = np.where(np.arange(200) % 10 == 0, "b", "a")
    assert choose_shuffle(mixed, speakers, 20).how == "within speakers"
    assert choose_shuffle(mixed, speakers, 20).moved == pytest.approx(0.5, abs=0.03)
    # Nine of ten clips of each speaker are of one class, which half of the speakers share.
    skewed = np.where(np.repeat(np.arange(20) % 2 == 0, 10), one_other, np.where(one_other == "a", "b", "a"))
    assert choose_shuffle(skewed, speakers, 20).how == "of whole speakers"
    # Speakers of one class and any number of clips.
    sizes = np.repeat([f"s{i:02d}" for i in range(20)], np.arange(1, 21))
    of_one = np.repeat(np.tile(["a", "b"], 10), np.arange(1, 21))
    assert choose_shuffle(of_one, sizes, 20).how == "of whole speakers"
    moved = permute_whole(of_one, sizes, rng)
    assert all(len(set(moved[sizes == one])) == 1 for one in np.unique(sizes))
    # Nobody can exchange with anybody, and nobody has two classes in numbers.
    few = of_one.copy()
    few[-1] = "c"
    with pytest.raises(InputError, match="within speakers moves .% of them, one of whole speakers 0%"):
        choose_shuffle(few, sizes, 20)
    with pytest.raises(InputError, match="in too few ways"):
        choose_shuffle(of_one[:10], sizes[:10], 20)


def test_every_run_gets_its_pictures(honest: Prepared) -> None:
    result = score(honest, jobs=1)
    fitted = honest.estimator.fit(honest.rows.table, honest.utterances["label"])
    made = {name: make() for name, make in pictures.pictures(result, fitted).items()}
    assert set(pictures.MAKERS) < set(made)
    of_others = {"learning_curves.png", "melspec.png", "choices.png", "layer_weights.png"}
    missing = {name for name, one in made.items() if one is None}
    assert missing == {f"plots/{name}" for name in of_others} | {"layer_weights.csv", "by_agreement.csv"}
    wrong = made["surely_wrong.csv"]
    assert isinstance(wrong, pd.DataFrame)
    assert (wrong["label"] != wrong["predicted"]).all()
    assert len(wrong) > 0


def test_a_picture_that_fails_does_not_stop_the_run(
    honest: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(result: object, fitted: object) -> None:
        raise RuntimeError("no ink")

    monkeypatch.setitem(pictures.MAKERS, "plots/table_map.png", pictures.Maker(broken))
    asked = pictures.pictures(score(honest, jobs=1), honest.estimator)
    with caplog.at_level(logging.WARNING):
        write_pictures(tmp_path, {name: asked[name] for name in ("plots/table_map.png", "plots/reliability.png")})
    assert "plots/table_map.png was not logged (RuntimeError: no ink)" in caplog.text
    assert [path.name for path in (tmp_path / "plots").iterdir()] == ["reliability.png"]


def test_a_network_shows_how_it_learned(honest: Prepared) -> None:
    class Network:
        fit_report_ = FitReport(
            history=[{"epoch": 1.0, "train_loss": 1.0}, {"epoch": 2.0, "train_loss": 0.5}], best_epoch=2
        )

    result = score(honest, jobs=1)
    figure = pictures.MAKERS["plots/learning_curves.png"].make(result, Network())  # type: ignore[arg-type]
    assert isinstance(figure, Figure)
    assert figure.axes[0].lines[0].get_ydata().tolist() == [1.0, 0.5]


def test_a_spectrogram_of_each_class_is_drawn(honest: Prepared) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(-30, 10, (50 + i % 40, 64)).astype(np.float16) for i in range(len(honest.table))]
    table = honest.rows.table.assign(melspec=pd.Series(arrays, index=honest.table.index, dtype=object))
    prepared = replace(honest, rows=replace(honest.rows, table=table), sets={"melspec": {}})
    result = replace(score(honest, jobs=1), prepared=prepared)
    figure = pictures.MAKERS["plots/melspec.png"].make(result, honest.estimator)
    shown = [axis for axis in figure.axes if axis.get_title()]  # type: ignore[union-attr]
    labels = honest.utterances["label"]
    assert [axis.get_title().split("\n")[0] for axis in shown] == sorted(labels.unique())
    for axis in shown:
        label, utterance = axis.get_title().split("\n")
        assert labels[utterance] == label
        left, right, _, _ = axis.images[0].get_extent()
        array = table.loc[utterance, "melspec"]
        assert (left, right) == (0.0, pytest.approx(len(array) * 0.01))
        np.testing.assert_array_equal(axis.images[0].get_array(), np.asarray(array, np.float32).T)
