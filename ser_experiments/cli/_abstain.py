"""``--abstain``: how often a model may be wrong, and how it is said that it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ser_experiments.words import as_people_write

if TYPE_CHECKING:
    from ser_experiments.task import Task

abstain_option = click.option(
    "--abstain",
    type=float,
    metavar="RISK",
    help="Be wrong on a new speaker at most so often (0.1: one in ten); else answer `unsure` and what it may be.",
)


def unsure(task: Task, answer: Mapping[str, Any]) -> str:
    """Return what is said of an answer that is not sure, e.g. ``"Unsure: Angry or Sad"``; nothing of another."""
    among = answer.get("candidates") or ()
    if not among or answer["label"] in task.targets:
        return ""
    return f"{as_people_write(answer['label'])}: {' or '.join(map(as_people_write, among))}"
