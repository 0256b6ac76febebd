"""What a table asks for by name: one output of the measure of a feature set, perhaps on a view of the recordings.

Each file of :mod:`ser_experiments.features.sets` holds one set as a function ``extractor(**params)`` that returns
a :class:`~ser_experiments.features.measure.Measure`. Its keyword parameters with their defaults are the set's
parameters. ``"lld"`` stands for the first output of the set, or for those that its parameters choose (``"encoder"``),
``"encoder/frames_3"`` for another, ``"lld@noise"`` and ``"encoder/frames_3@noise"`` for the same of a view of the
recordings. What definitions want by such names is in :mod:`ser_experiments.features.wanted`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ser_experiments import identity, plugins
from ser_experiments.errors import InputError, nearest
from ser_experiments.features.columns import Columns, names_of
from ser_experiments.features.measure import OVER_TIME, ROW, Array, Measure, Output
from ser_experiments.features.views import AT, viewed

SETS = "ser_experiments.features.sets"
#: Stands between the name of a set and that of an output which is not its first.
SLASH = "/"


@dataclass(frozen=True)
class Extractor:
    """One output of a measure, by the name under which tables and the store know it.

    Parameters
    ----------
    measure : Measure
        What measures.
    number : int
        Which of its outputs.
    """

    measure: Measure
    number: int = 0

    @property
    def output(self) -> Output:
        """Return the output."""
        return self.measure.outputs[self.number]

    @property
    def name(self) -> str:
        """Return ``SET`` for the output that is meant by it alone, else ``SET/OUTPUT``; either perhaps ``@VIEW``."""
        if not self.number and "" not in self.measure.stands_for:
            return self.measure.name
        plain, at, view = self.measure.name.partition(AT)
        return f"{plain}{SLASH}{self.output.name}{at}{view}"

    @property
    def version(self) -> str:
        """Return the version of the set."""
        return self.measure.version

    @property
    def params(self) -> Mapping[str, object]:
        """Return the parameters that the set was built with."""
        return self.measure.params

    @property
    def libraries(self) -> tuple[str, ...]:
        """Return the distributions whose versions can change the numbers."""
        return self.measure.libraries

    @property
    def sample_rate(self) -> int:
        """Return the rate in Hz that audio is resampled to."""
        return self.measure.needs.sample_rate

    @property
    def dtype(self) -> str:
        """Return how the numbers are stored."""
        return self.output.dtype

    @property
    def layout(self) -> Literal["row", "array"]:
        """Return what a family of models takes: ``"row"`` for functionals, ``"array"`` for an array over time."""
        return "array" if self.output.axes == OVER_TIME else "row"

    @property
    def handcrafted(self) -> bool:
        """Whether it is a row of functionals by formula, with nothing that was learned from other recordings.

        A corpus's ceiling is one of such features, and says nothing of others.
        """
        return self.output.axes == ROW and not self.measure.needs.assets

    @property
    def columns(self) -> Columns:
        """Return what is measured."""
        return self.output.columns

    @property
    def column_names(self) -> list[str]:
        """Return the names of the columns in order."""
        return names_of(self.output.columns)

    @property
    def identity(self) -> dict[str, object]:
        """Everything that can change a number, and nothing else."""
        return self.measure.identity_of(self.output, self.name)

    @property
    def digest(self) -> str:
        """Return 16 hexadecimal digits that stand for the identity."""
        return identity.of(self.identity, size=identity.CITED)

    @property
    def measured_by(self) -> tuple[str, str]:
        """Return what is equal for the outputs of one measure."""
        return self.measure.name, self.measure.digest

    @property
    def outputs(self) -> list[Extractor]:
        """Return the extractors of all outputs of the measure, this one among them."""
        return [replace(self, number=number) for number in range(len(self.measure.outputs))]

    def __call__(self, audio: NDArray[np.floating], sample_rate: int) -> Array:
        """Measure one recording.

        Parameters
        ----------
        audio : ndarray of shape (n_samples,) or (n_samples, n_channels)
            The samples; full scale is 1.
        sample_rate : int
            Their rate in Hz.

        Returns
        -------
        ndarray of shape (n_columns,), (n_frames, n_columns) or (n_layers, n_columns)

        Raises
        ------
        AudioError
            No samples, or samples that are NaN, infinite or too large to be squared.
        """
        return self.measure.outputs_of(audio, sample_rate, [self.number])[self.number]


def set_names() -> list[str]:
    """List the feature sets there are, without importing them."""
    return plugins.names(SETS)


def get_extractor(name: str, **params: object) -> Extractor:
    """Build what a name stands for.

    Parameters
    ----------
    name : str
        The set, e.g. ``"lld"``, another than its first output (``"encoder/frames_3"``), or either as measured on a
        view of the recording, e.g. ``"lld@noise"``.
    **params
        Parameters of the set where they differ from the defaults.

    Raises
    ------
    InputError
        No such set, output, view or parameter, for which the nearest name is given; or several outputs go by the name.
    """
    found = get_extractors(name, **params)
    if len(found) > 1:
        each = ", ".join(repr(one.name) for one in found)
        raise InputError(f"feature set {name!r} stands for {len(found)} outputs; ask for one of {each}")
    return found[0]


def get_extractors(name: str, **params: object) -> list[Extractor]:
    """Build everything that a name stands for; see :func:`get_extractor`, which builds the one where it is one."""
    plain, at, view = name.partition(AT)
    set_name, slash, output = plain.partition(SLASH)
    measure = get_measure(set_name, **params)
    numbers = _numbers(measure, output) if slash else _meant(measure)
    built = viewed(measure, view) if at else measure
    return [Extractor(built, number) for number in numbers]


def get_measure(name: str, **params: object) -> Measure:
    """Build the measure of a set by its name; see :func:`factory_of` for what is refused."""
    built: Measure = factory_of(name, params)(**params)
    return built


def factory_of(name: str, params: Mapping[str, object]) -> Callable[..., Measure]:
    """Return what builds a set, which takes these parameters; an InputError names the nearest set or parameter."""
    factory: Callable[..., Measure] = plugins.load(SETS, name, "feature set", holds="extractor").extractor
    allowed = inspect.signature(factory).parameters
    for key in params:
        if key not in allowed:
            raise InputError(f"feature set {name!r}: unknown parameter {key!r}{nearest(key, allowed)}")
    return factory


def set_of(name: str) -> str:
    """Return the name of the set of an extractor's name."""
    return name.partition(AT)[0].partition(SLASH)[0]


def params_of(name: str, params: Mapping[str, Mapping[str, object]]) -> Mapping[str, object]:
    """Return the parameters that a mapping has for a name: its own, else those of its set."""
    own = params.get(name)
    return params.get(set_of(name), {}) if own is None else own


def _meant(measure: Measure) -> list[int]:
    """Return the numbers of the outputs that the set's name alone stands for."""
    names = [one.name for one in measure.outputs]
    return [names.index(name) for name in measure.stands_for.get("", names[:1])]


def _numbers(measure: Measure, output: str) -> list[int]:
    names = [one.name for one in measure.outputs]
    if output in measure.stands_for:
        return [names.index(name) for name in measure.stands_for[output]]
    first_alone = "" not in measure.stands_for
    if first_alone and output == names[0]:
        # One thing, one name: a column of a table is called after it.
        raise InputError(f"feature set {measure.name!r}: output {output!r} is its first; write {measure.name!r}")
    if output not in names:
        known = [name for name in (*measure.stands_for, *names[first_alone:]) if name]
        raise InputError(f"feature set {measure.name!r}: unknown output {output!r}{nearest(output, known)}")
    return [names.index(output)]
