"""Feature tables: what is in the store is read, the rest is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.errors import InputError, StoreError, nearest
from ser_experiments.features import arrays, facts, rows
from ser_experiments.features.extraction import Target
from ser_experiments.features.extractor import Extractor, get_extractor
from ser_experiments.features.plan import Places, Request
from ser_experiments.features.progress import Callback
from ser_experiments.features.store import write_identity

#: The reserved column that carries the speaker of each row.
GROUP = "group"


class BadRecordings(InputError):
    """Recordings cannot be used; all of them are named.

    Parameters
    ----------
    reasons : mapping of str to str
        Why, by ``"utterance (path)"``.
    total : int
        Utterances that were asked for.
    """

    def __init__(self, reasons: Mapping[str, str], total: int) -> None:
        lines = "".join(f"\n  {source}: {reason}" for source, reason in reasons.items())
        super().__init__(
            f"{len(reasons)} of {total} recordings cannot be used; mend them, or say --skip-bad to go on without{lines}"
        )
        self.reasons = dict(reasons)
        self.total = total

    def __reduce__(self) -> tuple[type[BadRecordings], tuple[dict[str, str], int]]:
        return type(self), (self.reasons, self.total)


def extract(set_name: str, audio: NDArray[np.floating], sample_rate: int, **params: object) -> Any:
    """Measure one recording.

    Parameters
    ----------
    set_name : str
        A feature set, e.g. ``"lld"``.
    audio : ndarray of shape (n_samples,) or (n_samples, n_channels)
        The samples; full scale is 1.
    sample_rate : int
        Their rate in Hz.
    **params
        Parameters of the set where they differ from the defaults.

    Returns
    -------
    Series of float32 or ndarray of shape (n_frames, n_columns)
        A row with its column names, or the array of a set over time.

    Raises
    ------
    InputError
        Unknown set or parameter.
    AudioError
        The audio cannot be used.
    """
    extractor = get_extractor(set_name, **params)
    values = extractor(audio, sample_rate)
    if extractor.layout == "array":
        return values
    return pd.Series(values, index=extractor.column_names, name=set_name)


def feature_table(
    set_names: Sequence[str],
    utterances: pd.DataFrame,
    *,
    params: Mapping[str, Mapping[str, object]] | None = None,
    cache: Path | None = None,
    jobs: int | None = None,
    skip_bad: bool = False,
    progress: Callback | None = None,
) -> pd.DataFrame:
    """Return the features of utterances, measuring only what the store does not hold.

    Parameters
    ----------
    set_names : sequence of str
        Feature sets, whose columns stand side by side.
    utterances : DataFrame
        Indexed by ``utterance_id``, with ``path``, ``speaker`` and perhaps ``start_s`` and ``end_s``.
    params : mapping, optional
        Parameters by set where they differ from the defaults.
    cache : Path, optional
        The cache folder; by default the project's.
    jobs : int, optional
        Processes; by default one a core. Numbers do not depend on it.
    skip_bad : bool
        Leave out recordings that cannot be used; ``table.attrs["skipped"]`` then tells which and why.
    progress : callable, optional
        Takes a :class:`~ser_experiments.features.progress.Progress`; by default a log line now and then.

    Returns
    -------
    DataFrame
        In the order of `utterances`: float32 columns of the row sets, one column of references to arrays for each
        array set, named after it, and ``group``, the speaker.

    Raises
    ------
    BadRecordings
        Recordings cannot be used, and `skip_bad` is false; what was measured is kept.
    InputError
        Unknown set or parameter, or utterances without unique ids.
    StoreError
        The store cannot be written, or not be read.
    """
    params = params or {}
    for name in params:
        if name not in set_names:
            raise InputError(f"parameters for feature set {name!r}, which is not asked for{nearest(name, set_names)}")
    extractors = [get_extractor(name, **params.get(name, {})) for name in dict.fromkeys(set_names)]
    return build(extractors, utterances, cache=cache, jobs=jobs, skip_bad=skip_bad, progress=progress)


def build(
    extractors: Sequence[Extractor],
    utterances: pd.DataFrame,
    *,
    cache: Path | None = None,
    jobs: int | None = None,
    skip_bad: bool = False,
    progress: Callback | None = None,
) -> pd.DataFrame:
    """Return the features of utterances; as :func:`feature_table`, of extractors rather than their names."""
    request = Request.of(utterances, cache, jobs, progress)
    targets = [Target.of(extractor, request.cache) for extractor in extractors]
    table = _Table(targets, len(utterances))
    wanted = [request.places() for _ in targets]
    table.fill(wanted)
    problems = dict(request.unreadable)
    if any(wanted):
        for extractor, target in zip(extractors, targets, strict=True):
            write_identity(target.parts.folder, extractor)
        problems |= request.measure(targets, wanted)
        table.fill(wanted)
    kept = _without_bad(utterances, problems, skip_bad)
    lost = {place for lacking in wanted for places in lacking.values() for place in places} - set(problems)
    if lost:
        raise StoreError(f"table store {request.cache}: {len(lost)} rows vanished while they were read; run again")
    frame = table.frame(kept, utterances.index[kept], extractors)
    frame[GROUP] = utterances["speaker"].iloc[kept].astype(str).to_numpy()
    frame.attrs["skipped"] = {str(utterances.index[place]): problems[place] for place in sorted(problems)}
    return frame


def survey(
    utterances: pd.DataFrame,
    *,
    cache: Path | None = None,
    jobs: int | None = None,
    progress: Callback | None = None,
) -> pd.DataFrame:
    """Return what the recordings are like, the unusable ones included.

    Parameters
    ----------
    utterances : DataFrame
        Indexed by ``utterance_id``, with ``path`` and perhaps ``start_s`` and ``end_s``.
    cache : Path, optional
        The cache folder; by default the project's.
    jobs : int, optional
        Processes; by default one a core.
    progress : callable, optional
        As of :func:`feature_table`.

    Returns
    -------
    DataFrame
        On the index of `utterances`: ``samples_digest`` (of the decoded mono samples, equal for copies),
        ``duration_s``, ``sample_rate`` in Hz, ``peak`` (full scale is 1), ``rms_db`` and ``problem`` (None, or why the
        recording cannot be used; then the others are missing).

    Raises
    ------
    StoreError
        The store cannot be written, or not be read.
    """
    request = Request.of(utterances, cache, jobs, progress)
    known = request.facts()
    missing = {key: places for key, places in request.places().items() if known[places[0]] is None}
    if missing:
        request.measure((), [missing])
        known = request.facts()
    if any(row is None for row in known):
        raise StoreError(f"table store {request.cache}: rows vanished while they were read; run again")
    return facts.to_frame([row for row in known if row is not None], utterances.index)


class _Table:
    """The table as it fills up: one block of float32 for all row sets, and one column for each array set."""

    def __init__(self, targets: Sequence[Target], n_rows: int) -> None:
        self._targets = targets
        widths = [0 if target.is_array else target.n_columns for target in targets]
        self._ends = np.cumsum(widths).tolist()
        self._starts = [end - width for end, width in zip(self._ends, widths, strict=True)]
        self._block = np.empty((n_rows, sum(widths)), dtype=np.float32)
        self._cells = {i: np.empty(n_rows, dtype=object) for i, target in enumerate(targets) if target.is_array}

    def fill(self, wanted: Sequence[Places]) -> None:
        """Take from the store what it has; what is found is taken out of `wanted`."""
        for number, (target, places) in enumerate(zip(self._targets, wanted, strict=True)):
            if target.is_array:
                arrays.fill(target.parts, places, self._cells[number], target.n_columns, target.extractor.dtype)
            else:
                rows.fill(target.parts, places, self._block[:, self._starts[number] : self._ends[number]])

    def frame(self, kept: list[int], index: pd.Index, extractors: Sequence[Extractor]) -> pd.DataFrame:
        """Return the rows that are kept."""
        if len(kept) < len(self._block):
            # In place and upwards: a second block would double the peak of memory.
            for new, old in enumerate(kept):
                self._block[new] = self._block[old]
        names = [name for e in extractors if e.layout == "row" for name in e.column_names]
        frame = pd.DataFrame(self._block[: len(kept)], index=index, columns=names, copy=False)
        for number, cells in self._cells.items():
            frame[extractors[number].name] = pd.Series(cells[kept], index=index, dtype=object)
        return frame


def _without_bad(utterances: pd.DataFrame, problems: Mapping[int, str], skip_bad: bool) -> list[int]:
    if problems and not skip_bad:
        paths, index = utterances["path"], utterances.index
        named = {f"{index[place]} ({paths.iat[place]})": problems[place] for place in sorted(problems)}
        raise BadRecordings(named, len(utterances))
    return [place for place in range(len(utterances)) if place not in problems]
