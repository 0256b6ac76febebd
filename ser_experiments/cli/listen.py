"""``ser listen``: the emotion of what is being said, a line a second."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ser_experiments.cli._abstain import abstain_option, unsure
from ser_experiments.cli._say import say

if TYPE_CHECKING:
    from ser_experiments.cli._sound import Feed
    from ser_experiments.serving.live import Live, Moment
    from ser_experiments.task import Task

#: Columns of a line and of a class, where three dots follow what was cut, and of a bar.
_WIDTH, _WORD, _BAR = 77, 14, 20


@click.command("listen")
@click.option(
    "--model", help="A setting or registered name with @alias or /version, or a URI; by default the only champion."
)
@click.option(
    "--from", "source", type=click.Path(path_type=Path, allow_dash=True),
    help="A recording that is played as fast as it was spoken, or `-`: samples of 16 bits on standard input.",
)  # fmt: skip
@click.option("--rate", type=int, default=16_000, show_default=True, help="Hz of the samples on standard input.")
@click.option("--device", help="The microphone: a part of its name, or its number.")
@click.option("--window", type=float, help="Seconds that an answer looks at; by default 3.")
@click.option("--step", type=float, help="Seconds between two answers; by default 1.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="End after so many seconds of sound.")
@abstain_option
@click.option("--json", "as_json", is_flag=True, help="One JSON list, an object a line as they come.")
def command(
    model: str | None,
    source: Path | None,
    rate: int,
    device: str | None,
    window: float | None,
    step: float | None,
    seconds: float | None,
    abstain: float | None,
    as_json: bool,
) -> None:
    """Hear a microphone and say the emotion every second.

    Ctrl-C ends it. Each line is about the window that ends then. No sound is kept but that window. At the end it says
    how long after its second each answer came.
    """
    from ser_experiments.cli import _sound
    from ser_experiments.serving.live import Live
    from ser_experiments.tracking.loading import load_model

    loaded = load_model(model)
    loaded.check_ready()
    if abstain is not None:
        loaded = loaded.cautious(abstain)
    say(f"{loaded.meta['experiment']} of {loaded.meta['setting']}", err=True)
    for note in (*loaded.meta.get("notes", []), *loaded.warnings):
        say(f"note: {note}", err=True)
    _warm(Live(loaded, 16_000, window_s=window, step_s=step))
    if source is None:
        feed = _sound.microphone(device)
        say("listening; Ctrl-C ends it", err=True)
    else:
        feed = _sound.raw(rate) if str(source) == "-" else _sound.played(source)
    live = Live(loaded, feed.sample_rate, window_s=window, step_s=step)
    _tell(live, feed, loaded.task, seconds, as_json=as_json)


def _warm(live: Live) -> None:
    """Let it answer once, so that nothing is compiled or imported while somebody speaks."""
    import numpy as np

    rng = np.random.default_rng(0)
    for _ in live.hear(0.1 * rng.standard_normal(round(live.window_s * live.sample_rate)).astype(np.float32)):
        pass


def _tell(live: Live, feed: Feed, task: Task, seconds: float | None, *, as_json: bool) -> None:
    delays: list[float] = []
    before = "["
    try:
        for moment, delay_s in _moments(live, feed):
            delays.append(delay_s)
            if as_json:
                told = {"start_s": moment.start_s, "end_s": moment.end_s, "speech": round(moment.speech, 3)}
                say(before + json.dumps({**told, **moment.answer, "delay_s": round(delay_s, 3)}), nl=False)
                before = ",\n "
            else:
                say(line(task, moment))
            if seconds is not None and moment.end_s >= seconds:
                break
    except KeyboardInterrupt:
        # That is how a microphone is let go.
        say(err=True)
    finally:
        feed.ended.set()
        if as_json:
            say("]" if before != "[" else "[]")
    for words in summary(delays, live.step_s, feed.lost_s):
        say(words, err=True)


def _moments(live: Live, feed: Feed) -> Iterator[tuple[Moment, float]]:
    """Yield moments, and how many seconds after its last sound was there each is known."""
    for piece in feed:
        for moment in live.hear(piece.audio):
            yield moment, time.monotonic() - piece.there


def line(task: Task, moment: Moment) -> str:
    """Return what is said of a moment, in at most 80 columns."""
    from ser_experiments.words import as_people_write, cut

    minutes, seconds = divmod(int(moment.end_s), 60)
    clock = f"{minutes:3d}:{seconds:02d}"
    numbers = task.numbers(moment.answer)
    if not numbers:
        return f"{clock}  no speech"
    if not task.are_shares:
        return cut(f"{clock}  {'  '.join(task.told(moment.answer))}", _WIDTH)
    (first, share), *others = sorted(numbers.items(), key=lambda one: -one[1])
    if said := unsure(task, moment.answer):
        return cut(f"{clock}  {said}", _WIDTH)
    width = min(_WORD, max(map(len, task.targets)))
    bar = "#" * round(_BAR * share)
    next_to = f"   {cut(as_people_write(others[0][0]), _WORD)} {others[0][1]:.2f}" if others else ""
    return f"{clock}  {cut(as_people_write(first), width):<{width}} {share:.2f} {bar:.<{_BAR}}{next_to}"


def summary(delays: Sequence[float], step_s: float, lost_s: float) -> Iterator[str]:
    """Say how fast answers came, and what was not heard."""
    if not delays:
        yield "nothing was heard"
        return
    middle = sorted(delays)[len(delays) // 2]
    yield (
        f"{len(delays)} answers, {middle:.2f} s after the end of their step in the middle, {max(delays):.2f} s at most"
    )
    yield f"(a sound waits up to {step_s:g} s for that end)"
    if lost_s:
        yield f"{lost_s:.1f} s were not heard: this machine is too slow for the model; take a longer --step"
