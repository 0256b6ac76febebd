"""AMR narrow-band, the codec of mobile telephones, by the encoder of OpenCORE that PyAV's wheels hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ser_experiments.audio.decoded import is_installed
from ser_experiments.audio.effects import Audio

_ENCODER, _DECODER = "libopencore_amrnb", "amrnb"
RATE, FRAME = 8000, 160


def lacks_amr() -> str:
    """Say what is missing for AMR; "" where nothing is."""
    if not is_installed():
        return "AMR needs PyAV: pip install 'ser_experiments[av]'"
    import av

    try:
        av.Codec(_ENCODER, "w")
    except ValueError:
        return f"this PyAV was built without the encoder {_ENCODER}"
    return ""


def encoded(audio: Audio, bit_rate: int) -> list[Any]:
    """Return the packets of a recording at 8 kHz, one each 20 ms; of the last frame, silence fills what is missing."""
    import av

    encoder: Any = av.CodecContext.create(_ENCODER, "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = RATE, "mono", "s16", bit_rate
    samples = np.clip(np.round(audio * 32768.0), -32768, 32767).astype(np.int16)
    samples = np.pad(samples, (0, -len(samples) % FRAME))
    packets = []
    for begin in range(0, len(samples), FRAME):
        frame = av.AudioFrame.from_ndarray(samples[None, begin : begin + FRAME], format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, begin
        packets += encoder.encode(frame)
    return [*packets, *encoder.encode(None)]


def through_amr(audio: Audio, bit_rate: int) -> Audio:
    """Return what comes out of AMR, as many samples as went in; the codec's delay of some ms is in it.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,)
        At 8 kHz, with a full scale of 1.
    bit_rate : int
        Of a mode of the codec, in bit/s: 4750, 5150, 5900, 6700, 7400, 7950, 10200 or 12200.
    """
    import av

    decoder: Any = av.CodecContext.create(_DECODER, "r")
    decoder.sample_rate, decoder.layout = RATE, "mono"
    packets: Iterable[Any] = [*encoded(audio, bit_rate), None]
    heard = [frame.to_ndarray().ravel() for packet in packets for frame in decoder.decode(packet)]
    return np.concatenate([*heard, np.zeros(len(audio))])[: len(audio)].astype(np.float32)
