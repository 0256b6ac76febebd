"""Discriminant analysis: what scikit-learn's has, with weights of rows and more columns than rows."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import discriminant_analysis
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.utils.estimator_checks import parametrize_with_checks

from ser_experiments.models.discriminant import LinearDiscriminantAnalysis

SHAPES = pytest.mark.parametrize(("n_rows", "n_columns"), [(120, 10), (120, 119), (60, 300)])
CLASSES = pytest.mark.parametrize("n_classes", [2, 4])


def rows(n_rows: int, n_columns: int, n_classes: int) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    rng = np.random.default_rng(n_rows + n_columns)
    codes = rng.integers(0, n_classes, n_rows)
    codes[:n_classes] = np.arange(n_classes)
    mixed = rng.normal(size=(n_rows, n_columns)) @ rng.normal(size=(n_columns, n_columns)) / np.sqrt(n_columns)
    return mixed + rng.normal(size=(n_classes, n_columns))[codes], np.array(["a", "b", "c", "d"])[codes]


@SHAPES
@CLASSES
@pytest.mark.parametrize("shrinkage", [0.05, 0.5, 1.0])
def test_a_given_shrinkage_is_scikit_learns(n_rows: int, n_columns: int, n_classes: int, shrinkage: float) -> None:
    X, y = rows(n_rows, n_columns, n_classes)
    ours = LinearDiscriminantAnalysis(shrinkage=shrinkage).fit(X, y)
    theirs = discriminant_analysis.LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-8, rtol=1e-6)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-8)
    equal = dict.fromkeys(ours.classes_, 1.0)
    even = discriminant_analysis.LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage=shrinkage, priors=[1 / n_classes] * n_classes
    ).fit(X, y)
    balanced = LinearDiscriminantAnalysis(shrinkage=shrinkage, class_weight="balanced").fit(X, y)
    np.testing.assert_allclose(balanced.predict_proba(X), even.predict_proba(X), atol=1e-8)
    np.testing.assert_allclose(
        LinearDiscriminantAnalysis(shrinkage=shrinkage, class_weight=equal).fit(X, y).coef_, ours.coef_
    )


@SHAPES
@CLASSES
def test_the_shrinkage_is_that_of_ledoit_and_wolf(n_rows: int, n_columns: int, n_classes: int) -> None:
    X, y = rows(n_rows, n_columns, n_classes)
    within = np.array([row - X[y == one].mean(axis=0) for row, one in zip(X, y, strict=True)])
    fitted = LinearDiscriminantAnalysis().fit(X, y)
    assert 0 < fitted.shrinkage_ < 1
    assert fitted.shrinkage_ == pytest.approx(ledoit_wolf_shrinkage(within, assume_centered=True), rel=1e-9)


@SHAPES
def test_rows_of_weight_zero_are_absent(n_rows: int, n_columns: int) -> None:
    X, y = rows(n_rows, n_columns, 3)
    kept = np.random.default_rng(0).random(n_rows) < 0.7
    alone = LinearDiscriminantAnalysis().fit(X[kept], y[kept])
    weighted = LinearDiscriminantAnalysis().fit(X, y, sample_weight=kept * 1.0)
    assert weighted.shrinkage_ == pytest.approx(alone.shrinkage_)
    np.testing.assert_allclose(weighted.predict_proba(X), alone.predict_proba(X), atol=1e-9)


def test_a_voice_that_moves_one_direction_counts_less() -> None:
    """Two columns tell the class; in one of them speakers differ far more."""
    rng = np.random.default_rng(0)
    codes, speakers = rng.integers(0, 2, 400), rng.integers(0, 8, 400)
    X = np.column_stack([codes + 3 * rng.normal(size=8)[speakers], codes + 0.5 * rng.normal(size=400)])
    first, second = np.abs(LinearDiscriminantAnalysis().fit(X, codes).coef_[0])
    assert second > 10 * first


def test_one_class_and_rows_without_spread() -> None:
    with pytest.raises(ValueError, match="one class"):
        LinearDiscriminantAnalysis().fit(np.zeros((3, 2)), ["a"] * 3)
    fitted = LinearDiscriminantAnalysis().fit([[0.0, 0.0], [0.0, 0.0], [1.0, 2.0]], ["a", "a", "b"])
    assert list(fitted.predict([[0.1, 0.1], [0.9, 2.0]])) == ["a", "b"]


@parametrize_with_checks([LinearDiscriminantAnalysis()])
def test_scikit_learn_checks(estimator: LinearDiscriminantAnalysis, check: object) -> None:
    check(estimator)
