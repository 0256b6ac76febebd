"""Measure the feature sets against the textbook recipe and openSMILE, side by side on one core.

Run with ``python benchmarks/bench_features.py [--audio FILE] [--seconds S] [--rounds N] [--json]``. Each contender
runs once a round, round after round, and the best time of each counts: what else the machine does then hits all of
them alike. The clip is real speech from ``SER_TEST_CORPORA`` or `--audio`; without either, a synthetic voice. Ends with
exit code 1 if a ratio is below its least.
"""

# The libraries read their number of threads when they are imported.
# ruff: noqa: E402

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import importlib
import importlib.util
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ser_experiments.audio import read_audio
from ser_experiments.features.extractor import get_extractor, set_names

SAMPLE_RATE = 16_000
#: What is divided by what, the goal, and below what the engine counts as not done.
RATIOS = (
    ("textbook recipe", "classic199", 20.0, 10.0),
    ("openSMILE ComParE_2016", "lld", 6.0, 4.0),
)
#: The functions that take the time, per set: label, module of ser_experiments.features.dsp, function.
STAGES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "classic199": (
        ("power spectrum", "frames", "power_spectrum"),
        ("hpss: two running medians", "hpss", "running_median"),
        ("hpss: masks and energies", "hpss", "_split"),
        ("spectral contrast", "contrast", "contrast"),
        ("spectral peaks", "chroma", "spectral_peaks"),
        ("tuning", "chroma", "tuning"),
        ("chroma", "chroma", "chroma"),
        ("mel bands", "mel", "band_energies"),
        ("decibels", "mel", "power_to_db"),
        ("cepstrum", "mel", "cepstrum"),
        ("moments", "spectral", "moments"),
        ("flatness", "spectral", "flatness"),
        ("level", "energy", "mean_square"),
        ("zero crossings", "energy", "zero_crossing_rate"),
    ),
    "lld": (
        ("scale to the reference level", "lowlevel", "to_reference"),
        ("two power spectra", "frames", "power_spectrum"),
        ("hpss: two running medians", "hpss", "running_median"),
        ("hpss: masks and energies", "hpss", "_split"),
        ("pitch", "pitch", "track_f0"),
        ("cycles (jitter, shimmer)", "voice", "cycles"),
        ("spectral contrast", "lowlevel", "contrast"),
        ("rolloff", "spectral", "rolloff"),
        ("chroma", "chroma", "chroma"),
        ("mel bands", "mel", "band_energies"),
        ("decibels", "mel", "power_to_db"),
        ("cepstrum", "mel", "cepstrum"),
        ("deltas", "mel", "delta"),
        ("moments", "spectral", "moments"),
        ("zero crossings", "energy", "zero_crossing_rate"),
        ("functionals", "functionals", "summarise"),
    ),
}


def textbook(audio: np.ndarray, sample_rate: int) -> list[np.ndarray]:
    """Call each librosa function on the waveform, as the ancestor did, for the descriptors of classic199."""
    import librosa

    harmonic = librosa.effects.harmonic(audio)
    pitches, _ = librosa.piptrack(y=audio, sr=sample_rate, fmin=70, fmax=400)
    centroid = librosa.feature.spectral_centroid(y=audio, sr=sample_rate)
    rms = librosa.feature.rms(y=audio)
    mfcc = librosa.feature.mfcc(y=audio, sr=sample_rate, n_mfcc=13)[1:]
    return [
        librosa.feature.spectral_flatness(y=audio).mean(),
        librosa.feature.zero_crossing_rate(audio).mean(),
        *(centroid.mean(), centroid.std(), centroid.max()),
        pitches.max(),
        librosa.estimate_tuning(y=audio, sr=sample_rate),
        *(rms.mean(), rms.max(), rms.std()),
        harmonic.mean(),
        np.abs(audio).mean(),
        audio.std(),
        *(mfcc.mean(axis=1), mfcc.std(axis=1), mfcc.max(axis=1)),
        librosa.feature.chroma_stft(y=audio, sr=sample_rate).mean(axis=1),
        librosa.feature.melspectrogram(y=audio, sr=sample_rate).mean(axis=1),
        librosa.feature.spectral_contrast(y=audio, sr=sample_rate).mean(axis=1),
    ]


def contenders() -> dict[str, Callable[[np.ndarray], Any]]:
    """Return what is measured by name: the recipe, every set there is, and openSMILE where it is installed."""
    found: dict[str, Callable[[np.ndarray], Any]] = {"textbook recipe": lambda y: textbook(y, SAMPLE_RATE)}
    for name in (name for name in set_names() if name != "encoder"):
        extractor = get_extractor(name)
        found[name] = lambda y, extractor=extractor: extractor(y, SAMPLE_RATE)
    if importlib.util.find_spec("opensmile"):
        import opensmile

        for name in ("ComParE_2016", "eGeMAPSv02"):
            smile = opensmile.Smile(feature_set=opensmile.FeatureSet[name], num_workers=1)
            found[f"openSMILE {name}"] = lambda y, smile=smile: smile.process_signal(y, SAMPLE_RATE)
    return found


def clip(path: str | None, seconds: float) -> tuple[np.ndarray, str]:
    """Return speech of the wanted length and where it comes from."""
    n_samples = round(seconds * SAMPLE_RATE)
    folder = Path(os.environ.get("SER_TEST_CORPORA", "/nonexistent")) / "emodb4" / "audio"
    files = [Path(path)] if path else sorted(folder.glob("*"))[10:20]
    if not files:
        return _synthetic_voice(n_samples), "synthetic voice"
    joined = np.concatenate([read_audio(file, sample_rate=SAMPLE_RATE)[0] for file in files])
    return np.resize(joined, n_samples), f"speech, {files[0].name} and on"


def _synthetic_voice(n_samples: int) -> np.ndarray:
    """Return syllables of a gliding pulse train with some noise."""
    time_s = np.arange(n_samples) / SAMPLE_RATE
    f0 = 140 + 40 * np.sin(2 * np.pi * 0.7 * time_s)
    phase = 2 * np.pi * np.cumsum(f0) / SAMPLE_RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 25))
    syllables = np.clip(np.sin(2 * np.pi * 2.1 * time_s), 0, None)
    noise = np.random.default_rng(0).standard_normal(n_samples)
    return (0.1 * syllables * voice + 0.003 * noise).astype(np.float32)


def interleaved(functions: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Run each function once a round and return the best seconds of each."""
    best = dict.fromkeys(functions, float("inf"))
    for function in functions.values():
        function()
    for _ in range(rounds):
        for name, function in functions.items():
            # What takes milliseconds is repeated, so that it is measured as warm as what takes long.
            repeats = 1 if best[name] > 0.05 else 5
            for _ in range(repeats):
                start = time.perf_counter()
                function()
                best[name] = min(best[name], time.perf_counter() - start)
    return best


def stage_times(set_name: str, audio: np.ndarray, rounds: int) -> list[tuple[str, float]]:
    """Time the parts of a set while it runs.

    Each function is replaced by one that adds up its time; the smallest sum over the rounds counts.
    """
    extractor = get_extractor(set_name)
    extractor(audio, SAMPLE_RATE)
    spent: dict[str, float] = {}
    undo = []
    for label, module_name, attribute in STAGES[set_name]:
        module = importlib.import_module(f"ser_experiments.features.dsp.{module_name}")
        original = getattr(module, attribute)
        undo.append((module, attribute, original))
        setattr(module, attribute, _timed(original, label, spent))
    best: dict[str, float] = {}
    try:
        for _ in range(rounds):
            spent.clear()
            start = time.perf_counter()
            extractor(audio, SAMPLE_RATE)
            spent["everything else"] = time.perf_counter() - start - sum(spent.values())
            best = {label: min(seconds, best.get(label, seconds)) for label, seconds in spent.items()}
    finally:
        for module, attribute, original in undo:
            setattr(module, attribute, original)
    return sorted(best.items(), key=lambda item: -item[1])


def _timed(function: Callable[..., Any], label: str, spent: dict[str, float]) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        result = function(*args, **kwargs)
        spent[label] = spent.get(label, 0.0) + time.perf_counter() - start
        return result

    return timed


def main() -> None:
    """Print the table of times, the ratios and the parts that cost most; fail below the least ratios."""
    parser = argparse.ArgumentParser(description="Speed of the feature sets on one core")
    parser.add_argument("--audio", help="a recording to measure on")
    parser.add_argument("--seconds", type=float, default=5.5, help="length of the clip (5.5)")
    parser.add_argument("--rounds", type=int, default=20, help="rounds, of which the best counts (20)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    warnings.simplefilter("ignore")
    audio, origin = clip(options.audio, options.seconds)
    best = interleaved({n: (lambda f=f: f(audio)) for n, f in contenders().items()}, options.rounds)
    stages = {name: stage_times(name, audio, 10 * options.rounds) for name in STAGES}
    if options.json:
        print(json.dumps({"clip": origin, "seconds": options.seconds, "best_s": best, "stages_s": stages}))
    else:
        _report(best, stages, options.seconds, origin)
    missed = [fast for slow, fast, _, least in RATIOS if slow in best and best[slow] / best[fast] < least]
    if missed:
        sys.exit(f"too slow: {', '.join(missed)}")


def _report(best: dict[str, float], stages: dict[str, list[tuple[str, float]]], seconds: float, origin: str) -> None:
    print(f"Features of {seconds:g} s of audio ({origin}), one core\n")
    print(f"{'set':28s}{'ms':>10s}{'times real time':>18s}")
    for name, spent in sorted(best.items(), key=lambda item: -item[1]):
        print(f"{name:28s}{1e3 * spent:10.2f}{seconds / spent:18.0f}")
    print(f"\n{'ratio':44s}{'':>8s}{'goal':>8s}{'least':>8s}")
    for slow, fast, goal, least in RATIOS:
        shown = f"{best[slow] / best[fast]:.1f}" if slow in best else "-"
        note = "" if slow in best else "  (pip install opensmile: research licence, for this benchmark only)"
        print(f"{slow + ' / ' + fast:44s}{shown:>8s}{goal:8.0f}{least:8.0f}{note}")
    for name, parts in stages.items():
        total = sum(spent for _, spent in parts)
        print(f"\n{'parts of ' + name:44s}{'ms':>8s}{'share':>8s}")
        for label, spent in parts:
            print(f"{label:44s}{1e3 * spent:8.3f}{spent / total:8.0%}")


if __name__ == "__main__":
    main()
