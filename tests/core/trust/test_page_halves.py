"""Halves that learn for themselves: kinds of users are found by both, shuffled ones by neither."""

import numpy as np

from core.data.sequences import UserSequences
from core.trust.page_halves import page_halves, user_vectors
from core.trust.shuffled import shuffled_users
from tests.core.model.toys import sequences_of, shop


def test_two_kinds_of_users_are_found_by_both_halves_and_not_when_pages_are_shuffled() -> None:
    users = shop(200)
    assert page_halves(users, [2], [0, 1]).tolist() == [[1.0], [1.0]]
    assert page_halves(shuffled_users(users, 0), [2], [0, 1]).max() < 0.5


def test_a_half_teaches_and_everybody_is_placed() -> None:
    users = shop(40)
    learns = np.arange(40) < 20
    vectors = user_vectors(users.page + 1, 17, spans(users), learns)
    alike = vectors @ vectors.T
    same = np.arange(40) % 2 == np.arange(40)[:, None] % 2
    assert alike[same].min() > alike[~same].max()


def test_pages_alone_at_home_teach_nothing() -> None:
    """Nobody saw two of them, so nothing goes together and no half says anything."""
    alone = sequences_of({f"u{number:03d}": [number % 5] * 3 for number in range(60)})
    assert page_halves(alone, [2, 3], [0]).tolist() == [[0.0, 0.0]]


def test_rare_pages_are_no_pages() -> None:
    rare = sequences_of({f"u{number:03d}": [2 * number, 2 * number + 1] for number in range(60)})
    assert page_halves(rare, [2], [0]).tolist() == [[0.0]]


def test_shuffling_keeps_lengths_times_and_how_often_each_page_was_viewed() -> None:
    users = shop(50)
    dealt = shuffled_users(users, 1)
    assert (dealt.offsets == users.offsets).all()
    assert (dealt.timestamp == users.timestamp).all()
    assert (np.bincount(dealt.page) == np.bincount(users.page)).all()
    assert (dealt.page != users.page).any()


def spans(users: UserSequences):  # noqa: ANN201 - what latest_views gives
    from core.model.inputs import latest_views

    return latest_views(users, 64)
