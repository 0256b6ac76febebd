"""What stands before an estimator: columns, what is missing, scales, blocks, selection."""

from __future__ import annotations

from typing import Any

import numpy as np

from ser_experiments.errors import InputError
from ser_experiments.serving.onnx.graph import Graph


def _columns(step: Any, graph: Graph, name: str) -> str:
    if step.layout != "row":
        raise InputError("a network on arrays over time cannot be written in ONNX; export without --onnx")
    place = {column: number for number, column in enumerate(graph.columns)}
    return graph.take(name, [place[str(column)] for column in step.columns_])


def _missing(step: Any, graph: Graph, name: str) -> str:
    return graph.add("Where", graph.add("IsNaN", name), graph.constant(step.medians_, np.float32), name)


def _scaled(operator: str, graph: Graph, name: str, by: Any) -> str:
    """Take a number of each column in float64, and go on in float32, as scikit-learn's robust scaler does."""
    if by is None:
        return name
    return graph.cast(graph.add(operator, graph.cast(name, np.float64), graph.constant(by)), np.float32)


def _standard(step: Any, graph: Graph, name: str) -> str:
    # Its numbers are rounded first: a value that stands at a tree's threshold would else go to the other side.
    centred = graph.add("Sub", name, graph.constant(step.mean_, np.float32)) if step.with_mean else name
    return graph.add("Div", centred, graph.constant(step.scale_, np.float32)) if step.with_std else centred


def _robust(step: Any, graph: Graph, name: str) -> str:
    centred = _scaled("Sub", graph, name, step.center_ if step.with_centering else None)
    return _scaled("Div", graph, centred, step.scale_ if step.with_scaling else None)


def _clipped(step: Any, graph: Graph, name: str) -> str:
    return graph.add("Clip", name, *(graph.constant(end, np.float32) for end in (-step.limit, step.limit)))


def _blocks(step: Any, graph: Graph, name: str) -> str:
    weights = [np.sqrt(step.n_features_in_ / (len(step.sizes) * size)) for size in step.sizes]
    return _scaled("Mul", graph, name, np.repeat(weights, step.sizes))


def _selected(step: Any, graph: Graph, name: str) -> str:
    return graph.take(name, step.get_support(indices=True))


CONVERTERS = {
    "ser_experiments.models.clipping.ClipScaled": _clipped,
    "ser_experiments.models.grouping.TakeColumns": _columns,
    "ser_experiments.models.grouping.OnFeatures": lambda step, graph, name: graph.step(step.transformer_, name),
    "ser_experiments.models.grouping.BalanceBlocks": _blocks,
    "ser_experiments.models.missing.FillMissing": _missing,
    "ser_experiments.models.selection.SelectColumns": _selected,
    "sklearn.preprocessing._data.StandardScaler": _standard,
    "sklearn.preprocessing._data.RobustScaler": _robust,
}
