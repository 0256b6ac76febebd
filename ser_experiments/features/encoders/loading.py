"""From a checkpoint to a network with its weights: every tensor in its place, or one line that says which is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ser_experiments.errors import InputError
from ser_experiments.features.encoders.checkpoint import Checkpoint
from ser_experiments.features.encoders.hub import NEEDED

if TYPE_CHECKING:
    import torch
    from torch import nn

#: Names that a message shows.
_SHOWN = 3


def load_network(checkpoint: Checkpoint, dtype: torch.dtype, device: torch.device) -> nn.Module:
    """Return the encoder of a checkpoint, in evaluation mode and without gradients.

    Parameters
    ----------
    checkpoint : Checkpoint
        Where it lies.
    dtype : torch.dtype
        Of its weights here, whatever they are kept as.
    device : torch.device
        Where it works.

    Raises
    ------
    InputError
        A tensor is missing, is not the network's or has another shape; or there is not memory enough.
    """
    import torch

    try:
        from safetensors import SafetensorError, safe_open
        from transformers import initialization
    except ImportError as error:
        raise InputError(f"encoder {checkpoint.path}: {NEEDED.format(error.name)}") from error
    _check_memory(checkpoint, torch.empty((), dtype=dtype).element_size(), device)
    with initialization.no_init_weights():
        network = checkpoint.family.build(checkpoint.config)
    wanted = network.state_dict()
    tensors = checkpoint.tensors()
    _must_match(checkpoint, {n: tuple(t.shape) for n, t in wanted.items()}, {n: t.shape for n, t in tensors.items()})
    by_file: dict[str, list[str]] = {}
    for name, tensor in tensors.items():
        by_file.setdefault(tensor.file, []).append(name)
    with torch.no_grad():
        for file, names in by_file.items():
            try:
                with safe_open(file, framework="pt") as stored:
                    for name in names:
                        wanted[name].copy_(stored.get_tensor(tensors[name].stored))
            except SafetensorError as error:
                raise InputError(f"encoder {file}: cannot be read ({error}); fetch it again") from error
    bad = next((name for name, value in wanted.items() if not torch.isfinite(value).all()), None)
    if bad is not None:
        raise InputError(f"encoder {checkpoint.path}: weights {bad} are not finite; fetch it again")
    return network.to(device=device, dtype=dtype).eval().requires_grad_(requires_grad=False)


def _must_match(checkpoint: Checkpoint, wanted: dict[str, tuple[int, ...]], given: dict[str, tuple[int, ...]]) -> None:
    missing, more = sorted(wanted.keys() - given.keys()), sorted(given.keys() - wanted.keys())
    other = sorted(name for name in wanted.keys() & given.keys() if wanted[name] != given[name])
    for names, what in ((missing, "are missing"), (more, "are none of the network's"), (other, "have another shape")):
        if names:
            shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
            raise InputError(
                f"encoder {checkpoint.path}: {len(names)} of {len(wanted)} weights {what} ({shown}); the configuration "
                "is of another network, or the weights are not whole"
            )


def _check_memory(checkpoint: Checkpoint, bytes_each: int, device: torch.device) -> None:
    import psutil
    import torch

    needed = checkpoint.n_weights * bytes_each
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available
    if needed > free:
        raise InputError(
            f"encoder {checkpoint.path}: needs {needed / 1e9:.1f} GB for its weights, {free / 1e9:.1f} GB are free; "
            "take a smaller one, or precision = 'bfloat16'"
        )
