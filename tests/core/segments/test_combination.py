"""The mix of views: weights, centring, effective shares, users without a direction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import ArtifactError, SettingsError
from core.base.schema import LEARNED_VIEWS, View
from core.base.settings import ViewWeights
from core.segments.combination import (
    blend,
    calibrate,
    combine,
    effective_shares,
    mix_like,
    present_weights,
    scaled_weights,
)


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def view(seed: int, n_users: int = 60, towards: float = 0.0, dims: int = 6) -> np.ndarray:
    """Unit vectors; with ``towards`` they all lean the same way, as an uncalibrated view does."""
    return unit(np.random.default_rng(seed).normal(size=(n_users, dims)) + towards * np.eye(dims)[0])


def reference(views: dict[View, np.ndarray], weights: ViewWeights) -> np.ndarray:
    """The formula of the module's docstring, user by user in double precision."""
    total = sum(weights.of(name) for name in views)
    means = {name: array.mean(axis=0, dtype=np.float64) * (len(views) > 1) for name, array in views.items()}
    mixed = []
    for user in range(len(next(iter(views.values())))):
        x = []
        for name, array in views.items():
            centred = array[user].astype(np.float64) - means[name]
            x.extend(np.sqrt(weights.of(name) / total) * centred / np.linalg.norm(centred))
        mixed.append(np.array(x) / np.linalg.norm(x))
    return np.array(mixed)


THREE = {View.URL: view(1), View.THEME: view(2, towards=3.0), View.TYPE: view(3, towards=5.0)}


@pytest.mark.parametrize("present", [(View.URL,), (View.URL, View.TYPE), LEARNED_VIEWS])
def test_combine_lays_centred_unit_vectors_side_by_side_by_the_roots_of_their_weights(
    present: tuple[View, ...],
) -> None:
    views = {name: THREE[name] for name in present}
    combined = combine(views, ViewWeights())
    np.testing.assert_allclose(combined.vectors, reference(views, ViewWeights()), atol=2e-6)
    assert combined.vectors.dtype == np.float32
    assert combined.absent == tuple(name for name in LEARNED_VIEWS if name not in present)


def test_a_view_that_is_alone_is_left_as_the_model_made_it() -> None:
    leaning = {View.URL: view(1, towards=4.0)}
    combined = combine(leaning, ViewWeights(url=0.2))
    np.testing.assert_allclose(combined.vectors, leaning[View.URL], atol=1e-6)
    assert combined.effective == {View.URL: 1.0}
    assert not combined.means[View.URL].any()


@pytest.mark.parametrize("changed", LEARNED_VIEWS)
def test_every_present_weight_moves_the_vectors(changed: View) -> None:
    before = combine(THREE, ViewWeights()).vectors
    after = combine(THREE, ViewWeights(**ViewWeights().model_dump() | {changed.value: 0.9})).vectors
    turned = np.degrees(np.arccos(np.clip((before * after).sum(axis=1), -1, 1)))
    assert np.median(turned) > 5


def test_the_weight_of_an_absent_view_moves_nothing() -> None:
    two = {name: THREE[name] for name in (View.URL, View.TYPE)}
    before, after = (combine(two, ViewWeights(theme=theme)).vectors for theme in (0.0, 1.0))
    np.testing.assert_array_equal(before, after)


def test_only_the_ratio_of_weights_matters() -> None:
    once = combine(THREE, ViewWeights(url=0.4, theme=0.2, type=0.1))
    doubled = combine(THREE, ViewWeights(url=0.8, theme=0.4, type=0.2))
    np.testing.assert_allclose(once.vectors, doubled.vectors, atol=1e-6)


def test_a_slider_that_reaches_zero_does_not_jump() -> None:
    nearly, zero = (combine(THREE, ViewWeights(theme=weight)).vectors for weight in (1e-9, 0.0))
    np.testing.assert_allclose(nearly, zero, atol=1e-4)


def test_centring_is_over_the_clustered_users_only() -> None:
    inside = np.arange(60) < 30
    combined = combine(THREE, ViewWeights(), inside)
    for name, mean in combined.means.items():
        np.testing.assert_allclose(mean, THREE[name][:30].mean(axis=0), atol=1e-6)


def test_new_users_are_placed_with_the_means_of_the_old_ones() -> None:
    old = combine(THREE, ViewWeights())
    few = {name: array[5:8] for name, array in THREE.items()}
    np.testing.assert_allclose(mix_like(few, ViewWeights(), old.means), old.vectors[5:8], atol=1e-6)


def test_means_of_another_model_are_refused() -> None:
    means = combine({View.URL: THREE[View.URL]}, ViewWeights()).means
    with pytest.raises(ArtifactError, match="theme, type"):
        mix_like(THREE, ViewWeights(), means)


def test_calibrating_once_and_blending_often_is_the_same() -> None:
    calibrated = calibrate(THREE)
    for weights in (ViewWeights(), ViewWeights(url=0, theme=0.1, type=0.9)):
        np.testing.assert_array_equal(blend(calibrated, weights).vectors, combine(THREE, weights).vectors)


def test_a_user_without_a_direction_becomes_zeros_and_nothing_else_changes() -> None:
    alone = {View.URL: THREE[View.URL].copy()}
    alone[View.URL][7] = 0
    combined = combine(alone, ViewWeights())
    assert np.isfinite(combined.vectors).all()
    assert not combined.vectors[7].any()
    np.testing.assert_allclose(np.delete(combined.vectors, 7, 0), np.delete(alone[View.URL], 7, 0), atol=1e-6)


def test_views_may_have_vectors_of_different_lengths() -> None:
    views = {View.URL: view(1, dims=9), View.TYPE: view(3)}
    combined = combine(views, ViewWeights())
    assert combined.vectors.shape == (60, 15)
    np.testing.assert_allclose(combined.vectors, reference(views, ViewWeights()), atol=2e-6)


def test_of_whom_a_view_knows_nothing_the_others_say() -> None:
    views = {name: array.copy() for name, array in THREE.items()}
    views[View.TYPE][:20] = 0
    combined = combine(views, ViewWeights())
    without = combine({name: views[name] for name in (View.URL, View.THEME)}, ViewWeights())
    np.testing.assert_allclose(combined.vectors[:20, :12], without.vectors[:20], atol=2e-6)
    assert not combined.vectors[:20, 12:].any()
    np.testing.assert_allclose(combined.means[View.TYPE], THREE[View.TYPE][20:].mean(axis=0), atol=1e-6)
    nobody = combine(views | {View.TYPE: np.zeros_like(views[View.TYPE])}, ViewWeights())
    np.testing.assert_allclose(nobody.vectors[:, :12], without.vectors, atol=2e-6)


def test_a_weight_counts_by_what_its_view_can_speak_of() -> None:
    coverage = {View.URL: 1.0, View.THEME: 0.5, View.TYPE: 0.0}
    combined = combine(THREE, ViewWeights(), coverage=coverage)
    assert combined.counted == ViewWeights(url=0.5, theme=0.15, type=0)
    assert combined.weights == ViewWeights()
    by_hand = combine(THREE, ViewWeights(url=0.5, theme=0.15, type=0))
    np.testing.assert_array_equal(combined.vectors, by_hand.vectors)


@pytest.mark.parametrize("weights", [ViewWeights(insist=True), ViewWeights(url=0, theme=0)])
def test_who_insists_or_wants_nothing_else_gets_the_weights_as_they_are(weights: ViewWeights) -> None:
    assert scaled_weights(weights, {View.URL: 1.0, View.THEME: 0.1, View.TYPE: 0.0}) == weights


def test_a_view_that_counts_more_than_its_weight_can_stand_at_the_top() -> None:
    types = ViewWeights(url=0, theme=0, type=1)
    assert scaled_weights(types, {View.TYPE: 1.5}) == types
    more = scaled_weights(ViewWeights(url=0.5, theme=0, type=1), {View.TYPE: 2.0})
    assert more == ViewWeights(url=0.25, theme=0, type=1)


def test_users_who_are_all_the_same_do_not_divide_by_zero() -> None:
    same = {View.URL: np.tile(view(1)[:1], (9, 1)), View.TYPE: np.tile(view(2)[:1], (9, 1))}
    combined = combine(same, ViewWeights())
    assert np.isfinite(combined.vectors).all()
    assert sum(combined.effective.values()) == pytest.approx(1)


def test_weights_that_are_all_zero_for_what_is_present_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"\(url\) is 0.*Raise"):
        combine({View.URL: THREE[View.URL]}, ViewWeights(url=0))


def test_views_of_different_users_are_refused() -> None:
    with pytest.raises(ArtifactError, match=r"url \(60, 6\), type \(59, 6\)"):
        combine({View.URL: THREE[View.URL], View.TYPE: THREE[View.TYPE][1:]}, ViewWeights())
    with pytest.raises(ArtifactError, match="no view"):
        combine({}, ViewWeights())


def test_weights_are_rescaled_over_the_present_views() -> None:
    assert present_weights((View.URL, View.TYPE), ViewWeights(url=0.6, theme=1, type=0.2)) == {
        View.URL: pytest.approx(0.75),
        View.TYPE: pytest.approx(0.25),
    }


def test_weights_are_the_shares_of_views_that_vary_alike() -> None:
    shares = effective_shares(
        dict.fromkeys(LEARNED_VIEWS, 0.7), {View.URL: 0.5, View.THEME: 0.3, View.TYPE: 0.2}
    )
    assert list(shares.values()) == pytest.approx([0.5, 0.3, 0.2])


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda weights: sum(weights) > 0.01))
def test_effective_shares_are_each_views_part_of_the_variance_of_the_mix(weights: list[float]) -> None:
    chosen = ViewWeights(url=weights[0], theme=weights[1], type=weights[2])
    combined = combine(THREE, chosen)
    factor = {name: np.sqrt(share) for name, share in present_weights(LEARNED_VIEWS, chosen).items()}
    units = {name: unit(THREE[name] - THREE[name].mean(axis=0)) for name in LEARNED_VIEWS}
    parts = {name: (factor[name] * units[name]).var(axis=0).sum() for name in LEARNED_VIEWS}
    for name, part in parts.items():
        assert combined.effective[name] == pytest.approx(part / sum(parts.values()), abs=1e-4)
    assert sum(combined.effective.values()) == pytest.approx(1)
