"""The identity of a fit: everything that can change what an estimator learns, and nothing else.

That is the estimator (its classes, their versions, parameters and source), the libraries that compute, and the rows:
the columns that it takes with their content, the groups, the index, the truth and the weights of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ser_experiments import identity
from ser_experiments.frames import GROUP
from ser_experiments.models.grouping import input_columns
from ser_experiments.models.source import source_of
from ser_experiments.models.spec import FitIdentity, ModelSpec, families_of

#: Distributions that stand below every estimator.
BASE = ("scikit-learn", "numpy", "scipy")
#: Parameters that change no number in any estimator: scikit-learn's glossary says what they mean.
WITHOUT_EFFECT = ("n_jobs", "verbose")


def fit_key(estimator: BaseEstimator, X: pd.DataFrame, y: Any, sample_weight: Any = None) -> str:
    """Return 32 hexadecimal digits for all that can change a fit.

    Columns that the estimator does not take are left out, so that a member of a stack, which sees the table of all
    members, has the key of its own run.

    Parameters
    ----------
    estimator : estimator
        Unfitted.
    X : DataFrame of shape (n_rows, n_columns)
        A feature table, perhaps with ``group``. A cell that refers to an array on disk counts by its ``identity``.
    y : array-like of shape (n_rows,) or (n_rows, n_targets)
        Classes or numbers.
    sample_weight : array-like of shape (n_rows,), optional
        Weights of the rows.

    Raises
    ------
    TypeError
        A parameter or a cell has no identity.
    """
    whole: dict[str, Any] = {
        **identity_of(estimator),
        "columns": identity.of_columns(X, [name for name in input_columns(estimator, X) if name != GROUP]),
        "group": identity.of_column(X[GROUP].astype(str)) if GROUP in X else None,
        "index": identity.of_column(X.index.astype(str)),
        "truth": _content(y),
        "sample_weight": None if sample_weight is None else _content(np.asarray(sample_weight, dtype=np.float64)),
    }
    return identity.of(whole)


def identity_of(estimator: BaseEstimator) -> dict[str, Any]:
    """Return what can change a fit whatever the rows: the estimator, the libraries below it and its source."""
    classes = {type(part) for part in _parts(estimator)}
    return {
        "estimator": _described(estimator),
        "libraries": identity.libraries({*BASE, *(name for one in classes for name in _distributions(one))}),
        "source": source_of({module for one in classes for module in _own_modules(one)}),
    }


def _described(value: Any) -> Any:
    """Return a parameter as plain values; an estimator as its class, versions and parameters, whatever it holds."""
    if _is_estimator(value):
        declared = _declared(type(value))
        ignored = {*WITHOUT_EFFECT, *(name for one in declared.values() for name in one.without_effect)}
        held = {name: one for name, one in value.get_params(deep=False).items() if name not in ignored}
        built = _built(value)
        return {
            "class": f"{type(value).__module__}.{type(value).__qualname__}",
            "versions": {name: one.version for name, one in declared.items()},
            "params": _described(held),
            **({} if built is None else {"builds": _described(built)}),
        }
    if isinstance(value, Mapping):
        return {name: _described(held) for name, held in value.items()}
    return [_described(held) for held in value] if isinstance(value, list | tuple) else value


def _parts(value: Any) -> Iterator[Any]:
    """Yield an estimator and every one inside it, however deep."""
    if _is_estimator(value):
        yield value
        held = [*value.get_params(deep=False).values(), _built(value)]
    else:
        held = list(value.values()) if isinstance(value, Mapping) else value
    for one in held:
        if _is_estimator(one) or isinstance(one, Mapping | list | tuple):
            yield from _parts(one)


def _built(value: Any) -> BaseEstimator | None:
    return value.builds() if isinstance(value, FitIdentity) else None


def _is_estimator(value: Any) -> bool:
    return hasattr(value, "get_params") and not isinstance(value, type)


def _declared(kind: type) -> dict[str, type[FitIdentity] | ModelSpec]:
    """Return what a class says of its fits itself, and what the families that build it say."""
    own: dict[str, type[FitIdentity] | ModelSpec] = {"": kind} if issubclass(kind, FitIdentity) else {}
    return own | families_of(kind)


def _distributions(kind: type) -> Iterator[str]:
    declared = _declared(kind)
    yield from (name for one in declared.values() for name in one.libraries)
    for base in kind.__mro__:
        top = base.__module__.partition(".")[0]
        if not declared and top not in {"ser_experiments", "sklearn", "builtins"}:
            yield from _installed().get(top, ())


def _own_modules(kind: type) -> Iterator[str]:
    """Yield the modules whose versions do not tell what they hold: ours, and those of nobody's distribution."""
    for module in (base.__module__ for base in kind.__mro__):
        top = module.partition(".")[0]
        if top == "ser_experiments" or (top not in {"sklearn", "builtins"} and not _is_distributed(top)):
            yield module


@lru_cache(maxsize=64)
def _is_distributed(top: str) -> bool:
    """Whether a module belongs to an installed distribution; to ask the one of its name first spares reading all."""
    try:
        files = distribution(top).files or ()
    except PackageNotFoundError:
        files = ()
    return any(file.parts[0] in {top, f"{top}.py"} for file in files) or top in _installed()


@lru_cache(maxsize=1)
def _installed() -> Mapping[str, list[str]]:
    return packages_distributions()


def _content(values: Any) -> str:
    array: NDArray[Any] = np.asarray(values)
    # Texts one by one: the width of an array of them says nothing of what it holds.
    return identity.of_array(array.astype(object) if array.dtype.kind in "US" else array)
