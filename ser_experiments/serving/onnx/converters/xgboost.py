"""XGBoost's trees, as its JSON has them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from ser_experiments.errors import InputError
from ser_experiments.serving.onnx.graph import Graph, Said
from ser_experiments.serving.onnx.trees import Tree, sum_of_trees


def _scores(model: Any, graph: Graph, name: str, n_outputs: int) -> tuple[str, NDArray[np.float64]]:
    """Return the sum of the trees, and what it begins with, as it was given."""
    learner = json.loads(bytes(model._booster().save_raw("json")))["learner"]
    booster = learner["gradient_booster"]["model"]
    trees = []
    for one, output in zip(booster["trees"], booster["tree_info"], strict=True):
        if any(one.get("split_type", ())):
            raise InputError("XGBoost's trees of categories cannot be written in ONNX")
        left = np.array(one["left_children"])
        # Of a leaf the condition is what it adds.
        condition = np.array(one["split_conditions"], dtype=np.float32).astype(np.float64)
        answers = np.zeros((len(left), n_outputs))
        answers[:, output] = condition
        trees.append(Tree(left, np.array(one["right_children"]), np.array(one["split_indices"]), condition,
                          np.array(one["default_left"], dtype=bool), answers))  # fmt: skip
    base = json.loads(learner["learner_model_param"]["base_score"])
    return sum_of_trees(graph, name, trees, with_equal=False), np.atleast_1d(np.asarray(base, dtype=np.float64))


def _classes(model: Any, graph: Graph, name: str) -> Said:
    n_classes = len(model.classes_)
    if n_classes < 2:
        raise InputError("a model that learned a single class cannot be written in ONNX")
    if n_classes == 2:
        scores, base = _scores(model, graph, name, 1)
        return graph.of_one_margin(graph.add("Add", scores, graph.constant(logit(base))))
    scores, base = _scores(model, graph, name, n_classes)
    return Said(graph.softmax(graph.add("Add", scores, graph.constant(base))))


def _numbers(model: Any, graph: Graph, name: str) -> Said:
    scores, base = _scores(model, graph, name, 1)
    return Said(graph.add("Add", scores, graph.constant(base)))


CONVERTERS = {
    "ser_experiments.models.zoo.xgboost.XGBoostClassifier": _classes,
    "ser_experiments.models.zoo.xgboost.XGBoostRegressor": _numbers,
}
