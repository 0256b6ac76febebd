"""Old names of commands and options: they work on, are in no help, and say what to write."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import click

from ser_experiments.deprecated import Old


def renamed_command(command: click.Command, old: Old) -> click.Command:
    """Return a command that does the same where it stood before."""
    hidden = copy.copy(command)
    hidden.hidden, answer = True, command.callback

    def called(*args: Any, **named: Any) -> Any:
        old.told()
        return answer(*args, **named) if answer is not None else None

    hidden.callback = called
    return hidden


class Renamed(click.Option):
    """An option that is still taken under its old name.

    ``click.option("--skip-bad", cls=Renamed, old=Old("--ignore-bad", "--skip-bad", "0.3"), is_flag=True)``

    Parameters
    ----------
    old : Old
        Both names with their dashes.
    """

    def __init__(self, *args: Any, old: Old, **named: Any) -> None:
        super().__init__(*args, **named)
        self._old = old

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """Let the parser know both names."""
        super().add_to_parser(parser, ctx)
        known = parser._long_opt[self._old.new]
        parser.add_option(
            self, [self._old.name], dest=self._beside, action=known.action, nargs=known.nargs, const=known.const
        )

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """Take the value from the old name, and say so; under both names it is refused."""
        given = dict(opts)
        if self._beside in given:
            if self.name in given:
                raise click.UsageError(f"{self._old.name} is the old name of {self._old.new}; leave it out", ctx)
            self._old.told()
            given[str(self.name)] = given.pop(self._beside)
        return super().handle_parse_result(ctx, given, args)

    @property
    def _beside(self) -> str:
        return f"_old_{self.name}"
