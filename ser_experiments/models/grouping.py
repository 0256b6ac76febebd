"""How groups travel: X carries them in a reserved column, and splitters and steps know about it.

A list of splits that is stored in an estimator goes stale as soon as the estimator is fitted on other rows, and
scikit-learn does not hand ``groups`` to the folds inside a stack or a calibration. A splitter that reads the column
works unmodified wherever scikit-learn takes ``cv``, nested in any order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.model_selection import GroupKFold

from ser_experiments import plugins
from ser_experiments.errors import InputError, LeakError
from ser_experiments.frames import GROUP, TRIED_ON
from ser_experiments.identity import canonical

if TYPE_CHECKING:
    from ser_experiments.features.extractor import Extractor


class ByColumn(BaseEstimator):
    """Split rows so that no group stands on both sides, reading the groups from ``X["group"]``.

    Parameters
    ----------
    n_splits : int, default=3
        Folds wanted; with fewer groups there are as many folds as groups.
    seed : int, optional
        Shuffles which groups share a fold; by default they are dealt out by size. It is not called ``random_state``,
        because scikit-learn's stacking sets that of its splitter to something new at every fit.
    """

    def __init__(self, n_splits: int = 3, seed: int | None = None) -> None:
        self.n_splits = n_splits
        self.seed = seed

    def split(
        self, X: pd.DataFrame, y: object = None, groups: object = None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield training and test positions.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            Must hold the column ``group``.
        y, groups : ignored
            There because scikit-learn passes them.

        Raises
        ------
        InputError
            No ``group`` column, or fewer than two groups.
        LeakError
            A group on both sides.
        """
        column = groups_of(X)
        folds = self.get_n_splits(X)
        dealt_by_size = self.seed is None
        splitter = GroupKFold(folds, shuffle=not dealt_by_size, random_state=None if dealt_by_size else self.seed)
        for train, test in splitter.split(np.zeros(len(X)), groups=column):
            assert_disjoint(column[train], column[test])
            yield train, test

    def get_n_splits(self, X: pd.DataFrame | None = None, y: object = None, groups: object = None) -> int:
        """Return the number of folds, no more than there are groups."""
        if X is None:
            return self.n_splits
        n_groups = len(np.unique(groups_of(X)))
        if n_groups < 2:
            raise InputError(f"inner folds need at least two groups among the training rows, got {n_groups}")
        return min(self.n_splits, n_groups)


def groups_of(X: object) -> NDArray[np.str_]:
    """Return the column ``group`` of a table as strings; an InputError where there is none."""
    if not isinstance(X, pd.DataFrame) or GROUP not in X.columns:
        raise InputError(
            f"the table has no column {GROUP!r}; say fit(X, y, groups=...) with the speaker or session of each row"
        )
    return X[GROUP].astype(str).str.removeprefix(TRIED_ON).to_numpy(dtype=str)


def development_of(X: object) -> NDArray[np.bool_] | None:
    """Say which rows are those that choices are tried on; None where the folds name none, or no other rows are there.

    Under an official split that is its development side. What needs an answer for every row, such as a stack or a
    calibration, deals groups to folds all the same.
    """
    if not isinstance(X, pd.DataFrame) or GROUP not in X.columns:
        return None
    tried_on = X[GROUP].astype(str).str.startswith(TRIED_ON).to_numpy(dtype=bool)
    return tried_on if 0 < tried_on.sum() < len(tried_on) else None


def with_groups(X: pd.DataFrame, groups: object = None) -> pd.DataFrame:
    """Return a table with the groups of its rows in ``group``, as everything inside an estimator reads them.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_columns)
        A feature table.
    groups : array-like of shape (n_rows,), optional
        The speaker or session of each row; without it the table is returned as it is.

    Raises
    ------
    InputError
        There are more groups than rows, or fewer.
    """
    if groups is None:
        return X
    # By place, as scikit-learn passes them: after its indexing, an array and a Series of other labels are the same.
    named = np.asarray(groups).astype(str)
    if named.shape != (len(X),):
        raise InputError(f"groups of shape {named.shape} for {len(X)} rows; give one a row")
    return X.assign(**{GROUP: named})


def assert_disjoint(train: NDArray[np.str_], test: NDArray[np.str_]) -> None:
    """Raise a LeakError if a group stands on both sides."""
    shared = np.intersect1d(train, test)
    if shared.size:
        raise LeakError(f"group {str(shared[0])!r} stands in the training and in the test rows of one fold")


class OnFeatures(TransformerMixin, BaseEstimator):
    """Apply a transformer to every column but ``group``, and keep ``group`` beside the result.

    Parameters
    ----------
    transformer : transformer
        Fitted on the other columns alone.
    """

    def __init__(self, transformer: BaseEstimator) -> None:
        self.transformer = transformer

    def fit(self, X: pd.DataFrame, y: object = None) -> OnFeatures:
        """Fit the transformer on the features."""
        self.transformer_ = clone(self.transformer).fit(X.drop(columns=GROUP, errors="ignore"), y)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the transformed features as float32 columns, and ``group`` where X has it."""
        features = np.asarray(self.transformer_.transform(X.drop(columns=GROUP, errors="ignore")), dtype=np.float32)
        names = [f"f{i}" for i in range(features.shape[1])]
        table = pd.DataFrame(features, index=X.index, columns=names)
        if GROUP in X:
            table[GROUP] = X[GROUP]
        return table


def columns_of(sets: Sequence[str], params: Mapping[str, Mapping[str, object]] | None = None) -> list[tuple[str, ...]]:
    """Return the columns of each feature set."""
    from ser_experiments.features.extractor import params_of

    return [_columns_of(one, json.dumps(canonical(params_of(one, params or {})), sort_keys=True)) for one in sets]


def outputs_of(sets: Sequence[str], params: Mapping[str, Mapping[str, object]] | None = None) -> list[Extractor]:
    """Return what feature sets stand for; a column of arrays over time is called after its output."""
    from ser_experiments.features.extractor import get_extractors, params_of

    return [one for name in sets for one in get_extractors(name, **params_of(name, params or {}))]


@plugins.remembered
def _columns_of(name: str, params: str) -> tuple[str, ...]:
    """Return the columns of a set; a set of thousands of columns takes longer to build than to look up."""
    from ser_experiments.features.extractor import get_extractors

    return tuple(column for one in get_extractors(name, **json.loads(params)) for column in one.column_names)


@runtime_checkable
class TakesColumns(Protocol):
    """Something that looks at the columns of a table by their names."""

    def input_columns(self, X: pd.DataFrame) -> list[str]:
        """Return the columns that a fit depends on."""


class TakeColumns(TransformerMixin, BaseEstimator):
    """Take the columns of some feature sets out of a table that may hold more.

    Parameters
    ----------
    sets : sequence of str
        Feature sets; none means every column but ``group``.
    layout : {"row", "array"}, default="row"
        Functionals come out as a float32 array of shape (n_rows, n_columns); arrays over time as a DataFrame.
    keep_group : bool, default=False
        Whether a DataFrame with ``group`` is wanted, for classifiers that hold out groups themselves.
    params : dict of str to dict, optional
        Parameters of the sets where they differ from the defaults.
    """

    def __init__(
        self,
        sets: tuple[str, ...] = (),
        layout: str = "row",
        keep_group: bool = False,
        params: dict[str, dict[str, object]] | None = None,
    ) -> None:
        self.sets = sets
        self.layout = layout
        self.keep_group = keep_group
        self.params = params

    def fit(self, X: pd.DataFrame, y: object = None) -> TakeColumns:
        """Find the columns; an InputError names one that is missing."""
        names = self.input_columns(X)
        missing = [name for name in names if name not in X.columns]
        if missing:
            raise InputError(
                f"the table has no column {missing[0]!r} ({len(missing)} missing); extract {list(self.sets)}"
            )
        # An array of texts: of a list, each would be saved as an object of its own, a thousand times.
        self.columns_ = np.asarray(names, dtype=str)
        self.n_features_in_ = X.shape[1]
        return self

    def input_columns(self, X: pd.DataFrame) -> list[str]:
        """Return the columns that a fit depends on."""
        if not self.sets:
            return [name for name in X.columns if name != GROUP]
        if self.layout == "array":
            return [one.name for one in outputs_of(self.sets, self.params)]
        return [name for names in columns_of(self.sets, self.params) for name in names]

    def transform(self, X: pd.DataFrame) -> pd.DataFrame | NDArray[np.float32]:
        """Take the columns."""
        if self.keep_group or self.layout == "array":
            names = list(self.columns_)
            return X[[*names, GROUP]] if self.keep_group and GROUP in X else X[names]
        together = _together(X.columns, pd.Index(self.columns_))
        taken = X[list(self.columns_)] if together is None else X.iloc[:, together]
        return taken.to_numpy(dtype=np.float32)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the columns taken."""
        return np.asarray(self.columns_, dtype=object)


def _together(columns: pd.Index, names: pd.Index) -> slice | None:
    """Return where names stand among columns, if they stand side by side: a slice costs a fifth of a thousand names."""
    for start in np.flatnonzero(columns == names[0])[:1] if len(names) else ():
        place = slice(int(start), int(start) + len(names))
        if columns[place].equals(names):
            return place
    return None


def input_columns(estimator: BaseEstimator, X: pd.DataFrame) -> list[str]:
    """Return the columns of a table that a fit of an estimator, or of anything inside it, depends on.

    Whatever looks at columns by name says so with a method ``input_columns``; where nothing does, all of them count.
    """
    parts = [estimator, *estimator.get_params(deep=True).values()]
    named = [part.input_columns(X) for part in parts if isinstance(part, TakesColumns) and not isinstance(part, type)]
    return list(dict.fromkeys(name for names in named for name in names)) if named else list(X.columns)


class BalanceBlocks(TransformerMixin, BaseEstimator):
    """Let feature sets that stand side by side weigh the same, whatever their numbers of columns.

    Each block of standardised columns is scaled by ``sqrt(n_columns / (n_blocks * columns of the block))``, so that
    every block adds the same to a squared distance, and the mean variance of a column stays 1.

    Parameters
    ----------
    sizes : sequence of int
        Columns of each block, in order.
    """

    def __init__(self, sizes: tuple[int, ...]) -> None:
        self.sizes = sizes

    def fit(self, X: NDArray[np.floating], y: object = None) -> BalanceBlocks:
        """Check the number of columns; nothing is learned."""
        self.n_features_in_ = X.shape[1]
        if sum(self.sizes) != self.n_features_in_:
            raise InputError(f"blocks of {list(self.sizes)} columns, but the table has {self.n_features_in_}")
        return self

    def transform(self, X: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the weighted columns."""
        weights = [np.sqrt(self.n_features_in_ / (len(self.sizes) * size)) for size in self.sizes]
        return np.asarray(X * np.repeat(weights, self.sizes), dtype=np.float32)


#: What a saved model may hold of this module.
PERSISTED = (BalanceBlocks, ByColumn, OnFeatures, TakeColumns)
