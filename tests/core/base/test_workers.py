from __future__ import annotations

import threading

import pytest
import torch

from core.base.contention import available_cores
from core.base.workers import MAX_WORKERS, sequential, workers


def test_results_come_in_the_order_of_the_things() -> None:
    with workers(torch.device("cpu")) as threads:
        assert list(threads(lambda number: number * 2, range(50))) == [number * 2 for number in range(50)]


def test_operators_use_one_thread_only_while_the_workers_are_there() -> None:
    before = torch.get_num_threads()
    with workers(torch.device("cpu")) as threads:
        assert set(threads(lambda _: torch.get_num_threads(), range(8))) == {1}
    assert torch.get_num_threads() == before


def test_a_mistake_in_a_worker_reaches_the_caller() -> None:
    def fail(_: int) -> int:
        raise ValueError("broken")

    with workers(torch.device("cpu")) as threads, pytest.raises(ValueError, match="broken"):
        list(threads(fail, [1]))


def test_a_gpu_is_fed_by_the_caller() -> None:
    with workers(torch.device("cuda")) as threads:
        assert threads is sequential
        assert set(threads(lambda _: threading.get_ident(), range(3))) == {threading.get_ident()}


def test_there_is_a_core() -> None:
    assert 1 <= min(available_cores(), MAX_WORKERS) <= MAX_WORKERS
