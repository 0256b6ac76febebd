"""What is kept of a layer's hidden states over a recording: moments, percentiles, or the frames themselves.

The outputs of an encoder's measure are those of :data:`SUMMARIES`: of each, one a hidden state.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.measure import Array

if TYPE_CHECKING:
    import torch

#: Of the distribution of a dimension over the frames of a recording, as fractions.
PERCENTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}


class Summary(NamedTuple):
    """One way to keep hidden states, of shape (n_frames, width), first of a window and then of a recording.

    Parameters
    ----------
    output : str
        What its outputs are called, before the number of the layer.
    functionals : tuple of str
        In their order; none of the frames themselves.
    of : callable
        Takes the states of a window; returns what is to be known of it.
    joined : callable
        Takes what is known of each window of a recording, and the frames of each; returns what is kept.
    free : bool
        Whether it costs nothing beside the network, and is kept whatever is asked for.
    """

    output: str
    functionals: tuple[str, ...]
    of: Callable[[torch.Tensor], Array]
    joined: Callable[[Sequence[Array], Sequence[int]], Array]
    free: bool = False


def _moments(frames: torch.Tensor) -> NDArray[np.float64]:
    """Return mean and standard deviation over frames, shape (2, width)."""
    import torch

    deviation, mean = torch.std_mean(frames.float(), dim=0, correction=0)
    return torch.stack([mean, deviation]).double().numpy(force=True)


def _pooled(moments: Sequence[Array], counts: Sequence[int]) -> NDArray[np.float32]:
    """Return mean and deviation over the frames of all windows, one after the other (Chan, Golub, LeVeque, 1983)."""
    weights = np.asarray(counts, dtype=np.float64)[:, None] / sum(counts)
    means, deviations = (np.stack([one[part] for one in moments]) for part in (0, 1))
    mean = (weights * means).sum(axis=0)
    variance = (weights * (deviations**2 + (means - mean) ** 2)).sum(axis=0)
    return _finite(np.concatenate([mean, np.sqrt(variance)]).astype(np.float32))


def _percentiles(frames: torch.Tensor) -> NDArray[np.float64]:
    """Return the percentiles over frames as NumPy interpolates them, one after the other; shape (3, width)."""
    if frames.is_cuda:
        ordered = frames.float().sort(dim=0).values.numpy(force=True)
    else:
        # Ten times as fast as torch sorts here.
        ordered = np.sort(np.ascontiguousarray(frames.float().numpy(force=True).T), axis=1).T
    places = np.array(list(PERCENTILES.values())) * (len(ordered) - 1)
    below = places.astype(int)
    share = (places - below)[:, None]
    above = np.minimum(below + 1, len(ordered) - 1)
    return (1 - share) * ordered[below] + share * ordered[above]


def _averaged(percentiles: Sequence[Array], counts: Sequence[int]) -> NDArray[np.float32]:
    """Return the percentiles of the windows, each weighted by its frames: those of an hour are never held at once."""
    mean = np.average(np.stack(percentiles), axis=0, weights=np.asarray(counts, dtype=np.float64))
    return _finite(mean.ravel().astype(np.float32))


def _finite(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(numbers).all():
        raise ValueError("the encoder's states are not finite")
    return numbers


def _halved(frames: torch.Tensor) -> Array:
    halved: Array = frames.half().numpy(force=True)
    return halved


def _strung(frames: Sequence[Array], counts: Sequence[int]) -> Array:
    return np.concatenate(frames)


#: By what they are called in a definition, in the order of a measure's outputs: those of all layers for the first, ...
SUMMARIES = {
    "moments": Summary("layer", ("mean", "std"), _moments, _pooled, free=True),
    "frames": Summary("frames", (), _halved, _strung),
    "percentiles": Summary("percentiles", tuple(PERCENTILES), _percentiles, _averaged),
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
