"""``ser completion``: what a shell needs to complete the words of the command."""

from __future__ import annotations

import click

from ser_experiments.cli._say import say

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> None:
    """Print the script that lets a shell complete names.

    \b
    bash  ser completion bash > ~/.local/share/bash-completion/completions/ser
    zsh   ser completion zsh > ~/.zfunc/_ser   (a folder of $fpath)
    fish  ser completion fish > ~/.config/fish/completions/ser.fish

    It completes what is known where you are: experiments, corpora, label schemes, settings, runs, models.
    """  # noqa: D301 -- click reads the backspace
    from click.shell_completion import get_completion_class

    from ser_experiments.cli import ser
    from ser_experiments.cli._complete import VARIABLE

    kind = get_completion_class(shell)
    assert kind is not None
    made = kind(ser, {}, "ser", VARIABLE)
    # Not `source`: that asks bash for its version, and whoever writes the script may have none.
    say(made.source_template % made.source_vars())
