"""Whether an estimator that was read from a file holds together, before it is asked anything.

What is read holds known types alone and runs nothing, but its numbers may have been altered. Most of them give wrong
answers then, or an error. Libraries in C follow them without a look: places beyond an array end the process, and a tree
whose branches lead back up is walked for ever. Each check here raises a ValueError; families have their own
(:class:`~ser_experiments.models.spec.ModelSpec`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier, DummyRegressor

#: Kernels that libsvm takes of rows themselves.
_KERNELS = ("linear", "poly", "rbf", "sigmoid")
#: Threads that anybody has.
_MOST_JOBS = 1024
#: Checks of what an estimator is made of.
Check = Callable[[Any], None]


def parts(estimator: object) -> Iterator[Any]:
    """Yield an estimator and everything that it holds, but for numbers and texts; each object once."""
    seen: set[int] = set()
    left: list[Any] = [estimator]
    while left:
        one = left.pop()
        if one is None or isinstance(one, str | bytes | int | float | np.generic | type) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, dict):
            left += one.values()
        elif isinstance(one, list | tuple | set | frozenset):
            left += one
        elif isinstance(one, np.ndarray):
            left += one.ravel().tolist() if one.dtype == object else []
        else:
            yield one
            left.append(getattr(one, "__dict__", None))


def types_of(estimator: object) -> list[str]:
    """Return the classes of the estimators that an estimator consists of, itself included, in alphabetical order."""
    kinds = {type(one) for one in parts(estimator) if isinstance(one, BaseEstimator)}
    return sorted(f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)


def check_sound(estimator: object, checks: Sequence[tuple[str, Check]] = ()) -> None:
    """Check everything that an estimator consists of.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    checks : sequence of (str, callable)
        By the class that each is for.

    Raises
    ------
    ValueError
        Something in it was altered.
    """
    by_type: dict[str, list[Check]] = {}
    for name, check in (*_OWN, *checks):
        by_type.setdefault(name, []).append(check)
    for one in parts(estimator):
        # Also what was made of such a class, e.g. this project's own support vector machine.
        for kind in type(one).__mro__[:-1]:
            for check in by_type.get(f"{kind.__module__}.{kind.__qualname__}", ()):
                check(one)


def check_tree(left: NDArray[Any], right: NDArray[Any], feature: NDArray[Any], n_features: int) -> None:
    """Check that a tree is one: branches lead down to nodes that there are, and ask for columns that there are.

    Parameters
    ----------
    left, right : ndarray of shape (n_nodes,)
        Children of each node, -1 below a leaf. A child is numbered after its parent, as every library here does.
    feature : ndarray of shape (n_nodes,)
        The column that a node asks for; of a leaf it does not count.
    n_features : int
        Columns.
    """
    n_nodes = len(left)
    if len(right) != n_nodes or len(feature) != n_nodes or not n_nodes:
        raise ValueError("holds a tree without nodes, or of parts of different lengths")
    inner = left != -1
    if ((right == -1) == inner).any():
        raise ValueError("holds a tree with half a branch")
    number = np.arange(n_nodes)[inner]
    for child in (left[inner], right[inner]):
        if (child <= number).any() or (child >= n_nodes).any():
            raise ValueError("holds a tree whose branches lead nowhere or back up")
    if (feature[inner] < 0).any() or (feature[inner] >= n_features).any():
        raise ValueError("holds a tree that asks for columns that there are not")


def _check_sklearn_tree(tree: Any) -> None:
    check_tree(tree.children_left, tree.children_right, tree.feature, tree.n_features)


def _check_tree_columns(estimator: Any) -> None:
    tree = vars(estimator).get("tree_")
    if tree is not None and tree.n_features != estimator.n_features_in_:
        raise ValueError("holds a tree of other columns")


def _check_members(ensemble: Any) -> None:
    """Check that all trees are of the columns that a forest looks for; it hands them rows without a look."""
    members = vars(ensemble).get("estimators_")
    if members is not None and any(one.n_features_in_ != ensemble.n_features_in_ for one in np.ravel(members)):
        raise ValueError("holds trees of other columns")


def _check_boosting(booster: Any) -> None:
    """Check that what trees add to has room for it: what boosting begins with, and a tree a class a round."""
    if "estimators_" not in vars(booster):
        return
    _check_members(booster)
    # A regressor has no classes.
    known, begin = vars(booster).get("classes_"), booster.init_
    n_classes = 0 if known is None else len(known)
    a_round = n_classes if n_classes > 2 else 1
    if booster.estimators_.ndim != 2 or booster.estimators_.shape[1] != a_round:
        raise ValueError("holds trees of other classes")
    if (known is None) == isinstance(booster, ClassifierMixin) or booster.n_trees_per_iteration_ != a_round:
        raise ValueError("begins boosting with other classes")
    if known is None:
        if type(begin) is not DummyRegressor or np.size(begin.constant_) != 1:
            raise ValueError("begins boosting with something else than the mean of the truth")
        return
    if type(begin) is not DummyClassifier or np.shape(begin.class_prior_) != (n_classes,):
        raise ValueError("begins boosting with something else than the shares of the classes")
    if len(begin.classes_) != n_classes:
        raise ValueError("begins boosting with other classes")


def _check_libsvm(machine: Any) -> None:
    """Check what libsvm, which looks at no length, is handed by scikit-learn."""
    held = vars(machine)
    if "support_vectors_" not in held:  # what another estimator fits copies of
        return
    vectors, dual, counts = held["support_vectors_"], held["_dual_coef_"], held["_n_support"]
    # libsvm counts a regressor's support vectors twice, as if it had two classes.
    of_classes = isinstance(machine, ClassifierMixin)
    n_classes = len(held["classes_"]) if of_classes else 2
    shapes = {
        "support_vectors_": (len(held["support_"]), held["n_features_in_"]),
        "_dual_coef_": (n_classes - 1, len(held["support_"])),
        "_n_support": (n_classes,),
        "_intercept_": (n_classes * (n_classes - 1) // 2,),
    }
    for name, shape in shapes.items():
        if not isinstance(held[name], np.ndarray) or held[name].shape != shape:
            raise ValueError(f"holds {name} of another shape than {shape}")
    n_vectors = int(counts.sum()) if of_classes else int(counts[0])
    if (counts < 0).any() or n_vectors != len(vectors) or not np.isfinite(dual).all():
        raise ValueError("holds support vectors that belong to no class")
    places, n_rows = held["support_"], held["shape_fit_"][0]
    if held["kernel"] not in _KERNELS or (places < 0).any() or (places >= n_rows).any():
        raise ValueError("holds a support vector machine of another kernel, or of rows that there are not")
    if held.get("_sparse") or (len(held["_probA"]), len(held["_probB"])) not in ((0, 0), shapes["_intercept_"] * 2):
        raise ValueError("holds a support vector machine that was not fitted here")


def _check_jobs(estimator: Any) -> None:
    jobs = getattr(estimator, "n_jobs", None)
    if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, Integral) or abs(int(jobs)) > _MOST_JOBS):
        raise ValueError("wants more threads than there are")


#: Checks of what scikit-learn's compiled code follows without a look.
_OWN: tuple[tuple[str, Check], ...] = (
    ("sklearn.base.BaseEstimator", _check_jobs),
    ("sklearn.tree._tree.Tree", _check_sklearn_tree),
    ("sklearn.tree._classes.BaseDecisionTree", _check_tree_columns),
    ("sklearn.ensemble._forest.BaseForest", _check_members),
    ("sklearn.ensemble._gb.BaseGradientBoosting", _check_boosting),
    ("sklearn.svm._classes.SVC", _check_libsvm),
    ("sklearn.svm._classes.SVR", _check_libsvm),
)
