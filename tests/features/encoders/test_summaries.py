"""What is kept of hidden states: the same numbers on a GPU, where windows are taken together, and on a CPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ser_experiments.features.encoders import summaries
from ser_experiments.features.encoders.summaries import SUMMARIES, Kept

SPANS = ((0, 40), (3, 4), (7, 31), (0, 2))


@pytest.fixture
def states() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    made = 50 + torch.randn(len(SPANS), 40, 8, generator=generator)
    # What lies beside a window's own frames is anything.
    made[1, 4:] = torch.inf
    made[2, :7] = torch.nan
    return made


@pytest.mark.parametrize(
    ("together", "one_by_one"),
    [
        (summaries.moments_together, summaries.moments_one_by_one),
        (summaries.percentiles_together, summaries.percentiles_one_by_one),
    ],
)
def test_windows_are_summed_up_together_as_one_by_one(together: Kept, one_by_one: Kept, states: torch.Tensor) -> None:
    first, second = together(states, SPANS), one_by_one(states, SPANS)
    assert len(first) == len(second) == len(SPANS)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_frames_that_are_kept_do_not_hold_their_batch(states: torch.Tensor) -> None:
    kept = SUMMARIES["frames"].of(states[:1], SPANS[:1])[0]
    assert kept.dtype == np.float16
    assert kept.base is None


def test_a_recording_of_one_window_is_what_is_known_of_it(states: torch.Tensor) -> None:
    for name in ("moments", "percentiles"):
        one = SUMMARIES[name]
        (known,) = one.of(states[:1], SPANS[:1])
        np.testing.assert_array_equal(one.joined([known], [40]), known.astype(np.float32).ravel())
        np.testing.assert_allclose(one.joined([known, known], [40, 3]), known.ravel(), rtol=1e-6)
