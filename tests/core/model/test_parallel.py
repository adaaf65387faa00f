"""Two processes learn what one does: same batches, same loss, same gradient."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from core.base.errors import ArtifactError, Cancelled, SettingsError
from core.base.progress import Progress, silent
from core.base.schema import View
from core.base.settings import TrainSettings
from core.base.workers import alone
from core.model import handover, parallel, training
from core.model.checkpoints import CHECKPOINT
from core.model.inputs import Spans, build_vocabularies
from core.model.model_files import WEIGHTS, TrainReport
from core.model.parallel import ALONE, Share
from core.model.population import choose_users
from core.model.schedule import Schedule
from core.model.steps import TrainingStep, learn_batch
from core.model.training import train
from tests.core.model.several import together
from tests.core.model.test_training import same, stop_after
from tests.core.model.toys import SHOP_URLS, TINY, sequences_of, shop

NAMES = {
    View.URL: SHOP_URLS,
    View.THEME: [f"Theme {page // 2}" for page in range(14)] + ["Unknown"] * 2,
    View.TYPE: ["Product", "Category", "Search", "Cart"] * 4,
}
LONG = {"shortest": 20, "longest": 40}
"""Page views of users of whom no two are equally far from a third: rounding would choose between those."""
STEADY = TINY.model_copy(update={"page_dropout": 0.0, "seed": 3})
"""Nothing is dropped at random, which depends on the number of processes."""


Found: TypeAlias = tuple[float, np.ndarray]
"""A loss and a gradient."""
Told: TypeAlias = tuple[Path, list[tuple[Found, Found]], TrainReport, TrainReport]
Single: TypeAlias = tuple[Path, TrainReport]


def begun() -> training.Assignment:
    """A training before its first step."""
    sequences = shop(300, seed=1, **LONG)
    vocabularies = build_vocabularies(sequences, NAMES, STEADY.min_count)
    users = choose_users(sequences)
    return training._assigned(sequences, SHOP_URLS, vocabularies, STEADY, users, torch.device("cpu"), alone)


def gradients(step: TrainingStep, spans: Spans, schedule: Schedule, number: int) -> Found:
    loss = learn_batch(step, spans, schedule, number)
    each = [one.grad for one in step.network.parameters() if one.grad is not None]
    return float(loss), torch.cat([one.flatten() for one in each]).numpy().copy()


def gradients_both_ways(folder: Path) -> list[tuple[Found, Found]]:
    """Of one process, and of this one with its helpers, for some steps from the same weights."""
    assignment = begun()
    steps = range(4)
    alone = [gradients(assignment.step, assignment.spans, assignment.schedule, one) for one in steps]
    with handover.led(assignment.step, assignment.spans, folder) as step:
        assert step.share.size > 1
        shared = []
        for number in steps:
            step.share.begun(step.network, step.device, number)
            shared.append(gradients(step, assignment.spans, assignment.schedule, number))
    return list(zip(alone, shared, strict=True))


def trained(folder: Path, settings: TrainSettings = STEADY, progress: Progress = silent) -> TrainReport:
    return train(shop(300, seed=1, **LONG), NAMES, settings, folder, progress, folder.with_suffix(".kept"))


def story(folder: Path) -> tuple[list[tuple[Found, Found]], TrainReport, TrainReport]:
    """Gradients, a training, and one that drops pages at random."""
    both = gradients_both_ways(folder / "gradients")
    straight = trained(folder / "straight")
    return both, straight, trained(folder / "dropping", STEADY.model_copy(update={"page_dropout": 0.05}))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What two processes did together, and where."""
    folder = tmp_path_factory.mktemp("two")
    found = together(story, folder, size=2)
    assert [words for _, words in found.values()] == [""] * 2
    return folder, *found[0][0]


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Single:
    folder = tmp_path_factory.mktemp("one") / "model"
    return folder, trained(folder)


def test_processes_have_the_loss_and_the_gradient_of_one(told: Told) -> None:
    for (loss, gradient), (shared_loss, shared) in told[1]:
        assert np.abs(gradient).max() > 0.01
        assert shared_loss == pytest.approx(loss, abs=1e-5)
        np.testing.assert_allclose(shared, gradient, atol=1e-5)


def test_processes_end_with_the_curve_and_the_weights_of_one(told: Told, single: Single) -> None:
    folder, _, report, _ = told
    assert [row.loss for row in report.curve] == pytest.approx(
        [row.loss for row in single[1].curve], abs=1e-3
    )
    ours, theirs = (
        torch.cat([values.flatten() for _, values in sorted(load_file(one / WEIGHTS).items())])
        for one in (folder / "straight", single[0])
    )
    assert (ours - theirs).norm() < 1e-3 * theirs.norm()
    assert (report.processes, single[1].processes) == (2, 1)


def test_pages_dropped_at_random_change_the_curve_by_noise_only(told: Told, single: Single) -> None:
    ours, theirs = ([row.loss for row in one.curve] for one in (told[3], single[1]))
    assert ours != theirs
    assert np.mean(ours) == pytest.approx(np.mean(theirs), rel=0.05)


def test_nothing_is_left_of_what_was_handed_over(told: Told) -> None:
    assert list(told[0].rglob(f"{handover.PREFIX}*")) == []


def broken_off(folder: Path) -> TrainReport:
    return trained(folder, progress=stop_after(10, Cancelled()))


def test_a_cancelled_training_ends_everywhere_and_one_process_goes_on(single: Single, tmp_path: Path) -> None:
    model = tmp_path / "model"
    found = together(broken_off, model)
    assert found[0][1].startswith("Cancelled")
    assert found[1][1].startswith("ResourceError: Another process of this run ended")
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == [CHECKPOINT]
    again = trained(model)
    assert [row.loss for row in again.curve] == pytest.approx([row.loss for row in single[1].curve], abs=1e-3)
    assert not same(load_file(model / WEIGHTS), load_file(single[0] / WEIGHTS))  # it did not start again


def dying() -> None:
    """A helper that is killed after some steps."""
    calls = iter([None] * 5)
    handover.learn_batch = lambda *_: learn_batch(*_) if next(calls, 0) is None else os._exit(9)
    handover.lend_a_hand()


def sleeping() -> None:
    """A helper that takes too long for a step."""
    calls = iter([None] * 5)
    handover.learn_batch = lambda *_: learn_batch(*_) if next(calls, 0) is None else time.sleep(8)
    handover.lend_a_hand()


@pytest.mark.parametrize(
    ("helper", "its_words"), [(dying, None), (sleeping, "ResourceError: Another process")]
)
def test_a_process_that_fails_ends_all_with_words(
    tmp_path: Path, helper: Callable[[], None], its_words: str | None
) -> None:
    found = together(trained, tmp_path / "model", helper=helper, patience_s=4.0)
    assert found[0][1].startswith("ResourceError: Another process of this run ended, or did not answer")
    assert "its last checkpoint" in found[0][1]
    assert (1 in found) == (its_words is not None)
    assert its_words is None or found[1][1].startswith(its_words)
    assert not (tmp_path / "model" / WEIGHTS).exists()


def test_more_processes_than_users_a_batch_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "processes", lambda: 3)
    with pytest.raises(SettingsError, match=r"3 processes cannot share batches of 2 users.*1 to 2 processes"):
        train(sequences_of({"a": [0, 1, 2, 3], "b": [8, 9, 8, 9]}), NAMES, TINY, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_disk_that_others_do_not_see_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="A process of this run cannot read"):
        handover._read(tmp_path / "elsewhere")


def test_tokens_are_mapped_and_a_process_reads_those_of_its_own_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assignment = begun()
    handover._write(tmp_path, assignment.step, assignment.spans)
    share = Share(1, 2, *Share.bounds(assignment.spans, 1, 2))
    items = np.load(tmp_path / "stream.items.npy", mmap_mode="r+")
    items[: share.begin] = 2**30  # there is no such token
    _, spans, streams, _ = handover._read(tmp_path)
    assert {type(one) for one in vars(streams).values()} == {np.memmap}
    monkeypatch.setattr(Share, "gather", lambda *_: None)
    monkeypatch.setattr(Share, "add_gradients", lambda *_: None)
    step = replace(assignment.step, tokens=replace(assignment.step.tokens, streams=streams), share=share)
    _, gradient = gradients(step, spans, assignment.schedule, 0)
    assert np.abs(gradient).max() > 0
    with pytest.raises(IndexError):
        learn_batch(replace(step, share=ALONE), spans, assignment.schedule, 0)


def test_shares_are_all_users_once() -> None:
    begin = np.array([0, 4, 9, 12, 20])
    spans = Spans(begin, np.diff(np.append(begin, 25)))
    parts = [Share.bounds(spans, rank, 2) for rank in range(2)]
    owned = [Share(begin=first, end=last).owns(spans).tolist() for first, last in parts]
    assert owned == [[True, True, False, False, False], [False, False, True, True, True]]
    assert ALONE.owns(spans).all()


def test_processes_beyond_the_gpus_are_refused_on_gpus_only(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    monkeypatch.setattr(parallel.dist, "get_rank", lambda: 1)
    monkeypatch.setattr(parallel.dist, "get_world_size", lambda: 2)
    monkeypatch.setattr(parallel.dist, "new_group", lambda **_: None)
    for place in ("0", "1"):
        monkeypatch.setenv("LOCAL_RANK", place)
        parallel._take_own_gpu()
    assert taken == [0]
    spans = Spans(np.array([0, 5]), np.array([5, 9]))
    assert Share.of(spans, torch.device("cpu")).size == 2
    with pytest.raises(SettingsError, match=r"more than the 1 GPUs.*--device cpu"):
        Share.of(spans, torch.device("cuda"))
