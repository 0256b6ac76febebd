"""Numbers as people and JSON take them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def finite(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a row as JSON takes it, which knows neither NaN nor infinity: None in their place."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}


def span(low: float, high: float, form: str = "{:.3f}") -> str:
    """Return an interval as it is read, e.g. ``"0.695 to 0.887"``; a dash where there is none."""
    return "-" if math.isnan(low) else f"{form.format(low)} to {form.format(high)}"


def number(value: float, form: str = "{:.3f}") -> str:
    """Return a number as it is read; a dash where there is none."""
    return "-" if math.isnan(value) else form.format(value)


def some_of(words: list[str], most: int) -> str:
    """Return the first of some words in one line, and how many there are besides."""
    return "; ".join([*words[:most], *([f"and {len(words) - most} more"] if len(words) > most else [])])
