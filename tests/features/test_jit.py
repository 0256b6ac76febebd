"""Compiled loops are kept on disk where that is possible, and work where it is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ser_experiments.features.dsp import jit

MEASURE = (
    "import numpy as np; from ser_experiments.features.extractor import get_extractor\n"
    "print(get_extractor('mfcc')(np.sin(np.arange(16000.0) / 7), 16000).sum())"
)


def run(environment: dict[str, str]) -> str:
    """Extract a set in a fresh process and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_cache_may_be_unusable(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    # A file where a folder should be cannot be written to, whoever runs the test (root ignores permissions).
    assert run({"NUMBA_CACHE_DIR": str(blocked / "cache")}) == run({})


@pytest.mark.slow
def test_machine_code_is_kept(tmp_path: Path) -> None:
    run({"NUMBA_CACHE_DIR": str(tmp_path)})
    assert list(tmp_path.rglob("*.nbc"))


@pytest.mark.parametrize("error", [OSError("No space left on device"), RuntimeError("no locator available")])
def test_a_failing_cache_falls_back_to_memory(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    original = jit.numba.njit
    calls = []

    def failing(signature: str, *, cache: bool, **options: object) -> object:
        calls.append(cache)
        if cache:
            raise error
        return original(signature, cache=False, **options)

    monkeypatch.setattr(jit.numba, "njit", failing)

    @jit.kernel("f8(f8[::1])")
    def total(values: np.ndarray) -> float:
        sum_ = 0.0
        for value in values:
            sum_ += value
        return sum_

    assert total(np.arange(5.0)) == 10.0
    assert calls == [True, False]


def test_a_mistake_in_a_loop_is_not_hidden() -> None:
    def wrong(values: np.ndarray) -> float:
        return values.no_such_thing()  # type: ignore[attr-defined]

    with pytest.raises(Exception, match="no_such_thing"):
        jit.kernel("f8(f8[::1])")(wrong)


def test_a_division_by_zero_does_not_raise() -> None:
    @jit.kernel("f4(f4)", fast=False)
    def inverse(value: float) -> float:
        return np.float32(1.0) / value  # type: ignore[return-value]

    assert np.isinf(inverse(np.float32(0.0)))
