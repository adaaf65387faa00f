"""A device that is not there: tensors that say they are on a GPU, and refuse to meet one left on the CPU.

The numbers are the CPU's, so whole trainings run. What a GPU would refuse is refused here: arithmetic with a
tensor or a generator of the CPU (but for a single number), places in a tensor of the CPU, reading as NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

GPU = torch.device("cuda")
MOVES = (torch.Tensor.to, torch.Tensor.copy_, torch._has_compatible_shallow_copy_type)
PLACES = (torch.Tensor.__getitem__, torch.Tensor.__setitem__)
READS = (torch.Tensor.numpy, torch.Tensor.__array__)


Anything: TypeAlias = Any
"""What any function of PyTorch takes and gives."""
Keywords: TypeAlias = Mapping[str, Any] | None


class LeftBehindError(RuntimeError):
    """A tensor of the CPU meets one of the device."""


class Elsewhere(torch.Tensor):
    """A tensor on the device."""

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Anything,
        args: Anything = (),
        kwargs: Mapping[str, Anything] | None = None,
    ) -> Anything:
        if func == torch.Tensor.device.__get__:
            return GPU
        if func in READS:
            raise LeftBehindError(f"{func.__name__} of a tensor on the device")
        if func not in MOVES:
            _refuse_mixed(func, args, kwargs)
        return super().__torch_function__(func, types, args, kwargs or {})


def _refuse_mixed(func: Callable[..., Any], args: Anything, kwargs: Keywords) -> None:
    if func in PLACES and isinstance(args[0], Elsewhere):
        args = args[:1] + args[2:]  # a GPU takes places from the CPU
    for one in tree_leaves((args, kwargs)):
        if isinstance(one, torch.Tensor) and not isinstance(one, Elsewhere) and one.dim():
            raise LeftBehindError(f"{func.__name__} with a tensor of the CPU, of shape {tuple(one.shape)}")


class _Generator(torch.Generator):
    """Knows which device it would be on."""

    there: bool

    def __new__(cls, device: torch.device | None = None) -> _Generator:
        made = super().__new__(cls)
        made.there = _is_there(device)
        return made


class _OtherDevice(TorchFunctionMode):
    """Makes tensors there, and moves them there and back."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Anything,
        args: Anything = (),
        kwargs: Mapping[str, Anything] | None = None,
    ) -> Anything:
        kwargs = dict(kwargs or {})
        if func is torch.Tensor.cpu:
            return args[0].as_subclass(torch.Tensor)
        there = _is_there(kwargs.get("device")) or any(map(_is_there, args))
        generator = kwargs.get("generator")
        if isinstance(generator, _Generator) and generator.there != there:
            raise LeftBehindError(f"{func.__name__} and its generator are not on one device")
        if not there or func is torch._C._nn._parse_to:  # of a whole network: each tensor follows
            return func(*args, **kwargs)
        if func is torch.Tensor.to:
            return args[0].as_subclass(Elsewhere)
        return func(*args, **kwargs | {"device": "cpu"}).as_subclass(Elsewhere)


def _is_there(device: object) -> bool:
    return isinstance(device, torch.device) and device.type == GPU.type


@contextmanager
def pretended_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within it, ``device = 'auto'`` is a GPU."""
    autocast, fork_rng = torch.autocast, torch.random.fork_rng
    with monkeypatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: True)
        patch.setattr(torch, "Generator", _Generator)
        patch.setattr(torch, "autocast", lambda _, dtype: autocast("cpu", dtype=dtype))
        patch.setattr(torch.random, "fork_rng", lambda devices: fork_rng(devices=[]))
        patch.setattr(torch.__future__, "get_overwrite_module_params_on_conversion", lambda: True)
        with _OtherDevice():
            yield
