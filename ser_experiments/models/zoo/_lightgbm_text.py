"""The text of a LightGBM model, checked before LightGBM reads it: it trusts numbers of places and of branches.

The format is that of ``Booster.model_to_string``: a head, the trees, each of the bytes that the head says, and notes.
https://github.com/lightgbm-org/LightGBM/blob/master/src/boosting/gbdt_model_text.cpp
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Lines of the head; the marks have no value.
_HEAD = {
    "tree", "version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective",
    "average_output", "feature_names", "feature_infos", "tree_sizes", "monotone_constraints",
}  # fmt: skip
#: Numbers a tree has: of splits, and of leaves; whole ones first.
_OF_SPLITS = ("split_feature", "decision_type", "left_child", "right_child", "internal_count")
_OF_SPLITS_REAL = ("split_gain", "threshold", "internal_value", "internal_weight")
_OF_LEAVES, _OF_LEAVES_REAL = ("leaf_count",), ("leaf_value", "leaf_weight")
_ONE = ("num_leaves", "num_cat", "is_linear", "shrinkage")
_KEYS = {*_OF_SPLITS, *_OF_SPLITS_REAL, *_OF_LEAVES, *_OF_LEAVES_REAL, *_ONE}
_WHOLE, _REAL = re.compile(r"[-\d ]*"), re.compile(r"[-+.\deinfa ]*")
_OBJECTIVE = re.compile(
    r"regression|binary sigmoid:1|multiclass num_class:(\d+)|multiclassova num_class:(\d+) sigmoid:1"
)
#: What follows the trees: how often columns were asked for, the settings of the fit, and no categories.
_NOTES = re.compile(
    r"end of trees\n\nfeature_importances:\n(?:[^\n]+=[\d.e+]+\n)*+\n"
    r"(?:parameters:\n(?:\[[a-z_0-9]+: [^\]\n\x00]*\]\n)*+\nend of parameters\n)?+\n*"
    r"(?:pandas_categorical:(?:null|\[\])\n*)?+"
)
#: A split that asks for a category; families here have none.
_CATEGORICAL, _MOST_DECISIONS = 1, 16
_MOST_LEAVES, _MOST_CLASSES = 131_072, 10_000


def check_text(text: object) -> None:
    """Refuse a text that LightGBM would stumble over.

    Raises
    ------
    ValueError
        It is no whole model of trees over numbers, as this program makes them.
    """
    if not isinstance(text, str):
        raise ValueError("holds no text of a LightGBM model")
    first, begin, _ = text.partition("\nTree=0\n")
    if not begin or "\0" in text:
        raise ValueError("holds a LightGBM model without trees")
    head = _lines(first.removesuffix("\n").split("\n"), _HEAD)
    n_features = _whole(head, "max_feature_idx") + 1
    n_classes, a_round = _whole(head, "num_class"), _whole(head, "num_tree_per_iteration")
    objective = _OBJECTIVE.fullmatch(head.get("objective", ""))
    told = next((int(one) for one in objective.groups() if one), 1) if objective else 0
    if not head.get("version", "").startswith("v") or "tree" not in head or told != n_classes or a_round != n_classes:
        raise ValueError("holds a LightGBM model of another kind")
    if not 1 <= n_classes <= _MOST_CLASSES:
        raise ValueError("holds a LightGBM model of no classes")
    for name in ("feature_names", "feature_infos"):
        if len(head.get(name, "").split(" ")) != n_features:
            raise ValueError(f"holds a LightGBM model whose {name} are not {n_features}")
    sizes = _numbers([head.get("tree_sizes", "")], _WHOLE)
    _check_trees(_trees(text.encode(), len(first.encode()) + 1, sizes), n_features)
    if len(sizes) % a_round:
        raise ValueError("holds half a round of trees")


def _trees(content: bytes, begin: int, sizes: NDArray[Any]) -> list[dict[str, str]]:
    """Return the lines of each tree, cut where the head says, as LightGBM cuts them."""
    if not len(sizes) or (sizes <= 0).any() or begin + int(sizes.sum()) > len(content):
        raise ValueError("holds a LightGBM model whose trees do not lie where it says")
    ends = begin + np.cumsum(sizes)
    found = []
    for number, (start, end) in enumerate(zip(ends - sizes, ends, strict=True)):
        name, *lines = content[start:end].decode().rstrip("\n").split("\n")
        if name != f"Tree={number}":
            raise ValueError("holds a LightGBM model whose trees do not lie where it says")
        tree = _lines(lines, _KEYS)
        if tree.keys() != _KEYS:
            raise ValueError("holds a LightGBM tree of other parts")
        found.append(tree)
    if not _NOTES.fullmatch(content[int(ends[-1]) :].decode()):
        raise ValueError("holds a LightGBM model whose trees do not end where it says, or with strange notes")
    return found


def _check_trees(trees: list[dict[str, str]], n_features: int) -> None:
    """Check all trees at once: the numbers of each stand behind those of the one before."""
    leaves = np.array([_whole(tree, "num_leaves") for tree in trees])
    if (leaves < 1).any() or (leaves > _MOST_LEAVES).any():
        raise ValueError("holds a LightGBM tree of no leaves, or of too many")
    if any(tree["num_cat"] != "0" or tree["is_linear"] != "0" for tree in trees):
        raise ValueError("holds a LightGBM tree of categories or of lines")
    _numbers([tree["shrinkage"] for tree in trees], _REAL, np.ones_like(leaves))
    # A tree of one leaf is written without splits, and need not say more than what it answers.
    inner, alone = leaves - 1, leaves == 1
    split = {name: _numbers([tree[name] for tree in trees], _WHOLE, inner) for name in _OF_SPLITS}
    for name in _OF_SPLITS_REAL:
        _numbers([tree[name] for tree in trees], _REAL, inner)
    for name in _OF_LEAVES:
        _numbers([tree[name] for tree in trees], _WHOLE, leaves, may_lack=alone)
    for name in _OF_LEAVES_REAL:
        _numbers([tree[name] for tree in trees], _REAL, leaves, may_lack=alone & (name != "leaf_value"))
    if ((split["split_feature"] < 0) | (split["split_feature"] >= n_features)).any():
        raise ValueError("holds a LightGBM tree that asks for columns that there are not")
    decisions = split["decision_type"]
    if ((decisions < 0) | (decisions >= _MOST_DECISIONS) | (decisions & _CATEGORICAL != 0)).any():
        raise ValueError("holds a LightGBM tree of decisions that are none")
    # A branch leads to a later split of the same tree, or, counted from -1 down, to one of its leaves.
    number = np.arange(inner.sum()) - np.repeat(np.cumsum(inner) - inner, inner)
    below, ends = np.repeat(inner, inner), np.repeat(leaves, inner)
    for child in (split["left_child"], split["right_child"]):
        leads = np.where(child >= 0, (child > number) & (child < below), -child <= ends)
        if not leads.all():
            raise ValueError("holds a LightGBM tree whose branches lead nowhere or back up")


def _lines(lines: list[str], known: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition("=")
        if name not in known or name in found:
            raise ValueError("holds a LightGBM model with strange lines")
        found[name] = value
    return found


def _whole(lines: dict[str, str], name: str) -> int:
    value = lines.get(name, "")
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise ValueError(f"holds a LightGBM model whose {name} is no number")
    return int(value)


def _numbers(
    texts: list[str], form: re.Pattern[str], counts: NDArray[Any] | None = None, may_lack: NDArray[Any] | None = None
) -> NDArray[Any]:
    """Return the numbers of some lines, one after the other; each line must have as many as is said."""
    if not all(form.fullmatch(text) for text in texts):
        raise ValueError("holds a LightGBM model with numbers that are none")
    parts = [text.split() for text in texts]
    if counts is not None:
        found = np.array([len(part) for part in parts])
        fits = found == counts if may_lack is None else (found == counts) | ((found == 0) & may_lack)
        if not fits.all():
            raise ValueError("holds a LightGBM tree whose parts have different lengths")
    return np.array([one for part in parts for one in part], dtype=np.int64 if form is _WHOLE else np.float64)


def check_model(model: Any) -> None:
    """Refuse a classifier or a regressor that does not go with the booster that it holds.

    Raises
    ------
    ValueError
        It is of other classes or columns, or has settings that no definition gives.
    """
    from ser_experiments.models.zoo.lightgbm import NAMES

    booster = model._Booster
    if booster is None:  # what another estimator fits copies of
        return
    known = vars(model).get("_classes")
    n_classes = 0 if known is None else len(known)
    if booster.num_model_per_iteration() != (n_classes if n_classes > 2 else 1):
        raise ValueError("holds LightGBM trees of other classes")
    if (model._objective == "regression") != (n_classes == 0):
        raise ValueError("holds LightGBM trees of another kind")
    if not booster.num_feature() == model.n_features_in_ == model._n_features:
        raise ValueError("holds LightGBM trees of other columns")
    if not set(model._other_params) <= set(NAMES) or booster.params.keys() & {"predict_disable_shape_check"}:
        raise ValueError("holds settings of LightGBM that no definition gives")
