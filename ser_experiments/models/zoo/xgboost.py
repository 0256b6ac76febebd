"""XGBoost, on string labels and with class weights."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ser_experiments.models.row_weights import row_weights
from ser_experiments.models.spec import ModelSpec, Regression
from ser_experiments.models.zoo._xgboost_bytes import check_booster

if TYPE_CHECKING:
    import xgboost


class _Trees(BaseEstimator):
    """What both estimators share: trees kept as plain bytes, and how they are grown and asked."""

    #: Parameters that XGBoost has other names for.
    _own: ClassVar[frozenset[str]] = frozenset({"n_estimators", "class_weight", "n_jobs", "random_state"})
    booster_: NDArray[np.uint8]
    n_features_in_: int

    def _grow(self, data: NDArray[Any], truth: NDArray[Any], weights: Any, objective: Mapping[str, object]) -> None:
        """Grow the trees of a fit and keep their bytes."""
        import xgboost

        told = self.get_params()
        seed = told["random_state"]
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31 - 1)
        params = {name: value for name, value in told.items() if name not in self._own}
        params |= {"seed": int(seed), "nthread": told["n_jobs"], "tree_method": "hist", "verbosity": 0, **objective}
        matrix = xgboost.QuantileDMatrix(
            data, label=truth, weight=weights, max_bin=told["max_bin"], nthread=told["n_jobs"]
        )
        booster = xgboost.train(params, matrix, num_boost_round=told["n_estimators"])
        self.booster_ = np.frombuffer(bytes(booster.save_raw("ubj")), dtype=np.uint8).copy()

    def _ask(self, data: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(self._booster().inplace_predict(data, validate_features=False), dtype=np.float64)

    def _rows(self, X: ArrayLike) -> NDArray[Any]:
        """Return rows as they are asked for."""
        check_is_fitted(self)
        return validate_data(self, X, reset=False, dtype=[np.float32, np.float64], ensure_all_finite="allow-nan")

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        """Return each column's share of the loss reduction, shape (n_columns,)."""
        check_is_fitted(self)
        gains = np.zeros(self.n_features_in_)
        if self.booster_.size:
            for name, gain in self._booster().get_score(importance_type="total_gain").items():
                gains[int(name[1:])] = gain
        return gains / gains.sum() if gains.any() else gains

    def _booster(self) -> xgboost.Booster:
        import xgboost

        booster = xgboost.Booster({"nthread": self.get_params()["n_jobs"]})
        booster.load_model(bytearray(self.booster_.tobytes()))
        return booster

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class XGBoostClassifier(ClassifierMixin, _Trees):
    """Boosted trees whose labels are encoded per fit, and whose booster is kept as plain bytes.

    XGBoost's own classifier takes no strings, refuses training rows that lack a class, and has no ``class_weight``.

    Parameters
    ----------
    n_estimators : int, default=200
        Rounds; each fits one tree a class.
    learning_rate : float, default=0.05
        Shrinkage of each tree.
    max_depth : int, default=4
        Depth of a tree.
    min_child_weight : float, default=1.0
        Hessian sum a leaf holds at least.
    gamma : float, default=0.0
        Loss reduction a split must bring.
    subsample : float, default=0.7
        Part of the rows that each tree sees.
    colsample_bytree, colsample_bynode : float, default=0.1, 1.0
        Part of the columns that each tree, each split, sees. A tenth of a thousand correlated columns loses nothing
        and costs a tenth.
    max_bin : int, default=64
        Histogram bins a column.
    reg_alpha, reg_lambda : float, default=0.0, 1.0
        L1 and L2 penalties on the leaves.
    class_weight : {"balanced"}, dict or None, default=None
        Weights of the classes; they multiply ``sample_weight``.
    device : str, default="cpu"
        ``"cuda"`` with the full build of XGBoost.
    n_jobs : int, default=1
        Threads.
    random_state : int, RandomState or None, default=None
        Seed of the rows and columns drawn.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    booster_ : ndarray of shape (n_bytes,), uint8
        The booster in XGBoost's UBJSON format; empty where the training rows hold one class.
    n_features_in_ : int
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_depth": [Interval(Integral, 0, None, closed="left")],
        "min_child_weight": [Interval(Real, 0, None, closed="left")],
        "gamma": [Interval(Real, 0, None, closed="left")],
        "subsample": [Interval(Real, 0, 1, closed="right")],
        "colsample_bytree": [Interval(Real, 0, 1, closed="right")],
        "colsample_bynode": [Interval(Real, 0, 1, closed="right")],
        "max_bin": [Interval(Integral, 2, None, closed="left")],
        "reg_alpha": [Interval(Real, 0, None, closed="left")],
        "reg_lambda": [Interval(Real, 0, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "device": [StrOptions({"cpu", "cuda", "gpu", *(f"cuda:{n}" for n in range(16))})],
        "n_jobs": [Integral],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        n_estimators: int = 200,
        learning_rate: float = 0.05,
        max_depth: int = 4,
        min_child_weight: float = 1.0,
        gamma: float = 0.0,
        subsample: float = 0.7,
        colsample_bytree: float = 0.1,
        colsample_bynode: float = 1.0,
        max_bin: int = 64,
        reg_alpha: float = 0.0,
        reg_lambda: float = 1.0,
        class_weight: str | dict[object, float] | None = None,
        device: str = "cpu",
        n_jobs: int = 1,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.min_child_weight = min_child_weight
        self.gamma = gamma
        self.subsample = subsample
        self.colsample_bytree = colsample_bytree
        self.colsample_bynode = colsample_bynode
        self.max_bin = max_bin
        self.reg_alpha = reg_alpha
        self.reg_lambda = reg_lambda
        self.class_weight = class_weight
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state

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


class XGBoostRegressor(RegressorMixin, _Trees):
    """Boosted trees of squared errors, whose booster is kept as plain bytes; parameters are those of the classifier.

    Attributes
    ----------
    booster_ : ndarray of shape (n_bytes,), uint8
        The booster in XGBoost's UBJSON format.
    n_features_in_ : int
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        name: kinds for name, kinds in XGBoostClassifier._parameter_constraints.items() if name != "class_weight"
    }

    def __init__(
        self,
        *,
        n_estimators: int = 200,
        learning_rate: float = 0.05,
        max_depth: int = 4,
        min_child_weight: float = 1.0,
        gamma: float = 0.0,
        subsample: float = 0.7,
        colsample_bytree: float = 0.1,
        colsample_bynode: float = 1.0,
        max_bin: int = 64,
        reg_alpha: float = 0.0,
        reg_lambda: float = 1.0,
        device: str = "cpu",
        n_jobs: int = 1,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.min_child_weight = min_child_weight
        self.gamma = gamma
        self.subsample = subsample
        self.colsample_bytree = colsample_bytree
        self.colsample_bynode = colsample_bynode
        self.max_bin = max_bin
        self.reg_alpha = reg_alpha
        self.reg_lambda = reg_lambda
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state

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
