"""What rows weigh in training: all the same, or by how far their raters agree."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.errors import InputError, nearest

#: Values of ``--weights``, and the column that each is.
WEIGHTS = {"agreement": "agreement"}


def weights_of(utterances: pd.DataFrame, name: str | None) -> pd.Series | None:
    """Return the weights of utterances, whose mean is 1; None where all weigh the same.

    Parameters
    ----------
    utterances : DataFrame
        With ``agreement``, the share of the raters that said the most frequent word. One whose share is not known
        weighs as much as the mean of the others.
    name : str or None
        ``"agreement"``, or None.

    Raises
    ------
    InputError
        Another name, or nobody knows of any utterance how far its raters agree.
    """
    if name is None:
        return None
    if name not in WEIGHTS:
        raise InputError(f"--weights {name!r}: unknown{nearest(name, WEIGHTS)}")
    column = WEIGHTS[name]
    known = pd.to_numeric(utterances[column], errors="coerce") if column in utterances else pd.Series(dtype=float)
    if not known.gt(0).any():
        raise InputError(f"--weights {name}: this corpus does not know how far its raters agree; leave it out")
    known = known.where(known > 0)
    return known.fillna(known.mean()) / known.mean()


def weighed(weights: NDArray[np.float64] | None, name: str | None) -> list[str]:
    """Say how rows are weighed, one line; nothing where all weigh the same."""
    if weights is None:
        return []
    return [f"training rows weigh by {name}, {weights.min():.2f} to {weights.max():.2f}; scores are not weighted"]
