"""Training on the processes that torchrun started: the first one leads, the others take a share of each step.

The loss holds every user of a batch against every other. So each process encodes the slices of its own users
into its rows of one table, and the tables are added up; all then know the whole loss and its gradients by the
vectors, each differentiates its own rows, and the first adds up the gradients and takes the step. Batches,
loss and gradient are those of one process, but for rounding and for which pages are dropped at random.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from core.base.errors import ResourceError, SettingsError
from core.model.inputs import Spans

PATIENCE: Final = timedelta(minutes=5)
"""Longest wait for another process within a training; the first one validates and saves meanwhile."""
_IDLE: Final = timedelta(days=30)
"""Longest wait for a training: the first process reads and labels the export before."""
OVER: Final = -1
"""Number that the first process sends in place of a step when there is no more."""
_LONGEST_PATH: Final = 4096


@dataclass(frozen=True, eq=False)
class Share:
    """The part of each step that a process computes; all of it where it is alone.

    Args:
        rank: Number of the process; 0 leads.
        size: How many processes there are.
        begin: Position of the first page view of its own users in the flat arrays.
        end: Position of the first page view of the next process's users.
        group: Processes that communicate.
    """

    rank: int = 0
    size: int = 1
    begin: int = 0
    end: int = sys.maxsize
    group: dist.ProcessGroup | None = None

    @classmethod
    def of(cls, spans: Spans, device: torch.device) -> Share:
        """The share of this process: about as many users as every other has, in the order of the arrays.

        Args:
            spans: All page views of each user that trains, in the order of the arrays.
            device: Where the network is.

        Raises:
            SettingsError: If the network is on a GPU, and this machine has fewer GPUs than processes.
            ResourceError: If another process is gone.
        """
        rank, size = dist.get_rank(), dist.get_world_size()
        if device.type == "cuda" and _place() >= (there := torch.cuda.device_count()):
            raise SettingsError(
                f"--nproc-per-node is more than the {there} GPUs of this machine",
                allowed=f"1 to {there}, or any number with --device cpu",
            )
        with _heard():
            group = dist.new_group(timeout=PATIENCE, backend="nccl" if device.type == "cuda" else "gloo")
        return cls(rank, size, *cls.bounds(spans, rank, size), group)

    @staticmethod
    def bounds(spans: Spans, rank: int, size: int) -> tuple[int, int]:
        """Positions at which the page views of a process's users begin and end."""
        first = np.append(spans.begin[np.arange(size) * len(spans) // size], sys.maxsize)
        return int(first[rank]), int(first[rank + 1])

    def owns(self, slices: Spans) -> np.ndarray:
        """Which slices belong to users of this process: bool of shape (B,)."""
        own: np.ndarray = (self.begin <= slices.begin) & (slices.begin < self.end)
        return own

    def begun(self, network: nn.Module, device: torch.device, step: int = OVER) -> int:
        """Send the number of the next step, and the weights it starts from, from the first process to all.

        Args:
            network: Sends its weights in the first process, receives them in the others.
            device: Where the network is.
            step: Number of the step; ignored but in the first process.

        Raises:
            ResourceError: If another process is gone.
        """
        if self.size == 1:
            return step
        number = torch.tensor([step], device=device)
        with _heard(), torch.no_grad():
            dist.broadcast(number, 0, self.group)
            if number.item() == OVER:
                return OVER
            weights = parameters_to_vector(network.parameters())
            dist.broadcast(weights, 0, self.group)
        if self.rank:
            vector_to_parameters(weights, network.parameters())
        return int(number.item())

    def gather(self, tables: Iterable[Tensor]) -> None:
        """Fill tables of which each process has filled its own rows, and left zeros in the others.

        Raises:
            ResourceError: If another process is gone.
        """
        if self.size == 1:
            return
        with _heard():
            for sent in [dist.all_reduce(one, group=self.group, async_op=True) for one in tables]:
                sent.wait()

    def add_gradients(self, network: nn.Module) -> None:
        """Set the gradients of the first process to the sum of those of all.

        Raises:
            ResourceError: If another process is gone.
        """
        if self.size == 1:
            return
        gradients = [one.grad for one in network.parameters() if one.grad is not None]
        total = parameters_to_vector(gradients)
        with _heard():
            dist.reduce(total, 0, group=self.group)
        vector_to_parameters(total, gradients)


ALONE: Final = Share()


@contextmanager
def joined() -> Iterator[int]:
    """Join the other processes that torchrun started, and leave them at the end.

    Yields:
        The number of this process; the first, 0, then sends the others by :func:`order` what to train.

    Raises:
        ResourceError: If the others do not come.
    """
    _take_own_gpu()
    with _heard():
        dist.init_process_group("gloo", timeout=_IDLE)
    try:
        yield dist.get_rank()
    finally:
        if dist.is_initialized() and dist.get_rank() == 0:
            with suppress(ResourceError):  # processes that ended need no order
                order(None)
        leave()


def order(folder: Path | None = None) -> Path | None:
    """Send the folder of the next training from the first process to all; None if there is no more.

    Raises:
        ResourceError: If another process is gone.
    """
    told = np.zeros(_LONGEST_PATH, dtype=np.uint8)
    name = np.frombuffer(os.fsencode(folder) if folder else b"", dtype=np.uint8)
    told[: len(name)] = name
    with _heard():
        dist.broadcast(torch.from_numpy(told), 0)
    heard = told.tobytes().rstrip(b"\0")
    return Path(os.fsdecode(heard)) if heard else None


def leave() -> None:
    """Leave the other processes at once: whoever waits for this one gets an error."""
    if dist.is_initialized():
        dist.destroy_process_group()


def processes() -> int:
    """Number of processes that train together; 1 without torchrun."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def _take_own_gpu() -> None:
    if (place := _place()) < torch.cuda.device_count():
        torch.cuda.set_device(place)


def _place() -> int:
    return int(os.environ.get("LOCAL_RANK", 0))


@contextmanager
def _heard() -> Iterator[None]:
    """Raise a ``ResourceError`` where another process does not answer."""
    try:
        yield
    except RuntimeError as error:
        raise ResourceError(
            f"Another process of this run ended, or did not answer for {PATIENCE.seconds // 60} minutes",
            remedy="See what it says, and start again: training goes on from its last checkpoint",
        ) from error
