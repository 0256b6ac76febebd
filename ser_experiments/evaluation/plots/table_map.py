"""A map of the feature table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.evaluation.plots._style import INK, marks, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: More points than this only hide one another.
_MOST_POINTS = 3000
#: Names in a legend, and layers in which the points of each name are painted.
_NAMED, _LAYERS = 24, 4


def plot_map(numbers: pd.DataFrame, labels: pd.Series, speakers: pd.Series, title: str) -> Figure:
    """Draw the two main directions of a table, with emotions, and then speakers, told apart by colour and shape.

    If the speakers lie apart and the emotions do not, a model learns voices before it learns emotions.

    Parameters
    ----------
    numbers : DataFrame of shape (n_rows, n_columns)
        Numeric columns, at least two; each is centred and scaled to unit variance, gaps become its median.
    labels, speakers : Series of str
        In the order of the rows.
    title : str
        Which table.
    """
    places = np.arange(len(numbers))
    if len(places) > _MOST_POINTS:
        places = np.sort(np.random.default_rng(0).choice(places, _MOST_POINTS, replace=False))
    points, explained = _principal(numbers.iloc[places].to_numpy(dtype=np.float64))
    figure, (left, right) = new_figure(11, 4.8, columns=2)
    for axis, values, what in ((left, labels, "emotion"), (right, speakers, "speaker")):
        _scatter(axis, points, [str(value) for value in values.iloc[places]], what)
        axis.set_xlabel(f"first direction ({explained[0]:.0%} of the variance)")
        axis.set_ylabel(f"second direction ({explained[1]:.0%})")
    figure.suptitle(f"{title}: {numbers.shape[1]} columns, principal components", fontsize=10, color=INK)
    return figure


def _principal(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from sklearn.decomposition import PCA

    values = np.where(np.isfinite(values), values, np.nan)
    empty = np.isnan(values).all(axis=0)
    values = values[:, ~empty]
    values = np.where(np.isnan(values), np.nanmedian(values, axis=0), values)
    spread = values.std(axis=0)
    # A single wild value must not own the map.
    scaled = np.clip((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1), -8, 8)
    found = PCA(n_components=2, svd_solver="randomized", random_state=0).fit(scaled)
    return found.transform(scaled), found.explained_variance_ratio_


def _scatter(axis: Axes, points: NDArray[np.float64], values: list[str], what: str) -> None:
    names = sorted(set(values))
    of_name = marks(names)
    size = 18 if len(points) < 800 else 8
    given = np.array(values)
    # A few points of each in turn, so that no class is painted over the others.
    order = np.random.default_rng(0).permutation(len(points))
    for layer, part in enumerate(np.array_split(order, _LAYERS if len(names) <= _NAMED else 1)):
        for name in names:
            colour, shape = of_name[name]
            inside = part[given[part] == name]
            axis.scatter(points[inside, 0], points[inside, 1], s=size, color=colour, marker=shape, alpha=0.75,
                         linewidths=0, zorder=2 + layer / _LAYERS)  # fmt: skip
    for name in names[:_NAMED]:
        axis.scatter([], [], s=24, color=of_name[name][0], marker=of_name[name][1], label=name)
    title = what if len(names) <= _NAMED else f"{what} ({_NAMED} of {len(names)})"
    axis.legend(title=title, fontsize=7.5, title_fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
