"""What the parameters of a network may be."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np

from ser_experiments.errors import InputError


def is_number(value: object) -> bool:
    """Say whether a value is a real number; a bool is none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def is_int(value: object, low: int) -> bool:
    """Say whether a value is an integer of at least `low`."""
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= low


def is_fraction(value: object) -> bool:
    """Say whether a value is a number of at least 0 and below 1."""
    return is_number(value) and 0 <= value < 1  # type: ignore[operator]


def are_sizes(values: object) -> bool:
    """Say whether a value is a list or tuple of integers of at least 1, with at least one of them."""
    return isinstance(values, list | tuple) and len(values) > 0 and all(is_int(value, 1) for value in values)


def is_seed(value: object) -> bool:
    """Say whether a value is what scikit-learn takes for ``random_state``."""
    return value is None or is_int(value, 0) or isinstance(value, np.random.RandomState)


def require(name: str, value: object, what: str, holds: bool) -> None:
    """Raise an InputError that names a parameter, what it must be and what it is."""
    if not holds:
        raise InputError(f"{name} must be {what}, got {value!r}")
