"""Numerical libraries keep to one thread, also those that are loaded later."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import numpy
from threadpoolctl import ThreadpoolController, threadpool_info
from ser_experiments import parallel

def threads():
    return [pool["num_threads"] for pool in threadpool_info()]

before = threads()
with parallel.one_thread():
    assert set(threads()) == {1}, threads()
    import sklearn.ensemble
    with parallel.one_thread():
        assert set(threads()) == {1}, threads()
    both = len(threads())
assert threads()[: len(before)] == before
assert both > len(before), (both, before)
# Nothing was imported since: nothing is looked up.
parallel.ThreadpoolController = None
with parallel.one_thread():
    assert set(threads()) == {1}
print("ok")
"""


def test_what_is_loaded_later_has_one_thread_too() -> None:
    said = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert said.stdout == "ok\n", said.stderr
