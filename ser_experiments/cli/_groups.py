"""Commands under one name."""

from __future__ import annotations

import click


class Group(click.Group):
    """Commands under one name; who says none of them asks for help."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse."""
        return super().parse_args(ctx, args or ["--help"])
