"""The bytes of an XGBoost model, checked before XGBoost reads them: it trusts numbers of places and of branches.

They are UBJSON, with the schema of XGBoost's JSON models: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
and https://ubjson.org.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: By their marks: whole numbers and real ones, as they lie in the bytes.
_KINDS = {b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8", b"d": ">f4", b"D": ">f8"}
_ONE = {mark: struct.Struct(">" + code) for mark, code in zip(_KINDS, "bBhlqfd", strict=True)}
_WHOLE = (b"i", b"U", b"I", b"l", b"L")
_CONSTANTS = {b"Z": None, b"T": True, b"F": False}
#: So deep do its values stand in each other.
_DEEPEST = 16
#: By the number of classes; none are numbers.
_OBJECTIVES = {0: "reg:squarederror", 1: "binary:logistic", 2: "binary:logistic"}
_SEVERAL = "multi:softprob"
#: What a tree says of each of its nodes.
_OF_NODES = (
    "base_weights", "default_left", "left_children", "loss_changes", "parents", "right_children", "split_conditions",
    "split_indices", "split_type", "sum_hessian",
)  # fmt: skip
_NO_CATEGORIES = ("categories", "categories_nodes", "categories_segments", "categories_sizes")
_NO_PARENT = 2**31 - 1


class _Reader:
    """Reads values of UBJSON from bytes; everything that is wrong is a ValueError."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def value(self, depth: int = 0) -> Any:
        if depth > _DEEPEST:
            raise ValueError("holds an XGBoost model that is nested too deeply")
        mark = self._take(1)
        if mark == b"{":
            return self._mapping(depth)
        if mark == b"[":
            return self._array(depth)
        if mark == b"S":
            return self._text()
        if mark in _CONSTANTS:
            return _CONSTANTS[mark]
        return self._number(mark)

    def _take(self, count: int) -> bytes:
        end = self.at + count
        if count < 0 or end > len(self.content):
            raise ValueError("holds an XGBoost model that is cut off")
        found = self.content[self.at : end]
        self.at = end
        return found

    def _number(self, mark: bytes) -> Any:
        form = _ONE.get(mark)
        if form is None:
            raise ValueError("holds an XGBoost model with strange marks")
        return form.unpack(self._take(form.size))[0]

    def _count(self) -> int:
        mark = self._take(1)
        if mark not in _WHOLE:
            raise ValueError("holds an XGBoost model with strange marks")
        return int(self._number(mark))

    def _text(self) -> str:
        return self._take(self._count()).decode()

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.content[self.at : self.at + 1] != b"}":
            name = self._text()
            if name in found:
                raise ValueError("holds an XGBoost model that says a thing twice")
            found[name] = self.value(depth + 1)
        self.at += 1
        return found

    def _array(self, depth: int) -> Any:
        kind = None
        if self.content[self.at : self.at + 1] == b"$":
            self.at += 1
            kind = self._take(1)
        if self.content[self.at : self.at + 1] == b"#":
            self.at += 1
            count = self._count()
            if kind is None:
                if not 0 <= count <= len(self.content):
                    raise ValueError("holds an XGBoost model that is cut off")
                return [self.value(depth + 1) for _ in range(count)]
            if kind not in _KINDS:
                raise ValueError("holds an XGBoost model with strange marks")
            form = np.dtype(_KINDS[kind])
            return np.frombuffer(self._take(count * form.itemsize), dtype=form)
        if kind is not None:
            raise ValueError("holds an XGBoost model with strange marks")
        found = []
        while self.content[self.at : self.at + 1] != b"]":
            found.append(self.value(depth + 1))
        self.at += 1
        return found


def check_booster(content: object, n_classes: int, n_features: Any) -> None:
    """Refuse bytes that XGBoost would stumble over.

    Parameters
    ----------
    content : ndarray of shape (n_bytes,), uint8
        Empty where the training rows held one class.
    n_classes : int
        Of the classifier that holds them; 0 of a regressor.
    n_features : int
        Columns that it was fitted on.

    Raises
    ------
    ValueError
        They are no whole model of trees over numbers, as this program makes them.
    """
    if not isinstance(content, np.ndarray) or content.dtype != np.uint8 or content.ndim != 1:
        raise ValueError("holds no bytes of an XGBoost model")
    if not content.size and n_classes == 1:
        return
    reader = _Reader(content.tobytes())
    try:
        model = reader.value()
        if reader.at != len(reader.content):
            raise ValueError("holds more than an XGBoost model")
        _check_model(model["learner"], n_classes, n_features)
    except (KeyError, TypeError, AttributeError, struct.error, IndexError, OverflowError) as error:
        raise ValueError(f"holds an XGBoost model of other parts ({type(error).__name__})") from error


def _check_model(learner: dict[str, Any], n_classes: int, n_features: int) -> None:
    groups = n_classes if n_classes > 2 else 1
    told, booster = learner["learner_model_param"], learner["gradient_booster"]
    if booster["name"] != "gbtree" or learner["objective"]["name"] != _OBJECTIVES.get(n_classes, _SEVERAL):
        raise ValueError("holds an XGBoost model of another kind")
    if _whole(told["num_class"]) != (groups if groups > 1 else 0) or _whole(told["num_feature"]) != n_features:
        raise ValueError("holds an XGBoost model of other classes or columns")
    if _whole(told.get("num_target", "1")) != 1 or len(learner["feature_names"]) or len(learner["feature_types"]):
        raise ValueError("holds an XGBoost model of another kind")
    of_objective = {key: value for key, value in learner["objective"].items() if key != "name"}
    if groups > 1 and _whole(of_objective["softmax_multiclass_param"]["num_class"]) != groups:
        raise ValueError("holds an XGBoost model of other classes")
    base = np.array([float(one) for one in told["base_score"].strip("[]").split(",")])
    if len(base) not in (1, groups) or not np.isfinite(base).all():
        raise ValueError("holds an XGBoost model that begins with no number")
    model = booster["model"]
    trees, groups_of = model["trees"], np.asarray(model["tree_info"])
    rounds = np.asarray(model.get("iteration_indptr", [0, len(trees)]))
    if len(groups_of) != len(trees) or _whole(model["gbtree_model_param"]["num_trees"]) != len(trees):
        raise ValueError("holds an XGBoost model of other trees than it says")
    if len(trees) and not ((groups_of >= 0) & (groups_of < groups)).all():
        raise ValueError("holds XGBoost trees of other classes")
    if rounds[0] != 0 or rounds[-1] != len(trees) or (np.diff(rounds) < 0).any():
        raise ValueError("holds an XGBoost model of other trees than it says")
    if any(len(one) for one in model.get("cats", {}).values()):
        raise ValueError("holds an XGBoost model of categories")
    _check_trees(trees, int(n_features))


def _check_trees(trees: list[dict[str, Any]], n_features: int) -> None:
    """Check all trees at once: the nodes of each stand behind those of the one before."""
    sizes = []
    for number, tree in enumerate(trees):
        told = tree["tree_param"]
        n_nodes = _whole(told["num_nodes"])
        if tree["id"] != number or _whole(told["num_feature"]) != n_features or n_nodes < 1:
            raise ValueError("holds an XGBoost tree of other columns, or of no nodes")
        if _whole(told.get("size_leaf_vector", "1")) > 1 or any(len(tree[name]) for name in _NO_CATEGORIES):
            raise ValueError("holds an XGBoost tree of another kind")
        if any(len(tree[name]) != n_nodes for name in _OF_NODES):
            raise ValueError("holds an XGBoost tree whose parts have different lengths")
        sizes.append(n_nodes)
    if not trees:
        return
    every = {name: np.concatenate([np.asarray(tree[name]) for tree in trees]) for name in _OF_NODES}
    counts = np.array(sizes)
    begins = np.repeat(np.cumsum(counts) - counts, counts)
    number, below = np.arange(counts.sum()) - begins, np.repeat(counts, counts)
    left, right, parents = (_ints(every[name]) for name in ("left_children", "right_children", "parents"))
    inner = left != -1
    if ((right == -1) == inner).any() or _ints(every["split_type"]).any():
        raise ValueError("holds an XGBoost tree with half a branch, or of categories")
    for child in (left[inner], right[inner]):
        if ((child <= number[inner]) | (child >= below[inner])).any():
            raise ValueError("holds an XGBoost tree whose branches lead nowhere or back up")
        if (parents[begins[inner] + child] != number[inner]).any():
            raise ValueError("holds an XGBoost tree whose branches do not lead back")
    if (parents[number == 0] != _NO_PARENT).any():
        raise ValueError("holds an XGBoost tree without a root")
    asked = _ints(every["split_indices"])[inner]
    if ((asked < 0) | (asked >= n_features)).any():
        raise ValueError("holds an XGBoost tree that asks for columns that there are not")


def _ints(values: NDArray[Any]) -> NDArray[np.int64]:
    if values.dtype.kind not in "iu":
        raise ValueError("holds an XGBoost tree whose places are no numbers")
    return values.astype(np.int64)


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise ValueError("holds an XGBoost model with a number that is none")
    return int(text)
