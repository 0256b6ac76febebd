"""Boosted trees of XGBoost, whose booster is kept as plain bytes: what the classifier and the regressor share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

if TYPE_CHECKING:
    import xgboost


@dataclass(kw_only=True, eq=False, repr=False)
class Trees(BaseEstimator):
    """How trees are grown, kept and asked; the dataclass writes the ``__init__`` that scikit-learn wants.

    Parameters
    ----------
    n_estimators : int, default=200
        Rounds; each fits one tree, of several classes one a class.
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
    device : str, default="cpu"
        ``"cuda"`` with the full build of XGBoost.
    n_jobs : int, default=1
        Threads.
    random_state : int, RandomState or None, default=None
        Seed of the rows and columns drawn.

    Attributes
    ----------
    booster_ : ndarray of shape (n_bytes,), uint8
        The booster in XGBoost's UBJSON format.
    n_features_in_ : int
    """

    n_estimators: int = 200
    learning_rate: float = 0.05
    max_depth: int = 4
    min_child_weight: float = 1.0
    gamma: float = 0.0
    subsample: float = 0.7
    colsample_bytree: float = 0.1
    colsample_bynode: float = 1.0
    max_bin: int = 64
    reg_alpha: float = 0.0
    reg_lambda: float = 1.0
    device: str = "cpu"
    n_jobs: int = 1
    random_state: int | np.random.RandomState | None = None

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
        "device": [StrOptions({"cpu", "cuda", "gpu", *(f"cuda:{n}" for n in range(16))})],
        "n_jobs": [Integral],
        "random_state": ["random_state"],
    }

    #: Parameters that XGBoost has other names for.
    _own: ClassVar[frozenset[str]] = frozenset({"n_estimators", "class_weight", "n_jobs", "random_state"})

    def _grow(self, data: NDArray[Any], truth: NDArray[Any], weights: Any, objective: Mapping[str, object]) -> None:
        """Grow the trees of a fit and keep their bytes."""
        import xgboost

        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31 - 1)
        params = {name: value for name, value in self.get_params().items() if name not in self._own}
        params |= {"seed": int(seed), "nthread": self.n_jobs, "tree_method": "hist", "verbosity": 0, **objective}
        matrix = xgboost.QuantileDMatrix(data, label=truth, weight=weights, max_bin=self.max_bin, nthread=self.n_jobs)
        booster = xgboost.train(params, matrix, num_boost_round=self.n_estimators)
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

        booster = xgboost.Booster({"nthread": self.n_jobs})
        booster.load_model(bytearray(self.booster_.tobytes()))
        return booster

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
