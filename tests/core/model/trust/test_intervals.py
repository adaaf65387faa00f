from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap, norm
from sklearn.metrics import r2_score, roc_auc_score

from core.model.trust.intervals import (
    auc_interval,
    auc_placements,
    call,
    mean_comparisons,
    mean_figures,
    r2_interval,
    resample,
)
from core.model.trust.result import Call, Method


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.01, 0.5, Call.BETTER),
        (-0.5, -0.01, Call.WORSE),
        (-0.02, 0.02, Call.EQUAL),
        (-0.02, 0.2, Call.UNCLEAR),
        (0.0, 0.0, Call.EQUAL),
        (0.001, 0.04, Call.EQUAL),  # surely more, and surely too little to matter
        (-0.04, -0.001, Call.EQUAL),
        (0.001, 0.06, Call.BETTER),
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


def test_an_area_by_hand() -> None:
    scores = np.array([3.0, 1.0, 2.0, 0.0])
    positive = np.array([True, True, False, False])
    below, above = auc_placements(scores, positive)
    assert below.tolist() == [1.0, 0.5]  # the positive at 3 beats both negatives, the one at 1 beats one
    assert above.tolist() == [0.5, 1.0]
    assert auc_interval((below, above))[0] == 0.75


@given(st.lists(st.integers(0, 5), min_size=6, max_size=40), st.integers(0, 9))
def test_areas_are_those_of_scikit_learn_ties_included(scores: list[int], seed: int) -> None:
    positive = np.random.default_rng(seed).permutation(len(scores)) < len(scores) // 2
    below, above = auc_placements(np.array(scores, float), positive)
    area = roc_auc_score(positive, scores)
    assert np.isclose(below.mean(), area)
    assert np.isclose(above.mean(), area)


def _delong_by_pairs(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The structural components of DeLong et al. 1988, pair by pair as their equations (4) and (5) say."""
    beats = [
        [1.0 if mine > other else 0.5 if mine == other else 0.0 for other in scores[~positive]]
        for mine in scores[positive]
    ]
    kernel = np.array(beats)
    return kernel.mean(axis=1), kernel.mean(axis=0)


def test_the_interval_of_a_difference_is_delongs() -> None:
    rng = np.random.default_rng(0)
    positive = np.arange(60) % 3 == 0
    ours, theirs = (np.round(rng.normal(size=60) + step * positive, 1) for step in (1.0, 0.5))
    pairs = [_delong_by_pairs(scores, positive) for scores in (ours, theirs)]
    area = np.array([below.mean() for below, _ in pairs])
    covariance = np.cov([below for below, _ in pairs]) / 20 + np.cov([above for _, above in pairs]) / 40
    error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    placed = [auc_placements(scores, positive) for scores in (ours, theirs)]
    value, low, high = auc_interval((placed[0][0] - placed[1][0], placed[0][1] - placed[1][1]))
    assert np.isclose(value, area[0] - area[1])
    assert np.allclose([low, high], [value - 1.959964 * error, value + 1.959964 * error])


def test_nineteen_of_twenty_intervals_hold_the_true_area() -> None:
    rng = np.random.default_rng(0)
    positive = np.arange(300) % 3 == 0
    truth = norm.cdf(1 / np.sqrt(2))  # two normal distributions, one standard deviation apart
    held = []
    for _ in range(400):
        _, low, high = auc_interval(auc_placements(rng.normal(size=300) + positive, positive))
        held.append(low <= truth <= high)
    assert 0.92 <= np.mean(held) <= 0.98


def test_a_mean_has_the_percentile_bootstrap_of_scipy() -> None:
    scores = np.random.default_rng(0).random(100) ** 3
    [figure] = mean_figures({Method.LEARNED: scores}, resample(100, seed=1, times=4000))
    told = bootstrap((scores,), np.mean, method="percentile", n_resamples=4000, rng=2).confidence_interval
    assert np.allclose([figure.low, figure.high], [told.low, told.high], atol=0.006)


def test_a_perfect_reading_has_r2_one_and_the_mean_has_zero() -> None:
    truth = np.array([1.0, 2.0, 3.0, 4.0])
    drawn = resample(4, seed=0, times=100)
    assert r2_interval(truth, truth, drawn)[0] == 1.0
    assert r2_interval(truth, np.full(4, 2.5), drawn)[0] == 0.0


@given(st.integers(0, 99))
def test_r2_is_that_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, read = rng.normal(size=50), rng.normal(size=50)
    value, low, high = r2_interval(truth, read, resample(50, seed, times=50))
    assert np.isclose(value, r2_score(truth, read))
    assert low <= high


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0.001, 0.5))
def test_no_call_is_better_and_worse_from_the_other_side(middle: float, half: float, matters: float) -> None:
    turned = {Call.BETTER: Call.WORSE, Call.WORSE: Call.BETTER}
    said = call(middle - half, middle + half, matters)
    assert call(-middle - half, half - middle, matters) is turned.get(said, said)
