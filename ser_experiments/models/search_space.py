"""What a search may choose from: ranges and choices, as ``[search.space]`` of a definition writes them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from itertools import product
from typing import TYPE_CHECKING, Any

from ser_experiments.errors import InputError, nearest

if TYPE_CHECKING:
    import optuna

#: What begins the name of a parameter of a feature set.
FEATURES = "features."
#: Stands among the choices of such a parameter for every value that means one output, such as every layer.
EACH = "each"
#: A range ``{"low": 0.1, "high": 10.0, "log": True}`` or a list of choices.
Space = Mapping[str, Any] | list[Any]
#: What a range may hold.
_RANGE = {"low", "high", "log"}


def flat_space(
    raw: Mapping[str, Any], allowed: Mapping[str, Collection[str]], where: str = ""
) -> Iterator[tuple[str, Any]]:
    """Read ``[search.space]``: tables within tables become dotted names, each with its range or choices.

    Parameters
    ----------
    raw : mapping
        As TOML gives it.
    allowed : mapping of str to collection of str
        The options of each section: ``model``, ``pipeline``, and ``features``, whose options are called
        ``SET.PARAMETER`` and choose among what is measured anyway.
    where : str
        The section so far.

    Raises
    ------
    InputError
        An unknown name, or a value that is neither a range nor a list of choices.
    """
    for key, value in raw.items():
        name = f"{where}.{key}" if where else key
        if isinstance(value, Mapping) and not _RANGE & set(value) and _is_section(name, allowed):
            yield from flat_space(value, allowed, name)
            continue
        section, _, option = name.partition(".")
        if section not in allowed:
            raise InputError(f"search: space: unknown section {section!r}{nearest(section, allowed)}")
        if option not in allowed[section]:
            raise InputError(f"search: space: {section} has no {option!r}{nearest(option, allowed[section])}")
        yield name, _checked(name, value)


def _is_section(name: str, allowed: Mapping[str, Collection[str]]) -> bool:
    section, _, rest = name.partition(".")
    return section in allowed and (not rest or any(option.startswith(f"{rest}.") for option in allowed[section]))


def _checked(name: str, value: Any) -> Any:
    if value == EACH and name.startswith(FEATURES):
        return [value]
    if isinstance(value, list) and value and all(_is_choice(v, several=name.startswith(FEATURES)) for v in value):
        return value
    ranges = isinstance(value, Mapping) and not name.startswith(FEATURES)
    if ranges and set(value) <= _RANGE and {"low", "high"} <= set(value):
        low, high, log_scale = value["low"], value["high"], value.get("log", False)
        numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (low, high))
        if numbers and low < high and isinstance(log_scale, bool) and (low > 0 or not log_scale):
            return dict(value)
    raise InputError(
        f"search: space: {name} is {value!r}; expected choices such as [1, 2] or a range such as "
        "{ low = 0.1, high = 10.0, log = true } with low < high (and above 0 with log)"
    )


def _is_choice(value: Any, *, several: bool) -> bool:
    """Say whether a value may be chosen; `several` at a time, such as layers, where a feature set takes so."""
    if several and isinstance(value, list) and value:
        return all(_is_choice(v, several=False) for v in value)
    return isinstance(value, (str, int, float, bool))


def grid(space: Mapping[str, Space], most: int) -> list[dict[str, Any]] | None:
    """Return every combination of choices, the last name's fastest; None of a range, or of more than `most`."""
    if not all(isinstance(values, list) for values in space.values()):
        return None
    every = [dict(zip(space, each, strict=True)) for each in product(*space.values())]
    return every if len(every) <= most else None


def fixed(space: Mapping[str, Space], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return chosen values as a trial that is to draw them knows them."""
    return {name: json.dumps(value) if _coded(space[name]) else value for name, value in chosen.items()}


def _coded(values: Space) -> bool:
    """Say whether choices are drawn by their text: Optuna knows a choice by its value, and a list is none."""
    return isinstance(values, list) and any(isinstance(value, list) for value in values)


def suggest(trial: optuna.Trial, name: str, values: Space) -> Any:
    """Let a trial draw a value of a range, or one of some choices."""
    if isinstance(values, list):
        if _coded(values):
            return json.loads(str(trial.suggest_categorical(name, [json.dumps(value) for value in values])))
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
