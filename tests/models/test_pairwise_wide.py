"""On many columns the kernel is taken at once, which changes nothing but the time."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import svm
from sklearn.datasets import make_classification

from ser_experiments.models.pairwise import SVC
from ser_experiments.models.persistence import load_estimator, save_estimator


@pytest.mark.parametrize("kernel", [{"kernel": "linear"}, {"gamma": "scale"}, {"gamma": "auto"}, {"gamma": 1e-4}])
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("C", [1e-3, 1.0])
def test_it_is_scikit_learns_fit(n_classes: int, weighted: bool, C: float, kernel: dict[str, object]) -> None:
    X, y = make_classification(120, 300, n_informative=8, n_classes=n_classes, random_state=0)
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y)) if weighted else None
    told = {**kernel, "C": C, "class_weight": "balanced", "break_ties": True, "tol": 1e-6}
    ours, theirs = SVC(**told).fit(X, y, weights), svm.SVC(**told).fit(X, y, weights)
    np.testing.assert_array_equal(ours.support_, theirs.support_)
    np.testing.assert_allclose(ours.dual_coef_, theirs.dual_coef_, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    theirs.set_params(decision_function_shape="ovo", break_ties=False)
    margins = ours._decision_function(X)
    np.testing.assert_allclose(np.ravel(margins), np.ravel(theirs._decision_function(X)), rtol=1e-3, atol=1e-4)
    assert ours.n_features_in_ == 300
    assert ours.get_params() == theirs.set_params(decision_function_shape="ovr", break_ties=True).get_params()


@pytest.mark.parametrize("kernel", ["linear", "rbf", "poly", "sigmoid"])
@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("most_rows", [8192, 32])
def test_margins_are_libsvms(kernel: str, n_classes: int, most_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = make_classification(150, 300, n_informative=12, n_classes=n_classes, random_state=0)
    fitted = SVC(kernel=kernel, C=3.0, class_weight="balanced").fit(X[:100], y[:100])
    # More rows than are taken at a time.
    monkeypatch.setattr("ser_experiments.models.pairwise._MOST_ROWS", most_rows)
    theirs = svm.SVC._dense_decision_function(fitted, X[100:])
    np.testing.assert_allclose(fitted._dense_decision_function(X[100:]), theirs, rtol=0, atol=1e-12)


def test_a_saved_fit_answers_the_same(tmp_path: object) -> None:
    X, y = make_classification(60, 200, n_informative=8, n_classes=3, random_state=0)
    fitted = SVC(kernel="linear", C=0.01, break_ties=True).fit(X, y)
    save_estimator(fitted, tmp_path / "fit.skops")  # type: ignore[operator]
    again = load_estimator(tmp_path / "fit.skops")  # type: ignore[operator]
    np.testing.assert_array_equal(again.decision_function(X), fitted.decision_function(X))
    with pytest.raises(ValueError, match="200 features"):
        fitted.predict(X[:, :50])


def test_bad_rows_are_refused() -> None:
    X, y = make_classification(60, 200, random_state=0)
    X[3, 5] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        SVC(kernel="linear").fit(X, y)
