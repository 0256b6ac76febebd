"""What the page shows of an answer, as HTML: no headline over what changes, and classes as people write them."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ser_experiments.serving.timeline import Timeline
from ser_experiments.words import as_people_write

#: One class that is heard in so much of the time is the emotion of the whole.
_STEADY = 0.8
#: A picture's words name so many stretches of time, and of what is longer the shares alone.
_MOST_STRETCHES = 12

STYLE = """
.ser-answer { font-size: 1rem; }
.ser-answer .ser-head { font-size: 1.8rem; font-weight: 600; margin: .2rem 0 .6rem; }
.ser-answer .ser-sub { margin: .2rem 0 .6rem; }
.ser-answer dl { display: grid; grid-template-columns: minmax(5rem, max-content) 1fr 3.2rem; gap: .45rem .7rem;
  align-items: center; margin: 0; }
.ser-answer dt, .ser-answer dd { margin: 0; overflow-wrap: anywhere; }
.ser-answer .ser-bar { background: var(--border-color-primary); border-radius: 4px; height: .8rem; }
.ser-answer .ser-bar span { display: block; height: 100%; border-radius: 4px; background: var(--color-accent); }
.ser-answer dd:last-of-type, .ser-answer .ser-number { text-align: right; font-variant-numeric: tabular-nums; }
#live { width: 100%; height: 46rem; border: 0; }
.ser-picture img { width: 100%; height: auto; display: block; border-radius: 6px; }
.dark .ser-picture .ser-light, .ser-picture .ser-dark { display: none; }
.dark .ser-picture .ser-dark { display: block; }
"""


def shares_of_time(line: Timeline) -> dict[str, float]:
    """Return of each class the share of the time with speech in which it is the most probable, the largest first."""
    there = line.spoken
    if not there.any():
        return {}
    weights = line.table["speech"].to_numpy()[there]
    winners = line.task.values(line.table)[there].argmax(axis=1)
    total = np.bincount(winners, weights, minlength=len(line.task.targets)) / weights.sum()
    found = {name: float(share) for name, share in zip(line.task.targets, total, strict=True) if share > 0}
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def changes(line: Timeline) -> bool:
    """Whether no class is heard in nearly all of the time."""
    return line.task.are_shares and max(shares_of_time(line).values(), default=1.0) < _STEADY


def answered(line: Timeline, whole: Mapping[str, Any]) -> str:
    """Return an answer in HTML: the emotion with its probabilities, or where it changes, what has which share of time.

    Parameters
    ----------
    line : Timeline
        Of the recording.
    whole : mapping
        As the task answers of the whole recording.
    """
    numbers = line.task.numbers(whole)
    if not numbers or not line.task.are_shares:
        return ""
    if changes(line):
        head = '<p class="ser-sub">The emotion changes. Share of the time with speech:</p>'
        return _block(head, shares_of_time(line))
    ranked = dict(sorted(numbers.items(), key=lambda one: -one[1]))
    # The likeliest class, or that the model is not sure enough of it.
    name = as_people_write(next((str(whole[one]) for one in line.task.fields("text")), next(iter(ranked))))
    return _block(f'<p class="ser-head">{html.escape(name)}</p><p class="ser-sub">Probability:</p>', ranked)


def _block(head: str, shares: Mapping[str, float]) -> str:
    rows = "".join(
        f'<dt>{html.escape(as_people_write(name))}</dt><dd class="ser-bar" aria-hidden="true">'
        f'<span style="width:{100 * share:.0f}%"></span></dd><dd class="ser-number">{100 * share:.0f}%</dd>'
        for name, share in shares.items()
    )
    return f'<div class="ser-answer">{head}<dl>{rows}</dl></div>'


def described(line: Timeline) -> str:
    """Return what the picture of a timeline shows, in words."""
    length = f"{line.duration_s:.1f} s of sound, as waveform and spectrogram"
    if not line.spoken.any():
        return f"{length}; nobody speaks in it."
    if not line.task.are_shares:
        values = line.task.values(line.table)[line.spoken]
        ends = zip(line.task.targets, values.min(axis=0), values.max(axis=0), values[0], values[-1], strict=True)
        told = "; ".join(f"{name} between {low:.2f} and {high:.2f}, from {first:.2f} to {last:.2f}"
                         for name, low, high, first, last in ends)  # fmt: skip
        return f"{length}; below, over time: {told}."
    stretches = list(_stretches(line))
    if len(stretches) > _MOST_STRETCHES:
        told = ", ".join(f"{as_people_write(name)} {100 * share:.0f} %" for name, share in shares_of_time(line).items())
        return f"{length}; below, the most probable emotion over time changes often: {told} of the time with speech."
    return f"{length}; below, the most probable emotion over time: {', '.join(stretches)}."


def _stretches(line: Timeline) -> Iterator[str]:
    """Yield from when to when what was heard."""
    names = [as_people_write(line.task.targets[row.argmax()]) if there else "no speech"
             for row, there in zip(line.task.values(line.table), line.spoken, strict=True)]  # fmt: skip
    begun = 0
    for at in range(1, len(names) + 1):
        if at == len(names) or names[at] != names[begun]:
            start, end = line.table["start_s"].iloc[begun], line.table["end_s"].iloc[at - 1]
            yield f"{start:.0f} to {end:.0f} s {names[begun]}"
            begun = at


def pictured(pictures: Sequence[tuple[str, str, str]], words: str) -> str:
    """Return pictures in HTML.

    Parameters
    ----------
    pictures : sequence of (str, str, str)
        For each of ``ser-light`` and ``ser-dark``: that word, the address of the wide and that of the narrow picture.
    words : str
        What they show.
    """
    shown = "".join(
        f'<picture class="{look}"><source media="(max-width: 640px)" srcset="{narrow}">'
        f'<img class="{look}" src="{wide}" alt="{html.escape(words)}"></picture>'
        for look, wide, narrow in pictures
    )
    return f'<div class="ser-picture">{shown}</div>'
