"""LightGBM, silent and deterministic."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions, validate_parameter_constraints

from ser_experiments.models.spec import ModelSpec, Regression
from ser_experiments.models.zoo._lightgbm_text import check_model, check_text

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
_POSITIVE, _SHARE = Interval(Real, 0, None, closed="neither"), Interval(Real, 0, 1, closed="right")
_NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
#: What each parameter may be; LightGBM itself finds out in the middle of a fit, or not at all.
CONSTRAINTS: dict[str, list[Any]] = {
    "n_estimators": [Interval(Integral, 1, None, closed="left")],
    "learning_rate": [_POSITIVE],
    "num_leaves": [Interval(Integral, 2, 131_072, closed="both")],
    "max_depth": [Integral],
    "max_bin": [Interval(Integral, 2, None, closed="left")],
    "min_child_samples": [Interval(Integral, 0, None, closed="left")],
    "colsample_bytree": [_SHARE],
    "subsample": [_SHARE],
    "subsample_freq": [Integral],
    "reg_alpha": [_NOT_NEGATIVE],
    "reg_lambda": [_NOT_NEGATIVE],
    "extra_trees": ["boolean"],
    "path_smooth": [_NOT_NEGATIVE],
    "class_weight": [StrOptions({"balanced"}), dict, None],
    "n_jobs": [Integral],
    "deterministic": ["boolean"],
    "force_row_wise": ["boolean"],
    "verbosity": [Integral],
    "boosting_type": [StrOptions({"gbdt", "dart", "rf"})],
    "min_child_weight": [_NOT_NEGATIVE],
    "min_split_gain": [_NOT_NEGATIVE],
    "random_state": ["random_state"],
}
NAMES = tuple(CONSTRAINTS)


def build(**params: object) -> BaseEstimator:
    """Build the classifier."""
    from lightgbm import LGBMClassifier

    validate_parameter_constraints(CONSTRAINTS, params, caller_name="LGBMClassifier")
    return LGBMClassifier(**{**DEFAULTS, **params})


def build_regressor(**params: object) -> BaseEstimator:
    """Build the regressor, of squared errors."""
    from lightgbm import LGBMRegressor

    validate_parameter_constraints(CONSTRAINTS, params, caller_name="LGBMRegressor")
    return LGBMRegressor(**{name: value for name, value in {**DEFAULTS, **params}.items() if name != "class_weight"})


def guard() -> None:
    """Let LightGBM read no model whose text was not checked: what was altered would end the process, or never end."""
    from lightgbm import Booster

    plain = Booster.__setstate__
    if getattr(plain, "is_checked", False):
        return

    def checked(self: Booster, state: dict[str, Any]) -> None:
        check_text(state.get("_handle", state.get("handle")))
        plain(self, state)

    checked.is_checked = True  # type: ignore[attr-defined]
    Booster.__setstate__ = checked  # type: ignore[method-assign]


SPEC = ModelSpec(
    build=build,
    params=lambda: NAMES,
    estimator="lightgbm.LGBMClassifier",
    libraries=("lightgbm",),
    without_effect=("verbosity",),
    regression=Regression(
        build=build_regressor,
        params=lambda: [name for name in NAMES if name != "class_weight"],
        estimator="lightgbm.LGBMRegressor",
    ),
    trusted_types=(
        "collections.OrderedDict",
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMRegressor",
    ),
    guard=guard,
    checks=(("lightgbm.sklearn.LGBMModel", check_model),),
)
