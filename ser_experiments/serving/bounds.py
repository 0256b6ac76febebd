"""What one request may cost; all of it is known before a recording is decoded, or is noticed while it is."""

from __future__ import annotations

from ser_experiments.audio.limits import Limits

#: Longest recording that is answered as one utterance: the spectra of five minutes take 360 MiB.
MAX_SECONDS = 300.0
#: Samples of a recording, of all its channels together: five minutes of stereo at 48 kHz, and a little more.
MAX_SAMPLES = 30_000_000
#: Hz of a recording.
MAX_RATE = 768_000
#: What is decoded of one recording, and of all recordings of a request.
RECORDING, REQUEST = Limits(MAX_SECONDS, MAX_SAMPLES, "", MAX_RATE), Limits(3 * MAX_SECONDS, 3 * MAX_SAMPLES)
#: A request with more audio than this waits among those that take long.
SHORT = Limits(30.0, 3_000_000)
#: What is decoded of a recording that is answered piece by piece.
PIECEWISE = Limits(600.0, 60_000_000, "", MAX_RATE)
#: Bytes of a recording, before base64 makes a third more of it.
MAX_BYTES = 24 * 2**20
#: Bytes of a request, and of one that may wait among the short ones.
MAX_BODY, SHORT_BODY = 34 * 2**20, 4 * 2**20
#: Rows of a request.
MAX_ROWS = 256
#: Values that the text of a request may hold; each takes memory by far larger than what stands for it.
MAX_VALUES = 10_000
