"""The network on the columns of a table; those on arrays over time take no table."""

from __future__ import annotations

from typing import Any

import numpy as np

from ser_experiments.serving.onnx.graph import Graph, Said

#: What torch's batch normalisation adds to a variance.
_EPSILON = 1e-5


def _network(model: Any, graph: Graph, name: str) -> str:
    told = graph.add("Sub", graph.cast(name, np.float64), graph.constant(model.mean_))
    told = graph.add("Div", told, graph.constant(model.scale_))
    n_hidden = len(model.hidden)
    for layer in range(n_hidden + 1):
        # Each hidden layer is four modules: linear, normalised, rectified, dropped.
        weights = {part: np.asarray(model.weights_[f"layers.{4 * layer}.{part}"], dtype=np.float64)
                   for part in ("weight", "bias")}  # fmt: skip
        told = graph.linear(told, weights["weight"].T, weights["bias"])
        if layer < n_hidden:
            told = graph.add("Relu", _normalised(model, graph, told, f"layers.{4 * layer + 1}"))
    return told


def _normalised(model: Any, graph: Graph, name: str, layer: str) -> str:
    kept = {part: np.asarray(model.weights_[f"{layer}.{part}"], dtype=np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")}  # fmt: skip
    slope = kept["weight"] / np.sqrt(kept["running_var"] + _EPSILON)
    straight = graph.add("Mul", name, graph.constant(slope))
    return graph.add("Add", straight, graph.constant(kept["bias"] - kept["running_mean"] * slope))


CONVERTERS = {
    "ser_experiments.models.zoo.mlp.MLPClassifier": lambda model, graph, name: Said(
        graph.softmax(_network(model, graph, name))
    ),
    "ser_experiments.models.zoo.mlp.MLPRegressor": lambda model, graph, name: Said(_network(model, graph, name)),
}
