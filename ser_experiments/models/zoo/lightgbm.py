"""LightGBM, silent and deterministic."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator

from ser_experiments.models.spec import ModelSpec

#: Few bins and a tenth of the columns a tree: a thousand correlated columns lose nothing and cost a tenth.
#: ``deterministic`` needs one of the two force options; by row is the faster one at these shapes.
DEFAULTS: dict[str, Any] = {
    "n_estimators": 200,
    "learning_rate": 0.05,
    "num_leaves": 15,
    "max_depth": -1,
    "max_bin": 63,
    "min_child_samples": 10,
    "colsample_bytree": 0.1,
    "subsample": 0.7,
    "subsample_freq": 1,
    "reg_alpha": 0.0,
    "reg_lambda": 1.0,
    "extra_trees": False,
    "path_smooth": 0.0,
    "class_weight": None,
    "n_jobs": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
NAMES = (
    *DEFAULTS,
    "boosting_type",
    "min_child_weight",
    "min_split_gain",
    "random_state",
)


def build(**params: object) -> BaseEstimator:
    """Build the classifier."""
    from lightgbm import LGBMClassifier

    return LGBMClassifier(**{**DEFAULTS, **params})


SPEC = ModelSpec(
    build=build,
    params=lambda: NAMES,
    estimator="lightgbm.LGBMClassifier",
    libraries=("lightgbm",),
    without_effect=("verbosity",),
    trusted_types=(
        "collections.OrderedDict",
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
    ),
)
