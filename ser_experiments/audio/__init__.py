"""The single gate from a recording to a float32 array."""

from ser_experiments.audio.activity import VoiceActivity
from ser_experiments.audio.read import read_audio, resample, to_mono, validate
from ser_experiments.audio.sources import Recording, Source, file_of, heard, samples_of, sources_of
from ser_experiments.audio.stream import scan, stream_audio

__all__ = [
    "Recording",
    "Source",
    "VoiceActivity",
    "file_of",
    "heard",
    "read_audio",
    "resample",
    "samples_of",
    "scan",
    "sources_of",
    "stream_audio",
    "to_mono",
    "validate",
]
