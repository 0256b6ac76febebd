"""``ser encoders``: which pretrained speech encoders there are, what one is, and how it comes here."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ser_experiments.cli._complete import completes
from ser_experiments.cli._groups import Group
from ser_experiments.cli._progress import Showing
from ser_experiments.cli._say import say


@click.group("encoders", cls=Group)
def command() -> None:
    """List pretrained speech encoders, fetch one, describe one."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def list_encoders(as_json: bool) -> None:
    """List encoders that are known by name; any other of the same families will do as well."""
    from ser_experiments.features.encoders.catalogue import catalogue

    here = {name: _folder(name) for name in catalogue()}
    if as_json:
        say(json.dumps({
            name: {**asdict(one), "here": here[name] and str(here[name])} for name, one in catalogue().items()
        }))  # fmt: skip
        return
    for name, one in catalogue().items():
        size = f"{one.layers} layers of {one.width}, {one.parameters:g} M parameters"
        say(f"{name}{' (here)' if here[name] else ''}: {one.family}, {size}, {one.licence}")
        say(f"  languages: {one.languages}; {one.heard}")
        if one.trained_on:
            say(f"  trained on emotions of {', '.join(one.trained_on)}: no score there is one on unheard speech")


@command.command("pull")
@click.argument("name", metavar="ID", shell_complete=completes("encoders"))
@click.option("--revision", help="A branch, tag or commit; by default the main branch.")
def pull(name: str, revision: str | None) -> None:
    """Fetch the encoder ID from the hub, once; what was interrupted goes on.

    Only configurations and safetensors are fetched. HF_ENDPOINT, HF_HOME and HF_TOKEN count.
    """
    from ser_experiments.features.encoders import hub

    model = name if revision is None else f"{name}@{revision}"
    hub.parse(model)
    with Showing() as shown:
        pinned, folder = hub.fetch(model, progress=shown.measured)
    say(f"{pinned}: {folder}")


@command.command("describe")
@click.argument("model", metavar="ID|FOLDER", shell_complete=completes("encoders"))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def describe(model: str, as_json: bool) -> None:
    """Say what an encoder on this machine is: family, layers, width, digest, size."""
    from ser_experiments.features.encoders import hub
    from ser_experiments.features.encoders.catalogue import trained_on
    from ser_experiments.features.encoders.checkpoint import Checkpoint

    pinned, folder = hub.found(model)
    checkpoint = Checkpoint(folder)
    told: dict[str, Any] = {
        "model": pinned,
        "family": checkpoint.config.get("model_type"),
        "layers": checkpoint.n_layers,
        "width": checkpoint.width,
        "sample_rate": checkpoint.sample_rate,
        "parameters": checkpoint.n_weights,
        "bytes": checkpoint.n_bytes,
        "digest": checkpoint.digest,
        "folder": str(folder),
        "trained_on": list(trained_on(pinned)),
    }
    if as_json:
        say(json.dumps(told))
        return
    say(f"{told['model']}: {told['family']}")
    say(f"layers      0 to {told['layers']}, each of {told['width']}")
    say(f"audio       {told['sample_rate']} Hz")
    say(f"size        {told['parameters'] / 1e6:.1f} M parameters, {told['bytes'] / 1e6:.1f} MB, the encoder alone")
    say(f"digest      {told['digest']}")
    say(f"folder      {told['folder']}")
    if told["trained_on"]:
        say(f"trained on  emotions of {', '.join(told['trained_on'])}")


def _folder(name: str) -> Path | None:
    from ser_experiments.errors import InputError
    from ser_experiments.features.encoders import hub

    try:
        return hub.found(name)[1]
    except InputError:
        return None
