"""Pictures say what they were given, and the tables behind them are right."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from ser_experiments.evaluation.compare import compare
from ser_experiments.evaluation.importance import descriptor, descriptors, permutation_importance
from ser_experiments.evaluation.mistakes import surely_wrong
from ser_experiments.evaluation.permutation import Permutations, permute_within
from ser_experiments.evaluation.plots import (
    Picture,
    pictures_of,
    plot_calibration,
    plot_confusion,
    plot_groups,
    plot_importance,
    plot_leaderboard,
    plot_learning,
    plot_map,
    plot_predicted_vs_true,
    plot_reliability,
    plot_residuals,
)
from ser_experiments.evaluation.plots._style import marks
from ser_experiments.evaluation.scoring import by, get_score, pooled
from ser_experiments.frames import Predictions
from ser_experiments.tasks.classes import Classes
from ser_experiments.tasks.dimensions import Dimensions
from ser_experiments.tasks.votes import Votes
from tests.scored import of_dimensions, predictions_for


def texts(figure: Figure) -> str:
    """Draw the figure and return every text in it."""
    figure.savefig(io.BytesIO(), format="png")
    return "\n".join(t.get_text() for t in figure.findobj(lambda artist: hasattr(artist, "get_text")))  # type: ignore[attr-defined]


def answers(**columns: object) -> Predictions:
    """Return predictions of the classes a and b."""
    frame = pd.DataFrame(columns)
    frame.index = pd.Index([f"u{i}" for i in range(len(frame))], name="utterance_id")
    return Predictions.of_classes(frame, ["a", "b"])


def test_confusion() -> None:
    drawn = texts(plot_confusion(answers(label=list("aaaa"), predicted=list("aaab")), "title"))
    assert "75%\n3" in drawn
    assert "0%\n0" in drawn
    assert "title" in drawn


@pytest.mark.parametrize("n", [3, 60])
def test_groups(n: int) -> None:
    predictions = predictions_for("uar", n_groups=n, n_rows=20)
    figure = plot_groups(predictions, "title", column="speaker")
    assert figure.get_figwidth() <= 16
    drawn = texts(figure)
    assert f"pooled {pooled(predictions)['uar']:.3f}" in drawn
    assert "chance 0.25" in drawn
    assert "UAR" in drawn
    first = by(predictions, "speaker")["uar"].iloc[0]
    assert (f"{first:.2f}" in drawn) == (n == 3)
    bars = [bar.get_height() for bar in figure.axes[0].patches]  # type: ignore[attr-defined]
    assert bars == pytest.approx(by(predictions, "speaker")["uar"].tolist())


def test_reliability_shows_the_share_of_each_bin() -> None:
    sure, right = np.array([0.55] * 10 + [0.95] * 10), np.array([True] * 4 + [False] * 6 + [True] * 10)
    figure = plot_reliability(answers(label=np.where(right, "a", "b"), predicted="a", p_a=sure, p_b=1 - sure), "title")
    bars = {round(b.get_x() + b.get_width() / 2, 2): b.get_height() for b in figure.axes[0].patches if b.get_height()}  # type: ignore[attr-defined]
    assert bars == {0.55: pytest.approx(0.4), 0.95: pytest.approx(1.0)}
    assert "expected calibration error 0.100" in texts(figure)


def test_which_pictures_predictions_get() -> None:
    predictions = predictions_for("uar")
    every = {f"plots/{name}.png" for name in ("confusion_matrix", "speaker_uar", "reliability", "risk_coverage")}
    assert set(pictures_of(predictions)) == every
    for picture in pictures_of(predictions).values():
        assert "a title" in texts(picture.draw(predictions, "a title"))
    bare = Predictions(predictions.frame.drop(columns="p_anger"), predictions.task)
    assert set(pictures_of(bare)) == every - {"plots/reliability.png", "plots/risk_coverage.png"}
    other = Picture("scatter", plot_confusion, kinds=("dimensions",))
    assert not other.fits(predictions)
    of_numbers = pictures_of(of_dimensions(0.6, 0, 3, 20))
    names = ("speaker_ccc", "predicted_vs_true", "residuals", "calibration")
    assert set(of_numbers) == {f"plots/{name}.png" for name in names}
    for picture in of_numbers.values():
        assert "a title" in texts(picture.draw(of_dimensions(0.6, 0, 3, 20), "a title"))


def test_where_folds_are_the_speakers_one_picture_is_enough() -> None:
    predictions = predictions_for("uar")
    frame = predictions.frame.assign(fold=predictions.frame["speaker"])
    assert "plots/fold_uar.png" not in pictures_of(Predictions(frame, predictions.task))
    assert "plots/speaker_uar.png" in pictures_of(Predictions(frame, predictions.task))
    frame["fold"] = ["a" if name == frame["speaker"].iloc[0] else "b" for name in frame["speaker"]]
    assert "plots/fold_uar.png" in pictures_of(Predictions(frame, predictions.task))


def test_marks_are_told_apart() -> None:
    found = list(marks([str(i) for i in range(96)]).values())
    assert len(set(found)) == 96
    assert all(a[0] != b[0] and a[1] != b[1] for a, b in pairwise(found))


def test_groups_where_a_score_is_negative_or_not_defined() -> None:
    predictions = of_dimensions(0.9, 0, 3, 20)
    frame = predictions.frame.copy()
    turned, same = frame["speaker"] == "s1", frame["speaker"] == "s2"
    frame.loc[turned, "predicted_valence"] = 6 - frame.loc[turned, "predicted_valence"]
    frame.loc[turned, "predicted_arousal"] = 6 - frame.loc[turned, "predicted_arousal"]
    frame.loc[same, ["valence", "arousal", "predicted_valence", "predicted_arousal"]] = 2.0
    predictions = Predictions(frame, predictions.task)
    figure = plot_groups(predictions, "title", column="speaker")
    worst = by(predictions, "speaker")["ccc"]["s1"]
    assert worst < -0.3
    (axis,) = figure.axes
    (number,) = [one for one in axis.texts if one.get_text() == f"{worst:.2f}"]
    assert axis.get_ylim()[0] < number.get_position()[1] < worst
    assert number.get_va() == "top"  # type: ignore[attr-defined]
    drawn = texts(figure)
    assert "chance 0.00" in drawn
    assert "CCC" in drawn
    assert "nan" not in drawn
    assert plot_groups(of_dimensions(0.9, 0, 3, 20), "title", column="speaker").axes[0].get_ylim()[0] < 0
    assert plot_groups(predictions_for("uar"), "title", column="speaker").axes[0].get_ylim()[0] == 0


def _numbers(truth: np.ndarray, predicted: np.ndarray) -> Predictions:
    frame = pd.DataFrame({"valence": truth, "predicted_valence": predicted})
    frame.index = pd.Index([f"u{i}" for i in range(len(frame))], name="utterance_id")
    return Predictions(frame, Dimensions(("valence",)))


@pytest.mark.parametrize("steps", [0, 2])
@pytest.mark.parametrize("n", [40, 3000])
def test_predicted_against_true(n: int, steps: int) -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(1, 5, n)
    truth = (truth * steps).round() / steps if steps else truth
    predictions = _numbers(truth, 3 + 0.5 * (truth - 3) + rng.normal(0, 0.3, n))
    figure = plot_predicted_vs_true(predictions, "title")
    scores, drawn, axis = pooled(predictions), texts(figure), figure.axes[0]
    assert f"valence: CCC {scores['ccc']:.3f}, Pearson {scores['pearson']:.3f}" in drawn
    assert {"true valence", "predicted valence", "predicted as it is"} <= set(drawn.split("\n"))
    assert axis.get_xlim() == axis.get_ylim()
    assert [tuple(one) for one in axis.lines[0].get_data()] == [axis.get_xlim()] * 2
    (shown,) = axis.collections
    if n == 40:
        assert shown.get_offsets().data.tolist() == np.column_stack([truth, predictions.decided[:, 0]]).tolist()
    else:
        counts = np.ma.filled(shown.get_array(), 0)
        assert np.nansum(counts) == n
        assert f"darkest: {int(np.nanmax(counts))} utterances" in drawn
        assert counts.shape[1] == (9 if steps else 40)


def test_residuals_show_who_answers_the_middle() -> None:
    truth = np.linspace(1, 5, 201)
    figure = plot_residuals(_numbers(truth, 3 + 0.25 * (truth - 3)), "title")
    assert "valence: moves 0.25 where the truth moves 1" in texts(figure)
    median = figure.axes[0].lines[0]
    assert len(median.get_xdata()) == 10
    assert median.get_ydata() == pytest.approx(-0.75 * (np.asarray(median.get_xdata()) - 3), abs=0.02)
    assert figure.axes[0].lines[0].get_label() == "median"


def test_calibration_is_the_mean_truth_of_each_bin() -> None:
    predicted = np.repeat([1.0, 2.0, 5.0], [30, 20, 4])
    truth = predicted + np.repeat([0.5, -0.25, -1.0], [30, 20, 4])
    figure = plot_calibration(_numbers(truth, predicted), "title")
    diagonal, many, few = figure.axes[0].lines
    assert tuple(diagonal.get_xdata()) == tuple(diagonal.get_ydata())
    assert np.column_stack(many.get_data()).tolist() == [[1.0, 1.5], [2.0, 1.75]]
    assert np.column_stack(few.get_data()).tolist() == [[5.0, 4.0]]
    drawn = texts(figure)
    assert {"30", "20", "4", "of fewer than 10"} <= set(drawn.split("\n"))
    assert f"valence: predicted {(15 - 5 - 4) / 54:.2f} too low on average" in drawn


@pytest.mark.parametrize("plot", [plot_predicted_vs_true, plot_residuals, plot_calibration])
@pytest.mark.parametrize(("truth", "predicted"), [([2.0], [3.0]), ([2.0, 2.0], [3.0, 3.0]), ([1.0, 2.0], [3.0, 3.0])])
def test_numbers_that_do_not_vary_are_drawn(plot: Callable, truth: list[float], predicted: list[float]) -> None:
    assert "title" in texts(plot(_numbers(np.array(truth), np.array(predicted)), "title"))


def test_bars_of_a_score_without_an_end_stay_inside() -> None:
    """Cross-entropies above 1 were written far above the axes, which left no room for the axes."""
    rng = np.random.default_rng(0)
    task = Votes(("angry", "happy", "sad"))
    shares, answers = rng.dirichlet([0.4] * 3, 60), rng.dirichlet([0.4] * 3, 60)
    columns = dict(zip([*task.share_columns, *task.columns], np.hstack([shares, answers]).T, strict=True))
    speakers = np.repeat([f"s{one}" for one in range(6)], 10)
    frame = pd.DataFrame({**columns, "label": np.array(task.targets)[shares.argmax(axis=1)], "speaker": speakers})
    frame = frame.assign(predicted=task.decided(answers), fold=speakers, group=speakers)
    predictions = Predictions(frame.set_index(pd.Index([f"u{one}" for one in range(60)], name="utterance_id")), task)
    figure = plot_groups(predictions, "title", column="speaker")
    figure.canvas.draw()
    axis = figure.axes[0]
    bars: Any = axis.patches
    heights = [bar.get_height() for bar in bars]
    assert max(heights) > 1.2
    assert axis.get_ylim()[1] > max(heights)
    assert all(axis.get_window_extent().y1 >= one.get_window_extent().y1 for one in axis.texts)


def test_map_tells_speakers_from_emotions() -> None:
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame(rng.normal(size=(60, 5)), columns=list("abcde"))
    numbers.iloc[:3, 0] = np.nan
    numbers["empty"], numbers["constant"], numbers.iloc[0, 1] = np.nan, 1.0, np.inf
    labels, speakers = pd.Series(["anger", "none"] * 30), pd.Series([f"s{i % 12}" for i in range(60)])
    drawn = texts(plot_map(numbers, labels, speakers, "title"))
    assert {"anger", "none", "s11", "emotion", "speaker"} <= set(drawn.split("\n"))


def test_learning_curves() -> None:
    history = [{"epoch": float(i), "lr": 0.1, "train_loss": 1 / i, "valid_uar": 0.5} for i in (1, 2, 3)]
    history += [{"epoch": float(i), "refit_lr": 0.1, "refit_loss": 1 / i} for i in (1, 2)]
    drawn = set(texts(plot_learning(history, "title", best_epoch=2)).split("\n"))
    assert {"train loss", "refit loss", "valid uar", "kept: epoch 2"} <= drawn
    assert "lr" not in drawn


def test_leaderboard() -> None:
    runs = {name: predictions_for("uar", skill=skill, n_groups=4) for name, skill in (("good", 0.9), ("poor", 0.4))}
    comparison = compare(runs, "speaker", draws=50)
    drawn = texts(plot_leaderboard(comparison, [r.key for r in comparison.rows], "setting", "speaker"))
    assert "paired difference to good" in drawn
    assert "2 candidates, intervals over 4 speakers" in drawn
    assert f"{comparison.rows[1].score:.3f}" in drawn


def test_what_knows_nothing_is_a_line_on_the_board() -> None:
    runs = {name: predictions_for("uar", skill=skill, n_groups=4) for name, skill in (("good", 0.9), ("poor", 0.6))}
    nothing = runs["good"].frame.copy()
    nothing["predicted"] = runs["good"].task.targets[0]
    runs["dummy"] = Predictions(nothing, runs["good"].task)
    comparison = compare(runs, "speaker", draws=50)
    names = [row.key for row in comparison.rows]
    chance = runs["good"].task.chance
    left = plot_leaderboard(comparison, names, "setting", "speaker", chance=chance).axes[0]
    assert [one.get_text() for one in left.get_yticklabels()] == ["good", "poor"]
    assert f"chance: dummy {chance:.3f}" in {one.get_text() for one in left.texts}
    assert left.get_xlim()[0] > chance + 0.05
    # Where all know nothing, they are rows.
    alone = compare({"dummy": runs["dummy"]}, "speaker", draws=50)
    left = plot_leaderboard(alone, ["dummy"], "setting", "speaker", chance=chance).axes[0]
    assert [one.get_text() for one in left.get_yticklabels()] == ["dummy"]


def test_columns_are_grouped_by_what_they_describe() -> None:
    assert descriptor("mfcc_03__std") == "mfcc"
    assert descriptor("slope_0_500__mean") == "slope"
    assert descriptor("f0_st__p95") == "f0_st"
    assert descriptor("melspec") == "melspec"
    assert descriptors(["mfcc_00__std", "rms_db__mean", "mfcc_01__mean", "group"]) == {
        "mfcc": ["mfcc_00__std", "mfcc_01__mean"],
        "rms_db": ["rms_db__mean"],
    }


def _planted() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    labels = rng.choice(["a", "b"], 300)
    table = pd.DataFrame(
        {
            "told_00__mean": (labels == "a") + rng.normal(0, 0.5, 300),
            "told_01__mean": (labels == "a") + rng.normal(0, 0.5, 300),
            "noise__mean": rng.normal(size=300),
        },
        index=pd.Index([f"u{i}" for i in range(300)], name="utterance_id"),
    )
    return table, pd.DataFrame({"label": labels}, index=table.index)


def test_importance_finds_what_was_planted() -> None:
    table, utterances = _planted()
    model = LogisticRegression().fit(table, utterances["label"])
    found = permutation_importance(model, table, utterances, Classes.of("ab"), budget_s=60)
    assert list(found.index) == ["told", "noise"]
    assert found.loc["told", "worse"] > 0.5
    assert abs(found.loc["noise", "worse"]) < 0.02
    assert found["n_columns"].to_dict() == {"told": 2, "noise": 1}
    assert set(found["n_repeats"]) == {2}
    drawn = texts(plot_importance(found, "title", "on 3 held-out speakers", get_score("log_loss")))
    assert "told  (2)" in drawn
    assert "on 3 held-out speakers" in drawn
    assert "increase of the log loss when shuffled" in drawn
    # The plain way: the last shuffle of one repeat.
    once = permutation_importance(model, table, utterances, Classes.of("ab"), repeats=1, budget_s=60, seed=3)
    shuffled, rng = table.copy(), np.random.default_rng(3)
    columns = ["told_00__mean", "told_01__mean"]
    shuffled[columns] = table[columns].to_numpy()[rng.permutation(300)]
    grown = [log_loss(utterances["label"], model.predict_proba(X)) for X in (shuffled, table)]
    assert once.loc["told", "worse"] == pytest.approx(grown[0] - grown[1])


def test_importance_shuffles_arrays_over_time_and_leaves_the_group() -> None:
    table, utterances = _planted()
    cells = pd.Series([np.full(3, value) for value in table["told_00__mean"]], index=table.index, dtype=object)
    table = pd.DataFrame({"spectrum": cells, "noise": table.iloc[:, -1], "group": "g"})

    class Reads:
        classes_ = np.array(["a", "b"])

        def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
            assert list(X["group"]) == ["g"] * len(X)
            sure = 1 / (1 + np.exp(-3 * np.array([cell[0] for cell in X["spectrum"]])))
            return np.column_stack([1 - sure, sure])

    found = permutation_importance(Reads(), table, utterances, Classes.of("ab"), budget_s=60)
    assert set(found.index) == {"spectrum", "noise"}
    assert abs(found.loc["spectrum", "worse"]) > 0.1
    assert found.loc["noise", "worse"] == 0


def test_importance_of_a_score_of_which_more_is_better() -> None:
    table, utterances = _planted()
    model = LogisticRegression().fit(table, utterances["label"])
    found = permutation_importance(model, table, utterances, Classes.of("ab"), score="uar", budget_s=60)
    assert found.index[0] == "told"
    assert found.loc["told", "worse"] > 0.2
    assert "loss of the UAR when shuffled" in texts(plot_importance(found, "title", "how", get_score("uar")))


@pytest.mark.parametrize("cells", [1, 2500, 1 << 22])
def test_importance_is_the_same_however_many_shuffles_are_asked_for_at_once(
    cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, utterances = _planted()
    model = LogisticRegression().fit(table, utterances["label"])
    asked: list[int] = []

    class Counts(LogisticRegression):
        def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
            asked.append(len(X) // 300)
            return model.predict_proba(X)

    counts = Counts()
    counts.classes_ = model.classes_
    alone = permutation_importance(model, table, utterances, Classes.of("ab"), budget_s=60)
    monkeypatch.setattr("ser_experiments.evaluation.importance._CELLS", cells)
    found = permutation_importance(counts, table, utterances, Classes.of("ab"), budget_s=60)
    pd.testing.assert_frame_equal(found, alone)
    assert asked == {1: [1] * 5, 2500: [1, 2, 2], 1 << 22: [1, 4]}[cells]


def test_importance_ends_when_its_time_is_over() -> None:
    table, utterances = _planted()
    model = LogisticRegression().fit(table, utterances["label"])
    found = permutation_importance(model, table, utterances, Classes.of("ab"), budget_s=0)
    assert found["n_repeats"].to_list() == [1]


def test_the_surely_wrong_come_first() -> None:
    frame = pd.DataFrame(
        {
            "fold": "f",
            "speaker": "s",
            "label": ["a", "a", "b", "b"],
            "predicted": ["a", "b", "a", "a"],
            "p_a": [0.99, 0.4, 0.7, 0.8],
            "p_b": [0.01, 0.6, 0.3, 0.2],
        },
        index=pd.Index(["right", "unsure", "sure", "surest"], name="utterance_id"),
    )
    table = surely_wrong(Predictions.of_classes(frame), most=2)
    assert list(table.index) == ["surest", "sure"]
    assert table.loc["surest", ["p_predicted", "p_label"]].tolist() == [0.8, 0.2]
    assert list(table.columns) == ["speaker", "fold", "label", "predicted", "p_predicted", "p_label"]
    assert len(surely_wrong(Predictions.of_classes(frame))) == 3
    assert surely_wrong(Predictions.of_classes(frame[frame["label"] == frame["predicted"]], ["a", "b"])).empty


def test_labels_are_shuffled_within_speakers() -> None:
    rng = np.random.default_rng(0)
    labels, speakers = np.array(list("aabbab") * 50), np.repeat(list("xyz"), 100)
    shuffled = permute_within(labels, speakers, rng)
    for speaker in "xyz":
        inside = speakers == speaker
        assert sorted(shuffled[inside]) == sorted(labels[inside])
        assert (shuffled[inside] != labels[inside]).any()


def test_p_values() -> None:
    assert Permutations(0.9, [0.5] * 20, 0.5).p_value == pytest.approx(1 / 21)
    assert Permutations(0.5, [0.5] * 10 + [0.4] * 10, 0.5).p_value == pytest.approx(11 / 21)
    assert not Permutations(0.9, [0.45, 0.55] * 10, 0.5).above_chance
    assert Permutations(0.9, [0.55, 0.65] * 10, 0.5).above_chance
