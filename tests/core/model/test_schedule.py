from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.base.settings import PRESETS, Preset, TrainSettings
from core.model.schedule import STEPS_AN_EPOCH, estimate_seconds, one_cycle, peak_rate, plan


def test_a_usual_size_sees_every_user_once_an_epoch() -> None:
    schedule = plan(20_000, TrainSettings(epochs=10, batch_size=512))
    assert (schedule.batch_size, schedule.steps_per_epoch, schedule.steps) == (512, 39, 390)
    assert schedule.epochs == 10


def test_small_data_get_small_batches_and_more_epochs() -> None:
    schedule = plan(20, TrainSettings(epochs=10))
    assert (schedule.batch_size, schedule.steps_per_epoch) == (20, 1)
    assert schedule.steps == 10 * STEPS_AN_EPOCH


def test_large_data_see_fewer_epochs() -> None:
    schedule = plan(100_000, TrainSettings(epochs=15, max_user_steps=350_000))
    assert schedule.user_steps <= 350_000
    assert schedule.epochs == 4  # the last is cut short


@given(st.integers(2, 10**7), st.integers(1, 200), st.integers(8, 8192), st.integers(1, 10**7))
def test_there_is_always_something_to_do(users: int, epochs: int, batch: int, most: int) -> None:
    schedule = plan(users, TrainSettings(epochs=epochs, batch_size=batch, max_user_steps=most))
    assert 2 <= schedule.batch_size <= users
    assert schedule.steps >= 1
    assert schedule.steps_per_epoch * schedule.batch_size <= users
    assert schedule.user_steps <= max(most, schedule.batch_size)


@pytest.mark.parametrize("steps", [20, 100, 470])
def test_one_cycle_equals_pytorch(steps: int) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    reference = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.01, total_steps=steps, pct_start=0.15, cycle_momentum=False
    )
    for step in range(steps):
        assert one_cycle(step, steps, 0.01) == pytest.approx(reference.get_last_lr()[0], rel=1e-6)
        optimizer.step()
        reference.step()


@pytest.mark.parametrize("steps", range(1, 9))
def test_one_cycle_of_very_few_steps_stays_between_its_ends(steps: int) -> None:
    rates = [one_cycle(step, steps, 0.01) for step in range(steps)]
    assert all(0 < rate <= 0.01 for rate in rates)


def test_estimate_grows_with_users_length_and_preset() -> None:
    settings = TrainSettings()
    assert estimate_seconds(20_000, 8, settings) < estimate_seconds(30_000, 8, settings)
    assert estimate_seconds(20_000, 8, settings) < estimate_seconds(20_000, 16, settings)
    by_preset = [estimate_seconds(20_000, 8, TrainSettings.preset(preset)) for preset in Preset]
    assert by_preset == sorted(by_preset)
    assert len(set(by_preset)) == len(PRESETS)


def test_estimate_stops_growing_where_the_work_is_bounded() -> None:
    assert estimate_seconds(10**7, 8, TrainSettings()) == pytest.approx(
        estimate_seconds(10**6, 8, TrainSettings()), rel=0.01
    )


def test_small_batches_learn_more_slowly() -> None:
    settings = TrainSettings(batch_size=512, learning_rate=0.004)
    assert peak_rate(512, settings) == 0.004
    assert peak_rate(128, settings) == pytest.approx(0.002)
    assert peak_rate(32, settings) == pytest.approx(0.001)
