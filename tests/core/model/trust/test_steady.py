from __future__ import annotations

import numpy as np

from core.model.inputs import latest_views
from core.model.trust.case import RARE, SteadyPages
from tests.core.model.toys import sequences_of, shop


def test_users_of_the_same_pages_are_near_each_other() -> None:
    sequences = shop(200)
    pages = SteadyPages.fit(sequences.page, 16, latest_views(sequences, 64))
    vectors = pages.embed(sequences.page, latest_views(sequences, 64))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    shoes, books = vectors[::2], vectors[1::2]
    assert (shoes @ shoes.T).mean() > (shoes @ books.T).mean() + 0.5


def test_a_page_counts_less_the_more_often_it_is_viewed() -> None:
    sequences = sequences_of({"a": [0, 1] * 30, "b": [2, 3]})
    pages = SteadyPages.fit(sequences.page, 4, latest_views(sequences, 64))
    lengths = np.linalg.norm(pages.pages, axis=1)
    assert lengths[0] < lengths[2]
    apart = SteadyPages(np.eye(2, dtype=np.float32) * [[RARE / (RARE + 0.9)], [RARE / (RARE + 0.1)]])
    vector = apart.embed(np.array([0, 1]), latest_views(sequences_of({"a": [0, 1]}), 2))[0]
    np.testing.assert_allclose(vector[1] / vector[0], (RARE + 0.9) / (RARE + 0.1), rtol=1e-4)


def test_it_is_the_same_every_time_and_unknown_pages_are_zeros() -> None:
    sequences = shop(50)
    first, again = (SteadyPages.fit(sequences.page, 20, latest_views(sequences, 64)) for _ in range(2))
    np.testing.assert_array_equal(first.pages, again.pages)
    vectors = first.embed(np.array([17, 18]), latest_views(sequences_of({"a": [17, 18]}), 2))
    assert not vectors.any()


def test_one_page_with_nearly_all_views_makes_no_nan() -> None:
    users = {f"u{number:02d}": [0] * 99 + [1 + number % 2] for number in range(10)}
    sequences = sequences_of(users)
    pages = SteadyPages.fit(sequences.page, 3, latest_views(sequences, 64))
    assert np.isfinite(pages.embed(sequences.page, latest_views(sequences, 64))).all()
