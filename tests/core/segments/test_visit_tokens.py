from __future__ import annotations

import numpy as np
import pyarrow as pa

from core.data.sequences import UserSequences
from core.segments.visit_tokens import (
    BUCKETS,
    MAX_LENGTH,
    MOST_REPEATS,
    Aspect,
    HalfCounts,
    half_counts,
    joined,
)

URLS = ["https://s.example/shop/a", "https://s.example/shop/b", "https://s.example/news/c"]
SHOP, NEWS = 0, 1


def one_user(pages: list[int], sessions: list[int], seconds: list[float]) -> UserSequences:
    return UserSequences(
        pa.array(["u"]), np.array([0, len(pages)]), np.array(pages, dtype=np.int32),
        (1e6 * np.array(seconds)).astype(np.int64), np.array(sessions, dtype=np.int32),
    )  # fmt: skip


def counts(of: HalfCounts) -> tuple[list[float], list[float]]:
    return of.first.toarray()[0].tolist(), of.second.toarray()[0].tolist()


USER = one_user([0, 1, 0, 2, 0, 2], [0, 0, 0, 0, 1, 1], [0, 1, 4, 5, 1000, 1003])
"""Shop, shop, shop | news, then in another session shop, news; the bar is where the second half begins."""


def test_pages_are_folders_and_pages_of_folders() -> None:
    first, second = counts(half_counts(USER, URLS, {})[1][Aspect.PAGES])
    assert (first[:2], second[:2]) == ([3, 0], [1, 2])  # shop is viewed more than news
    assert (first[2:], second[2:]) == ([2, 0, 1], [1, 2, 0])  # from the most viewed page on: a, c, b


def test_steps_begin_anew_with_a_session_and_with_a_half() -> None:
    order = half_counts(USER, URLS, {})[1][Aspect.ORDER]
    steps = [half[:8] for half in counts(order)]
    began_session, began_half = 2, 3

    def step(before: int, after: int) -> int:
        return 2 * before + after

    wanted: list[list[float]] = [[0] * 8, [0] * 8]
    wanted[0][step(began_half, SHOP)], wanted[0][step(SHOP, SHOP)] = 1, 2
    wanted[1][step(began_half, NEWS)], wanted[1][step(began_session, SHOP)] = 1, 1
    wanted[1][step(SHOP, NEWS)] = 1
    assert steps == wanted
    assert order.context[:8].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_thirds_are_of_what_a_half_holds_of_a_session() -> None:
    first, second = (half[8:] for half in counts(half_counts(USER, URLS, {})[1][Aspect.ORDER]))
    assert first == [1, 1, 1, 0, 0, 0]  # shop in each third
    assert second == [1, 0, 0, 0, 0, 1]  # of the first session one page view is left, which has no place


def test_gaps_are_within_sessions_in_buckets_that_double() -> None:
    first, second = counts(half_counts(USER, URLS, {})[1][Aspect.TEMPO])
    assert np.flatnonzero(first).tolist() == [1, 2]  # 1 s, 3 s
    assert np.flatnonzero(second).tolist() == [2]  # 3 s; not the 1 s from half to half


def test_activity_is_of_sessions() -> None:
    day = 86_400.0
    user = one_user([0] * 7, [0, 1, 1, 1, 2, 3, 3], [0, day, day, day, 4 * day, 11 * day, 11 * day])
    first, second = counts(half_counts(user, URLS, {})[1][Aspect.ACTIVITY])
    assert np.flatnonzero(first[:BUCKETS]).tolist() == [1, 2]  # sessions of one and of three page views
    assert np.flatnonzero(second[:BUCKETS]).tolist() == [1]  # of one and of two
    assert (np.flatnonzero(first[BUCKETS:]).tolist(), np.flatnonzero(second[BUCKETS:]).tolist()) == ([1], [3])


def test_labels_that_are_not_known_are_not_counted() -> None:
    labels = half_counts(USER, URLS, {"theme": ["x", "", "y"], "type": ["", "", ""]})[1][Aspect.LABELS]
    assert labels.first.sum() == 2 and labels.second.sum() == 3
    assert Aspect.LABELS not in half_counts(USER, URLS, {})[1]


def test_together_every_page_view_counts_once_as_a_step_and_once_as_a_page() -> None:
    together, _ = half_counts(USER, URLS, {})
    per_context = np.bincount(together.context, (together.first + together.second).toarray()[0])
    assert per_context.tolist()[:2] == [4, 2]  # pages of the shop, pages of the news
    assert sum(per_context[2:6]) == 6  # steps


def test_only_the_latest_page_views_are_read_and_repeats_count_up_to_a_bound() -> None:
    many = one_user([2] * 10 + [0] * MAX_LENGTH, [0] * (MAX_LENGTH + 10), list(range(MAX_LENGTH + 10)))
    pages = half_counts(many, URLS, {})[1][Aspect.PAGES]
    assert counts(pages) == ([MOST_REPEATS, 0, MOST_REPEATS, 0, 0],) * 2


def test_contexts_stay_apart_side_by_side() -> None:
    both = joined([half_counts(USER, URLS, {})[1][Aspect.TEMPO]] * 2)
    assert both.context.tolist() == [0] * BUCKETS + [1] * BUCKETS
    assert both.first.shape == (1, 2 * BUCKETS)
