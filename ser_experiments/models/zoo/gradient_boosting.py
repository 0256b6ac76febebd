"""scikit-learn's gradient boosting, with class weights."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _check_sample_weight

from ser_experiments.models.row_weights import row_weights
from ser_experiments.models.spec import ModelSpec, Regression


class WeightedGradientBoosting(GradientBoostingClassifier):
    """Gradient boosting that knows ``class_weight``, which scikit-learn's own does not.

    Parameters
    ----------
    n_estimators : int, default=200
        Rounds; each fits one tree a class.
    learning_rate : float, default=0.05
        Shrinkage of each tree.
    max_depth : int, default=3
        Depth of a tree.
    max_features : {"sqrt", "log2"}, int, float or None, default="sqrt"
        Columns tried at a split. All of a thousand columns would take a minute and a half a fit.
    subsample : float, default=0.7
        Part of the rows that each tree sees.
    min_samples_leaf : int, default=3
        Rows a leaf holds at least.
    min_weight_fraction_leaf : float, default=0.0
        Part of the total weight a leaf holds at least.
    n_iter_no_change : int, optional
        Stop after this many rounds without gain on `validation_fraction` of the rows. Those rows are drawn at
        random, so their speakers are known: tune `n_estimators` on grouped folds rather than stop by this.
    validation_fraction : float, default=0.1
        See `n_iter_no_change`.
    class_weight : {"balanced"}, dict or None, default=None
        Weights of the classes; they multiply ``sample_weight``.
    random_state : int, RandomState or None, default=None
        Seed of the rows and columns drawn.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **GradientBoostingClassifier._parameter_constraints,
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }

    def __init__(
        self,
        *,
        n_estimators: int = 200,
        learning_rate: float = 0.05,
        max_depth: int = 3,
        max_features: str | int | float | None = "sqrt",
        subsample: float = 0.7,
        min_samples_leaf: int = 3,
        min_weight_fraction_leaf: float = 0.0,
        n_iter_no_change: int | None = None,
        validation_fraction: float = 0.1,
        class_weight: str | dict[object, float] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(
            n_estimators=n_estimators,
            learning_rate=learning_rate,
            max_depth=max_depth,
            max_features=max_features,
            subsample=subsample,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            n_iter_no_change=n_iter_no_change,
            validation_fraction=validation_fraction,
            random_state=random_state,
        )
        self.class_weight = class_weight

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, monitor: object = None
    ) -> WeightedGradientBoosting:
        """Fit the trees; the class weights multiply `sample_weight`, see scikit-learn's ``fit``."""
        if self.class_weight is not None:
            given = None if sample_weight is None else _check_sample_weight(sample_weight, X)
            sample_weight = row_weights(self.class_weight, y, given)
        return super().fit(X, y, sample_weight=sample_weight, monitor=monitor)


#: As of the classifier.
_DEFAULTS: dict[str, Any] = {
    name: one.default
    for name, one in inspect.signature(WeightedGradientBoosting).parameters.items()
    if name != "class_weight"
}


def build_regressor(**params: object) -> GradientBoostingRegressor:
    """Build the regressor, of squared errors."""
    return GradientBoostingRegressor(**{**_DEFAULTS, **params})


SPEC = ModelSpec(
    build=WeightedGradientBoosting,
    params=lambda: list(inspect.signature(WeightedGradientBoosting).parameters),
    estimator="ser_experiments.models.zoo.gradient_boosting.WeightedGradientBoosting",
    regression=Regression(
        build=build_regressor,
        params=lambda: list(_DEFAULTS),
        estimator="sklearn.ensemble.GradientBoostingRegressor",
    ),
    trusted_types=(
        "ser_experiments.models.zoo.gradient_boosting.WeightedGradientBoosting",
        "sklearn.tree._tree.Tree",
    ),
)
