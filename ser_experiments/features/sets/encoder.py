"""A pretrained speech encoder, frozen: functionals over time of its hidden states, layer by layer, and the states."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ser_experiments.errors import InputError, nearest
from ser_experiments.features.columns import ColumnRule
from ser_experiments.features.encoders import hub
from ser_experiments.features.encoders.catalogue import trained_on as known_corpora
from ser_experiments.features.encoders.checkpoint import Checkpoint
from ser_experiments.features.encoders.device import device_kind
from ser_experiments.features.encoders.listening import BATCH_S, Listening
from ser_experiments.features.encoders.summaries import SUMMARIES, Summary, outputs_at_no_cost
from ser_experiments.features.measure import OVER_TIME, ROW, Measure, Needs, Output
from ser_experiments.features.progress import Callback

DEFAULT = "openai/whisper-base"
PRECISIONS = ("float32", "bfloat16")
#: What names stand for where nothing is said: layers around the middle carry emotion best. And what words mean.
MIDDLE = "middle"
_WORDS = {"all": "0%-100%", MIDDLE: "33%-50%"}
#: What functionals are called together.
FUNCTIONALS = tuple(kind for kind, summary in SUMMARIES.items() if summary.functionals)
_DEPTHS = re.compile(r"(\d{1,3})%-(\d{1,3})%")


def extractor(
    *,
    model: str = DEFAULT,
    layers: str | int | Sequence[int] = MIDDLE,
    functionals: str | Sequence[str] = "moments",
    precision: str = "float32",
    window_s: float = 30.0,
    overlap_s: float = 2.0,
    silence_s: float = 0.0,
    trained_on: Sequence[str] | None = None,
) -> Measure:
    """Build the set.

    Output ``layer_K`` is the mean and the standard deviation over time of hidden state K, ``mean_K`` the mean alone
    (``amean``), ``percentiles_K`` its 10th, 50th and 90th percentile, ``frames_K`` the states themselves. The set's
    name alone stands for the functionals of `layers` side by side, ``encoder/frames`` for their frames. One pass gives
    every layer up to the last that is asked for, and all their functionals are kept. Percentiles of what is longer than
    a window are the mean of its windows'.

    Parameters
    ----------
    model : str
        A folder in the Hugging Face layout, or an id of the hub, perhaps with ``@`` and a revision.
    layers : int, sequence of int, "all", "middle" or "A%-B%"
        Hidden states: 0 is what the first block takes, k what block k gives. ``"20%-60%"`` are those from a fifth to
        three fifths of the depth, ``"middle"`` those from a third to half of it.
    functionals : {"moments", "percentiles", "mean"} or several
        What is taken of a dimension over time: mean and standard deviation, the 10th, 50th and 90th percentile, or the
        mean alone, which is a part of the moments and does not stand beside them.
    precision : {"float32", "bfloat16"}
        What it computes in.
    window_s, overlap_s : float
        Seconds; longer recordings are cut into windows that overlap, and each frame counts once.
    silence_s : float
        Seconds of silence that the encoder hears behind a recording, at most to the end of its window; 30 is Whisper
        as it was trained. Frames of it do not count.
    trained_on : sequence of str, optional
        Emotion corpora whose labels it has seen; by default what is known of the id. It is told with every score.

    Raises
    ------
    InputError
        The checkpoint is not there or cannot be used, there is no such layer, or a number is out of range.
    """
    _check(precision, window_s, overlap_s, silence_s)
    pinned, folder = hub.found(model)
    learned = known_corpora(pinned) if trained_on is None else _corpora(trained_on)
    checkpoint = Checkpoint(str(folder))
    chosen, kinds = _layers(layers, checkpoint), _functionals(functionals)
    states = range(checkpoint.n_layers + 1)
    what = f"hidden state {{layer}} of {Path(pinned).name}"
    return Measure(
        name="encoder",
        version="1",
        outputs=tuple(_output(summary, k, checkpoint, what) for summary in SUMMARIES.values() for k in states),
        open=Listening(str(folder), precision, float(window_s), float(overlap_s), float(silence_s)),
        needs=Needs(
            sample_rate=checkpoint.sample_rate,
            device="gpu",
            runs_on=device_kind(),
            batch_s=BATCH_S[device_kind()],
            assets={"model": checkpoint},
        ),
        params={
            "model": pinned,
            "layers": list(chosen),
            "functionals": list(kinds),
            "precision": precision,
            "window_s": float(window_s),
            "overlap_s": float(overlap_s),
            "silence_s": float(silence_s),
            "trained_on": list(learned),
        },
        libraries=("numpy", "soundfile", "soxr", "torch", "transformers"),
        choose=partial(outputs_at_no_cost, n_states=len(states)),
        stands_for={
            "": tuple(f"{SUMMARIES[kind].output}_{k}" for k in chosen for kind in kinds),
            "frames": tuple(f"frames_{k}" for k in chosen),
        },
        chooses={"layers": tuple(states), "functionals": FUNCTIONALS},
        without_effect=("model", "trained_on"),
    )


def fetch(*, model: str = DEFAULT, progress: Callback | None = None, **_: object) -> None:
    """Fetch the encoder from the hub where it is not on this machine."""
    hub.fetch(model, progress=progress)


def _output(summary: Summary, layer: int, checkpoint: Checkpoint, what: str) -> Output:
    """Return what is kept of a hidden state; `what` describes that."""
    name, place = f"{summary.output}_{layer}", ("layer", (layer,))
    columns = "encoder_l{layer:02d}_{dim:04d}"
    dim = ("dim", range(checkpoint.width))
    if not summary.functionals:
        return Output(name, OVER_TIME, ColumnRule(columns, (place, dim), "1", what), dtype="float16")
    varying = (place, ("functional", summary.functionals), dim)
    return Output(
        name, ROW, ColumnRule(f"{columns}__{{functional}}", varying, "1", f"{{functional}} over time of {what}")
    )


def _layers(layers: object, checkpoint: Checkpoint) -> tuple[int, ...]:
    most = checkpoint.n_layers
    if isinstance(layers, str):
        depths = _DEPTHS.fullmatch(_WORDS.get(layers, layers))
        if not depths or not int(depths[1]) <= int(depths[2]) <= 100:
            raise InputError(
                f"feature set 'encoder': layers {layers!r}; expected numbers from 0 to {most}, 'all', 'middle' or "
                "e.g. '20%-60%'"
            )
        low, high = (round(most * int(depth) / 100) for depth in depths.groups())
        return tuple(range(low, high + 1))
    given = [layers] if isinstance(layers, int) else layers
    if not isinstance(given, Sequence) or not given:
        raise InputError(f"feature set 'encoder': layers must be numbers, got {layers!r}")
    for layer in given:
        if isinstance(layer, bool) or not isinstance(layer, int) or not 0 <= layer <= most:
            raise InputError(f"feature set 'encoder': no layer {layer!r}; {checkpoint.path} has layers 0 to {most}")
    if len(set(given)) < len(given):
        raise InputError(f"feature set 'encoder': layers {list(given)} name one twice")
    return tuple(sorted(given))


def _functionals(given: object) -> tuple[str, ...]:
    named = [given] if isinstance(given, str) else given
    if not isinstance(named, Sequence) or not named:
        raise InputError(f"feature set 'encoder': functionals must be {' or '.join(FUNCTIONALS)}, got {given!r}")
    for one in named:
        if one not in FUNCTIONALS:
            raise InputError(f"feature set 'encoder': unknown functionals {one!r}{nearest(str(one), FUNCTIONALS)}")
    if {"mean", "moments"} <= set(named):
        raise InputError("feature set 'encoder': functionals 'mean' are a part of 'moments'; name one of them")
    return tuple(one for one in FUNCTIONALS if one in named)


def _corpora(given: object) -> tuple[str, ...]:
    if not isinstance(given, Sequence) or isinstance(given, str) or not all(isinstance(one, str) for one in given):
        raise InputError(f"feature set 'encoder': trained_on must be a list of corpora, got {given!r}")
    return tuple(given)


def _check(precision: object, window_s: object, overlap_s: object, silence_s: object) -> None:
    if precision not in PRECISIONS:
        raise InputError(f"feature set 'encoder': precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
    for name, value, low, high in (
        ("window_s", window_s, 2.0, 600.0),
        ("overlap_s", overlap_s, 0.1, 10.0),
        ("silence_s", silence_s, 0.0, 30.0),
    ):
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise InputError(f"feature set 'encoder': {name} must be from {low:g} to {high:g} seconds, got {value!r}")
