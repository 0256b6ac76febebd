"""What an extractor is: audio in, one row of named numbers or one array over time out.

Each file of :mod:`ser_experiments.features.sets` holds one set as a function ``extractor(**params)`` that returns
an :class:`Extractor`. Its keyword parameters with their defaults are the set's parameters.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ser_experiments import plugins
from ser_experiments.audio import resample, to_mono
from ser_experiments.errors import AudioError, InputError, nearest

SETS = "ser_experiments.features.sets"
#: Samples beyond this cannot be resampled and squared; full scale is 1.
LOUDEST = 1e15
#: Stands between the name of a set or column and the view of the recording that it was measured on.
AT = "@"


class Column(NamedTuple):
    """One column of a set: its name, its unit and where the formula comes from."""

    name: str
    unit: str
    source: str


@dataclass(frozen=True)
class Extractor:
    """A named, versioned, pure function from audio to numbers.

    Parameters
    ----------
    name : str
        The set's name, the name of its file.
    version : str
        Changed whenever the numbers change: stored rows of another version are not served.
    layout : {"row", "array"}
        One row of ``len(columns)`` numbers, or an array of shape (n_frames, len(columns)).
    columns : tuple of Column
        What is measured. No two sets share a column name.
    compute : callable
        Takes mono float32 audio at `sample_rate`, at least one sample long and finite, and returns a float32 array
        of shape (n_columns,) or (n_frames, n_columns); finite, deterministic, whatever the audio.
    sample_rate : int
        The rate in Hz that `compute` wants; audio of another rate is resampled to it.
    params : mapping
        The parameters the set was built with, JSON values only.
    libraries : tuple of str
        The distributions whose versions can change the numbers.
    dtype : str
        How arrays are stored: ``"float32"`` or ``"float16"`` (rows are always float32).
    """

    name: str
    version: str
    layout: Literal["row", "array"]
    columns: tuple[Column, ...]
    compute: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    sample_rate: int = 16_000
    params: Mapping[str, object] = field(default_factory=dict)
    libraries: tuple[str, ...] = ("numpy", "scipy", "librosa", "soundfile", "soxr")
    dtype: Literal["float32", "float16"] = "float32"

    @property
    def column_names(self) -> list[str]:
        """Return the names of the columns in order."""
        return [column.name for column in self.columns]

    @property
    def identity(self) -> dict[str, object]:
        """Everything that can change a number, and nothing else."""
        return {
            "set": self.name,
            "version": self.version,
            "sample_rate": self.sample_rate,
            "params": dict(sorted(self.params.items())),
            "dtype": self.dtype,
            "libraries": {name: version(name) for name in sorted(self.libraries)},
        }

    @property
    def digest(self) -> str:
        """Return 16 hexadecimal digits that stand for the identity."""
        text = json.dumps(self.identity, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def __call__(self, audio: NDArray[np.floating], sample_rate: int) -> NDArray[np.float32]:
        """Measure one recording.

        Parameters
        ----------
        audio : ndarray of shape (n_samples,) or (n_samples, n_channels)
            The samples; full scale is 1.
        sample_rate : int
            Their rate in Hz.

        Returns
        -------
        ndarray of shape (n_columns,) or (n_frames, n_columns), float32

        Raises
        ------
        AudioError
            No samples, or samples that are NaN, infinite or larger than :data:`LOUDEST`.
        """
        samples = to_mono(np.asarray(audio, dtype=np.float32))
        if samples.size == 0:
            raise AudioError("<array>", "empty recording (no samples)")
        peak = float(np.abs(samples).max())
        if not math.isfinite(peak):
            raise AudioError("<array>", "holds NaN or infinite samples")
        if peak > LOUDEST:
            raise AudioError("<array>", f"samples up to {peak:.0e}; full scale is 1, the most is {LOUDEST:.0e}")
        return self.compute(resample(samples, int(sample_rate), self.sample_rate))


def set_names() -> list[str]:
    """List the feature sets there are, without importing them."""
    return plugins.names(SETS)


def get_extractor(name: str, **params: object) -> Extractor:
    """Build a feature set by name.

    Parameters
    ----------
    name : str
        The set, e.g. ``"lld"``, or the set as measured on a view of the recording, e.g. ``"lld@noise"``.
    **params
        Its parameters where they differ from the defaults.

    Raises
    ------
    InputError
        No such set, view or parameter; the nearest name is given.
    """
    plain, at, view = name.partition(AT)
    if at:
        from ser_experiments.features.views import viewed

        return viewed(get_extractor(plain, **params), view)
    factory = plugins.load(SETS, name, "feature set", holds="extractor").extractor
    allowed = inspect.signature(factory).parameters
    for key in params:
        if key not in allowed:
            raise InputError(f"feature set {name!r}: unknown parameter {key!r}{nearest(key, allowed)}")
    built: Extractor = factory(**params)
    return built
