"""What the parameters of a network may be."""

from __future__ import annotations

from numbers import Integral, Real

from ser_experiments.errors import InputError


def is_number(value: object) -> bool:
    """Say whether a value is a real number; a bool is none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def is_int(value: object, low: int) -> bool:
    """Say whether a value is an integer of at least `low`."""
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= low


def require(name: str, value: object, what: str, holds: bool) -> None:
    """Raise an InputError that names a parameter, what it must be and what it is."""
    if not holds:
        raise InputError(f"{name} must be {what}, got {value!r}")
