"""``--abstain``: how often a model may be wrong."""

from __future__ import annotations

import click

abstain_option = click.option(
    "--abstain",
    type=float,
    metavar="RISK",
    help="Be wrong on a new speaker at most so often (0.1: one in ten); else answer `unsure` and what it may be.",
)
