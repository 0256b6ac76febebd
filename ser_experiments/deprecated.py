"""Old words that work on for a while: what is said of them, once a process, and what takes them to the new ones.

``docs/deprecation.md`` is the policy. What stands in a command or a file is told through ``logging``, as everything the
package says; what a program calls is a DeprecationWarning, which points at the line that calls.
"""

from __future__ import annotations

import functools
import logging
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from ser_experiments.errors import InputError

log = logging.getLogger(__name__)
Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")
_SAID: set[str] = set()


@dataclass(frozen=True)
class Old:
    """A word that was replaced.

    Parameters
    ----------
    name : str
        The old word, as it is written, e.g. ``"ser features prune"``.
    new : str
        What is written instead.
    gone_in : str
        The version that no longer knows the old word, e.g. ``"0.3"``.
    """

    name: str
    new: str
    gone_in: str

    def __str__(self) -> str:
        return f"{self.name!r} is deprecated and goes in version {self.gone_in}; write {self.new!r}"

    def told(self, where: str = "") -> None:
        """Log that the old word was used, once a process.

        Parameters
        ----------
        where : str, optional
            The file that it stands in; each file is told once.
        """
        line = f"{where}: {self}" if where else str(self)
        if line not in _SAID:
            _SAID.add(line)
            log.warning(line)


def renamed_keys(given: Mapping[str, Any], old: Mapping[str, Old], where: str) -> dict[str, Any]:
    """Return a table of a file with its old keys under their new names.

    Parameters
    ----------
    given : mapping
        As it was read; it is left as it is.
    old : mapping of str to Old
        By the old key.
    where : str
        What a message begins with: the file, and the section if there is one.

    Raises
    ------
    InputError
        The old key and the new one are both there.

    Examples
    --------
    >>> renamed_keys({"scaling": "robust"}, {"scaling": Old("scaling", "scale", "0.3")}, "x.toml: [pipeline]")
    {'scale': 'robust'}
    """
    held = dict(given)
    for key in [one for one in given if one in old]:
        new = old[key].new
        if new in given:
            raise InputError(f"{where}: {key!r} is the old word for {new!r}, and both are there; leave out {key!r}")
        old[key].told(where)
        held[new] = held.pop(key)
    return held


def renamed_parameter(old: Old) -> Callable[[Callable[Parameters, Answer]], Callable[Parameters, Answer]]:
    """Let a function take a keyword under its old name.

    Parameters
    ----------
    old : Old
        Names of the parameter.

    Raises
    ------
    TypeError
        When the function is called: with both names.
    """

    def decorate(function: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
        @functools.wraps(function)
        def called(*args: Any, **named: Any) -> Answer:
            if old.name in named:
                if old.new in named:
                    raise TypeError(f"{function.__name__}() got {old.new!r} and its old name {old.name!r}")
                warnings.warn(f"{function.__name__}(): {old}", DeprecationWarning, stacklevel=2)
                named[old.new] = named.pop(old.name)
            return function(*args, **named)

        return called

    return decorate


def renamed_function(function: Callable[Parameters, Answer], old: Old) -> Callable[Parameters, Answer]:
    """Return a function that does the same under an old name.

    Parameters
    ----------
    function : callable
        The one that is called instead.
    old : Old
        Names of the function.
    """

    @functools.wraps(function)
    def called(*args: Parameters.args, **named: Parameters.kwargs) -> Answer:
        warnings.warn(str(old), DeprecationWarning, stacklevel=2)
        return function(*args, **named)

    called.__name__ = called.__qualname__ = old.name
    called.__doc__ = f"Do the same as `{old.new}`, under a name that goes in version {old.gone_in}."
    return called
