"""Options that several subcommands share: those of a request are made from its fields."""

from __future__ import annotations

import typing
from collections.abc import Callable, Collection
from dataclasses import MISSING, fields
from typing import Any, TypeVar

import click

from ser_experiments.experiment.request import CorpusRequest, Option

Function = Callable[..., Any]
Request = TypeVar("Request", bound=CorpusRequest)

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")


def request_options(kind: type[CorpusRequest], *, without: Collection[str] = ()) -> Callable[[Function], Function]:
    """Add one option a field of a request.

    Parameters
    ----------
    kind : type
        Of the request: its fields, those that it inherits first, are the options in this order.
    without : collection of str
        Fields that the command does not offer.
    """

    def add(function: Function) -> Function:
        types = typing.get_type_hints(kind, include_extras=True)
        for one in reversed(fields(kind)):
            said = [extra for extra in getattr(types[one.name], "__metadata__", ()) if isinstance(extra, Option)]
            if said and one.name not in without:
                plain = types[one.name].__origin__
                function = _option(one.name, plain, None if one.default is MISSING else one.default, said[0])(function)
        return function

    return add


def _option(name: str, annotated: Any, default: Any, said: Option) -> Callable[[Function], Function]:
    names = [f"--{(said.flag or name).replace('_', '-')}", name]
    if annotated is bool:
        return click.option(*names, is_flag=True, help=said.help)
    several = isinstance(default, tuple)
    return click.option(
        *names,
        type=click.IntRange(said.least) if said.least is not None else str,
        default=None if several else default,
        multiple=several,
        show_default=default not in (None, ()),
        metavar=said.metavar or None,
        help=said.help,
    )


def take(kind: type[Request], given: dict[str, Any], **more: Any) -> Request:
    """Take a request's fields out of what a command was given."""
    names = {one.name for one in fields(kind)}
    return kind(**{name: given.pop(name) for name in list(given) if name in names}, **more)
