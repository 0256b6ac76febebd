"""Where a network is trained and asked: torch's threads and seed, the device and its number format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ser_experiments.errors import InputError


@contextmanager
def torch_settings(seed: int, n_threads: int, device: torch.device) -> Iterator[None]:
    """Pin torch's threads and seed its generators; leave both afterwards as they were.

    The number of threads changes the last bits of a sum, so it belongs to the fit rather than to who runs it.

    Parameters
    ----------
    seed : int
        Of the generators of the CPU and of `device`.
    n_threads : int
        Threads of torch on the CPU.
    device : torch.device
        Where the work inside is done.

    Raises
    ------
    InputError
        The memory of the GPU does not suffice.
    """
    before = torch.get_num_threads()
    devices = [device] if device.type == "cuda" else []
    with full_gpu_in_one_line(device), torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        torch.set_num_threads(n_threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


@contextmanager
def full_gpu_in_one_line(device: torch.device) -> Iterator[None]:
    """Say what to do where the memory of a GPU, which the processes of a run share, does not suffice.

    Raises
    ------
    InputError
        In place of torch's error, of CUDA's or of a library's on it.
    """
    try:
        yield
    except RuntimeError as error:
        if device.type != "cuda" or not re.search(r"out of memory|ALLOC_FAILED", str(error)):
            raise
        raise InputError(
            f"the memory of {device} does not suffice, which all processes of a run share: use fewer of them "
            "(--jobs 1), or less for a fit (--set model.batch_size=8), or --set model.device=cpu"
        ) from error


def choose_device(name: str) -> torch.device:
    """Return the device of a parameter; ``"auto"`` is the GPU where there is one.

    Raises
    ------
    InputError
        A GPU is asked for and there is none, or the name is none of torch's.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(f"device must be 'auto', 'cpu' or 'cuda[:n]', got {name!r}") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError(f"device is {name!r}, but torch {torch.__version__} sees no GPU; use device='auto'")
    return device


def choose_amp(mixed_precision: bool | str, device: torch.device) -> torch.dtype | None:
    """Return the type of the fast half of mixed precision, None for float32; never on a CPU.

    It is bfloat16 where the GPU has it: it has the range of float32, so that gradients need no scaling.
    """
    if device.type != "cuda" or not mixed_precision:
        return None
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
