"""The expected time is a guide, but it must move the right way."""

from core.model.estimate import START_S, estimate_seconds
from core.settings import PRESETS, Preset, TrainSettings


def expected(**changes: float) -> float:
    return estimate_seconds(TrainSettings(**changes), n_users=10_000, n_views=60_000, cores=2)


def test_presets_take_longer_one_after_the_other() -> None:
    fast, balanced, thorough = (expected(**PRESETS[preset]) for preset in Preset)
    assert START_S < fast < balanced < thorough


def test_a_larger_network_and_more_users_take_longer() -> None:
    assert expected(layers=4) > expected()
    assert expected(hidden_dim=128) > expected()
    settings = TrainSettings()
    assert estimate_seconds(settings, 20_000, 120_000, cores=2) > expected()


def test_more_cores_take_less_time() -> None:
    settings = TrainSettings()
    assert estimate_seconds(settings, 10_000, 60_000, cores=8) < expected()


def test_an_empty_data_set_has_an_estimate() -> None:
    assert estimate_seconds(TrainSettings(), 0, 0) == START_S
