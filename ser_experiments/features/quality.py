"""What the recordings of a table of utterances are like, measured once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ser_experiments import doing
from ser_experiments.audio.quality import Quality, quality_of
from ser_experiments.errors import AudioError
from ser_experiments.features.extraction.plan import Request
from ser_experiments.features.store import quality as kept

#: Of more recordings than these, so many are looked at, evenly spread over the table: the ends of what is usual are
#: found in them as well.
MOST = 500


def qualities(utterances: pd.DataFrame, *, cache: Path, most: int = MOST) -> pd.DataFrame:
    """Return what recordings are like.

    Parameters
    ----------
    utterances : DataFrame
        Indexed by ``utterance_id``, with ``path`` and perhaps ``start_s`` and ``end_s``.
    cache : Path
        The cache folder.
    most : int
        Recordings that are looked at.

    Returns
    -------
    DataFrame
        A row a recording that was looked at and can be read, on its utterance id; the columns are the fields of
        :class:`~ser_experiments.audio.quality.Quality`.

    Raises
    ------
    StoreError
        The store cannot be written, or not be read.
    """
    chosen = np.unique(np.linspace(0, len(utterances) - 1, min(most, len(utterances))).round().astype(int))
    utterances = utterances.iloc[chosen]
    request = Request.of(utterances, cache, 1, lambda progress: None)
    found = kept.known(cache, {key for key in request.keys if key is not None})
    new: dict[bytes, Quality] = {}
    for place, (key, path) in enumerate(zip(request.keys, utterances["path"], strict=True)):
        if key is None or key in found or key in new:
            continue
        doing.stage("looking at the recordings", place, len(utterances))
        try:
            start_s, end_s = request.segments[place]
            new[key] = quality_of(str(path), start_s=start_s, end_s=end_s)
        except AudioError:
            continue
    kept.add(cache, new)
    found |= new
    rows = {name: found[key] for name, key in zip(utterances.index, request.keys, strict=True) if key in found}
    return pd.DataFrame(
        list(rows.values()), index=pd.Index(list(rows), name=utterances.index.name), columns=list(Quality._fields)
    )
