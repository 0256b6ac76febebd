"""On which kind of device an encoder works here; torch, which takes seconds to import, is asked only if need be."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: Where drivers of NVIDIA, AMD and Windows' subsystem put what torch would find.
_NODES = ("nvidia[0-9]*", "kfd", "dxg")


@lru_cache(maxsize=1)
def device_kind() -> str:
    """Return ``"cuda"`` where torch sees a GPU, else ``"cpu"``."""
    if not _may_be_gpu():
        return "cpu"
    try:
        import torch
    except ImportError:
        return "cpu"
    return "cuda" if torch.cuda.is_available() else "cpu"


def _may_be_gpu() -> bool:
    try:
        if version("torch").endswith("+cpu"):
            return False
    except PackageNotFoundError:
        return False
    return not sys.platform.startswith("linux") or any(True for node in _NODES for _ in Path("/dev").glob(node))
