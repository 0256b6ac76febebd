"""Commands under one name, and what each of them takes wherever it stands."""

from __future__ import annotations

import click

from ser_experiments.cli._say import how_much


class Group(click.Group):
    """Commands under one name; who says none of them asks for help."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse."""
        return super().parse_args(ctx, args or ["--help"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, which takes `-v` and `-q` too."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            say_as_much(command)
        return command


def say_as_much(command: click.Command) -> None:
    """Let a command take the program's own `-v` and `-q` as well: one writes them where one thinks of them."""
    taken = {name for one in command.params for name in one.opts}
    for short, name in (("-v", "verbose"), ("-q", "quiet")):
        if not {short, f"--{name}"} & taken:
            # Of the program, and shown in its help.
            command.params.append(
                click.Option([short, f"--{name}"], is_flag=True, hidden=True, expose_value=False, callback=_heed)
            )


def _heed(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        how_much(**{str(param.name): True})
