"""Options that several subcommands share: those of a request are made from its fields, and the corpus adds its own."""

from __future__ import annotations

import typing
from collections.abc import Callable, Collection
from dataclasses import MISSING, fields
from typing import Any, TypeVar

import click

from ser_experiments import plugins
from ser_experiments.errors import InputError
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


class CorpusCommand(click.Command):
    """A command on a corpus, which has the options of the corpus that is named besides its own.

    Its parameter ``corpus`` is an option or an argument.
    """

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters, those of the corpus last."""
        return [*super().get_params(ctx), *ctx.meta.get(_OF_CORPUS, ())]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find out which corpora are named, then parse with their options; one of another is refused, naming that."""
        ctx.meta.pop(_OF_CORPUS, None)
        if ctx.resilient_parsing and args and args[-1].startswith("-"):
            # A shell completes the value of this option, and click would forget the arguments because it has none.
            args = args[:-1]
        corpora = _came_with_us(self, ctx, args) if ctx.resilient_parsing else self._named(ctx, args)
        if corpora is not None:
            ctx.meta[_OF_CORPUS] = _of_corpora(corpora, super().get_params(ctx))
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            from ser_experiments.corpora import get_corpus
            from ser_experiments.corpora._options import check_whose

            for corpus in corpora or [""]:
                check_whose(get_corpus(corpus).name, error.option_name.lstrip("-").replace("-", "_"))
            raise

    def _named(self, ctx: click.Context, args: list[str]) -> list[str] | None:
        """Return the corpora, by an option or an argument wherever it stands; None where options need no look at them.

        Where no corpus is named and no option is strange they do not: a plain ``--help`` imports no corpus.
        """
        parser = self.make_parser(ctx)
        parser.ignore_unknown_options = True
        (param,) = (one for one in self.params if one.name == "corpus")
        given, rest, _ = parser.parse_args(list(args))
        # An argument that takes several words takes those too that look like options.
        taken = [given.get(one.name or "") for one in self.params if isinstance(one, click.Argument)]
        words = [*rest, *(word for value in taken if isinstance(value, tuple) for word in value)]
        strange = any(word.startswith("-") for word in words)
        if isinstance(param, click.Option):
            if not given.get("corpus") and not strange:
                return None
            from ser_experiments.corpora import meant

            return meant(given.get("corpus") or (), given.get("root"))
        # What follows an option that is not known yet may look like the argument.
        words = [word for word in (given.get("corpus"), *rest) if isinstance(word, str)]
        names = plugins.names("ser_experiments.corpora")
        known = [word for word in words if word.replace("-", "_") in names]
        return (known or words)[:1]


def _came_with_us(command: CorpusCommand, ctx: click.Context, args: list[str]) -> list[str] | None:
    """Return the named corpora whose options a shell completes: no file of a project is run for it, nothing refused."""
    try:
        named = command._named(ctx, args)
    except InputError:
        return None
    if not named:
        return None
    package = "ser_experiments.corpora"
    known = [name for name in named if name.replace("-", "_") in plugins.names(package)]
    return [name for name in known if plugins.require(package, name, "corpus").ours]


#: Where the options of the corpus stand in what click keeps of a call.
_OF_CORPUS = f"{__name__}.corpus"


def _of_corpora(corpora: Collection[str], own: Collection[click.Parameter]) -> list[click.Parameter]:
    """Return the options of corpora; what is said by them is the field ``corpus_options`` of a request."""
    from ser_experiments.corpora._options import options_of

    taken = {name for one in own for name in one.opts}
    made: dict[str, click.Parameter] = {}
    for corpus in corpora:
        for option in options_of(corpus):
            flag = f"--{option.name}"
            if flag in taken:
                raise InputError(
                    f"corpus {corpus!r}: its option {flag} is one of the command's own; give it another name"
                )
            how: dict[str, Any] = {"is_flag": True} if option.type is bool else {"type": option.type}
            made[flag] = click.Option(
                [flag, option.keyword], help=option.help, expose_value=False, callback=_collect, **how
            )
    return list(made.values())


def _collect(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value is not None and value is not False:
        ctx.params["corpus_options"] = {**ctx.params.get("corpus_options", {}), str(param.name): value}


def take(kind: type[Request], given: dict[str, Any], **more: Any) -> Request:
    """Take a request's fields out of what a command was given."""
    names = {one.name for one in fields(kind)}
    return kind(**{name: given.pop(name) for name in list(given) if name in names}, **more)
