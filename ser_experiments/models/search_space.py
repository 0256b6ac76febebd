"""What a search may choose from: ranges and choices, as ``[search.space]`` of a definition writes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ser_experiments.errors import InputError, nearest

if TYPE_CHECKING:
    import optuna

#: A range ``{"low": 0.1, "high": 10.0, "log": True}`` or a list of choices.
Space = Mapping[str, Any] | list[Any]
#: What a range may hold.
_RANGE = {"low", "high", "log"}


def flat_space(raw: Mapping[str, Any], allowed: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Any]]:
    """Read ``[search.space]``: tables within tables become dotted names, each with its range or choices.

    Parameters
    ----------
    raw : mapping
        As TOML gives it.
    allowed : mapping of str to collection of str
        The options of each section, ``model`` and ``pipeline``.
    where : str
        The section so far.

    Raises
    ------
    InputError
        An unknown name, or a value that is neither a range nor a list of choices.
    """
    for key, value in raw.items():
        name = f"{where}.{key}" if where else key
        if isinstance(value, Mapping) and not _RANGE & set(value) and name in allowed:
            yield from flat_space(value, allowed, name)
            continue
        section, _, option = name.partition(".")
        if section not in allowed:
            raise InputError(f"search: space: unknown section {section!r}{nearest(section, allowed)}")
        if option not in allowed[section]:
            raise InputError(f"search: space: {section} has no {option!r}{nearest(option, allowed[section])}")
        yield name, _checked(name, value)


def _checked(name: str, value: Any) -> Any:
    if isinstance(value, list) and value and all(isinstance(v, (str, int, float, bool)) for v in value):
        return value
    if isinstance(value, Mapping) and set(value) <= _RANGE and {"low", "high"} <= set(value):
        low, high, log_scale = value["low"], value["high"], value.get("log", False)
        numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (low, high))
        if numbers and low < high and isinstance(log_scale, bool) and (low > 0 or not log_scale):
            return dict(value)
    raise InputError(
        f"search: space: {name} is {value!r}; expected choices such as [1, 2] or a range such as "
        "{ low = 0.1, high = 10.0, log = true } with low < high (and above 0 with log)"
    )


def suggest(trial: optuna.Trial, name: str, values: Space) -> Any:
    """Let a trial draw a value of a range, or one of some choices."""
    if isinstance(values, list):
        # Optuna knows a choice by its value; a list or a table is none.
        return trial.suggest_categorical(name, values)
    low, high, log_scale = values["low"], values["high"], values.get("log", False)
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(name, low, high, log=log_scale)
    return trial.suggest_float(name, low, high, log=log_scale)


def holds(values: Space, value: Any) -> bool:
    """Say whether a value is one of the choices, or lies in the range."""
    if isinstance(values, list):
        return value in values
    return isinstance(value, (int, float)) and values["low"] <= value <= values["high"]
