from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from core.segments.visit_tokens import (
    BUCKETS,
    MAX_LENGTH,
    MAX_REPEATS,
    Aspect,
    HalfCounts,
    half_counts,
    joined,
)
from core.storage.sequences import UserSequences

URLS = ["https://s.example/shop/a", "https://s.example/shop/b", "https://s.example/news/c"]


def one_user(pages: list[int], sessions: list[int], seconds: list[float]) -> UserSequences:
    return UserSequences(
        pa.array(["u"]), np.array([0, len(pages)]), np.array(pages, dtype=np.int32),
        (1e6 * np.array(seconds)).astype(np.int64), np.array(sessions, dtype=np.int32),
    )  # fmt: skip


def counts(of: HalfCounts) -> tuple[list[float], list[float]]:
    return of.first.toarray()[0].tolist(), of.second.toarray()[0].tolist()


USER = one_user([0, 1, 0, 2, 1, 2, 2], [0, 0, 0, 0, 1, 1, 1], [0, 1, 4, 5, 1000, 1003, 1009])
"""Shop, shop, shop | news, then in another session shop, news, news; the bar begins the second half."""


@pytest.fixture(autouse=True)
def two_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.segments.visit_tokens.MAX_PARTS", 2)


def test_pages_are_parts_and_pages_of_parts() -> None:
    first, second = counts(half_counts(USER, URLS, {})[1][Aspect.PAGES])
    assert (first[:2], second[:2]) == ([3, 0], [1, 3])  # shop is viewed more than news
    assert (first[2:], second[2:]) == ([0, 2, 1], [3, 0, 1])  # from the most viewed page on: c, a, b


@pytest.mark.parametrize(
    ("addresses", "views", "most", "parts"),
    [
        (["s/a/b/x", "s/a/b/y", "s/a/c/x", "s/d"], [2, 2, 3, 1], 2, [4, 4]),  # /a/b, the rest
        (["s/x", "s/y", "s/z"], [5, 3, 1], 2, [5, 4]),  # a page where there are no folders
        (["s/x", "s/y", "s/z"], [5, 3, 1], 12, [5, 3, 1]),
        (["s/a/b/c/x"], [4], 12, [4]),
    ],
)
def test_parts_tell_most_about_where_page_views_are(
    addresses: list[str], views: list[int], most: int, parts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.segments.visit_tokens.MAX_PARTS", most)
    pages = np.repeat(np.arange(len(views)), views).tolist()
    counted = half_counts(one_user(pages, [0] * len(pages), pages), addresses, {})[1][Aspect.PAGES]
    assert counted.both.toarray()[0][counted.context == 0].tolist() == parts


def test_arrivals_and_stays_begin_anew_with_a_session_and_with_a_half() -> None:
    order = half_counts(USER, URLS, {})[1][Aspect.ORDER]
    first, second = counts(order)
    stays, leaves = ([half[what:4:2] for half in (first, second)] for what in (0, 1))
    assert (stays, leaves) == ([[2, 0], [0, 1]], [[0, 0], [1, 0]])  # of shop, of news
    assert (first[4:6], second[4:6]) == ([1, 0], [1, 2])  # arrivals at shop, at news
    assert order.context[:6].tolist() == [0, 0, 1, 1, 2, 2]


def test_thirds_are_of_what_a_half_holds_of_a_session() -> None:
    first, second = (half[6:] for half in counts(half_counts(USER, URLS, {})[1][Aspect.ORDER]))
    assert first == [1, 1, 1, 0, 0, 0]  # shop in each third
    assert second == [1, 0, 0, 0, 1, 1]  # of the first session one page view is left, which has no place


def test_gaps_are_within_sessions_in_two_buckets_to_double() -> None:
    first, second = counts(half_counts(USER, URLS, {})[1][Aspect.TEMPO])
    assert (sum(first), sum(second)) == (2, 2)  # 1 s, 3 s; 3 s, 6 s; not the 1 s from half to half
    for seconds in (1.0, 3.0, 7.0):
        found = half_counts(crowd(seconds), URLS, {})[1][Aspect.TEMPO].both.sum(axis=0)
        assert found @ np.arange(BUCKETS) / found.sum() == pytest.approx(2 * np.log2(1 + seconds), abs=0.1)


def test_no_border_parts_users_whose_gaps_are_nearly_the_same() -> None:
    shares = [
        half_counts(crowd(seconds), URLS, {})[1][Aspect.TEMPO].both.sum(axis=0) for seconds in (2.99, 3.01)
    ]
    assert np.abs(shares[0] - shares[1]).sum() < 0.02 * shares[0].sum()
    assert shares[0][3:6].min() > 0.2 * shares[0].sum()  # a bell, not a bucket


def crowd(seconds: float, users: int = 1000) -> UserSequences:
    """Users with four page views, each so many seconds after the one before."""
    every, views = np.arange(4 * users), np.zeros(4 * users, dtype=np.int32)
    ids = pa.array([f"u{user:04d}" for user in range(users)])
    timestamp = (1e6 * seconds * every).astype(np.int64)
    return UserSequences(ids, 4 * np.arange(users + 1), views, timestamp, views)


def test_activity_and_returns_are_of_sessions() -> None:
    day = 86_400.0
    user = one_user([0] * 7, [0, 1, 1, 1, 2, 3, 3], [0, day, day, day, 4 * day, 11 * day, 11 * day])
    aspects = half_counts(user, URLS, {})[1]
    halves = [counts(aspects[one]) for one in (Aspect.ACTIVITY, Aspect.RETURNS)]
    assert [(sum(first), sum(second)) for first, second in halves] == [(2, 2), (1, 1)]


def test_labels_that_are_not_known_are_not_counted() -> None:
    labels = half_counts(USER, URLS, {"theme": ["x", "", "y"], "type": ["", "", ""]})[1][Aspect.LABELS]
    assert labels.first.sum() == 2 and labels.second.sum() == 3
    assert Aspect.LABELS not in half_counts(USER, URLS, {})[1]


def test_together_every_page_view_counts_once_as_a_page_and_only_arrivals_as_parts() -> None:
    together, _ = half_counts(USER, URLS, {})
    per_context = np.bincount(together.context, together.both.toarray()[0])
    assert per_context[:2].tolist() == [4, 3]  # pages of the shop, pages of the news
    assert per_context[2:5].tolist() == [3, 1, 4]  # next page views after shop, after news; arrivals


def test_only_the_latest_page_views_are_read_and_repeats_count_up_to_a_bound() -> None:
    many = one_user([2] * 10 + [0] * MAX_LENGTH, [0] * (MAX_LENGTH + 10), list(range(MAX_LENGTH + 10)))
    pages = half_counts(many, URLS, {})[1][Aspect.PAGES]
    assert counts(pages) == ([MAX_REPEATS, MAX_REPEATS, 0, 0],) * 2  # one part, of three pages


def test_contexts_stay_apart_side_by_side() -> None:
    both = joined([half_counts(USER, URLS, {})[1][Aspect.TEMPO]] * 2)
    assert both.context.tolist() == [0] * BUCKETS + [1] * BUCKETS
    assert both.first.shape == (1, 2 * BUCKETS)
