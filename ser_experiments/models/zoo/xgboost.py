"""XGBoost, on string labels and with class weights, and on numbers."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, validate_data

from ser_experiments.models.row_weights import row_weights
from ser_experiments.models.spec import ModelSpec, Regression
from ser_experiments.models.zoo._xgboost_bytes import check_booster
from ser_experiments.models.zoo._xgboost_trees import Trees


@dataclass(kw_only=True, eq=False, repr=False)
class XGBoostClassifier(ClassifierMixin, Trees):
    """Boosted trees whose labels are encoded per fit; see :class:`Trees` for what is not said here.

    XGBoost's own classifier takes no strings, refuses training rows that lack a class, and has no ``class_weight``.

    Parameters
    ----------
    class_weight : {"balanced"}, dict or None, default=None
        Weights of the classes; they multiply ``sample_weight``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    booster_ : ndarray of shape (n_bytes,), uint8
        Empty where the training rows hold one class.
    """

    class_weight: str | dict[object, float] | None = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Trees._parameter_constraints,
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> XGBoostClassifier:
        """Fit the trees.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
            NaN is a missing value.
        y : array-like of shape (n_rows,)
            Class labels.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows.
        """
        self._validate_params()
        data, labels = validate_data(self, X, y, dtype=[np.float32, np.float64], ensure_all_finite="allow-nan")
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        given = None if sample_weight is None else _check_sample_weight(sample_weight, data)
        self.booster_ = np.empty(0, dtype=np.uint8)
        n_classes = len(self.classes_)
        if n_classes > 1:
            several = {"objective": "multi:softprob", "num_class": n_classes}
            objective = several if n_classes > 2 else {"objective": "binary:logistic"}
            self._grow(data, codes, row_weights(self.class_weight, labels, given), objective)
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return probabilities of shape (n_rows, n_classes) in the order of ``classes_``."""
        data = self._rows(X)
        if not self.booster_.size:
            return np.ones((len(data), 1))
        scores = self._ask(data)
        if scores.ndim == 1:
            return np.column_stack([1.0 - scores, scores])
        # The booster answers float32; sums are one to 1e-7 only.
        return scores / scores.sum(axis=1, keepdims=True)

    def predict(self, X: ArrayLike) -> NDArray[np.str_]:
        """Return the most probable class of each row."""
        winners = self.predict_proba(X).argmax(axis=1)
        return self.classes_[winners]

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what was saved; a ValueError where it would end the process to hand it to XGBoost."""
        if "booster_" in state:
            check_booster(state["booster_"], len(state["classes_"]), state["n_features_in_"])
        super().__setstate__(state)


@dataclass(kw_only=True, eq=False, repr=False)
class XGBoostRegressor(RegressorMixin, Trees):
    """Boosted trees of squared errors; see :class:`Trees`."""

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> XGBoostRegressor:
        """Fit the trees.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
            NaN is a missing value.
        y : array-like of shape (n_rows,)
            Numbers.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows.
        """
        self._validate_params()
        data, truth = validate_data(
            self, X, y, dtype=[np.float32, np.float64], ensure_all_finite="allow-nan", y_numeric=True
        )
        given = None if sample_weight is None else _check_sample_weight(sample_weight, data)
        self._grow(data, truth, given, {"objective": "reg:squarederror"})
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return a number for each row."""
        return self._ask(self._rows(X))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what was saved; a ValueError where it would end the process to hand it to XGBoost."""
        if "booster_" in state:
            check_booster(state["booster_"], 0, state["n_features_in_"])
        super().__setstate__(state)


SPEC = ModelSpec(
    build=XGBoostClassifier,
    params=lambda: list(inspect.signature(XGBoostClassifier).parameters),
    estimator="ser_experiments.models.zoo.xgboost.XGBoostClassifier",
    libraries=("xgboost-cpu|xgboost",),
    regression=Regression(
        build=XGBoostRegressor,
        params=lambda: list(inspect.signature(XGBoostRegressor).parameters),
        estimator="ser_experiments.models.zoo.xgboost.XGBoostRegressor",
    ),
    trusted_types=(
        "ser_experiments.models.zoo.xgboost.XGBoostClassifier",
        "ser_experiments.models.zoo.xgboost.XGBoostRegressor",
    ),
)
