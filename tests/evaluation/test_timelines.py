"""Answers over time: shares are stacked, numbers on scales are curves with gaps and a way through a plane."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from ser_experiments.evaluation.plots import plot_plane, plot_timeline
from ser_experiments.evaluation.plots._style import limits
from ser_experiments.task import Task
from ser_experiments.tasks.classes import Classes
from ser_experiments.tasks.dimensions import Dimensions

NAN = np.nan
SCALES = Dimensions(("valence", "arousal", "dominance"))
VALUES = np.array([[2.0, 1.5, 3.0], [NAN] * 3, [4.0, 3.5, 3.0], [3.0, 4.5, 3.0]])
SCALE = {name: [1.0, 5.0] for name in SCALES.targets}
KNOWN = {"residuals": {name: [-1.0, 0.5] for name in SCALES.targets}}


def table(task: Task, values: np.ndarray) -> pd.DataFrame:
    starts = np.arange(len(values)) * 1.5
    return pd.DataFrame({"start_s": starts, "end_s": starts + 1.5, **dict(zip(task.columns, values.T, strict=True))})


def drawn(task: Task, values: np.ndarray, **more: object) -> Figure:
    waveform, spectrogram = np.zeros((8, 2), np.float32), np.zeros((8, 64), np.float32)
    figure = plot_timeline(task, table(task, values), waveform, spectrogram, "a call", **more)  # type: ignore[arg-type]
    figure.savefig(io.BytesIO(), format="png")
    return figure


def steps(figure: Figure) -> dict[str, StepPatch]:
    return {str(one.get_label()): one for one in figure.axes[2].patches if isinstance(one, StepPatch)}


def test_numbers_are_curves_on_their_scale() -> None:
    figure = drawn(SCALES, VALUES, scale=SCALE)
    found = steps(figure)
    assert list(found) == ["no speech", *SCALES.targets]
    for i, name in enumerate(SCALES.targets):
        values, edges, baseline = found[name].get_data()
        np.testing.assert_array_equal(values, VALUES[:, i])
        assert edges.tolist() == [0.0, 1.5, 3.0, 4.5, 6.0]
        assert baseline is None
    low, high = figure.axes[2].get_ylim()
    assert (low < 1.0, high > 5.0) == (True, True)
    silent = found["no speech"].get_data()
    assert (silent.values > silent.baseline).tolist() == [False, True, False, False]  # type: ignore[attr-defined]


def test_shares_are_stacked() -> None:
    found = steps(drawn(Classes(("a", "b")), np.array([[0.25, 0.75], [NAN, NAN]])))
    assert list(found) == ["no speech", "a", "b"]
    assert found["b"].get_data().values.tolist() == [1.0, 0.0]  # type: ignore[attr-defined]
    assert found["b"].get_data().baseline.tolist() == [0.25, 0.0]  # type: ignore[attr-defined]
    assert found["no speech"].get_data().values.tolist() == [0.0, 1.0]  # type: ignore[attr-defined]


def test_a_recording_in_which_nobody_speaks() -> None:
    assert drawn(SCALES, np.full((3, 3), NAN)).axes[2].get_ylim() == (0.0, 1.0)


def test_the_way_through_the_plane_is_in_the_order_of_time() -> None:
    answer = SCALES.answer(np.array([3.0, 2.0, 3.0]), KNOWN)
    figure = plot_plane(SCALES, answer, table(SCALES, VALUES), scale=SCALE)
    figure.savefig(io.BytesIO(), format="png")
    (axis,) = figure.axes
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("valence", "arousal")
    (way,) = [one for one in axis.collections if isinstance(one, LineCollection) and one.get_zorder() == 2]
    pieces = [piece.tolist() for piece in way.get_segments()]
    assert pieces == [[[2.0, 1.5], [4.0, 3.5]], [[4.0, 3.5], [3.0, 4.5]]]
    at = {
        one.get_label(): one.get_offsets().tolist() for one in axis.collections if one.get_label() in ("start", "end")
    }
    assert at == {"start": [[2.0, 1.5]], "end": [[3.0, 4.5]]}
    (point,) = axis.containers
    line, _, (across, up) = point.lines  # type: ignore[attr-defined]
    assert line.get_xydata().tolist() == [[3.0, 2.0]]
    assert across.get_segments()[0].tolist() == [[2.0, 2.0], [3.5, 2.0]]
    assert up.get_segments()[0].tolist() == [[3.0, 1.0], [3.0, 2.5]]


@pytest.mark.parametrize("n_targets", [1, 2])
@pytest.mark.parametrize("known", [{}, KNOWN])
def test_planes_of_little(n_targets: int, known: dict[str, object]) -> None:
    task = Dimensions(SCALES.targets[:n_targets])
    answer = task.answer(np.array([3.0, 2.0][:n_targets]), known)
    figure = plot_plane(task, answer, table(task, VALUES[:1, :n_targets]))
    figure.savefig(io.BytesIO(), format="png")
    (axis,) = figure.axes
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert said == ["whole recording" + (" with its intervals" if known else "")]
    assert (axis.get_ylabel() == "arousal") == (n_targets == 2)


def test_limits_hold_what_is_there() -> None:
    assert limits(np.array([NAN, 2.0]), [1.0, 5.0]) == pytest.approx((0.84, 5.16))
    assert limits(np.array([3.0])) == (2.5, 3.5)
    assert limits(np.array([NAN])) == (0.0, 1.0)
