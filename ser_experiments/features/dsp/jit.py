"""Compile a loop once, keep it on disk, and work all the same where nothing can be kept."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numba

_log = logging.getLogger(__name__)

#: What the compiler may assume: sums may be reordered and there are no NaN or infinite values. Audio is finite and
#: every division is guarded, so both hold; they are what lets a sum use vector instructions.
FAST = {"reassoc", "contract", "arcp", "nsz", "nnan", "ninf"}


def kernel(signature: str, *, fast: bool = True) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function for one signature, as soon as its module is imported.

    The machine code is cached beside the module or in the user's cache folder (``NUMBA_CACHE_DIR`` moves it). Where
    neither can be written, or the disk is full, the function is compiled in memory for this process.

    Parameters
    ----------
    signature : str
        Types as numba writes them, e.g. ``"f4[::1](f4[:,::1], i8)"``.
    fast : bool
        Allow the reordering of sums (see :data:`FAST`).

    Returns
    -------
    decorator
    """

    def compile_(function: Callable[..., Any]) -> Any:
        # With Python's rule that a division by zero raises, no loop that divides could use vector instructions.
        options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": FAST if fast else False}
        try:
            return numba.njit(signature, cache=True, **options)(function)
        except (OSError, RuntimeError) as error:
            _log.debug("%s is compiled in memory: %s", function.__name__, error)
            return numba.njit(signature, cache=False, **options)(function)

    return compile_
