"""What the parameters of a network may be."""

from __future__ import annotations

import math
import re
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np

from ser_experiments.errors import InputError

if TYPE_CHECKING:
    from ser_experiments.models.nets.estimator import TorchEstimator

OPTIMIZERS = ("adamw", "sgd")
SCHEDULES = ("cosine", "step", "constant")
#: Names of devices that torch knows.
_DEVICES = re.compile(r"auto|(cpu|cuda|mps|xpu)(:\d+)?")


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


def check_training(how: TorchEstimator) -> None:
    """Refuse a parameter of training, whatever the network, that would fail later and deeper."""
    for name, low in (("n_epochs", 1), ("batch_size", 2), ("patience", 1), ("n_threads", 1)):
        require(name, getattr(how, name), f"an int of at least {low}", is_int(getattr(how, name), low))
    require("lr", how.lr, "a number above 0", is_number(how.lr) and 0 < how.lr < math.inf)
    for name in ("momentum", "weight_decay"):
        require(name, getattr(how, name), "at least 0 and below 1", is_fraction(getattr(how, name)))
    fraction = how.validation_fraction
    require("validation_fraction", fraction, "between 0 and 1", is_number(fraction) and 0 < fraction < 1)
    require("optimizer", how.optimizer, f"one of {', '.join(OPTIMIZERS)}", how.optimizer in OPTIMIZERS)
    warmup = how.warmup_epochs
    require("warmup_epochs", warmup, "a number of at least 0", is_number(warmup) and 0 <= warmup < math.inf)
    for name in ("early_stopping", "refit", "mixed_precision"):
        require(name, getattr(how, name), "true or false", isinstance(getattr(how, name), bool | np.bool_))
    require("random_state", how.random_state, "an int of at least 0 or None", is_seed(how.random_state))
    require("device", how.device, "text, e.g. 'auto' or 'cpu'", isinstance(how.device, str))
    require("device", how.device, "'auto', 'cpu' or 'cuda[:n]'", bool(_DEVICES.fullmatch(how.device)))
    require("schedule", how.schedule, f"one of {', '.join(SCHEDULES)}", how.schedule in SCHEDULES)
