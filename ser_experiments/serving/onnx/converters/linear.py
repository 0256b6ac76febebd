"""Linear models, support vector machines, and the floor."""

from __future__ import annotations

from typing import Any

import numpy as np

from ser_experiments.errors import InputError
from ser_experiments.models.pairwise import _SLOPE, _weights
from ser_experiments.serving.onnx.graph import Graph, Said


def _logistic(model: Any, graph: Graph, name: str) -> Said:
    scores = graph.linear(graph.cast(name, np.float64), model.coef_.T, model.intercept_)
    if len(model.classes_) == 2:
        return Said(graph.of_one_margin(scores).values, graph.halves(scores))
    return Said(graph.softmax(scores), scores)


def _ridge(model: Any, graph: Graph, name: str) -> Said:
    coefficients = np.atleast_2d(model.coef_).T
    return Said(graph.linear(graph.cast(name, np.float64), coefficients, model.intercept_))


def _kernel(model: Any, graph: Graph, name: str) -> str:
    """Return the kernel of each row with each support vector, float64."""
    rows, vectors = graph.cast(name, np.float64), np.asarray(model.support_vectors_, dtype=np.float64)
    products = graph.add("MatMul", rows, graph.constant(vectors.T))
    kernel = model.kernel
    if kernel == "linear":
        return products
    if kernel != "rbf":
        raise InputError(
            f"a support vector machine with the kernel {kernel!r} cannot be written in ONNX; export without --onnx"
        )
    # |x - v|^2 = x.x - 2 x.v + v.v
    own = graph.add("ReduceSumSquare", rows, graph.constant([1], np.int64), keepdims=1)
    crossed = graph.add("Sub", own, graph.add("Mul", products, graph.constant([2.0])))
    distances = graph.add("Add", crossed, graph.constant((vectors**2).sum(axis=1)))
    return graph.add("Exp", graph.add("Mul", distances, graph.constant([-float(model._gamma)])))


def _machine(model: Any, graph: Graph, name: str) -> Said:
    weights = _weights(model._dual_coef_, model._n_support)
    margins = graph.linear(_kernel(model, graph, name), weights, model._intercept_)
    if len(model.classes_) == 2:
        # libsvm's margin is that of the first of a pair, scikit-learn's decision that of the second.
        scores = graph.halves(graph.add("Neg", margins))
    else:
        scores = _of_pairs(graph, margins, len(model.classes_))
    return Said(graph.softmax(scores), scores)


def _of_pairs(graph: Graph, margins: str, n_classes: int) -> str:
    """Return the scores of classes, as :meth:`ser_experiments.models.pairwise.SVC.decision_function` has them."""
    pairs = list(zip(*np.triu_indices(n_classes, 1), strict=True))
    first, second = (np.array([[pair[side] == one for one in range(n_classes)] for pair in pairs]) for side in (0, 1))
    steep = graph.add("Mul", margins, graph.constant([_SLOPE]))
    zero = graph.constant([0.0])
    # log(sigmoid(x)) = min(x, 0) - log(1 + exp(-|x|)), which neither overflows nor loses digits.
    rest = graph.add(
        "Log", graph.add("Add", graph.constant([1.0]), graph.add("Exp", graph.add("Neg", graph.add("Abs", steep))))
    )
    won = graph.add("Sub", graph.add("Min", steep, zero), rest)
    lost = graph.add("Sub", graph.add("Min", graph.add("Neg", steep), zero), rest)
    scores = graph.add(
        "Add", graph.add("MatMul", won, graph.constant(first)), graph.add("MatMul", lost, graph.constant(second))
    )
    # Who has the most votes; of equal ones whose margins are larger in sum.
    ahead = graph.cast(graph.add("GreaterOrEqual", margins, zero), np.float64)
    votes = graph.add(
        "Add",
        graph.add("MatMul", ahead, graph.constant(first)),
        graph.add("MatMul", graph.add("Sub", graph.constant([1.0]), ahead), graph.constant(second)),
    )
    sums = graph.add("MatMul", margins, graph.constant(first * 1.0 - second))
    squeezed = graph.add(
        "Div",
        sums,
        graph.add("Mul", graph.constant([3.0]), graph.add("Add", graph.add("Abs", sums), graph.constant([1.0]))),
    )
    return _with_winner(graph, scores, graph.add("Add", votes, squeezed))


def _with_winner(graph: Graph, scores: str, votes: str) -> str:
    """Exchange the highest score of each row with that of whoever has the most votes."""
    highest, winner = (graph.add("ArgMax", one, axis=1, keepdims=1) for one in (scores, votes))
    best, own = (graph.add("GatherElements", scores, place, axis=1) for place in (highest, winner))
    moved = graph.add("ScatterElements", scores, highest, own, axis=1)
    return graph.add("ScatterElements", moved, winner, best, axis=1)


def _regressor(model: Any, graph: Graph, name: str) -> Said:
    return Said(graph.linear(_kernel(model, graph, name), model._dual_coef_[:1].T, model._intercept_[:1]))


def _floor(model: Any, graph: Graph, name: str) -> Said:
    if model.strategy != "prior":
        raise InputError(f"a dummy of the strategy {model.strategy!r} cannot be written in ONNX; export without --onnx")
    return Said(_same(graph, name, np.asarray(model.class_prior_)))


def _mean(model: Any, graph: Graph, name: str) -> Said:
    return Said(_same(graph, name, np.ravel(model.constant_)))


def _same(graph: Graph, name: str, values: Any) -> str:
    """Return the same numbers for each row."""
    nothing = graph.add("Mul", graph.cast(graph.take(name, [0]), np.float64), graph.constant([0.0]))
    return graph.add("Add", nothing, graph.constant(values))


CONVERTERS = {
    "sklearn.linear_model._logistic.LogisticRegression": _logistic,
    "ser_experiments.models.discriminant.LinearDiscriminantAnalysis": _logistic,
    "sklearn.linear_model._ridge.Ridge": _ridge,
    "ser_experiments.models.pairwise.SVC": _machine,
    "ser_experiments.models.pairwise.SVR": _regressor,
    "sklearn.dummy.DummyClassifier": _floor,
    "sklearn.dummy.DummyRegressor": _mean,
}
