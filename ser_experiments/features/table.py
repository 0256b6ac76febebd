"""Feature tables: what is in the store is read, the rest is measured."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments import project
from ser_experiments.errors import InputError, StoreError, nearest
from ser_experiments.features.asked import Named, names_of, utterances_of
from ser_experiments.features.bad import BadRecordings
from ser_experiments.features.extraction.plan import Request
from ser_experiments.features.extractor import Extractor, get_extractors, params_of, set_of
from ser_experiments.features.progress import Callback
from ser_experiments.features.store.codecs import codec_of
from ser_experiments.features.store.costs import cost_of
from ser_experiments.features.store.files import table_folder
from ser_experiments.features.store.parts import RowsByKey
from ser_experiments.features.store.survey import to_frame
from ser_experiments.features.wanted import fetch

if TYPE_CHECKING:
    from ser_experiments.corpora import Corpus

_log = logging.getLogger(__name__)


def table_row(extractors: Sequence[Extractor], audio: NDArray[np.floating], sample_rate: int) -> dict[str, Any]:
    """Measure one recording, each measure in one pass; return what a table holds of it, by column.

    Raises
    ------
    AudioError
        The audio cannot be used.
    """
    wanted: dict[tuple[str, str], list[Extractor]] = {}
    for extractor in extractors:
        wanted.setdefault(extractor.measured_by, []).append(extractor)
    passes = {
        name: found[0].measure.outputs_of(audio, sample_rate, [one.number for one in found])
        for name, found in wanted.items()
    }
    row: dict[str, Any] = {}
    for extractor in extractors:
        values = passes[extractor.measured_by][extractor.number]
        row |= codec_of(extractor.output).cells(extractor.name, extractor.columns, values)
    return row


def table_of(rows: Sequence[Mapping[str, Any]], index: pd.Index | None = None) -> pd.DataFrame:
    """Return a feature table of recordings that were measured one by one.

    Parameters
    ----------
    rows : sequence of mapping
        From :func:`table_row`, with the same columns.
    index : Index of n_rows, optional
        Of the utterances.

    Returns
    -------
    DataFrame of n_rows rows
        Numbers as float32, arrays over time as objects.
    """
    if not rows:
        return pd.DataFrame(index=index)
    # In one piece: made column by column, a table of a thousand takes ten times as long as measuring.
    numbers = [name for name, value in rows[0].items() if isinstance(value, np.float32)]
    values = np.array([[row[name] for name in numbers] for row in rows], dtype=np.float32)
    table = pd.DataFrame(values, columns=numbers, index=index)
    if len(numbers) == len(rows[0]):
        return table
    others = {name: pd.Series([row[name] for row in rows], index=index) for name in rows[0] if name not in table}
    return pd.concat([table, pd.DataFrame(others)], axis=1)[list(rows[0])]


def feature_table(
    set_names: str | Sequence[str],
    utterances: pd.DataFrame | Corpus | Named | Iterable[Named],
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
    set_names : str or sequence of str
        Feature sets, whose columns stand side by side. ``"SET/OUTPUT"`` is another than a set's first output, and
        outputs of one set are measured together.
    utterances : DataFrame, Corpus, path or sequence of path
        Indexed by ``utterance_id``, with ``path`` and perhaps ``start_s`` and ``end_s``; or paths, which are then the
        ids.
    params : mapping, optional
        Parameters by set where they differ from the defaults; they are those of all its outputs.
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
        In the order of `utterances`: float32 columns of functionals, one column of references for each output over
        time, called as it was asked for. Who speaks is no feature: hand ``utterances["speaker"]`` to whatever splits
        or fits, as ``groups``.

    Raises
    ------
    BadRecordings
        Recordings cannot be used, and `skip_bad` is false; what was measured is kept.
    InputError
        Unknown set or parameter, or utterances without unique ids.
    StoreError
        The store cannot be written, or not be read.

    Examples
    --------
    >>> from ser_experiments import feature_table, load_corpus
    >>> corpus = load_corpus("recordings/metadata.csv")
    >>> table = feature_table(["mfcc"], corpus)
    >>> table.index.equals(corpus.utterances.index), set(map(str, table.dtypes))
    (True, {'float32'})
    >>> feature_table("mfcc", ["call.wav", "other.wav"]).index.tolist()
    ['call.wav', 'other.wav']
    """
    set_names, utterances, params = names_of(set_names), utterances_of(utterances), params or {}
    asked = {*set_names, *map(set_of, set_names)}
    for name in params:
        if name not in asked:
            raise InputError(f"parameters for feature set {name!r}, which is not asked for{nearest(name, set_names)}")
    fetch(set_names, params, progress=progress)
    asked_for = [one for name in set_names for one in get_extractors(name, **params_of(name, params))]
    extractors = list({one.name: one for one in asked_for}.values())
    cache = cache or project.find().cache
    return build(extractors, utterances, cache=cache, jobs=jobs, skip_bad=skip_bad, progress=progress)


def build(
    extractors: Sequence[Extractor],
    utterances: pd.DataFrame,
    *,
    cache: Path,
    jobs: int | None = None,
    skip_bad: bool = False,
    progress: Callback | None = None,
) -> pd.DataFrame:
    """Return the features of utterances; as :func:`feature_table`, of extractors rather than their names."""
    request = Request.of(utterances, cache, jobs, progress)
    table = _Table(extractors, request.cache, len(utterances))
    wanted = [request.rows_by_key() for _ in extractors]
    table.fill(wanted)
    problems = dict(request.unreadable)
    for one, lacking in zip(extractors, wanted, strict=True):
        missing = sum(map(len, lacking.values()))
        _log.debug("%s: %d rows from the cache, %d to measure", one.name, len(utterances) - missing, missing)
    if any(wanted):
        problems |= request.measure(extractors, wanted)
        table.fill(wanted)
    kept = _without_bad(utterances, problems, skip_bad)
    lost = {place for lacking in wanted for places in lacking.values() for place in places} - set(problems)
    if lost:
        raise StoreError(f"table store {request.cache}: {len(lost)} rows vanished while they were read; run again")
    frame = table.frame(kept, utterances.index[kept])
    frame.attrs["skipped"] = {str(utterances.index[place]): problems[place] for place in sorted(problems)}
    return frame


def measuring_cost(sets: Mapping[str, Mapping[str, object]], cache: Path) -> float | None:
    """Return the milliseconds that it took on this machine to measure a second of audio; None where nobody knows.

    Parameters
    ----------
    sets : mapping of str to mapping
        Feature sets with their parameters.
    cache : Path
        The cache folder.
    """
    passes: dict[tuple[str, str], list[float | None]] = {}
    for name, params in sets.items():
        for one in get_extractors(name, **params):
            passes.setdefault(one.measured_by, []).append(cost_of(table_folder(cache, one.name, one.digest)))
    known = [[cost for cost in costs if cost is not None] for costs in passes.values()]
    # Outputs of one measure share a pass; the dearest is what a pass for all of them costs.
    return sum(map(max, known)) if known and all(known) else None


def survey(
    utterances: pd.DataFrame,
    *,
    cache: Path | None = None,
    jobs: int | None = None,
    progress: Callback | None = None,
    envelopes: bool = False,
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
    envelopes : bool
        Whether to say what copies are found by, too.

    Returns
    -------
    DataFrame
        On the index of `utterances`: ``samples_digest`` (of the decoded mono samples, equal for copies),
        ``duration_s``, ``sample_rate`` in Hz, ``peak`` (full scale is 1), ``rms_db`` and ``problem`` (None, or why the
        recording cannot be used; then the others are missing). With `envelopes` also ``content`` (a digest of the file)
        and ``envelope`` (bytes, see :mod:`ser_experiments.features.dsp.envelope`).

    Raises
    ------
    StoreError
        The store cannot be written, or not be read.
    """
    request = Request.of(utterances, cache or project.find().cache, jobs, progress)
    known = request.surveyed(envelopes=envelopes)
    missing = {key: places for key, places in request.rows_by_key().items() if known[places[0]] is None}
    if missing:
        request.survey(missing)
        known = request.surveyed(envelopes=envelopes)
    if any(row is None for row in known):
        raise StoreError(f"table store {request.cache}: rows vanished while they were read; run again")
    rows = [row for row in known if row is not None]
    facts = to_frame(rows, utterances.index)
    if envelopes:
        facts["content"] = pd.Series(request.contents, index=facts.index, dtype=object)
        facts["envelope"] = pd.Series([row[-1] for row in rows], index=facts.index, dtype=object)
    return facts


class _Table:
    """The table as it fills up: one block of float32 for all functionals, and a column for each output over time."""

    def __init__(self, extractors: Sequence[Extractor], cache: Path, n_rows: int) -> None:
        self._extractors = extractors
        self._codecs = [codec_of(extractor.output) for extractor in extractors]
        folders = [table_folder(cache, extractor.name, extractor.digest) for extractor in extractors]
        self._tables = [codec.table(folder) for codec, folder in zip(self._codecs, folders, strict=True)]
        ends = np.cumsum([codec.width for codec in self._codecs], dtype=int).tolist()
        self._block = np.empty((n_rows, ends[-1] if ends else 0), dtype=np.float32)
        columns = [self._block[:, end - codec.width : end] for codec, end in zip(self._codecs, ends, strict=True)]
        self._rooms = [codec.room(part) for codec, part in zip(self._codecs, columns, strict=True)]

    def fill(self, wanted: Sequence[RowsByKey]) -> None:
        """Take from the store what it has; what is found is taken out of `wanted`."""
        for codec, table, rows, room in zip(self._codecs, self._tables, wanted, self._rooms, strict=True):
            codec.fill(table, rows, room)

    def frame(self, kept: list[int], index: pd.Index) -> pd.DataFrame:
        """Return the rows that are kept."""
        if len(kept) < len(self._block):
            # In place and upwards: a second block would double the peak of memory.
            for new, old in enumerate(kept):
                for part in (self._block, *self._rooms):
                    part[new] = part[old]
        both = list(zip(self._codecs, self._extractors, strict=True))
        names = [name for codec, extractor in both for name in codec.block_names(extractor.columns)]
        frame = pd.DataFrame(self._block[: len(kept)], index=index, columns=names, copy=False)
        for (codec, extractor), room in zip(both, self._rooms, strict=True):
            codec.add_column(frame, extractor.name, room[: len(kept)])
        return frame


def _without_bad(utterances: pd.DataFrame, problems: Mapping[int, str], skip_bad: bool) -> list[int]:
    if problems and not skip_bad:
        paths, index = utterances["path"], utterances.index
        named = {f"{index[place]} ({paths.iat[place]})": problems[place] for place in sorted(problems)}
        raise BadRecordings(named, len(utterances))
    return [place for place in range(len(utterances)) if place not in problems]
