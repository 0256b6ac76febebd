"""From a synthesized line to a recording: voice quality, room, level.

Pure functions on arrays; numpy alone, because each of the building processes has to import what is used here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ser_experiments.corpora._demo.plan import Room

#: Of the corpus, in Hz.
SAMPLE_RATE = 16000
#: Mean level of a turn, full scale is 0.
SPEECH_DB = -31.0

Audio = NDArray[np.float32]


def trim(audio: Audio, *, threshold: float = 0.004) -> Audio:
    """Cut the silence that a synthesizer leaves at both ends."""
    loud = np.flatnonzero(np.abs(audio) > threshold)
    return audio[loud[0] : loud[-1] + 1] if loud.size else audio


def colour(audio: Audio, sample_rate: int, tilt_db: float, *, low_pass_hz: float | None = None) -> Audio:
    """Tilt the spectrum: unchanged up to 500 Hz, then a straight line in octaves, ``tilt_db`` from 4 kHz on.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,)
    sample_rate : int
        In Hz.
    tilt_db : float
        Level from 4 kHz on.
    low_pass_hz : float, optional
        Fade out the last tenth below this frequency and remove all above, before a lower rate is taken.
    """
    size = _fft_size(len(audio))
    hertz = np.fft.rfftfreq(size, 1 / sample_rate)
    gain = 10 ** (tilt_db / 20 * np.clip(np.log2(np.maximum(hertz, 1.0) / 500) / 3, 0.0, 1.0))
    if low_pass_hz is not None:
        fade = np.clip((low_pass_hz - hertz) / (0.1 * low_pass_hz), 0.0, 1.0)
        gain *= 0.5 - 0.5 * np.cos(np.pi * fade)
    return np.fft.irfft(np.fft.rfft(audio, size) * gain, size)[: len(audio)].astype(np.float32)


def breathe(audio: Audio, sample_rate: int, level_db: float, rng: np.random.Generator) -> Audio:
    """Add aspiration: noise above 1 kHz that follows the envelope of the voice.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,)
    sample_rate : int
        In Hz.
    level_db : float
        Level of the noise relative to the voice.
    rng : Generator
        Source of the noise.
    """
    n_window = sample_rate // 50
    sums = np.cumsum(np.concatenate([np.zeros(n_window), np.abs(audio, dtype=np.float64)]))
    envelope = np.maximum(sums[n_window:] - sums[:-n_window], 0.0)
    noise = rng.standard_normal(len(audio)).astype(np.float32)
    noise = (noise - _smooth(noise, sample_rate // 2000)) * envelope.astype(np.float32)
    level = 10 ** (level_db / 20) * rms(audio) / max(rms(noise), 1e-12)
    return audio + np.float32(level) * noise


def resample_unsteadily(
    audio: Audio,
    sample_rate: int,
    *,
    factor: float,
    f0_hz: float,
    jitter_pct: float,
    shimmer_db: float,
    rng: np.random.Generator,
) -> Audio:
    """Read the audio out at the corpus's rate, with formants scaled and periods of uneven length and height.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,)
        Without anything above half of the lower rate.
    sample_rate : int
        Its rate in Hz.
    factor : float
        How much faster it is read: scales formants, F0 and speed alike.
    f0_hz : float
        F0 of the audio; sets how fast period and height vary.
    jitter_pct, shimmer_db : float
        Standard deviation of the change from one period to the next, of its length and of its height.
    rng : Generator
        Source of the variation.
    """
    step = factor * sample_rate / SAMPLE_RATE
    position = np.arange(int((len(audio) - 4) / step)) * step + 1.5
    n_knots = int(len(audio) / sample_rate * f0_hz) + 2
    knots = np.linspace(0, len(audio), n_knots)
    # White noise read between its knots: over all phases, neighbours one knot apart differ by its own deviation.
    shift = rng.standard_normal(n_knots) * (jitter_pct / 100 * sample_rate / f0_hz)
    height = 10 ** (rng.standard_normal(n_knots) * shimmer_db / 20)
    position = np.clip(position + np.interp(position, knots, shift), 1.0, len(audio) - 3.0)
    return _cubic(audio, position) * np.interp(position, knots, height).astype(np.float32)


def at_level(audio: Audio, level_db: float) -> Audio:
    """Scale to a level (root mean square, full scale is 0 dB)."""
    return audio * np.float32(10 ** (level_db / 20) / max(rms(audio), 1e-9))


def room_response(room: Room, rng: np.random.Generator) -> Audio:
    """Return the impulse response between one seat and the microphone.

    Direct sound after 5 ms, and 5 ms later exponentially decaying noise (Polack's model of late reverberation).
    """
    n_samples = int(room.reverberation_s * SAMPLE_RATE)
    n_direct = SAMPLE_RATE // 200
    time_s = np.arange(n_samples) / SAMPLE_RATE
    tail = rng.standard_normal(n_samples) * 10 ** (-3 * time_s / room.reverberation_s)
    tail *= 10 ** (-room.direct_db / 20) / np.sqrt((tail**2).sum())
    response = np.concatenate([np.zeros(2 * n_direct), tail])
    response[n_direct] = 1.0
    return colour(response.astype(np.float32), SAMPLE_RATE, room.tone_db)


def convolve(audio: Audio, response: Audio) -> Audio:
    """Convolve; the result is longer by the response."""
    n_samples = len(audio) + len(response) - 1
    size = _fft_size(n_samples)
    product = np.fft.rfft(audio, size) * np.fft.rfft(response, size)
    return np.fft.irfft(product, size)[:n_samples].astype(np.float32)


def room_noise(room: Room, n_samples: int, rng: np.random.Generator) -> Audio:
    """Return the noise of a room: Gaussian, with its slope between 50 Hz and 8 kHz."""
    size = _fft_size(n_samples)
    hertz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    shape = (np.maximum(hertz, 50.0) / 50) ** (room.noise_slope_db / (20 * np.log10(2)))
    spectrum = np.fft.rfft(rng.standard_normal(size).astype(np.float32)) * shape
    return at_level(np.fft.irfft(spectrum, size)[:n_samples].astype(np.float32), room.noise_db)


def rms(audio: NDArray[np.floating]) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))


def _smooth(audio: Audio, n_samples: int) -> Audio:
    kernel = np.full(n_samples, 1 / n_samples, dtype=np.float32)
    return np.convolve(audio, kernel, mode="same").astype(np.float32)


def _cubic(audio: Audio, position: NDArray[np.float64]) -> Audio:
    """Interpolate with four points (Catmull-Rom)."""
    index = position.astype(np.int64)
    t = (position - index).astype(np.float32)
    before, here, after, later = (audio[index + offset] for offset in (-1, 0, 1, 2))
    slope, slope_after = (after - before) / 2, (later - here) / 2
    rise = after - here
    curve = 3 * rise - 2 * slope - slope_after + t * (slope + slope_after - 2 * rise)
    return (here + t * (slope + t * curve)).astype(np.float32, copy=False)


def _fft_size(n_samples: int) -> int:
    """Return the next power of two, or 3/4 or 5/8 of it: lengths with a large prime factor are slow."""
    whole = 1 << (n_samples - 1).bit_length()
    return next(size for size in (5 * whole // 8, 3 * whole // 4, whole) if size >= n_samples)
