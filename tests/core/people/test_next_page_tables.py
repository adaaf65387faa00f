"""Counts of what follows what, beside a loop in plain Python."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from core.base.schema import RARE_BELOW_USERS
from core.people.next_page_tables import LAGS, SeenPages, most_frequent
from tests.core.model.toys import sequences_of
from tests.core.people.next_page_site import NAMES, A, B, C, D, tables_of

VIEWS = st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=9), min_size=3, max_size=12)


@given(views=VIEWS)
def test_tables_are_what_a_loop_counts(views: list[list[int]]) -> None:
    made = tables_of({f"u{number:02d}": pages for number, pages in enumerate(views)})
    users = Counter(page for pages in views for page in set(pages))
    known = [page for page in range(5) if users[page] >= RARE_BELOW_USERS]
    assert made.pages == tuple(NAMES[page] for page in known)
    follows, lagged = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    for pages in views:
        kept = [page for page in pages if page in known]
        for place, page in enumerate(kept):
            for lag in range(1, min(LAGS, place) + 1):
                lagged[kept[place - lag], page] += 1 / lag
                follows[kept[place - lag], page] += lag == 1
    for counted, table in ((follows, made.follows), (lagged, made.lagged)):
        expected = np.array([[counted.get((row, column), 0) for column in known] for row in known])
        expected = expected.reshape(table.shape)
        total = expected.sum(axis=1, keepdims=True)
        expected = np.divide(expected, total, out=np.zeros_like(expected, float), where=total > 0)
        assert table.toarray() == pytest.approx(expected, abs=1e-6)


def test_a_page_of_two_users_is_in_no_table() -> None:
    made = tables_of({"u0": [A, B], "u1": [A, B, D], "u2": [A, B, D], "u3": [B, C]})
    assert made.pages == ("/a", "/b")
    assert made.viewed.shape == (4, 2)


def test_the_largest_entries_of_a_row_stay() -> None:
    table = sparse.csr_array(np.array([[0.1, 0.5, 0.0, 0.4], [0.0, 0.0, 0.0, 1.0]], dtype=np.float32))
    assert most_frequent(table, 2).toarray() == pytest.approx(np.array([[0, 0.5, 0, 0.4], [0, 0, 0, 1]]))


def test_unknown_pages_are_left_out_and_users_without_one_stay() -> None:
    sequences = sequences_of({"u0": [A, C, B], "u1": [C], "u2": [B, B]})
    seen = SeenPages.of(sequences, np.array([0, 1, -1]), 2)
    assert seen.lengths.tolist() == [2, 0, 2]
    assert seen.back.tolist() == [2, 1, 2, 1]
    assert seen.some(np.array([2, 0])).evenly.toarray().tolist() == [[0, 1], [0.5, 0.5]]
