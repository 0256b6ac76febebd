"""What the two kinds of forest share."""

from __future__ import annotations

NAMES = (
    "n_estimators",
    "criterion",
    "max_depth",
    "max_features",
    "max_leaf_nodes",
    "max_samples",
    "min_samples_leaf",
    "min_samples_split",
    "min_impurity_decrease",
    "bootstrap",
    "ccp_alpha",
    "class_weight",
    "n_jobs",
    "random_state",
)
#: Parameters that mean something to classes alone; impurity has other names for numbers.
OF_CLASSES = ("class_weight", "criterion")
OF_NUMBERS = tuple(name for name in NAMES if name not in OF_CLASSES)
#: Leaves of two rows: pure leaves answer 0 and 1, which averages into poor probabilities on a few hundred rows.
DEFAULTS: dict[str, object] = {"n_estimators": 400, "max_features": "sqrt", "min_samples_leaf": 2, "n_jobs": 1}
#: Held by every saved forest or tree.
TRUSTED = ("sklearn.tree._tree.Tree",)
