"""Trees of any library as one operator of ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_experiments.serving.onnx.graph import ML, Graph


@dataclass(frozen=True)
class Tree:
    """One tree.

    Parameters
    ----------
    left, right : ndarray of shape (n_nodes,), int
        The node that a row goes to; -1 of leaves.
    column : ndarray of shape (n_nodes,), int
        What a node looks at.
    threshold : ndarray of shape (n_nodes,), float64
        Below it, or at it too, a row goes to the left.
    missing_left : ndarray of shape (n_nodes,), bool
        Whether rows without a value do.
    answers : ndarray of shape (n_nodes, n_outputs), float64
        What leaves add.
    """

    left: NDArray[Any]
    right: NDArray[Any]
    column: NDArray[Any]
    threshold: NDArray[np.float64]
    missing_left: NDArray[np.bool_]
    answers: NDArray[np.float64]


def sum_of_trees(graph: Graph, name: str, trees: Sequence[Tree], *, with_equal: bool) -> str:
    """Return the sum of what trees answer, shape (n_rows, n_outputs), float64.

    Parameters
    ----------
    graph : Graph
        Grows.
    name : str
        Of rows, float32.
    trees : sequence of Tree
        With as many outputs each.
    with_equal : bool
        Whether a value that equals a threshold goes to the left.
    """
    from onnx import numpy_helper

    mode = "BRANCH_LEQ" if with_equal else "BRANCH_LT"
    inner = [tree.left >= 0 for tree in trees]
    leaves = [np.flatnonzero(~one) for one in inner]
    n_outputs = trees[0].answers.shape[1]
    weights = np.concatenate([tree.answers[at].ravel() for tree, at in zip(trees, leaves, strict=True)])
    thresholds = np.concatenate([np.where(at, tree.threshold, 0.0) for tree, at in zip(trees, inner, strict=True)])
    found = graph.add(
        "TreeEnsembleRegressor",
        graph.cast(name, np.float64),
        domain=ML,
        n_targets=n_outputs,
        nodes_treeids=np.repeat(np.arange(len(trees)), [len(tree.left) for tree in trees]).tolist(),
        nodes_nodeids=np.concatenate([np.arange(len(tree.left)) for tree in trees]).tolist(),
        nodes_featureids=_inner(trees, inner, "column"),
        nodes_modes=[mode if one else "LEAF" for at in inner for one in at],
        nodes_values_as_tensor=numpy_helper.from_array(thresholds.astype(np.float64)),
        nodes_truenodeids=_inner(trees, inner, "left"),
        nodes_falsenodeids=_inner(trees, inner, "right"),
        nodes_missing_value_tracks_true=_inner(trees, inner, "missing_left"),
        target_treeids=np.repeat(np.arange(len(trees)), [len(at) * n_outputs for at in leaves]).tolist(),
        target_nodeids=np.concatenate([np.repeat(at, n_outputs) for at in leaves]).tolist(),
        target_ids=np.tile(np.arange(n_outputs), sum(map(len, leaves))).tolist(),
        target_weights_as_tensor=numpy_helper.from_array(weights.astype(np.float64)),
    )
    return graph.cast(found, np.float64)


def _inner(trees: Sequence[Tree], inner: Sequence[NDArray[np.bool_]], field: str) -> list[int]:
    """Return a field of all nodes, 0 of leaves."""
    return np.concatenate(
        [np.where(at, getattr(tree, field), 0) for tree, at in zip(trees, inner, strict=True)]
    ).astype(int).tolist()  # fmt: skip
