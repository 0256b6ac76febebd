"""Every score against scikit-learn's or a plain loop, and what is derived from it against the score on the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from sklearn import metrics as oracle

from ser_experiments import plugins
from ser_experiments.errors import InputError
from ser_experiments.evaluation.compare import compare, paired_difference
from ser_experiments.evaluation.mistakes import confusion
from ser_experiments.evaluation.score import Each, GroupRows, Score
from ser_experiments.evaluation.scoring import (
    by,
    get_score,
    interval,
    intervals,
    per_fold,
    pooled,
    score_names,
    scores_of,
)
from ser_experiments.frames import Predictions
from ser_experiments.tasks.classes import Classes
from ser_experiments.tasks.votes import Votes
from tests.scored import CLASSES, MAKERS, SCORES, of_votes, predictions_for, some


def _sklearn_ece(truth: np.ndarray, predicted: np.ndarray, values: np.ndarray, labels: list[str]) -> float:
    """Compute the calibration error by a plain loop over the bins of scikit-learn's calibration curve."""
    total, edges = 0.0, np.linspace(0, 1, 11)
    confidence, right = values.max(axis=1), np.array(labels)[values.argmax(axis=1)] == truth
    for low, high in pairwise(edges):
        inside = (confidence >= low) & ((confidence < high) | ((high == 1) & (confidence == 1)))
        if inside.any():
            total += inside.sum() * abs(right[inside].mean() - confidence[inside].mean())
    return total / len(truth)


def _auroc_of_confidence(truth: np.ndarray, predicted: np.ndarray, values: np.ndarray, labels: list[str]) -> float:
    right = np.array(labels)[values.argmax(axis=1)] == truth
    # Of one kind of answers alone it is not defined.
    return oracle.roc_auc_score(right, values.max(axis=1).round(9)) if 0 < right.sum() < len(right) else np.nan


def _area_of_risk(truth: np.ndarray, predicted: np.ndarray, values: np.ndarray, labels: list[str]) -> float:
    """Add up, answer by answer, what is wrong among the surest; equally sure ones are wrong alike."""
    sure, wrong = values.max(axis=1).round(9), (truth != predicted).astype(float)
    for level in np.unique(sure):
        wrong[sure == level] = wrong[sure == level].mean()
    wrong = wrong[np.argsort(-sure, kind="stable")]
    return float(np.mean([wrong[: n + 1].mean() for n in range(len(wrong))]))


def _answered(truth: np.ndarray, predicted: np.ndarray, values: np.ndarray, labels: list[str], share: float) -> float:
    """Take the surest rows one by one until there is no room; the last level shares what is left."""
    sure, room, part = values.max(axis=1).round(9), share * len(truth), np.zeros(len(truth))
    for level in np.unique(sure)[::-1]:
        rows = sure == level
        part[rows] = min(1.0, max(0.0, room / rows.sum()))
        room -= rows.sum()
    recalls = []
    for label in sorted(set(truth)):
        kept = part[truth == label].sum()
        recalls.append(part[(truth == label) & (predicted == label)].sum() / kept if kept else 0.0)
    return float(np.mean(recalls))


Oracle = Callable[[np.ndarray, np.ndarray, np.ndarray, list[str]], float]
#: What another program says. A macro mean is over the classes that occur in the truth.
ORACLES: dict[str, Oracle] = {
    "uar": lambda t, p, v, c: oracle.balanced_accuracy_score(t, p),
    "wa": lambda t, p, v, c: oracle.accuracy_score(t, p),
    "macro_f1": lambda t, p, v, c: oracle.f1_score(t, p, labels=sorted(set(t)), average="macro", zero_division=0),
    "macro_precision": lambda t, p, v, c: oracle.precision_score(
        t, p, labels=sorted(set(t)), average="macro", zero_division=0
    ),
    "log_loss": lambda t, p, v, c: oracle.log_loss(t, v, labels=c),
    "brier": lambda t, p, v, c: oracle.brier_score_loss(t, v, labels=c, scale_by_half=False),
    "ece": _sklearn_ece,
    "confidence_auroc": _auroc_of_confidence,
    "aurc": _area_of_risk,
    "uar_at_90": partial(_answered, share=0.9),
    "uar_at_70": partial(_answered, share=0.7),
    "uar_at_50": partial(_answered, share=0.5),
}


# --- votes ---------------------------------------------------------------------------------------------------------

#: What another program says of shares and probabilities.
ORACLES_OF_VOTES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "cross_entropy": lambda t, p: oracle.log_loss(
        np.tile(range(4), len(t)), np.repeat(p, 4, axis=0), sample_weight=t.ravel(), labels=range(4)
    ),
    "jensen_shannon": lambda t, p: float(
        np.mean([jensenshannon(a, b, base=2) ** 2 for a, b in zip(t, p, strict=True)])
    ),
    "multilabel_f1": lambda t, p: oracle.f1_score(t > 1 / 4, p > 1 / 4, average="macro", zero_division=0),
}
#: Scores that are those of classes where raters have a majority.
OF_MAJORITY = ("macro_f1", "macro_precision", "uar", "wa")


def test_every_score_of_votes_has_an_oracle() -> None:
    names = [score.name for score in scores_of(Votes(("a", "b")))]
    assert names[0] == "cross_entropy"
    assert set(names) == {*ORACLES_OF_VOTES, *OF_MAJORITY}
    assert [one.name for one in scores_of(Votes(("a", "b")), values=False)] == list(OF_MAJORITY)


@pytest.mark.parametrize("name", ORACLES_OF_VOTES)
@pytest.mark.parametrize("skill", [0.0, 0.5, 1.0])
def test_votes_equal_the_oracle(name: str, skill: float) -> None:
    predictions = of_votes(skill, 1, 4, 20)
    said = ORACLES_OF_VOTES[name](predictions.truth, predictions.values)
    assert pooled(predictions)[name] == pytest.approx(said, abs=1e-10)


def test_of_votes_the_majority_counts_as_the_class_and_ties_count_nowhere() -> None:
    predictions = of_votes(0.5, 2, 5, 20)
    agreed = (predictions.frame["label"] != "").to_numpy()
    assert 10 < agreed.sum() < len(predictions) - 5
    columns = [column for column in predictions.frame if not column.startswith("share_")]  # type: ignore[attr-defined]
    as_classes = Predictions.of_classes(predictions.frame.loc[agreed, columns], CLASSES)
    mine, theirs = pooled(predictions), pooled(as_classes)
    for name in (*OF_MAJORITY, *(f"{part}_{c}" for part in ("recall", "precision", "f1") for c in CLASSES)):
        assert mine[name] == theirs[name]
    ties = predictions.rows(~agreed)
    assert np.isnan(pooled(ties)["uar"])
    assert pooled(ties)["cross_entropy"] > 0
    with pytest.raises(
        InputError, match="^predictions: label 'joy' is no class of anger, happiness, neutral, sadness$"
    ):
        pooled(Predictions(predictions.frame.assign(label="joy"), predictions.task))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 99), n_classes=st.integers(2, 6))
def test_no_answer_has_a_lower_cross_entropy_than_the_votes_themselves(seed: int, n_classes: int) -> None:
    rng = np.random.default_rng(seed)
    shares = rng.multinomial(7, rng.dirichlet(np.ones(n_classes)), 9) / 7
    task = Votes(tuple(f"c{i}" for i in range(n_classes)))

    def scored(values: np.ndarray) -> float:
        told = dict(zip(task.columns, values.T, strict=True)) | dict(zip(task.share_columns, shares.T, strict=True))
        frame = pd.DataFrame({"label": "", "predicted": "c0", **told})
        return get_score("cross_entropy").on(Predictions(frame.rename(str).rename_axis("utterance_id"), task)).whole()

    least = -np.mean([sum(s * np.log(s) for s in row if s) for row in shares])
    assert scored(shares) == pytest.approx(least, abs=1e-12)
    assert scored(rng.dirichlet(np.ones(n_classes), 9)) >= least
    assert scored(np.full((9, n_classes), 1 / n_classes)) == pytest.approx(task.chance)


# --- classes -------------------------------------------------------------------------------------------------------


@st.composite
def tables(draw: st.DrawFn) -> Predictions:
    """Draw predictions with few rows, classes that nobody speaks or predicts, and sure and unsure probabilities."""
    n_classes, n_rows = draw(st.integers(2, 5)), draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    classes = [f"c{i}" for i in range(n_classes)]
    values = rng.dirichlet(np.full(n_classes, draw(st.sampled_from([0.1, 1.0, 20.0]))), n_rows)
    spoken = draw(st.lists(st.sampled_from(classes), min_size=1, unique=True))
    predicted = rng.choice(classes, n_rows) if draw(st.booleans()) else np.array(classes)[values.argmax(axis=1)]
    frame = pd.DataFrame({"label": rng.choice(spoken, n_rows), "predicted": predicted})
    frame["speaker"] = [f"s{i}" for i in rng.integers(0, draw(st.integers(1, 5)), n_rows)]
    for place, name in enumerate(classes):
        frame[f"p_{name}"] = values[:, place]
    frame.index = pd.Index([f"u{i}" for i in range(n_rows)], name="utterance_id")
    return Predictions.of_classes(frame, classes)


def test_every_score_of_classes_has_an_oracle() -> None:
    assert set(ORACLES) == {score.name for score in scores_of(Classes.of("ab"))}


def test_every_score_is_of_a_kind_that_has_made_up_predictions_and_oracles() -> None:
    """Those of dimensions are in ``test_scores_of_numbers.py``."""
    kinds = {kind for name in SCORES for kind in get_score(name).kinds}
    assert kinds == {"classes", "dimensions", "votes"} == set(MAKERS)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true", "ignore:A single label was found")
@pytest.mark.parametrize("name", ORACLES)
@settings(max_examples=40, deadline=None)
@given(predictions=tables())
def test_pooled_equals_the_oracle(name: str, predictions: Predictions) -> None:
    frame, classes = predictions.frame, list(predictions.task.targets)
    truth, predicted = frame["label"].to_numpy(dtype=str), frame["predicted"].to_numpy(dtype=str)
    # scikit-learn's own way with a probability of 0 is another one, so that none is as low.
    values = np.clip(predictions.values, 1e-12, 1)
    values /= values.sum(axis=1, keepdims=True)
    exact = predictions_of(frame, classes, values)
    said = ORACLES[name](truth, predicted, values, classes)
    assert pooled(exact)[name] == pytest.approx(said, abs=1e-10, nan_ok=name == "confidence_auroc")


def predictions_of(frame: pd.DataFrame, classes: list[str], values: np.ndarray) -> Predictions:
    return Predictions.of_classes(frame.assign(**{f"p_{c}": values[:, i] for i, c in enumerate(classes)}), classes)


@settings(max_examples=40, deadline=None)
@given(predictions=tables())
def test_the_parts_equal_scikit_learn(predictions: Predictions) -> None:
    frame, classes = predictions.frame, list(predictions.task.targets)
    got = pooled(predictions)
    expected = oracle.precision_recall_fscore_support(
        frame["label"], frame["predicted"], labels=classes, zero_division=0
    )
    spoken = set(frame["label"])
    for prefix, values in zip(("precision", "recall", "f1"), expected[:3], strict=True):
        parts = {key: value for key, value in got.items() if key.startswith(f"{prefix}_")}
        assert parts == pytest.approx({f"{prefix}_{c}": v for c, v in zip(classes, values, strict=True) if c in spoken})
    assert (confusion(predictions).to_numpy() == oracle.confusion_matrix(
        frame["label"], frame["predicted"], labels=classes
    )).all()  # fmt: skip


#: Scores of probabilities.
PROBABLE = (
    "log_loss", "brier", "ece", "confidence_auroc", "aurc", "uar_at_90", "uar_at_70", "uar_at_50"
)  # fmt: skip


def test_names_that_are_logged_and_their_order() -> None:
    names = list(pooled(predictions_for("uar")))
    assert names[0] == "uar"
    parts = {f"{prefix}_{c}" for prefix in ("recall", "precision", "f1") for c in CLASSES}
    assert set(names) == {"uar", "wa", "macro_f1", "macro_precision", *PROBABLE} | parts
    assert [score.name for score in scores_of(Classes.of("ab"))][:4] == ["uar", "macro_f1", "macro_precision", "wa"]


def test_without_probabilities_the_scores_that_need_none() -> None:
    whole = predictions_for("uar")
    bare = Predictions(whole.frame.drop(columns="p_anger"), whole.task)
    kept = {key: value for key, value in pooled(whole).items() if key not in PROBABLE}
    assert pooled(bare) == kept
    assert set(intervals(bare, "speaker")) == {"uar", "wa", "macro_f1", "macro_precision"}
    for name in PROBABLE:
        with pytest.raises(InputError, match="needs a number for every target; the predictions have no 'p_anger'"):
            interval(bare, "speaker", name)


def test_by_hand() -> None:
    index = pd.Index(list("uvwxyz"), name="utterance_id")
    frame = pd.DataFrame({"label": list("aaabbc"), "predicted": list("aabbac")}, index=index)
    frame["p_a"], frame["p_b"], frame["p_c"] = [0.8, 0.6, 0.3, 0.2, 0.7, 0.1], [0.1, 0.3, 0.6, 0.7, 0.2, 0.0], 0.0
    frame["p_c"] = 1 - frame["p_a"] - frame["p_b"]
    got = pooled(Predictions.of_classes(frame))
    assert got["recall_a"] == pytest.approx(2 / 3)
    assert got["uar"] == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert got["wa"] == pytest.approx(4 / 6)
    assert got["macro_precision"] == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert got["log_loss"] == pytest.approx(-np.mean(np.log([0.8, 0.6, 0.3, 0.7, 0.2, 0.9])))
    assert got["brier"] == pytest.approx(np.mean([0.06, 0.26, 0.86, 0.14, 1.14, 0.02]))
    # Bins of the confidences .8 | .6 .6 | .7 .7 | .9: gaps .2, (1 - .6) + (0 - .6), (1 - .7) + (0 - .7), .1.
    assert got["ece"] == pytest.approx((0.2 + 0.2 + 0.4 + 0.1) / 6)


def test_the_bins_of_the_calibration_error_stay_apart_to_the_last() -> None:
    index = pd.Index(["u", "v"], name="utterance_id")
    frame = pd.DataFrame({"label": ["a", "b"], "predicted": "a", "p_a": [0.85, 0.95]}, index=index)
    got = pooled(Predictions.of_classes(frame.assign(p_b=1 - frame["p_a"])))
    assert got["ece"] == pytest.approx((0.15 + 0.95) / 2)


def test_a_probability_of_zero_for_the_truth_costs_a_limited_loss() -> None:
    index = pd.Index(["u", "v"], name="utterance_id")
    frame = pd.DataFrame({"label": ["a", "b"], "predicted": "b", "p_a": 0.0, "p_b": 1.0}, index=index)
    assert pooled(Predictions.of_classes(frame))["log_loss"] == pytest.approx(-np.log(1e-15) / 2)


def test_a_prediction_of_none_of_the_classes_is_wrong_and_a_label_of_none_is_refused() -> None:
    index = pd.Index(list("uvw"), name="utterance_id")
    frame = pd.DataFrame({"label": list("abb"), "predicted": ["a", "b", "other"]}, index=index)
    got = pooled(Predictions.of_classes(frame))
    assert (got["recall_a"], got["recall_b"], got["wa"]) == (1, 0.5, pytest.approx(2 / 3))
    assert got["precision_b"] == 1
    with pytest.raises(InputError, match="^predictions: label 'b' is no class of a, c$"):
        pooled(Predictions.of_classes(frame.assign(label=list("abd")), ["a", "c"]))


@pytest.mark.parametrize("name", SCORES)
@settings(max_examples=15, deadline=None)
@given(weights=st.lists(st.integers(0, 3), min_size=6, max_size=6).filter(any), seed=st.integers(0, 9))
def test_a_weighting_of_groups_equals_the_rows_as_often(name: str, weights: list[int], seed: int) -> None:
    predictions = predictions_for(name, seed=seed, n_rows=5)
    groups = get_score(name).on(predictions, "speaker")
    drawn = [str(g) for g, n in zip(groups.names, weights, strict=True) for _ in range(n)]
    expected = get_score(name).on(some(predictions, drawn)).whole()
    assert groups.under(np.array([weights]))[0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", SCORES)
def test_leaving_a_group_out_equals_its_rows_gone(name: str) -> None:
    predictions = predictions_for(name)
    groups = get_score(name).on(predictions, "speaker")
    for place, group in enumerate(groups.names):
        rest = [str(g) for g in groups.names if g != group]
        assert groups.without_each()[place] == pytest.approx(pooled(some(predictions, rest))[name], abs=1e-12)
        assert groups.alone()[place] == pytest.approx(pooled(some(predictions, [str(group)]))[name], abs=1e-12)
    assert groups.whole() == pytest.approx(pooled(predictions)[name], abs=1e-12)


@pytest.mark.parametrize("name", SCORES)
def test_no_rows_have_no_score(name: str) -> None:
    groups = get_score(name).on(predictions_for(name), "speaker")
    with np.errstate(all="raise"):
        assert np.isnan(groups.under(np.zeros((1, 6)))[0])


@pytest.mark.parametrize("name", SCORES)
def test_better_predictions_score_better_within_the_limits(name: str) -> None:
    score = get_score(name)
    values = [score.on(predictions_for(name, skill=skill)).whole() for skill in (0.0, 0.5, 1.0)]
    assert sorted(values, key=lambda value: score.better * value) == values
    assert len(set(values)) == 3
    assert all(score.limits[0] <= value <= score.limits[1] for value in values)
    assert score.rule == ("more is better" if score.better == 1 else "less is better")


def test_uar_is_over_the_classes_present() -> None:
    predictions = predictions_for("uar")
    alone = some(predictions, ["s0"])
    alone = alone.rows((alone.frame["label"] != "anger").to_numpy())
    truth, predicted = alone.frame["label"], alone.frame["predicted"]
    recalls = [(predicted[truth == c] == c).mean() for c in CLASSES if c != "anger"]
    assert pooled(alone)["uar"] == pytest.approx(np.mean(recalls))
    assert "recall_anger" not in pooled(alone)


def test_by_fold_and_by_speaker_keep_the_order() -> None:
    predictions = predictions_for("uar")
    turned = predictions.rows(np.arange(len(predictions))[::-1])
    table = per_fold(turned)
    assert list(table.index) == ["s5", "s4", "s3", "s2", "s1", "s0"]
    assert set(table) == {"fold_uar", "fold_wa", "n_test"}
    part = predictions.frame[predictions.frame["fold"] == "s2"]
    assert table.loc["s2", "fold_uar"] == pytest.approx(
        oracle.balanced_accuracy_score(part["label"], part["predicted"])
    )
    assert table.loc["s2", "fold_wa"] == pytest.approx((part["label"] == part["predicted"]).mean())
    assert table["n_test"].to_dict() == predictions.frame["fold"].value_counts().to_dict()
    assert per_fold(predictions)["n_test"].tolist() == [24, 27, 30, 33, 36, 39]
    assert list(by(turned, "speaker").columns) == ["uar"]
    two = by(turned, "speaker", ["wa", "brier"])
    assert list(two.columns) == ["wa", "brier"]
    assert two.index.name == "speaker"
    with pytest.raises(InputError, match="no column 'sex'"):
        by(turned, "sex")


def test_one_interval_for_every_score() -> None:
    predictions = predictions_for("uar")
    every = intervals(predictions, "speaker")
    assert list(every) == [score.name for score in scores_of(predictions.task)]
    for name, found in every.items():
        assert found == interval(predictions, "speaker", name)
        assert found.low < pooled(predictions)[name] < found.high
        assert found.n_groups == 6
        assert found.metrics(name) == {f"{name}_ci_low": found.low, f"{name}_ci_high": found.high}
    assert interval(predictions, "speaker") == every["uar"]
    best = predictions_for("uar", skill=1.15, n_rows=8)
    assert interval(best, "speaker").high == 1.0
    assert interval(best, "speaker", "log_loss").low >= 0.0


@pytest.mark.parametrize("name", SCORES)
def test_a_function_of_rows_is_the_same_score(name: str) -> None:
    """A score that is no function of sums takes the slow path, and nothing but time tells it apart."""
    fast = get_score(name)
    slow = replace(fast, sums=None, value=None, each=None, weighing=None, statistic=lambda rows: fast.on(rows).whole())
    runs = {str(i): predictions_for(name, skill=0.4 + 0.1 * i, seed=i, n_groups=4, n_rows=6) for i in range(2)}
    assert isinstance(slow.on(runs["0"], "speaker"), GroupRows)
    one, other = (compare(runs, "speaker", metric=score, draws=10) for score in (fast, slow))
    assert [row.key for row in one.rows] == [row.key for row in other.rows]
    assert other.corrected == pytest.approx(one.corrected, abs=1e-12)
    for mine, theirs in zip(one.rows, other.rows, strict=True):
        assert theirs.interval == pytest.approx(mine.interval, abs=1e-12)
        assert theirs.difference == pytest.approx(mine.difference, abs=1e-12)
    assert by(runs["0"], "speaker", [slow])[name].to_numpy() == pytest.approx(
        by(runs["0"], "speaker", [fast])[name].to_numpy()
    )
    assert np.isnan(slow.on(runs["0"], "speaker").under(np.zeros((1, 4)))[0])


def test_a_function_of_rows_sees_each_row_under_its_id_and_copies_under_others() -> None:
    seen: list[list[str]] = []

    def statistic(rows: Predictions) -> float:
        seen.append(rows.frame.index.tolist())
        return float(len(rows))

    predictions = predictions_for("uar", n_groups=2, n_rows=2)
    score = Score("rows", better=1, statistic=statistic)
    assert score.on(predictions, "speaker").under(np.array([[1, 0], [2, 1]])).tolist() == [2, 9]
    assert seen[0] == ["u0000", "u0001"]
    assert seen[1] == ["u0000", "u0000#1", "u0001", "u0001#1", *(f"u{i:04d}" for i in range(2, 7))]


def test_a_score_that_is_wrongly_made_is_refused() -> None:
    good = get_score("uar")
    for wrong, words in (
        ({"better": 0}, "score 'UAR': better must be 1 or -1, got 0"),
        ({"value": None}, "score 'UAR': give one of sums with value, statistic, and weighing"),
        ({"sums": None, "each": None}, "score 'UAR': give one of sums with value, statistic, and weighing"),
        ({"statistic": len}, "score 'UAR': give one of sums with value, statistic, and weighing"),
        ({"sums": None, "value": None, "statistic": len}, "score 'UAR': each is made from sums; give sums and value"),
    ):
        with pytest.raises(InputError, match=words):
            replace(good, **wrong)  # type: ignore[arg-type]


def test_a_score_of_another_kind_takes_no_part() -> None:
    predictions = predictions_for("uar")
    other = replace(get_score("uar"), kinds=("dimensions", "votes"))
    with pytest.raises(InputError, match="UAR is a score of dimensions and votes, got predictions of classes"):
        other.on(predictions)


def test_unknown_names() -> None:
    assert get_score("log-loss").name == "log_loss"
    assert get_score(get_score("wa")) == get_score("wa")
    with pytest.raises(InputError, match="unknown metric 'uarr'; did you mean 'uar'"):
        get_score("uarr")


NEW = '''
"""Share of rows whose class is right or anger."""
from ser_experiments.evaluation.score import Score
from ser_experiments.evaluation.scores._sums import counts, rows_of

def value(sums):
    return 1 - (rows_of(sums).sum(axis=1) - sums[:, range(4), range(4)].sum(axis=1)) / rows_of(sums).sum(axis=1)

SCORE = Score("missed", better=1, sums=counts, value=value)
'''


@pytest.fixture
def added(tmp_path: Path) -> Iterator[str]:
    """Put one more file into the plug-ins of a project."""
    (tmp_path / "plugins" / "scores").mkdir(parents=True)
    (tmp_path / "plugins" / "scores" / "kept.py").write_text(NEW, encoding="utf-8")
    plugins.use(tmp_path / "plugins")
    yield "kept"
    plugins.use(None)


def test_one_file_more_is_one_score_more(added: str) -> None:
    from click.testing import CliRunner

    from ser_experiments.cli import ser

    assert added in score_names()
    good, poor = (predictions_for("uar", skill=skill) for skill in (0.9, 0.2))
    assert pooled(good)[added] == pytest.approx(pooled(good)["wa"])
    assert intervals(good, "speaker")[added] == pytest.approx(intervals(good, "speaker")["wa"])
    assert compare({"poor": poor, "good": good}, "speaker", metric=added, draws=10).best.key == "good"
    assert paired_difference(good, poor, "speaker", metric=added).clearly_better
    for command in ("compare", "register"):
        said = CliRunner().invoke(ser, [command, "--help"], catch_exceptions=False).output
        assert added in " ".join(said.split())


def test_one_file_more_is_verified_too(added: str, tmp_path: Path) -> None:
    from ser_experiments.evaluation.card import Card
    from ser_experiments.evaluation.verify import verify

    predictions = predictions_for("uar")
    setting = dict.fromkeys(("corpus", "labels", "subset", "normalize"), "x")
    rows = predictions.frame[["label", "speaker", "session", "group", "fold"]]
    card = Card({**setting, "protocol": "leave-one-speaker-out", "unit": "speaker"}, rows, {})
    predictions.frame.to_csv(tmp_path / "mine.csv")
    verdict = verify(tmp_path / "mine.csv", card)
    assert verdict.metrics[added] == pytest.approx(pooled(predictions)[added])
    assert verdict.metrics[f"{added}_ci_low"] == pytest.approx(interval(predictions, "speaker", added).low)


def test_each_may_be_added_to_any_score_of_sums() -> None:
    predictions = predictions_for("uar")
    score = replace(get_score("wa"), each=Each("rows", lambda sums: sums.sum(axis=2)))
    assert isinstance(score, Score)
    got = score.on(predictions).each()  # type: ignore[attr-defined]
    assert got.tolist() == predictions.frame["label"].value_counts().reindex(CLASSES).tolist()


def test_the_example_of_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text(encoding="utf-8")
    (code,) = (part.split("```")[0] for part in text.split("```python\n")[1:])
    held: dict[str, Score] = {}
    exec(code, held)
    predictions = predictions_for("uar")
    assert held["SCORE"].on(predictions).whole() == pytest.approx(1 - pooled(predictions)["wa"])


def test_the_documentation_names_every_score() -> None:
    text = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text(encoding="utf-8")
    for name in SCORES:
        assert f"| `{name}` |" in text
