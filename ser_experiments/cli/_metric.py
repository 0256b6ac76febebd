"""The option ``--metric`` of what ranks runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ser_experiments import plugins


class _Metric(click.Option):
    """Name the scores of the folder in the help, and look for them when the help is asked for."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its help."""
        self.help = f"{self.help} One of {', '.join(plugins.names('ser_experiments.evaluation.scores'))}."
        return super().get_help_record(ctx)


def metric_option(help: str) -> Callable[[Any], Any]:
    """Add ``--metric``; by default it is None, which is the primary score of what is predicted.

    Parameters
    ----------
    help : str
        What it is for, a sentence.
    """
    return click.option("--metric", cls=_Metric, help=f"{help} By default the primary score: uar of classes.")
