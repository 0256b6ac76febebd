"""What every feature set promises, each found by its folder."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import packages_distributions

import numpy as np
import pytest
from numpy.typing import NDArray

from ser_experiments.errors import AudioError, InputError
from ser_experiments.features.extractor import Extractor, get_extractor, get_extractors, set_names


def odd_recordings() -> dict[str, NDArray[np.float32]]:
    """Return what no extractor may stumble over, by name; 16 kHz."""
    rng = np.random.default_rng(0)
    click = np.zeros(16_000, np.float32)
    click[8_000] = 1.0
    noise = rng.standard_normal(16_000).astype(np.float32)
    tone = np.sin(2 * np.pi * 150.0 * np.arange(16_000) / 16_000).astype(np.float32)
    gap = np.concatenate([tone, np.zeros(8_000, np.float32), tone])
    return {
        "silence": np.zeros(16_000, np.float32),
        "constant": np.full(16_000, 0.3, np.float32),
        "click": click,
        "noise": 0.1 * noise,
        "tone": 0.5 * tone,
        "tones with silence between": gap,
        "50 ms of noise": noise[:800],
        "50 ms of tone": tone[:800],
        "one sample": np.ones(1, np.float32),
        "two samples": np.array([0.0, 1.0], np.float32),
        "one frame": noise[:159],
        "denormal": np.full(2_000, 1e-42, np.float32),
        "very soft": 1e-6 * noise,
        "clipped": np.sign(noise),
        "far beyond full scale": 1e12 * noise,
        "as far as is allowed": 9e14 * np.sign(noise),
    }


SETS = set_names()
ODD = odd_recordings()


def test_the_sets_are_found() -> None:
    assert {"lld", "frames", "mfcc", "classic199", "melspec"} <= set(SETS)


@pytest.fixture(scope="module", params=SETS)
def extractor(request: pytest.FixtureRequest) -> Extractor:
    """Return each set in turn."""
    return get_extractors(request.param)[0]


@pytest.mark.parametrize("recording", ODD)
def test_numbers_are_finite_and_shaped_whatever_the_audio(extractor: Extractor, recording: str) -> None:
    audio = ODD[recording]
    with np.errstate(all="raise", under="ignore"):
        found = extractor(audio, 16_000)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert np.isfinite(found.astype(extractor.dtype)).all()
    if extractor.layout == "row":
        assert found.shape == (len(extractor.columns),)
    else:
        assert found.ndim == 2
        assert found.shape[1] == len(extractor.columns)
        assert len(found) >= 1


@pytest.mark.speech
def test_extraction_is_pure(extractor: Extractor, speech: list[NDArray[np.float32]]) -> None:
    audio = speech[0].copy()
    audio.flags.writeable = False
    first = extractor(audio, 16_000)
    for other in speech[1:3]:
        extractor(other, 16_000)
    np.testing.assert_array_equal(extractor(audio, 16_000), first)
    np.testing.assert_array_equal(audio, speech[0])
    first[:] = -1.0
    assert not np.array_equal(extractor(audio, 16_000), first)


@pytest.mark.speech
def test_threads_do_not_disturb_each_other(extractor: Extractor, speech: list[NDArray[np.float32]]) -> None:
    alone = [extractor(audio, 16_000) for audio in speech]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda audio: extractor(audio, 16_000), speech * 4))
    for i, found in enumerate(together):
        np.testing.assert_array_equal(found, alone[i % len(speech)])


@pytest.mark.speech
def test_other_rates_and_channels_are_brought_to_one(extractor: Extractor, speech: list[NDArray[np.float32]]) -> None:
    stereo = np.stack([speech[0], speech[0]], axis=1)
    np.testing.assert_array_equal(extractor(stereo, 16_000), extractor(speech[0], 16_000))
    assert np.isfinite(extractor(speech[0], 44_100)).all()


def test_columns_are_named_and_documented(extractor: Extractor) -> None:
    names = extractor.column_names
    assert len(set(names)) == len(names) > 0
    for column in extractor.columns:
        assert column.unit
        assert len(column.source) > 10
        if extractor.layout == "row":
            descriptor, functional = column.name.split("__")
            assert descriptor
            assert functional


def test_an_extractor_travels_to_other_processes(extractor: Extractor) -> None:
    copy = pickle.loads(pickle.dumps(extractor))
    assert copy.digest == extractor.digest
    again = get_extractor(extractor.name, **dict(extractor.params))
    assert again.identity == extractor.identity
    audio = ODD["tone"]
    np.testing.assert_array_equal(copy(audio, 16_000), extractor(audio, 16_000))


#: Distributions that measuring imports and that cannot change a number, or not by themselves.
NO_NUMBERS = {
    "ser_experiments": "has the version of the set instead",
    "llvmlite": "numba names the one version that it works with",
    "cffi": "calls libsndfile and computes nothing",
    "pycparser": "reads declarations for cffi",
    "typing_extensions": "types",
    "lazy-loader": "imports",
    "setuptools": "imports",
    "decorator": "wraps functions of librosa",
    "joblib": "caches for librosa",
    "cloudpickle": "pickles for joblib",
    "psutil": "counts memory for joblib",
    "msgpack": "reads settings for librosa",
    "packaging": "compares versions",
    "platformdirs": "names folders",
    "pooch": "downloads examples of librosa",
    "tqdm": "draws bars",
    "PyYAML": "reads numba's configuration",
    "coverage": "counts lines, where it is installed: numba asks it whether it does",
    "colorama": "colours lines, where it is installed",
    "charset-normalizer": "compiled into a module of its own, which is imported at the start",
}
MEASURE_AND_LIST = """
import sys
import numpy as np
from ser_experiments.features.extractor import get_extractor
audio = np.sin(np.arange(11025) / 7).astype(np.float32) * (np.arange(11025) % 4000 > 900)
get_extractor(sys.argv[1])(audio, 22_050)
print(*sorted({module.partition(".")[0] for module in sys.modules}))
"""


@pytest.fixture(scope="module")
def distributions() -> Mapping[str, list[str]]:
    """Return the distributions that each module comes from."""
    return packages_distributions()


@pytest.mark.slow
def test_every_library_that_computes_is_in_the_identity(
    extractor: Extractor, distributions: Mapping[str, list[str]]
) -> None:
    """Whatever a measurement imports is named in the identity, or here with the reason why not."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE_AND_LIST, extractor.name], capture_output=True, text=True, check=True
    )
    imported = {name for module in done.stdout.split() for name in distributions.get(module, [])}
    if extractor.measure.needs.assets:
        # What computes a network is torch; transformers imports whatever it finds.
        assert {"numpy", "soxr", "torch", "transformers"} <= imported & set(extractor.libraries)
        return
    assert {"numpy", "soxr", "numba"} <= imported
    assert imported - set(NO_NUMBERS) <= set(extractor.libraries)


def test_no_two_sets_of_rows_share_a_column() -> None:
    rows = [e for name in SETS for e in get_extractors(name) if e.layout == "row"]
    names = [name for extractor in rows for name in extractor.column_names]
    assert len(set(names)) == len(names)


def test_column_lists_need_no_heavy_library() -> None:
    """`ser features describe` and a table that is complete must not wait for compilers."""
    code = (
        "import sys; from ser_experiments.features.extractor import get_extractors, set_names\n"
        "[e.digest for n in set_names() for e in get_extractors(n)]\n"
        "print([m for m in ('numba', 'librosa', 'scipy', 'sklearn', 'torch', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.speech
@pytest.mark.parametrize("name", ["lld", "mfcc", "melspec", "frames"])
@pytest.mark.parametrize("gain", [0.01, 3.0])
def test_the_gain_of_a_recording_does_not_matter(name: str, gain: float, speech: list[NDArray[np.float32]]) -> None:
    extractor = get_extractor(name)
    spread = np.std([extractor(a, 16_000).mean(axis=0) for a in speech], axis=0) if name != "lld" else None
    for audio in speech[:3]:
        plain, scaled = (extractor(factor * audio, 16_000) for factor in (np.float32(1.0), np.float32(gain)))
        if name == "lld":
            place = extractor.column_names.index("level_db__active")
            assert scaled[place] - plain[place] == pytest.approx(20 * np.log10(gain), abs=1e-3)
            plain, scaled = np.delete(plain, place), np.delete(scaled, place)
        # Rounding may push a frame across a threshold now and then (voicing, rolloff), never shift a descriptor.
        close = np.isclose(scaled, plain, rtol=1e-3, atol=1e-3)
        assert close.mean() > 0.99
        if spread is not None:
            assert np.all(np.abs(scaled.mean(axis=0) - plain.mean(axis=0)) <= 0.05 * spread + 1e-3)


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("mfcc", {"n_mfcc": 40}, "n_mfcc must be from 1 to 39, got 40"),
        ("melspec", {"n_mels": 3}, "n_mels must be from 8 to 256, got 3"),
        ("melspec", {"dtype": "int8"}, "dtype must be one of float16, float32, got 'int8'"),
        ("frames", {"hop_ms": 15}, "hop_ms must be a multiple of 10 from 10 to 200, got 15"),
        ("lld", {"n_mels": 3}, "unknown parameter 'n_mels'"),
    ],
)
def test_a_wrong_parameter_is_one_clear_line(name: str, params: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        get_extractor(name, **params)
    assert "\n" not in str(caught.value)


def test_another_parameter_is_another_identity() -> None:
    digests = [get_extractor("melspec", **p).digest for p in ({}, {"n_mels": 80}, {"dtype": "float32"})]
    assert len(set(digests)) == 3


def test_louder_than_can_be_squared_is_refused(extractor: Extractor) -> None:
    with pytest.raises(AudioError, match=r"samples up to 1e\+20; full scale is 1, the most is 1e\+15"):
        extractor(np.full(1_000, 1e20, np.float32), 16_000)
