"""Views of recordings: what each does, that it is the same every time, and that folds never see through it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import Pipeline

from ser_experiments import feature_table, run_experiment
from ser_experiments.audio import read_audio
from ser_experiments.errors import InputError
from ser_experiments.experiment.sections import parse_definition
from ser_experiments.features.extractor import get_extractor
from ser_experiments.features.views import perturb, recorded, view_names
from ser_experiments.features.views.noise import SNR_DB
from ser_experiments.features.views.room import DIRECT_DB, RT60_S
from ser_experiments.features.views.speed import CHANGE
from ser_experiments.models.augmented import Augmented
from ser_experiments.models.grouping import ByColumn, TakeColumns
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.models.remember import fit_key
from ser_experiments.models.temperature import TemperatureScaled
from tests.iemocap_tree import add_dialog, small_tree

RATE = 16_000
CODES = ["neu", "hap", "ang", "sad"]


@pytest.fixture
def speech() -> np.ndarray:
    """Return something with harmonics, pauses and a level."""
    t = np.arange(2 * RATE) / RATE
    voice = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 20))
    return (0.1 * voice * (np.sin(2 * np.pi * 2 * t) > -0.3)).astype(np.float32)


@pytest.mark.parametrize("name", view_names())
def test_a_view_is_the_same_every_time_and_not_the_recording(name: str, speech: np.ndarray) -> None:
    first = perturb(name, speech, RATE)
    np.testing.assert_array_equal(first, perturb(name, speech.copy(), RATE))
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    other = perturb(f"{name}-2", speech, RATE)
    changed = [first, other, speech]
    assert all(len(a) != len(b) or not np.allclose(a, b) for a, b in ((first, other), (first, speech))), changed
    # Louder or softer by little: what a view changes is not the level.
    assert abs(10 * np.log10(np.mean(first**2) / np.mean(speech**2))) < 1.5


@pytest.mark.parametrize("name", view_names())
@pytest.mark.parametrize("audio", [np.zeros(RATE), np.ones(1), np.zeros(7), np.full(400, 0.5), np.eye(1, 800)[0]])
def test_a_view_of_next_to_nothing_is_finite(name: str, audio: np.ndarray) -> None:
    done = perturb(name, audio.astype(np.float32), RATE)
    assert done.ndim == 1
    assert len(done) >= 1
    assert np.isfinite(done).all()


def test_noise_keeps_its_distance(speech: np.ndarray) -> None:
    for draw in range(2, 12):
        noise = perturb(f"noise-{draw}", speech, RATE) - speech
        snr_db = 10 * np.log10(np.mean(speech**2) / np.mean(noise**2))
        assert SNR_DB[0] - 0.1 <= snr_db <= SNR_DB[1] + 0.1


def test_speed_moves_length_and_pitch_together(speech: np.ndarray) -> None:
    seen = set()
    for draw in range(2, 12):
        played = perturb(f"speed-{draw}", speech, RATE)
        factor = len(speech) / len(played)
        assert CHANGE[0] - 0.001 <= abs(factor - 1) <= CHANGE[1] + 0.001
        strongest = np.abs(np.fft.rfft(played * np.hanning(len(played)))).argmax() * RATE / len(played)
        assert strongest == pytest.approx(140 * factor, rel=0.01)
        seen.add(factor > 1)
    assert seen == {True, False}


@pytest.mark.parametrize("draw", range(2, 10))
def test_a_room_has_a_tail_that_decays_as_rooms_do(draw: int) -> None:
    click = np.zeros(RATE, dtype=np.float32)
    click[0] = 1.0
    heard = perturb(f"room-{draw}", click, RATE).astype(np.float64) ** 2
    direct, tail = heard[0], heard[1:].sum()
    assert DIRECT_DB[0] - 0.1 <= 10 * np.log10(direct / tail) <= DIRECT_DB[1] + 0.1
    # Schroeder's backward integral of the tail falls on a straight line; 60 dB of it are the reverberation time.
    left = 10 * np.log10(np.cumsum(heard[:0:-1])[::-1] / tail)
    where = np.flatnonzero((left < -5) & (left > -25))
    slope = np.polyfit(where / RATE, left[where], 1)[0]
    assert 0.9 * RT60_S[0] <= -60 / slope <= 1.1 * RT60_S[1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nois", "unknown view 'nois'; did you mean 'noise'"),
        ("noise-0", "'noise-0' is no view"),
        ("noise-1000", "'noise-1000' is no view"),
        ("../noise", "is no view"),
        ("", "is no view"),
    ],
)
def test_an_unknown_view_is_told(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        get_extractor(f"mfcc@{name}")
    with pytest.raises(InputError, match=rf"x\.toml: features: .*{message}"):
        parse_definition({"model": {"type": "svm"}, "features": {"sets": ["mfcc"], "augment": [name]}}, "x.toml")


def test_a_view_twice_is_told() -> None:
    with pytest.raises(InputError, match="a second draw"):
        parse_definition({"model": {"type": "svm"}, "features": {"augment": ["room", "room"]}}, "x.toml")


def test_a_set_on_a_view_is_a_set_of_its_own(tmp_path: Path, speech: np.ndarray) -> None:
    import soundfile

    soundfile.write(tmp_path / "a.wav", speech, RATE, subtype="FLOAT")
    utterances = pd.DataFrame({"path": [str(tmp_path / "a.wav")], "speaker": ["s"]}, index=["a"])
    table = feature_table(["mfcc", "mfcc@speed", "melspec@noise"], utterances, cache=tmp_path / "cache", jobs=1)
    plain = get_extractor("mfcc")
    names = plain.column_names
    assert list(table.columns) == [*names, *(f"{n}@speed" for n in names), "melspec@noise"]
    np.testing.assert_array_equal(table.loc["a", names], plain(speech, RATE))
    np.testing.assert_array_equal(
        table.loc["a", [f"{n}@speed" for n in names]], plain(perturb("speed", speech, RATE), RATE)
    )
    assert recorded(table.columns) == names
    digests = {get_extractor(f"mfcc{at}").digest for at in ("", "@speed", "@speed-2", "@noise")}
    assert len(digests) == 4


class Spy(ClassifierMixin, BaseEstimator):
    """Remember what it was fitted on."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Spy:
        self.seen_, self.labels_ = np.asarray(X), np.asarray(y)
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        self.asked_ = np.asarray(X)
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


@pytest.fixture
def table() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(12, 2)), columns=["a", "b"], index=[f"u{i}" for i in range(12)])
    for number, view in enumerate(("noise", "room"), start=1):
        X[[f"b@{view}", f"a@{view}"]] = X[["b", "a"]] + 100 * number
    X["group"] = [f"s{i % 3}" for i in range(12)]
    return X, np.array(list("xy") * 6)


def test_views_become_rows_of_the_training_side_alone(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = table
    augmented = Augmented(Pipeline([("columns", Named()), ("model", Spy())]), ("noise", "room")).fit(X, y)
    spy = augmented.estimator_.steps[-1][1]
    plain = X[["a", "b"]].to_numpy(np.float32)
    np.testing.assert_allclose(spy.seen_, np.concatenate([plain, plain + 100, plain + 200]), rtol=1e-5)
    np.testing.assert_array_equal(spy.labels_, np.tile(y, 3))
    # Asked with the views beside, or with the recordings alone, which is all that a model in use has.
    both = [augmented.predict_proba(X), augmented.predict_proba(X[["a", "b", "group"]])]
    np.testing.assert_array_equal(*both)
    np.testing.assert_allclose(spy.asked_, plain)


class Named(TakeColumns):
    """Take two columns by name."""

    def input_columns(self, X: pd.DataFrame) -> list[str]:
        return ["a", "b"]


def test_inner_folds_cut_recordings_and_test_no_view(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = table
    fitted: list[np.ndarray] = []

    class Watch(Spy):
        def fit(self, X: np.ndarray, y: np.ndarray) -> Watch:
            fitted.append(np.asarray(X))
            super().fit(X, y)
            return self

        def predict_proba(self, X: np.ndarray) -> np.ndarray:
            assert np.abs(X).max() < 50, "a view was tested"
            trained_on = fitted[-1][:, 0] % 100
            assert not np.isclose(trained_on[:, None], X[:, 0] % 100, atol=1e-3).any(), "its view was trained on"
            return super().predict_proba(X)

    inner = Augmented(Pipeline([("columns", Named()), ("model", Watch())]), ("noise", "room"))
    TemperatureScaled(inner, cv=ByColumn(3)).fit(X, y)
    assert [len(rows) for rows in fitted] == [24, 24, 24, 36]


def test_without_its_columns_a_view_is_missed(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = table
    with pytest.raises(InputError, match="no column 'a@speed'"):
        Augmented(Pipeline([("columns", Named()), ("model", Spy())]), ("speed",)).fit(X, y)


def test_a_fit_depends_on_its_views(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = table
    plain = Pipeline([("columns", Named()), ("model", Spy())])
    with_noise = TemperatureScaled(Augmented(plain, ("noise",)))
    louder, elsewhere = X.assign(**{"a@noise": 0.0}), X.assign(**{"a@room": 0.0})
    assert fit_key(with_noise, X, y) != fit_key(with_noise, louder, y)
    assert fit_key(with_noise, X, y) == fit_key(with_noise, elsewhere, y)
    assert fit_key(plain, X, y) == fit_key(plain, louder, y)
    assert fit_key(with_noise, X, y) != fit_key(TemperatureScaled(Augmented(plain, ("room",))), X, y)


def test_scores_decide_where_there_are_scores() -> None:
    svm = build_pipeline("svm", sets=["mfcc"], augment=["noise"])
    forest = build_pipeline("random_forest", sets=["mfcc"], augment=["noise"])
    assert hasattr(svm, "decision_function")
    assert not hasattr(forest, "decision_function")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["svm_lld", "cnn_melspec", "average_tables"])
def test_an_augmented_experiment_is_logged_and_used(name: str, tmp_path: Path, project_folder: Path) -> None:
    from ser_experiments import load_model

    tree = small_tree(tmp_path / "IEMOCAP_full_release")
    add_dialog(tree, 2, "Ses02F_impro01", {f"Ses02F_impro01_{x}00{i}": c for x in "FM" for i, c in enumerate(CODES)})
    changes: dict[str, object] = {"features.augment": ["noise", "speed"]}
    if name == "cnn_melspec":
        changes["model.n_epochs"] = 2
    if name == "average_tables":
        member = (project_folder / "experiments" / "svm_lld.toml").read_text()
        augmented = member.replace("[features]", '[features]\naugment = ["noise"]')
        assert augmented != member
        (project_folder / "experiments" / "svm_lld.toml").write_text(augmented)
        changes = {}
    result = run_experiment(name, corpus="iemocap", root=tree, overrides=changes)
    assert result.model_uri is not None
    model = load_model(result.model_uri)
    wav = sorted(tree.rglob("sentences/wav/*/*.wav"))[0]
    answer = model.predict_audio(*read_audio(wav))
    assert sum(answer["probabilities"].values()) == pytest.approx(1)


def test_a_ready_made_table_has_no_views(tmp_path: Path, project_folder: Path) -> None:
    with pytest.raises(InputError, match="augment needs recordings"):
        run_experiment("svm_lld", table=tmp_path / "t.csv", overrides={"features.augment": ["noise"]})
