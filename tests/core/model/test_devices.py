from __future__ import annotations

import pytest
import torch

from core.base.errors import SettingsError
from core.base.settings import Device
from core.model.steps import fast_arithmetic, pick_device, repeatable


def test_auto_is_the_cpu_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device(Device.AUTO).type == "cpu"
    assert pick_device(Device.CPU).type == "cpu"


def test_auto_is_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device(Device.AUTO).type == "cuda"
    assert pick_device(Device.CPU).type == "cpu"


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SettingsError, match=r"device = 'cuda'.*Allowed: auto, cpu"):
        pick_device(Device.CUDA)


def test_cpu_arithmetic_is_exact() -> None:
    with fast_arithmetic(torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.float32


def test_repeatable_leaves_the_random_state_and_the_switches_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    with repeatable(torch.device("cpu")):
        assert torch.are_deterministic_algorithms_enabled()
        torch.manual_seed(9)
        torch.rand(3)
    assert torch.equal(torch.rand(1), expected)
    assert not torch.are_deterministic_algorithms_enabled()
