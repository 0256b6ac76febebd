"""Find recordings that are one recording, encoded again: at another rate, by another codec, louder, a little trimmed.

Recordings are compared by their envelopes (:mod:`ser_experiments.features.dsp.envelope`). Which pairs are worth it is
told by landmarks: half a second around each peak of loudness, in a few numbers whose signs fall into the same bucket
for copies (locality-sensitive hashing). Each candidate is then compared cell by cell at the shift that its landmarks
say. So the time grows with the number of recordings, not with that of pairs.

References
----------
Wang (2003), An industrial-strength audio search algorithm: landmarks. Charikar (2002), Similarity estimation techniques
from rounding algorithms: signs of random projections.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.dsp.envelope import HOP_S, LOUDEST, N_BANDS, STEPS_PER_DB

Vector = NDArray[np.float32]

#: Levels so far below the loudest cell are silence, and codecs differ in it.
_FLOOR = LOUDEST - 40 * STEPS_PER_DB
#: A frame counts where one of the two is louder than this.
_AUDIBLE = LOUDEST - 30 * STEPS_PER_DB
#: Correlation of the cells from which two recordings are one. Measured: copies through Vorbis, Opus, MP3, GSM and
#: G.711, trimmed by 0.3 s or 12 dB softer, have 0.91 and more; two takes of one sentence up to 0.87.
ALIKE = 0.88
#: What little is heard of both has to be more alike: two short words are, by chance. Measured over 3,000 pieces of
#: real speech of 0.3 to 0.8 s: what is heard for a quarter of a second has up to 0.934, encoded copies about 0.99.
_BOUNDS = ((1.2, ALIKE), (0.5, 0.93), (0.25, 0.97))
_LEAST_S = _BOUNDS[-1][0]
#: Of the shorter one, so much must lie within the other.
_SHARE = 0.6
#: A tone or a hum has few bands that move: it is like every other of its pitch.
_MOVES, _LEAST_BANDS = 1.0 * STEPS_PER_DB, 8

#: Frames around a landmark, and how far apart landmarks are at least.
_AROUND, _APART = 8, 4
#: Numbers of a landmark: so many cosines over time and over bands.
_OVER_TIME, _OVER_BANDS, _COARSE = 6, 5, 8
#: Tables of buckets, and how many of one bucket a landmark is compared with in each.
_TABLES, _NEIGHBOURS = 10, 12
#: Cosine of two landmarks from which their recordings are compared.
_NEAR = 0.8
#: Cosine from which one pair of landmarks is enough for that; below, it takes two that say the same shift.
_SURE = 0.9
#: Other recordings that one is compared with at most, those that most speaks for.
_CANDIDATES = 12
#: More shifts than two recordings can have.
_SHIFTS = 1 << 14
#: Landmarks or pairs of them that are worked on at a time.
_AT_A_TIME = 1 << 16


class Copy(NamedTuple):
    """Two recordings that are one.

    Attributes
    ----------
    first, second : int
        Their places, the smaller first.
    alike : float
        Correlation of their envelopes.
    """

    first: int
    second: int
    alike: float


class _Landmarks(NamedTuple):
    """Where landmarks are, and what they are compared by."""

    owner: NDArray[np.intp]
    frame: NDArray[np.intp]
    vectors: Vector


def find_copies(envelopes: Sequence[bytes | None]) -> list[Copy]:
    """Find the pairs of recordings that are copies of each other.

    Parameters
    ----------
    envelopes : sequence of bytes
        Of each recording, as the survey keeps them; None where there is none.

    Returns
    -------
    list of Copy
        In the order of their places.
    """
    found = []
    for first, second, lag in _candidates(_landmarks(envelopes)):
        alike = alikeness(cells(envelopes[first]), cells(envelopes[second]), lag)
        if alike:
            found.append(Copy(first, second, alike))
    return sorted(found)


def cells(envelope: bytes | None) -> NDArray[np.uint8]:
    """Return an envelope as an array of shape (n_frames, 32)."""
    return np.frombuffer(envelope or b"", dtype=np.uint8).reshape(-1, N_BANDS)


def alikeness(one: NDArray[np.uint8], other: NDArray[np.uint8], lag: int) -> float:
    """Return how far two envelopes are one; 0 where they are not, or where too little is heard to tell.

    Parameters
    ----------
    one, other : ndarray of shape (n_frames, 32), uint8
    lag : int
        Frame 0 of `other` lies at this frame of `one`, give or take one.
    """
    if _correlation(one, other, lag, 0.0)[0] < 0.5:
        return 0.0
    tried = [_correlation(one, other, lag + whole, part) for whole in (-1, 0, 1) for part in (0.0, 0.25, 0.5, 0.75)]
    alike, heard_s = max(tried)
    return alike if any(heard_s >= seconds and alike >= bound for seconds, bound in _BOUNDS) else 0.0


def _correlation(one: NDArray[np.uint8], other: NDArray[np.uint8], lag: int, part: float) -> tuple[float, float]:
    """Return the correlation of the cells that are heard where two envelopes overlap, and the seconds of it.

    The other is moved by a part of a frame besides, between two of its frames.
    """
    begin, end = max(0, lag), min(len(one), len(other) - (part > 0) + lag)
    if end - begin < max(_SHARE * min(len(one), len(other)), _LEAST_S / HOP_S):
        return 0.0, 0.0
    a = np.maximum(one[begin:end], _FLOOR).astype(np.float32)
    b = np.maximum(other[begin - lag : end - lag], _FLOOR).astype(np.float32)
    if part:
        after = np.maximum(other[begin - lag + 1 : end - lag + 1], _FLOOR).astype(np.float32)
        b += np.float32(part) * (after - b)
    heard = np.maximum(a.max(axis=1), b.max(axis=1)) > _AUDIBLE
    seconds = float(heard.sum()) * HOP_S
    if seconds < _LEAST_S:
        return 0.0, 0.0
    a, b = a[heard], b[heard]
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    in_a, in_b = (a * a).sum(axis=0), (b * b).sum(axis=0)
    least = len(a) * _MOVES**2
    if min((in_a > least).sum(), (in_b > least).sum()) < _LEAST_BANDS:
        return 0.0, 0.0
    return float((a * b).sum() / np.sqrt(in_a.sum() * in_b.sum())), seconds


def _landmarks(envelopes: Sequence[bytes | None]) -> _Landmarks:
    """Find the peaks of loudness of all recordings, and describe what lies around each."""
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    gap = np.full((2 * _AROUND, N_BANDS), _FLOOR, dtype=np.uint8)
    parts = [gap]
    for envelope in envelopes:
        parts += [cells(envelope), gap]
    lengths = np.array([len(part) for part in parts])
    every = np.maximum(np.concatenate(parts), _FLOOR)
    level = uniform_filter1d(every.mean(axis=1, dtype=np.float32), 5)
    peaks = np.flatnonzero((level == maximum_filter1d(level, 2 * _APART + 1)) & (level > _FLOOR + STEPS_PER_DB))
    begins = np.cumsum(lengths) - lengths
    place = np.searchsorted(begins, peaks, side="right") - 1
    # The places of recordings among the parts are odd.
    peaks, place = peaks[place % 2 == 1], place[place % 2 == 1]
    vectors = [_described(every, peaks[at : at + _AT_A_TIME]) for at in range(0, len(peaks), _AT_A_TIME)]
    width = _OVER_TIME * _OVER_BANDS
    held = np.concatenate(vectors) if vectors else np.empty((0, width), np.float32)
    return _Landmarks(place // 2, peaks - begins[place], held)


def _described(every: NDArray[np.uint8], peaks: NDArray[np.intp]) -> Vector:
    """Return unit vectors of shape (n_peaks, 30): the slow changes over time and bands around peaks."""
    around = every[peaks[:, None] + np.arange(-_AROUND, _AROUND)].astype(np.float32)
    coarse = around.reshape(len(peaks), 2 * _AROUND, _COARSE, N_BANDS // _COARSE).mean(axis=3)
    times = _cosines(2 * _AROUND, range(1, _OVER_TIME + 1))
    bands = _cosines(_COARSE, range(_OVER_BANDS))
    found = np.einsum("ntb,tk,bm->nkm", coarse, times, bands, optimize=True)
    # Speech changes slowly, so that the first cosines would decide alone.
    found *= np.sqrt(np.arange(1, _OVER_TIME + 1)[:, None] * np.arange(1, _OVER_BANDS + 1)[None, :])
    flat = found.reshape(len(peaks), -1)
    return (flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)).astype(np.float32)


def _cosines(size: int, orders: Sequence[int] | range) -> Vector:
    at = (np.arange(size) + 0.5) / size
    return np.cos(np.pi * at[:, None] * np.array(list(orders))[None, :]).astype(np.float32)


def _candidates(landmarks: _Landmarks) -> list[tuple[int, int, int]]:
    """Return two recordings and the shift between them, for all that landmarks speak for."""
    owner, frame, vectors = landmarks
    first, second = _pairs(landmarks)
    swap = owner[first] > owner[second]
    first, second = np.where(swap, second, first), np.where(swap, first, second)
    lag = frame[first] - frame[second]
    near = np.concatenate(
        [
            np.einsum("nk,nk->n", vectors[first[at : at + _AT_A_TIME]], vectors[second[at : at + _AT_A_TIME]])
            for at in range(0, len(first), _AT_A_TIME)
        ]
        or [np.empty(0, np.float32)]
    )
    pair = owner[first] * (owner.max(initial=0) + 1) + owner[second]
    # Two landmarks that say the same shift, give or take a frame, or one that is surely the same.
    said: Vector = near.copy()
    for moved in (0, 1):
        _, which, votes = np.unique(pair * _SHIFTS + (lag + moved) // 2, return_inverse=True, return_counts=True)
        said = np.maximum(said, near + (votes[which] - 1)).astype(np.float32)
    heard = np.flatnonzero(said >= _SURE)
    heard = heard[np.lexsort((-said[heard], pair[heard]))]
    heard = heard[np.unique(pair[heard], return_index=True)[1]]
    best = heard[_best(owner[first[heard]], said[heard]) & _best(owner[second[heard]], said[heard])]
    return list(zip(owner[first[best]].tolist(), owner[second[best]].tolist(), lag[best].tolist(), strict=True))


def _best(owner: NDArray[np.intp], said: Vector) -> NDArray[np.bool_]:
    """Say of each pair whether it is among the best of its recording."""
    order = np.lexsort((-said, owner))
    begins = np.searchsorted(owner[order], owner[order])
    chosen = np.zeros(len(owner), dtype=bool)
    chosen[order[np.arange(len(owner)) - begins < _CANDIDATES]] = True
    return chosen


def _pairs(landmarks: _Landmarks) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return pairs of landmarks of different recordings that are near, each once."""
    owner, _, vectors = landmarks
    rng = np.random.default_rng(0)
    bits = min(24, max(8, int(np.ceil(np.log2(max(len(owner), 1))))))
    found = [np.empty(0, np.int64)]
    for _ in range(_TABLES):
        planes = rng.standard_normal((vectors.shape[1], bits + 1)).astype(np.float32)
        thrown = vectors @ planes
        keys = (thrown[:, :bits] > 0) @ (1 << np.arange(bits))
        # Of a full bucket, those are compared that another projection puts side by side.
        order = np.lexsort((thrown[:, bits], keys))
        for first, second in _near(vectors, keys, order):
            apart = owner[first] != owner[second]
            low, high = np.minimum(first, second)[apart], np.maximum(first, second)[apart]
            found.append(low.astype(np.int64) * len(owner) + high)
    low, high = np.divmod(np.unique(np.concatenate(found)), max(len(owner), 1))
    return low, high


def _near(
    vectors: Vector, keys: NDArray[np.intp], order: NDArray[np.intp]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield pairs of landmarks of one bucket that are near."""
    sorted_keys = keys[order]
    for away in range(1, _NEIGHBOURS + 1):
        same = np.flatnonzero(sorted_keys[away:] == sorted_keys[:-away])
        if not len(same):
            return
        for at in range(0, len(same), _AT_A_TIME):
            first, second = order[same[at : at + _AT_A_TIME]], order[same[at : at + _AT_A_TIME] + away]
            near = np.einsum("nk,nk->n", vectors[first], vectors[second]) >= _NEAR
            yield first[near], second[near]
