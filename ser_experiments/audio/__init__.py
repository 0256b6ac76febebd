"""The single gate from a recording to a float32 array."""

from ser_experiments.audio.read import read_audio, resample, to_mono, validate

__all__ = ["read_audio", "resample", "to_mono", "validate"]
