"""What a measure is: clips of audio in, several named outputs out in one pass, whatever it takes to open it.

A measure opens once a process, which is where weights are loaded, and then takes batches of clips. What it gives of a
clip never depends on the clips beside it. Most measures need no opening and no batches: :func:`per_clip` makes one of
a function from audio to numbers.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ser_experiments import identity
from ser_experiments.audio import resample, to_mono
from ser_experiments.errors import AudioError
from ser_experiments.features.assets import Asset, digest_of
from ser_experiments.features.columns import Columns, unnamed

Audio = NDArray[np.float32]
Array = NDArray[np.floating[Any]]
#: Takes clips, mono at the rate of the measure; returns for each clip one array an output, in their order. Where the
#: measure has a `choose`, it also takes which outputs are wanted, and gives those alone.
Opened = Callable[..., Sequence[Sequence[Array]]]
#: Samples beyond this cannot be resampled and squared; full scale is 1.
LOUDEST = 1e15
#: The axes of an output: a row of functionals; an array over time; a row a layer of a network.
ROW, OVER_TIME, LAYERS = ("column",), ("frame", "column"), ("layer", "column")


@dataclass(frozen=True)
class Output:
    """One of the things that a measure gives of a clip.

    Parameters
    ----------
    name : str
        Within the measure; a table asks for an output that is not the first as ``SET/NAME``.
    axes : tuple of str
        :data:`ROW`, :data:`OVER_TIME` or :data:`LAYERS`.
    columns : tuple of Column or ColumnRule
        What is measured; of :data:`LAYERS` layer after layer, all of them. No two sets share a column of rows.
    dtype : {"float32", "float16"}
        How arrays over time are stored; all else is float32.
    n_layers : int, optional
        Of :data:`LAYERS`.

    Raises
    ------
    ValueError
        The parts do not fit each other.
    """

    name: str
    axes: tuple[str, ...]
    columns: Columns
    dtype: Literal["float32", "float16"] = "float32"
    n_layers: int | None = None

    def __post_init__(self) -> None:
        if self.axes not in (ROW, OVER_TIME, LAYERS):
            raise ValueError(f"output {self.name!r}: axes must be {ROW}, {OVER_TIME} or {LAYERS}, got {self.axes}")
        if not self.name.isidentifier():
            raise ValueError(f"output {self.name!r}: its name must be letters, digits and underscores")
        if not len(self.columns):
            raise ValueError(f"output {self.name!r}: no columns")
        if (self.axes == LAYERS) != (self.n_layers is not None):
            raise ValueError(f"output {self.name!r}: n_layers belongs to axes {LAYERS}, and to no others")
        if self.n_layers is not None and (self.n_layers < 1 or len(self.columns) % self.n_layers):
            raise ValueError(f"output {self.name!r}: {len(self.columns)} columns are not {self.n_layers} equal layers")
        if self.dtype != "float32" and self.axes != OVER_TIME:
            raise ValueError(f"output {self.name!r}: only arrays over time are kept as {self.dtype}")

    @property
    def words(self) -> str:
        """Say in words what there is of one utterance."""
        return {ROW: "one row an utterance", OVER_TIME: "one row a frame", LAYERS: "one row a layer"}[self.axes]

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Return the shape of the array of one clip; None for the frames, of which there are as many as it is long."""
        sizes = {"frame": None, "layer": self.n_layers, "column": len(self.columns) // (self.n_layers or 1)}
        return tuple(sizes[axis] for axis in self.axes)


@dataclass(frozen=True)
class Needs:
    """What a measure needs.

    Parameters
    ----------
    sample_rate : int
        The rate in Hz of the clips it takes.
    device : {"cpu", "gpu"}
        ``"gpu"``: it runs in one process, on a GPU where there is one; the measure itself looks for it when it opens.
    runs_on : str, default="cpu"
        The kind of device that it works on here. Another than the CPU moves numbers in their last digits, and counts
        like the version of a library.
    batch_s : float, optional
        About how many seconds of audio it takes at a time, clips of like length together; by default one clip.
    one_process : bool
        Whether it runs in one process although it needs no GPU, as a network that fills the memory does.
    assets : mapping of str to Asset or str
        Files that numbers depend on, such as weights, or the hexadecimal digest of what is in them.
    """

    sample_rate: int = 16_000
    device: Literal["cpu", "gpu"] = "cpu"
    runs_on: str = "cpu"
    batch_s: float | None = None
    one_process: bool = False
    assets: Mapping[str, Asset | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.device not in ("cpu", "gpu"):
            raise ValueError(f"device must be 'cpu' or 'gpu', got {self.device!r}")
        if self.batch_s is not None and not 0 < self.batch_s < math.inf:
            raise ValueError(f"batch_s must be a number of seconds above 0, got {self.batch_s}")

    @property
    def alone(self) -> bool:
        """Whether it runs in one process."""
        return self.one_process or self.device == "gpu"

    def digests(self) -> dict[str, str]:
        """Return the digest of what is in each asset; where it lies does not count."""
        return {name: digest_of(name, asset) for name, asset in sorted(self.assets.items())}


@dataclass(frozen=True)
class Measure:
    """A named, versioned, pure function from clips of audio to named outputs.

    Parameters
    ----------
    name : str
        The set's name, the name of its file.
    version : str
        Changed whenever the numbers change: stored rows of another version are not served.
    outputs : tuple of Output
        What it gives of a clip; the first is what the set's name alone stands for.
    open : callable
        Takes nothing and returns what takes clips: a sequence of mono float32 arrays of shape (n_samples,), each at
        least one sample long and finite; and returns for each clip one float array an output, of the output's shape:
        finite and deterministic, whatever the audio and whatever clips stand beside it. It travels to other processes,
        and while openers are equal the first stays open: take a function or a frozen dataclass.
    needs : Needs
        What it needs.
    params : mapping
        The parameters the set was built with, JSON values only.
    libraries : tuple of str
        The distributions whose versions can change the numbers.
    choose : callable, optional
        Of a measure that need not give everything at once, such as a network that may stop at a layer: takes the
        numbers of the outputs that are wanted and returns, in order, those that the same pass gives at no cost.
    stands_for : mapping of str to tuple of str
        Names that stand for several outputs: ``""`` is what the set's name alone stands for, by default the first.
    chooses : mapping of str to tuple
        Parameters that say what names stand for, and change nothing of any output, each with its values that stand
        for one output: what a search over ``"each"`` goes through.
    without_effect : tuple of str
        Other parameters that change no number, such as where an asset lies.
    """

    name: str
    version: str
    outputs: tuple[Output, ...]
    open: Callable[[], Opened]
    needs: Needs = field(default_factory=Needs)
    params: Mapping[str, object] = field(default_factory=dict)
    libraries: tuple[str, ...] = ("numpy", "scipy", "librosa", "soundfile", "soxr")
    choose: Callable[[frozenset[int]], tuple[int, ...]] | None = None
    stands_for: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    chooses: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    without_effect: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [output.name for output in self.outputs]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"measure {self.name!r}: needs outputs of different names, got {names}")
        for name, meant in self.stands_for.items():
            if not meant or not set(meant) <= set(names) or name in names:
                raise ValueError(f"measure {self.name!r}: {name!r} must stand for outputs and be none, got {meant}")

    @property
    def identity(self) -> dict[str, object]:
        """Everything that can change a number of the first output, and nothing else."""
        return self.identity_of(self.outputs[0], self.name)

    @property
    def digest(self) -> str:
        """Return 16 hexadecimal digits that stand for the identity."""
        return identity.of(self.identity, size=identity.CITED)

    def identity_of(self, output: Output, name: str) -> dict[str, object]:
        """Return everything that can change a number of an output that is called `name`, and nothing else."""
        unseen = {*self.chooses, *self.without_effect}
        device = {} if self.needs.runs_on == "cpu" else {"device": self.needs.runs_on}
        found: dict[str, object] = {
            "set": name,
            "version": self.version,
            "sample_rate": self.needs.sample_rate,
            "params": {name: value for name, value in sorted(self.params.items()) if name not in unseen},
            "dtype": output.dtype,
            "libraries": {**identity.libraries(self.libraries), **device},
        }
        return found | ({"assets": self.needs.digests()} if self.needs.assets else {})

    def prepared(self, audio: NDArray[np.floating], sample_rate: int) -> Audio:
        """Return a recording as the measure takes it: mono, finite, at its rate.

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
        return resample(samples, int(sample_rate), self.needs.sample_rate)

    def opened(self) -> Opened:
        """Open the measure, once a process: what is open already is handed out again."""
        wanted = self.open, self.needs.digests()
        known = _OPEN.get(self.name)
        if known is None or known[0] != wanted:
            with _OPENING:
                known = _OPEN.get(self.name)
                if known is None or known[0] != wanted:
                    # What was open before is let go of first: two networks may be more than a GPU holds.
                    _OPEN.pop(self.name, None)
                    known = _OPEN[self.name] = (wanted, self.open())
        return known[1]

    def given(self, wanted: Iterable[int]) -> tuple[int, ...]:
        """Return the numbers of the outputs that a pass for some of them gives."""
        every = tuple(range(len(self.outputs)))
        return every if self.choose is None else self.choose(frozenset(wanted))

    def measured(self, clips: Sequence[Audio], wanted: Iterable[int]) -> list[dict[int, Array]]:
        """Measure prepared clips in one pass; return of each its outputs by number, those wanted among them.

        Raises
        ------
        ValueError
            The measure gave another number of clips or outputs than it was asked for.
        """
        numbers = self.given(wanted)
        found = list(self.opened()(clips) if self.choose is None else self.opened()(clips, numbers))
        if len(found) != len(clips):
            raise ValueError(f"gave {len(found)} results for {len(clips)} clips")
        for one in found:
            if len(one) != len(numbers):
                raise ValueError(f"gave {len(one)} outputs, expected {len(numbers)}")
        return [dict(zip(numbers, one, strict=True)) for one in found]

    def outputs_of(self, audio: NDArray[np.floating], sample_rate: int, wanted: Iterable[int]) -> dict[int, Array]:
        """Measure one recording, of shape (n_samples,) or (n_samples, n_channels); return some outputs by number."""
        (found,) = self.measured([self.prepared(audio, sample_rate)], wanted)
        return found

    def __call__(self, audio: NDArray[np.floating], sample_rate: int) -> tuple[Array, ...]:
        """Measure one recording, of shape (n_samples,) or (n_samples, n_channels); return one array an output."""
        every = range(len(self.outputs))
        found = self.outputs_of(audio, sample_rate, every)
        return tuple(found[number] for number in every)

    def without_names(self) -> Measure:
        """Return the measure without the names of its columns, which would weigh more than the work of a worker."""
        return replace(self, outputs=tuple(replace(one, columns=unnamed(one.columns)) for one in self.outputs))


_OPEN: dict[str, tuple[tuple[Callable[[], Opened], dict[str, str]], Opened]] = {}
#: Opening a measure may open another one, as a view does.
_OPENING = threading.RLock()


def per_clip(compute: Callable[[Audio], Array]) -> Callable[[], Opened]:
    """Return the opener of a measure of one output that is a function from one clip to numbers.

    Parameters
    ----------
    compute : callable
        Takes mono float32 audio of shape (n_samples,) and returns the array of the output.
    """
    return _PerClip(compute)


@dataclass(frozen=True)
class _PerClip:
    compute: Callable[[Audio], Array]

    def __call__(self) -> Opened:
        return self._measure

    def _measure(self, clips: Sequence[Audio]) -> list[tuple[Array]]:
        return [(self.compute(clip),) for clip in clips]
