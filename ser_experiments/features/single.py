"""The features of one recording, without a store."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.audio import Recording, heard, sources_of
from ser_experiments.errors import InputError
from ser_experiments.features.extractor import get_extractors
from ser_experiments.features.store.codecs import codec_of
from ser_experiments.features.wanted import fetch


def extract(set_name: str, audio: Recording, sample_rate: int | None = None, **params: object) -> Any:
    """Measure one recording.

    Parameters
    ----------
    set_name : str
        A feature set, e.g. ``"lld"``, or another of its outputs, ``"SET/OUTPUT"``.
    audio : path, bytes, or ndarray of shape (n_samples,) or (n_samples, n_channels)
        The recording; of samples full scale is 1.
    sample_rate : int, optional
        The rate of samples in Hz; a file says its own.
    **params
        Parameters of the set where they differ from the defaults.

    Returns
    -------
    Series of float32 or ndarray of shape (n_frames, n_columns)
        A row with its column names, those of all layers one after the other, or the array of a set over time.

    Raises
    ------
    InputError
        Unknown set or parameter, samples without their rate, or what are no samples.
    AudioError
        The audio cannot be used.

    Examples
    --------
    >>> from ser_experiments import extract
    >>> row = extract("mfcc", "call.wav")
    >>> row.index[0], row.dtype
    ('dnn_mfcc_01__mean', dtype('float32'))
    >>> import soundfile
    >>> audio, rate = soundfile.read("call.wav")
    >>> extract("frames", audio, rate).ndim
    2
    """
    samples, rate = _one(audio, sample_rate)
    fetch([set_name], {set_name: params})
    extractors = get_extractors(set_name, **params)
    found = extractors[0].measure.outputs_of(samples, rate, [one.number for one in extractors])
    results = [codec_of(one.output).result(one.name, one.columns, found[one.number]) for one in extractors]
    if len(results) == 1:
        return results[0]
    if any(codec_of(one.output).width == 0 for one in extractors):
        names = ", ".join(repr(one.name) for one in extractors)
        raise InputError(f"feature set {set_name!r} stands for several arrays over time; ask for one of {names}")
    return pd.concat(results).rename(set_name)


def _one(audio: Recording, sample_rate: int | None) -> tuple[NDArray[np.float32], int]:
    found = list(sources_of(audio, sample_rate))
    if len(found) != 1:
        raise InputError(f"got {len(found)} recordings; features are extracted of one, feature_table is for several")
    # Samples are measured as they are: what a silent piece of a recording measures may be asked.
    return found[0] if isinstance(found[0], tuple) else heard(found[0])
