from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from core.scorecard.intervals import (
    auc_placements,
    call,
    mean_comparisons,
    mean_figures,
    r2_interval,
    range_comparisons,
    range_figures,
    resample,
    spread,
)
from core.scorecard.result import Call, Method


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.01, 0.5, Call.BETTER),
        (-0.5, -0.01, Call.WORSE),
        (-0.02, 0.02, Call.EQUAL),
        (-0.02, 0.2, Call.UNCLEAR),
        (0.0, 0.0, Call.EQUAL),
    ],
)
def test_the_interval_decides_not_its_middle(low: float, high: float, said: Call) -> None:
    assert call(low, high, matters=0.05) is said


def test_every_resample_draws_n_users() -> None:
    drawn = resample(5, seed=0, times=7)
    assert drawn.shape == (7, 5)
    assert (drawn.sum(axis=1) == 5).all()
    assert (drawn == resample(5, seed=0, times=7)).all()


def test_scores_without_any_spread_have_no_width() -> None:
    scores = {Method.LEARNED: np.full(4, 0.5), Method.BAG: np.full(4, 0.25)}
    drawn = resample(4, seed=0, times=50)
    learned, bag = mean_figures(scores, drawn)
    assert (learned.value, learned.low, learned.high) == (0.5, 0.5, 0.5)
    [apart] = mean_comparisons(scores, drawn, matters=0.2)
    assert (apart.difference, apart.low, apart.ratio, apart.call) == (0.25, 0.25, 2.0, Call.BETTER)
    assert bag.value == 0.25


def test_a_paired_difference_is_surer_than_either_figure() -> None:
    hard = np.random.default_rng(0).random(200)  # some users are hard for everybody
    scores = {Method.LEARNED: hard + 0.01, Method.BAG: hard}
    drawn = resample(200, seed=1, times=200)
    figure, _ = mean_figures(scores, drawn)
    [apart] = mean_comparisons(scores, drawn, matters=0.0)
    assert apart.call is Call.BETTER
    assert apart.high - apart.low < (figure.high - figure.low) / 100


def test_repeats_give_their_mean_and_their_range() -> None:
    repeats = {Method.LEARNED: [0.8, 0.9, 0.7], Method.BAG: [0.6, 0.5, 0.6]}
    learned, _ = range_figures(repeats)
    assert (round(learned.value, 6), learned.low, learned.high) == (0.8, 0.7, 0.9)
    [apart] = range_comparisons(repeats, matters=0.05)
    assert (round(apart.low, 6), round(apart.high, 6), apart.call) == (0.1, 0.4, Call.BETTER)


def test_one_repeat_on_the_other_side_decides_nothing() -> None:
    repeats = {Method.LEARNED: [0.8, 0.5], Method.BAG: [0.6, 0.6]}
    assert range_comparisons(repeats, matters=0.05)[0].call is Call.UNCLEAR


def test_an_area_by_hand() -> None:
    scores = np.array([3.0, 1.0, 2.0, 0.0])
    positive = np.array([True, True, False, False])
    below, above = auc_placements(scores, positive)
    assert below.tolist() == [1.0, 0.5]  # the positive at 3 beats both negatives, the one at 1 beats one
    assert above.tolist() == [0.5, 1.0]
    assert spread([(below, above)])[0] == 0.75


@given(st.lists(st.integers(0, 5), min_size=6, max_size=40), st.integers(0, 9))
def test_areas_are_those_of_scikit_learn_ties_included(scores: list[int], seed: int) -> None:
    positive = np.random.default_rng(seed).permutation(len(scores)) < len(scores) // 2
    below, above = auc_placements(np.array(scores, float), positive)
    area = roc_auc_score(positive, scores)
    assert np.isclose(below.mean(), area)
    assert np.isclose(above.mean(), area)


def test_the_error_of_an_area_shrinks_with_users() -> None:
    rng = np.random.default_rng(0)

    def error(n: int) -> float:
        positive = np.arange(n) % 2 == 0
        return spread([auc_placements(rng.normal(size=n) + positive, positive)])[1]

    assert error(2000) < error(200) / 2


def test_a_perfect_reading_has_r2_one_and_the_mean_has_zero() -> None:
    truth = np.array([1.0, 2.0, 3.0, 4.0])
    drawn = resample(4, seed=0, times=100)
    assert r2_interval(truth, truth, drawn)[0] == 1.0
    assert r2_interval(truth, np.full(4, 2.5), drawn)[0] == 0.0
