"""Where the tensors live, and how exact the arithmetic is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
import torch.utils.deterministic

from core.base.errors import SettingsError
from core.base.settings import Device


def pick_device(device: Device) -> torch.device:
    """The torch device of a setting.

    Raises:
        SettingsError: If a GPU is asked for and there is none.
    """
    there_is_one = torch.cuda.is_available()
    if device is Device.CUDA and not there_is_one:
        raise SettingsError(
            "device = 'cuda' is not possible: no CUDA device is visible to PyTorch",
            allowed="auto, cpu",
            remedy="Choose auto, or install a PyTorch built for the GPU of this machine",
        )
    return torch.device("cuda" if there_is_one and device is not Device.CPU else "cpu")


def fast_arithmetic(device: torch.device) -> AbstractContextManager[object]:
    """Mixed precision on a GPU; plain float32 on a CPU, where bfloat16 was measured to gain nothing."""
    return torch.autocast("cuda", dtype=torch.bfloat16) if device.type == "cuda" else nullcontext()


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """Same numbers every time on the same machine, with a random state of its own.

    A few GPU kernels have no repeatable form; those are used with a warning. Filling all fresh memory, by
    which PyTorch shows reads of what was never written, is off: it is a twentieth of the time.
    """
    before = torch.are_deterministic_algorithms_enabled()
    memory: Any = torch.utils.deterministic  # its attributes are made in a way that type checkers do not see
    filled = memory.fill_uninitialized_memory
    memory.fill_uninitialized_memory = False
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=device.type == "cuda")
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)
        memory.fill_uninitialized_memory = filled
