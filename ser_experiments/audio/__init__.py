"""The single gate from a recording to a float32 array."""

from ser_experiments.audio.activity import VoiceActivity
from ser_experiments.audio.read import read_audio, resample, to_mono, validate
from ser_experiments.audio.stream import scan, stream_audio

__all__ = ["VoiceActivity", "read_audio", "resample", "scan", "stream_audio", "to_mono", "validate"]
