"""``ser doctor``: what this machine has of what the program needs, and what is wrong."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import click

from ser_experiments.cli._options import as_json
from ser_experiments.cli._say import say
from ser_experiments.cli._sizes import size

_WIDTH = 80


@click.command("doctor")
@as_json
def command(as_json: bool) -> None:
    """Say what is installed, what the machine has and what is wrong.

    Versions, devices, formats of audio (one of each is made and read), disk, optional parts, the tracking store and the
    variables that count. It is what a report of a bug needs: secrets are hidden, your home is shown as ~. The exit code
    is 1 where nothing works without what is wrong.
    """
    from ser_experiments.cli._doctor import examined

    facts, problems = examined()
    if as_json:
        say(json.dumps({**facts, "problems": [one._asdict() for one in problems]}))
    else:
        for line in _lines(facts):
            say(line)
        say()
        for one in problems:
            say(_wrapped("! ", one.what, indent=2))
        say("nothing is wrong" if not problems else f"{len(problems)} to look at, marked with !")
    if any(one.essential for one in problems):
        sys.exit(1)


def _lines(facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"ser {facts['ser']}, Python {facts['python']}, {facts['platform']}"
    yield _wrapped(
        "libraries  ", ", ".join(f"{name} {there or '! missing'}" for name, there in facts["libraries"].items())
    )
    yield from _of_devices(facts["devices"])
    yield from _of_audio(facts["audio"])
    yield from _of_extras(facts["extras"])
    yield _wrapped("project    ", facts["project"])
    yield _wrapped("runs       ", _of_store(facts["store"]))
    parts = ", ".join(f"{name} {size(n_bytes)}" for name, n_bytes in facts["disk"]["parts"].items())
    yield _wrapped("disk       ", f"{parts}{'; ' if parts else ''}{size(facts['disk']['free'])} free")
    variables = [f"{name}={value}" for name, value in facts["variables"].items()] or ["none that count"]
    for number, line in enumerate(variables):
        yield _wrapped("variables  " if number == 0 else " " * 11, line)


def _of_devices(told: Mapping[str, Any]) -> Iterator[str]:
    cores = f"{told['cores']} cores, " if told.get("cores") else ""
    usable = f", {told['usable']} of them usable" if told.get("usable") not in (None, told["threads"]) else ""
    memory = f", memory {size(told['memory'])}, {size(told['memory_free'])} free" if "memory" in told else ""
    yield _wrapped("processor  ", f"{cores}{told['threads']} threads{usable}{memory}")
    seen = told["torch"]
    if seen is None:
        yield "GPU        not known: torch is missing or broken"
        return
    gpus = ", ".join(f"{one['name']} {size(one['bytes']) if one['bytes'] else ''}".strip() for one in seen["gpus"])
    built = f"torch is built for CUDA or ROCm {seen['built_for']}" if seen["built_for"] else "torch is built for CPUs"
    yield _wrapped("GPU        ", f"{gpus or 'none seen'}; {built}")


def _of_audio(told: Mapping[str, Any]) -> Iterator[str]:
    for number, (library, one) in enumerate(told.items()):
        head = "audio      " if number == 0 else " " * 11
        if one["version"] is None:
            yield _wrapped(head, f"{library}: missing; it would add {', '.join(one['would_read'])}")
            continue
        said = f"{library} {one['version']}: made and read {', '.join(one['read'])}"
        said += f"; ! refused {', '.join(one['refused'])}" if one["refused"] else ""
        said += f"; could not be made to try: {', '.join(one['not made'])}" if one["not made"] else ""
        yield _wrapped(head, said)


def _of_extras(told: Mapping[str, Any]) -> Iterator[str]:
    there = [
        f"{extra} ({', '.join(f'{name} {known}' for name, known in one['packages'].items())})"
        for extra, one in told.items()
        if not one["missing"]
    ]
    yield _wrapped("optional   ", ", ".join(there) or "nothing")
    for extra, one in told.items():
        if one["missing"]:
            yield _wrapped(" " * 11, f"- {extra} is missing: {one['for']}; {one['get']}")


def _of_store(told: Mapping[str, Any]) -> str:
    if told["answers"] is None:
        return f"none yet; {told['tracker']}, the first run makes it"
    if not told["answers"]:
        return f"! {told['tracker']} at {told['uri']} does not answer"
    return f"{told['tracker']} at {told['uri']} answers"


def _wrapped(head: str, words: str, *, indent: int = 11) -> str:
    return textwrap.fill(
        words,
        _WIDTH,
        initial_indent=head,
        subsequent_indent=" " * indent,
        break_long_words=True,
        break_on_hyphens=False,
    )
