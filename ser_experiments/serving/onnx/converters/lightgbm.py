"""LightGBM's trees, as it dumps them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ser_experiments.errors import InputError
from ser_experiments.serving.onnx.graph import Graph, Said
from ser_experiments.serving.onnx.trees import Tree, sum_of_trees


def _scores(model: Any, graph: Graph, name: str, n_outputs: int) -> str:
    dumped = model.booster_.dump_model()
    n_rounds = len(dumped["tree_info"]) // n_outputs
    # Of a forest (boosting_type "rf") the mean of the trees is meant.
    share = 1 / n_rounds if dumped.get("average_output") else 1.0
    trees = [
        _tree(one["tree_structure"], number % n_outputs, n_outputs, share)
        for number, one in enumerate(dumped["tree_info"])
    ]
    return sum_of_trees(graph, name, trees, with_equal=True)


def _tree(root: dict[str, Any], output: int, n_outputs: int, share: float) -> Tree:
    nodes, left, right = [root], [], []
    at = 0
    while at < len(nodes):
        node = nodes[at]
        if "left_child" in node:
            if node["decision_type"] != "<=":
                raise InputError("LightGBM's trees of categories cannot be written in ONNX")
            left.append(len(nodes))
            right.append(len(nodes) + 1)
            nodes += [node["left_child"], node["right_child"]]
        else:
            left.append(-1)
            right.append(-1)
        at += 1
    answers = np.zeros((len(nodes), n_outputs))
    answers[:, output] = [share * node.get("leaf_value", 0.0) for node in nodes]
    return Tree(
        np.array(left), np.array(right), np.array([node.get("split_feature", 0) for node in nodes]),
        np.array([node.get("threshold", 0.0) for node in nodes], dtype=np.float64),
        np.array([node.get("default_left", False) for node in nodes], dtype=bool), answers,
    )  # fmt: skip


def _classes(model: Any, graph: Graph, name: str) -> Said:
    n_classes = len(model.classes_)
    if n_classes == 2:
        return graph.of_one_margin(_scores(model, graph, name, 1))
    return Said(graph.softmax(_scores(model, graph, name, n_classes)))


CONVERTERS = {
    "lightgbm.sklearn.LGBMClassifier": _classes,
    "lightgbm.sklearn.LGBMRegressor": lambda model, graph, name: Said(_scores(model, graph, name, 1)),
}
