"""What is kept of a layer's hidden states over a recording: moments, percentiles, a mean, or the frames themselves.

The outputs of an encoder's measure are those of :data:`SUMMARIES`: of each, one a hidden state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.measure import Array

if TYPE_CHECKING:
    import torch

#: Of the distribution of a dimension over the frames of a recording, as fractions.
PERCENTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}

#: First and end of frames.
Spans = Sequence[tuple[int, int]]
Cut = TypeVar("Cut", "torch.Tensor", Array)
Kept = Callable[["torch.Tensor", Spans], Sequence[Array]]


class Summary(NamedTuple):
    """One way to keep hidden states, first of windows and then of a recording.

    Parameters
    ----------
    output : str
        What its outputs are called, before the number of the layer.
    functionals : tuple of str
        In their order; none of the frames themselves.
    of : callable
        Takes states of shape (n_windows, n_frames, width) and the first and the end of the frames of each window that
        count; returns what is to be known of each window. On a GPU that is one transfer.
    joined : callable
        Takes what is known of each window of a recording, and the frames of each; returns what is kept.
    free : bool
        Whether it costs nothing beside the network, and is kept whatever is asked for.
    """

    output: str
    functionals: tuple[str, ...]
    of: Kept
    joined: Callable[[Sequence[Array], Sequence[int]], Array]
    free: bool = False


def _cut(states: Cut, spans: Spans) -> Iterator[Cut]:
    """Yield the frames of each window that count."""
    return (window[first:end] for window, (first, end) in zip(states, spans, strict=True))


def _counting(states: torch.Tensor, spans: Spans) -> tuple[torch.Tensor, torch.Tensor]:
    """Return which frames count, shape (n_windows, n_frames, 1), and the spans as a tensor."""
    import torch

    limits = torch.tensor(spans, device=states.device)
    place = torch.arange(states.shape[1], device=states.device)
    return ((place >= limits[:, :1]) & (place < limits[:, 1:]))[..., None], limits


def moments_one_by_one(states: torch.Tensor, spans: Spans) -> Sequence[Array]:
    """Return mean and standard deviation over frames, shape (2, width) each."""
    import torch

    both = (torch.std_mean(own.float(), dim=0, correction=0) for own in _cut(states, spans))
    return [torch.stack([mean, deviation]).double().numpy() for deviation, mean in both]


def moments_together(states: torch.Tensor, spans: Spans) -> Sequence[Array]:
    """Return the same, computed where the states are, in one transfer."""
    import torch

    counts, limits = _counting(states, spans)
    n_frames = (limits[:, 1:] - limits[:, :1])[..., None]
    values = states.float().masked_fill(~counts, 0.0)
    mean = values.sum(1, keepdim=True) / n_frames
    variance = ((values - mean) ** 2).masked_fill(~counts, 0.0).sum(1, keepdim=True) / n_frames
    return list(torch.cat([mean, variance.sqrt()], dim=1).double().numpy(force=True))


def _pooled(moments: Sequence[Array], counts: Sequence[int]) -> NDArray[np.float32]:
    """Return mean and deviation over the frames of all windows, one after the other (Chan, Golub, LeVeque, 1983)."""
    if len(counts) == 1:
        return _finite(moments[0].astype(np.float32).ravel())
    weights = np.asarray(counts, dtype=np.float64)[:, None] / sum(counts)
    means, deviations = (np.stack([one[part] for one in moments]) for part in (0, 1))
    mean = (weights * means).sum(axis=0)
    variance = (weights * (deviations**2 + (means - mean) ** 2)).sum(axis=0)
    return _finite(np.concatenate([mean, np.sqrt(variance)]).astype(np.float32))


def _first(moments: Sequence[Array], counts: Sequence[int]) -> NDArray[np.float32]:
    """Return the mean alone."""
    return np.split(_pooled(moments, counts), 2)[0].copy()


def percentiles_one_by_one(states: torch.Tensor, spans: Spans) -> Sequence[Array]:
    """Return the percentiles over frames as NumPy interpolates them, shape (3, width) each."""
    # NumPy sorts ten times as fast as torch on a CPU.
    cuts = (np.ascontiguousarray(own.float().numpy().T) for own in _cut(states, spans))
    return [_interpolated(np.sort(own, axis=1).T) for own in cuts]


def _interpolated(ordered: NDArray[np.float32]) -> NDArray[np.float64]:
    places = np.array(list(PERCENTILES.values())) * (len(ordered) - 1)
    below = places.astype(int)
    share = (places - below)[:, None]
    above = np.minimum(below + 1, len(ordered) - 1)
    return (1 - share) * ordered[below] + share * ordered[above]


def percentiles_together(states: torch.Tensor, spans: Spans) -> Sequence[Array]:
    """Return the same, computed where the states are, in one transfer."""
    import torch

    counts, limits = _counting(states, spans)
    ordered = states.float().masked_fill(~counts, math.inf).sort(dim=1).values
    last = limits[:, 1:] - limits[:, :1] - 1
    places = torch.tensor(list(PERCENTILES.values()), dtype=torch.float64, device=states.device) * last
    below = places.long()
    low, high = (
        ordered.gather(1, rows[..., None].expand(-1, -1, ordered.shape[2])).double()
        for rows in (below, torch.minimum(below + 1, last))
    )
    share = (places - below)[..., None]
    return list(((1 - share) * low + share * high).numpy(force=True))


def _averaged(percentiles: Sequence[Array], counts: Sequence[int]) -> NDArray[np.float32]:
    """Return the percentiles of the windows, each weighted by its frames: those of an hour are never held at once."""
    if len(counts) == 1:
        return _finite(percentiles[0].astype(np.float32).ravel())
    mean = np.average(np.stack(percentiles), axis=0, weights=np.asarray(counts, dtype=np.float64))
    return _finite(mean.ravel().astype(np.float32))


def _finite(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(numbers).all():
        raise ValueError("the encoder's states are not finite")
    return numbers


def _halved(states: torch.Tensor, spans: Spans) -> Sequence[Array]:
    """Return the frames themselves in half precision."""
    # Of copies: a slice would hold the whole batch.
    return [own.copy() for own in _cut(states.half().numpy(force=True), spans)]


def _strung(frames: Sequence[Array], counts: Sequence[int]) -> Array:
    return np.concatenate(frames)


def _on_gpu(there: Kept, here: Kept) -> Kept:
    """Return one way to compute on a GPU, where calls and transfers cost, and one on a CPU, where padding does."""
    return lambda states, spans: (there if states.is_cuda else here)(states, spans)


#: By what they are called in a definition, in the order of a measure's outputs: those of all layers for the first, ...
SUMMARIES = {
    "moments": Summary("layer", ("mean", "std"), _on_gpu(moments_together, moments_one_by_one), _pooled, free=True),
    "frames": Summary("frames", (), _halved, _strung),
    "percentiles": Summary(
        "percentiles", tuple(PERCENTILES), _on_gpu(percentiles_together, percentiles_one_by_one), _averaged
    ),
    "mean": Summary("mean", ("amean",), _on_gpu(moments_together, moments_one_by_one), _first),
}


def summary_of(number: int, n_states: int) -> tuple[Summary, int]:
    """Return the summary and the layer that an output of a measure is of, by its number."""
    return list(SUMMARIES.values())[number // n_states], number % n_states


def outputs_at_no_cost(wanted: Collection[int], n_states: int) -> tuple[int, ...]:
    """Return the outputs that a pass gives where some are wanted, in order.

    Every layer below the last is computed, and its functionals take next to nothing; frames take room.
    """
    found = [summary_of(number, n_states) for number in wanted]
    below = range(max(layer for _, layer in found) + 1)
    given: list[int] = []
    for place, summary in enumerate(SUMMARIES.values()):
        own = sorted(layer for one, layer in found if one is summary)
        layers = (below if own or summary.free else ()) if summary.functionals else own
        given += [place * n_states + layer for layer in layers]
    return tuple(given)
