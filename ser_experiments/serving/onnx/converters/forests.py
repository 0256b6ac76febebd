"""scikit-learn's trees: forests, and gradient boosting."""

from __future__ import annotations

from typing import Any

import numpy as np

from ser_experiments.errors import InputError
from ser_experiments.serving.onnx.graph import Graph, Said
from ser_experiments.serving.onnx.trees import Tree, sum_of_trees


def _tree(fitted: Any, answers: Any) -> Tree:
    grown = fitted.tree_
    return Tree(
        grown.children_left, grown.children_right, grown.feature, grown.threshold,
        np.asarray(grown.missing_go_to_left, dtype=bool), answers,
    )  # fmt: skip


def _classes(forest: Any, graph: Graph, name: str) -> Said:
    n = len(forest.estimators_)
    # The shares of the classes among the rows of each leaf.
    shares = [one.tree_.value[:, 0, :] for one in forest.estimators_]
    trees = [
        _tree(one, share / share.sum(axis=1, keepdims=True) / n)
        for one, share in zip(forest.estimators_, shares, strict=True)
    ]
    return Said(sum_of_trees(graph, name, trees, with_equal=True))


def _numbers(forest: Any, graph: Graph, name: str) -> Said:
    n = len(forest.estimators_)
    trees = [_tree(one, one.tree_.value[:, :, 0] / n) for one in forest.estimators_]
    return Said(sum_of_trees(graph, name, trees, with_equal=True))


def _boosted(model: Any, graph: Graph, name: str) -> str:
    n_outputs = model.estimators_.shape[1]
    trees = []
    for stage in model.estimators_:
        for output, one in enumerate(stage):
            answers = np.zeros((one.tree_.node_count, n_outputs))
            answers[:, output] = model.learning_rate * one.tree_.value[:, 0, 0]
            trees.append(_tree(one, answers))
    if type(model.init_).__name__ not in ("DummyClassifier", "DummyRegressor"):
        raise InputError("gradient boosting that begins with another estimator cannot be written in ONNX")
    first = model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32))
    return graph.add("Add", sum_of_trees(graph, name, trees, with_equal=True), graph.constant(first))


def _boosted_classes(model: Any, graph: Graph, name: str) -> Said:
    scores = _boosted(model, graph, name)
    if len(model.classes_) == 2:
        return Said(graph.of_one_margin(scores).values, graph.halves(scores))
    return Said(graph.softmax(scores), scores)


CONVERTERS = {
    "sklearn.ensemble._forest.ForestClassifier": _classes,
    "sklearn.ensemble._forest.ForestRegressor": _numbers,
    "sklearn.ensemble._gb.GradientBoostingClassifier": _boosted_classes,
    "sklearn.ensemble._gb.GradientBoostingRegressor": lambda model, graph, name: Said(_boosted(model, graph, name)),
}
