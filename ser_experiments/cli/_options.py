"""Options that several subcommands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

Function = Callable[..., Any]


def corpus_options(function: Function) -> Function:
    """Add what chooses a corpus and its rows."""
    for option in reversed(
        [
            click.option("--corpus", default="demo", show_default=True, help="Corpus: see `ser corpora list`."),
            click.option("--root", help="Where it lies: a folder, or the CSV file of a manifest."),
            click.option("--name", help="Name of a manifest in results; by default its folder."),
            click.option("--labels", help="Label scheme, e.g. 4class; see `ser corpora list`."),
            click.option("--subset", help="all, improvised or scripted."),
            click.option("--allow-outside", is_flag=True, help="Let a manifest's paths lead out of its folder."),
        ]
    ):
        function = option(function)
    return function


def corpus_arguments(corpus: str, name: str | None, allow_outside: bool) -> dict[str, Any]:
    """Return the options that only a manifest takes, where they were given; with another corpus they are an error."""
    given: dict[str, Any] = {}
    if name is not None:
        given["name"] = name
    if allow_outside:
        given["allow_outside"] = True
    if given and corpus != "manifest":
        flag = "--" + next(iter(given)).replace("_", "-")
        raise click.UsageError(f"{flag} is for --corpus manifest, got --corpus {corpus}")
    return given


def setting_options(function: Function) -> Function:
    """Add what makes a setting besides the corpus."""
    for option in reversed(
        [
            click.option(
                "--protocol",
                help="leave-one-session-out, leave-one-speaker-out, grouped-k-fold, or random (which leaks).",
            ),
            click.option(
                "--folds", "n_splits", type=click.IntRange(2), default=5, show_default=True,
                help="Folds of grouped-k-fold and random.",
            ),
            click.option(
                "--normalize", default="none", show_default=True,
                help="none, neutral-K, enrol-K or speaker: what is taken out by speaker, and asked of a tested one.",
            ),
        ]
    ):  # fmt: skip
        function = option(function)
    return function
