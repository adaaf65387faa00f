from __future__ import annotations

import numpy as np
import pytest

from core.base.errors import InputError
from core.model.population import choose_users, is_held_out
from tests.core.model.toys import sequences_of, shop


def test_few_users_train_from_two_views_on_and_nobody_is_held_out() -> None:
    population = choose_users(sequences_of({"a": [0, 1, 2, 3], "b": [1, 2], "c": [0]}))
    assert population.min_views == 2
    assert population.training.tolist() == [0, 1]
    assert not population.held_out.any()


def test_many_users_need_four_views() -> None:
    population = choose_users(shop(400, shortest=3, longest=6))
    lengths = shop(400, shortest=3, longest=6).lengths
    assert population.min_views == 4
    assert population.training.tolist() == np.flatnonzero(lengths >= 4).tolist()


def test_a_tenth_is_held_out_and_never_trains() -> None:
    population = choose_users(shop(1000))
    assert 60 < population.held_out.sum() < 140
    assert not population.held_out[population.training].any()
    assert len(population.training) + population.held_out.sum() == 1000


def test_who_is_held_out_depends_on_the_id_alone() -> None:
    sequences = sequences_of({f"u{number}": [0, 1] for number in range(40)})
    some = sequences_of({f"u{number}": [1, 0, 1] for number in range(0, 40, 3)})
    flags = dict(zip(sequences.user_id.to_pylist(), is_held_out(sequences).tolist(), strict=True))
    assert flags == flags | dict(zip(some.user_id.to_pylist(), is_held_out(some).tolist(), strict=True))
    assert is_held_out(sequences_of({"u17": [0], "u3": [0], "u5": [0]})).tolist() == [False, False, True]


@pytest.mark.parametrize(
    "users", [{"a": [0, 1, 2, 3]}, {"a": [0], "b": [1], "c": [2]}, {"a": [0, 1], "b": [0]}]
)
def test_too_few_users_are_counted_in_the_error(users: dict[str, list[int]]) -> None:
    with pytest.raises(InputError, match=r"users have 4 or more page views.*Allowed: at least 2 users"):
        choose_users(sequences_of(users))


def test_a_single_page_teaches_nothing() -> None:
    with pytest.raises(InputError, match=r"1 distinct page.*at least 2 distinct pages"):
        choose_users(sequences_of({"a": [0] * 5, "b": [0] * 5}))
