"""The measures that recordings are held against those of a training by, and what is said where they differ."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One of the measures that recordings are held against each other by.

    Parameters
    ----------
    field : str
        Of :class:`~ser_experiments.audio.quality.Quality`.
    title : str
        What a table calls it, with its unit.
    scale : float
        What a number is multiplied by to be in that unit.
    digits : int
        That are shown behind the point.
    exact : float
        How exact it is, in that unit: what lies outside by less is not told from what is inside.
    low, high : str
        What is said of recordings that lie below and above: ``{yours}`` and ``{training}`` stand for the medians.
    views : tuple of str
        Views to train with that make a model less particular about it.
    condition : str
        The kind of conditions that shows what it costs a model.
    cured : {-1, 0, 1}
        Whether these help, and show, where recordings lie below, on either side, or above.
    drawn : bool
        Whether a picture shows it.
    """

    field: str
    title: str
    scale: float = 1.0
    digits: int = 1
    exact: float = 0.0
    low: str = ""
    high: str = ""
    views: tuple[str, ...] = ()
    condition: str = ""
    cured: int = 0
    drawn: bool = True


MEASURES = (
    Measure(
        "bandwidth_hz", "bandwidth, kHz", 1e-3, 1, 0.3,
        "these recordings end at {yours} kHz, those of the training at {training} kHz: what the model learned of the "
        "sounds above is not there",
        "these recordings reach {yours} kHz, those of the training {training} kHz: what is above is new to the model",
        ("telephone", "band", "codec"), "telephone", -1,
    ),
    Measure(
        "sample_rate", "sample rate, kHz", 1e-3, 1, 0.0,
        "these recordings are sampled at {yours} kHz, those of the training at {training} kHz",
        "these recordings are sampled at {yours} kHz, those of the training at {training} kHz",
        ("telephone",), "telephone", -1, drawn=False,
    ),
    Measure(
        "snr_db", "speech above noise, dB", 1.0, 0, 3.0,
        "speech is {yours} dB above the noise, {training} dB in the training",
        "speech is {yours} dB above the noise, {training} dB in the training",
        ("noise",), "noise", -1,
    ),
    Measure(
        "noise_db", "noise, dBFS", 1.0, 0, 3.0,
        "what goes on below the voice is softer ({yours} dBFS, training {training} dBFS)",
        "what goes on below the voice is louder ({yours} dBFS, training {training} dBFS)",
        ("noise",), "noise", 1,
    ),
    Measure(
        "level_db", "level of speech, dBFS", 1.0, 0, 1.0,
        "speech is softer ({yours} dBFS, training {training} dBFS)",
        "speech is louder ({yours} dBFS, training {training} dBFS)",
        (), "level",
    ),
    Measure(
        "clipped", "samples clipped, %", 100.0, 2, 0.05,
        "", "{yours} % of the samples are clipped, {training} % in the training", (), "level",
    ),
    Measure(
        "duration_s", "length, s", 1.0, 1, 0.1,
        "these recordings are shorter ({yours} s, training {training} s)",
        "these recordings are longer ({yours} s, training {training} s): one answer to much speech says little, "
        "see ser predict --timeline",
        (), "extent",
    ),
    Measure(
        "speech", "time with speech, %", 100.0, 0, 5.0,
        "somebody speaks in {yours} % of the time, in {training} % of it in the training",
        "somebody speaks in {yours} % of the time, in {training} % of it in the training",
        (), "extent",
    ),
    Measure(
        "channels", "channels", 1.0, 0, 0.0,
        "these recordings have fewer channels", "these recordings have more channels, which are mixed down",
        drawn=False,
    ),
)  # fmt: skip
