"""What torch sees of a machine: asked by ``ser doctor``, and by nothing else."""

from __future__ import annotations

from typing import Any


def seen() -> dict[str, Any]:
    """Return torch's threads, what it was built for, and the GPUs that it sees: ``name`` and ``bytes`` of memory."""
    import torch

    gpus = []
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        about = torch.cuda.get_device_properties(number)
        gpus.append({"name": about.name, "bytes": int(about.total_memory)})
    if not gpus and torch.backends.mps.is_available():
        gpus.append({"name": "Apple GPU (mps)", "bytes": 0})
    built_for = torch.version.cuda or torch.version.hip
    return {"threads": torch.get_num_threads(), "built_for": built_for or "", "gpus": gpus}
