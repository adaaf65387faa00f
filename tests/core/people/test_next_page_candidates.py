"""What each source says: by eye on five pages, and beside dense arithmetic on random ones."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from core.people.next_page_candidates import (
    SOURCES,
    PageCandidates,
    Reach,
    Source,
    candidates,
    nearest,
    ranks,
    top_candidates,
)
from core.people.next_page_tables import PageTables, SeenPages, count_tables
from tests.core.people.next_page_site import CART, A, B, C, D, chained, tables_of

WAYS = {
    "u0": [A, B, CART],
    "u1": [A, B, C],
    "u2": [A, C, CART],
    "u3": [D, A, B, C],
    "u4": [D, CART],
    "u5": [D],
}
USERS = {f"{user}{twin}": pages for user, pages in WAYS.items() for twin in range(3)}
"""Three of each, so that no page is too rare to be kept."""


def told(
    made: PageTables, pages: list[int], vector: list[float], reach: Reach
) -> dict[Source, dict[str, float]]:
    """Source → page → what it gives, of one user."""
    seen = SeenPages(np.array([0, len(pages)]), np.array(pages, dtype=np.int64), made.n_columns)
    found = candidates(made, seen, np.array([vector], dtype=np.float32), reach)
    return {
        source: {
            made.pages[column]: float(given)
            for column, given in zip(found.column, found.given[:, number], strict=True)
            if given > 0
        }
        for number, source in enumerate(found.sources)
    }


def test_what_was_seen_and_what_is_functional_may_not_come() -> None:
    said = told(tables_of(USERS), [D, A], [0, 0, 0, 0], Reach.NEW)
    assert said[Source.BIGRAM] == pytest.approx({"/b": 3 / 4, "/c": 1 / 4})
    assert said[Source.NEIGHBOURS] == {}  # there is no vector
    assert said[Source.POPULARITY] == pytest.approx({"/b": 0.5, "/c": 0.5})  # equally many views
    assert set(said[Source.LAG]) == {"/b", "/c"}
    assert Source.HISTORY not in said


def test_any_page_may_come_where_that_is_asked() -> None:
    said = told(tables_of(USERS), [D, B], [0, 0, 0, 0], Reach.ANY)
    assert said[Source.BIGRAM] == pytest.approx({"/cart": 1 / 3, "/c": 2 / 3})
    assert said[Source.HISTORY] == pytest.approx({"/d": 0.8 / 1.8, "/b": 1 / 1.8})  # fades by a fifth a view
    assert set(said[Source.POPULARITY]) == {"/a", "/b", "/c", "/d", "/cart"}


def test_neighbours_count_by_how_near_they_are_and_the_same_ones_do_not() -> None:
    near = np.array([[1, 0], [0.9, np.sqrt(0.19)], [0, 1]], dtype=np.float32)
    made = tables_of({"u0": [A, B, C], "u1": [A, B, C], "u2": [A, B, C]}, near)
    viewed = made.viewed.toarray()
    said = told(made, [A], [1, 0], Reach.ANY)[Source.NEIGHBOURS]
    assert said == pytest.approx({"/a": 1 / 3, "/b": 1 / 3, "/c": 1 / 3})
    user, kept, near_by = nearest(made, np.array([[1, 0]], dtype=np.float32))
    assert user.tolist() == [0, 0, 0]
    weight = np.bincount(kept, near_by / near_by.sum(), minlength=3)
    order = np.argsort(-made.near[:, 0])  # the kept users are shuffled: nearest first
    expected = np.array([0, 1, np.exp(-(2 - 0.2) / 0.2)])
    assert weight[order] == pytest.approx(expected / expected.sum(), abs=1e-3)
    assert viewed.sum(axis=1) == pytest.approx(1)


def weighed(seen: SeenPages, weight: Callable[[int], float]) -> np.ndarray:
    """Page views by how far back they lie, in a loop: (n, n_columns)."""
    rows = np.zeros((len(seen), seen.n_columns))
    for user, (begin, end) in enumerate(pairwise(seen.offsets.tolist())):
        for place in range(begin, end):
            rows[user, seen.column[place]] += weight(end - place)
    return rows


@pytest.mark.parametrize("cells", [2_000_000, 100])
@pytest.mark.parametrize("reach", Reach)
def test_sources_blend_and_ranks_are_what_dense_arithmetic_gives(
    reach: Reach, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.people.next_page_candidates.CELLS", cells)  # four users at a time
    sequences, vectors = chained(60, seed=1)
    names = [f"/{'cart' if page == 3 else page}" for page in range(24)]
    everybody = np.ones(60, dtype=bool)
    functional = np.arange(24) == 3
    made = count_tables(sequences, names, functional, vectors, everybody, everybody)
    seen = SeenPages.of(sequences, made.columns(names), made.n_columns)
    found = candidates(made, seen, vectors, reach)
    weights = dict(zip(SOURCES[reach], (0.4, 0.3, 0.2, 0.07, 0.03), strict=False))
    scores = found.scores(weights)
    may = np.ones((60, made.n_columns))
    if reach is Reach.NEW:
        may *= made.allowed * (weighed(seen, lambda back: 1) == 0)
    asking, kept, near_by = nearest(made, vectors)
    like = np.zeros((60, len(made.near)))
    like[asking, kept] = near_by
    said = {
        Source.BIGRAM: weighed(seen, lambda back: back == 1) @ made.follows.toarray(),
        Source.LAG: weighed(seen, lambda back: (back <= 5) / back) @ made.lagged.toarray(),
        Source.NEIGHBOURS: like @ made.viewed.toarray(),
        Source.HISTORY: weighed(seen, lambda back: 0.8**back),
        Source.POPULARITY: np.tile(made.popular, (60, 1)),
    }
    mixed = np.zeros_like(may)
    for source, weight in weights.items():
        left = said[source] * may
        total = left.sum(axis=1, keepdims=True)
        mixed += weight * np.divide(left, total, out=np.zeros_like(left), where=total > 0)
    mixed /= mixed.sum(axis=1, keepdims=True)
    dense = np.zeros_like(may)
    dense[found.row, found.column] = scores
    assert dense == pytest.approx(mixed, abs=1e-5)
    target = np.random.default_rng(0).integers(0, made.n_columns, 60)
    rank = ranks(found, scores, found.places(target))
    own = dense[np.arange(60), target]
    expected = (dense > own[:, None]).sum(axis=1) + ((dense == own[:, None]).sum(axis=1) - 1) / 2
    assert rank.tolist() == np.where(own > 0, expected, np.inf).tolist()
    place = top_candidates(found, scores, 5)
    assert found.column[place].tolist() == np.argsort(-dense - 1e-15, axis=1, kind="stable")[:, :5].tolist()


def test_there_are_fewer_where_fewer_may_come() -> None:
    found = PageCandidates(
        np.array([0, 2, 2]), np.array([0, 1]), np.ones((2, 1), np.float32), (Source.BIGRAM,)
    )
    assert top_candidates(found, np.array([0.25, 0.75]), 3).tolist() == [[1, 0, -1], [-1, -1, -1]]
    assert ranks(found, np.array([0.25, 0.75]), np.array([0, -1])).tolist() == [1, np.inf]
