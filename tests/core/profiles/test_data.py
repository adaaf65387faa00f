"""The arrays that profiles are counted from."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.base.schema import Group
from core.profiles import data as module
from core.profiles.data import GROUPS, ProfileData, encode_column
from tests.core.profiles.toy import BLOG, CART, HOME, SALE, outcomes, toy, toy_dataset, toy_tables


def test_users_by_eye() -> None:
    data = toy()
    assert data.n_users == 8
    assert [GROUPS[code] for code in data.group] == [Group.SEGMENT] * 5 + [Group.ONE_PAGE] * 2 + [
        Group.BOT_LIKE
    ]
    assert data.page_views.tolist() == [4, 2, 3, 2, 4, 1, 1, 8]
    assert data.sessions.tolist() == [2, 1, 1, 1, 2, 1, 1, 1]
    assert data.different_pages.tolist() == [3, 2, 1, 2, 1, 1, 1, 4]
    np.testing.assert_array_equal(data.engagement_s, [4, np.nan, 1, 2, np.nan, np.nan, np.nan, 0])


def test_who_saw_what_by_eye() -> None:
    seen = toy().seen
    pairs = list(zip(seen.user.tolist(), seen.page.tolist(), seen.views.tolist(), strict=True))
    assert pairs[:6] == [(0, HOME, 1), (0, SALE, 2), (0, CART, 1), (1, SALE, 1), (1, CART, 1), (2, SALE, 3)]
    assert pairs[6:9] == [(3, HOME, 1), (3, BLOG, 1), (4, BLOG, 4)]
    assert sum(views for *_, views in pairs) == 25


def test_events_by_eye() -> None:
    conversions = toy().outcomes
    assert list(conversions) == ["add_to_cart", "purchase"]
    assert conversions["purchase"].user.tolist() == [0, 3]
    np.testing.assert_array_equal(conversions["purchase"].revenue, [30, np.nan])
    assert conversions["add_to_cart"].sessions.tolist() == [2, 1]


def test_it_reads_a_data_set(tmp_path: Path) -> None:
    found, expected = ProfileData.from_dataset(toy_dataset(tmp_path)), toy()
    for name in ("group", "page_views", "sessions", "different_pages", "engagement_s"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    for name in ("user", "page", "views"):
        np.testing.assert_array_equal(getattr(found.seen, name), getattr(expected.seen, name))
    assert (found.page_location, found.page_title) == (expected.page_location, expected.page_title)
    assert found.page_title[0] is None
    np.testing.assert_array_equal(found.attributes["browser"].codes, expected.attributes["browser"].codes)


def test_a_file_without_events_or_engagement() -> None:
    users, pages, _, sequences = toy_tables()
    users = users.assign(engagement_msec=pd.array([None] * 8, dtype="Int64"))
    data = ProfileData.from_tables(users, pages, outcomes([]), sequences)
    assert list(data.outcomes) == []
    assert np.isnan(data.engagement_s).all()


def test_texts_are_numbered_by_frequency_then_by_name() -> None:
    found = encode_column(pd.Series(["b", "a", None, "c", "c", "a"], dtype="str"))
    assert found.values == ("a", "c", "b")
    assert found.codes.tolist() == [2, 0, -1, 1, 1, 0]
    nothing = encode_column(pd.Series([None, None], dtype="str"))
    assert (nothing.values, nothing.codes.tolist()) == ((), [-1, -1])


def test_rare_pages_are_not_listed_but_still_count_as_different_pages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_PAGES", 2)
    data = ProfileData.from_tables(*toy_tables())
    assert data.seen.page.max() == 1
    assert len(data.page_location) == 2
    assert data.different_pages.tolist() == [3, 2, 1, 2, 1, 1, 1, 4]
