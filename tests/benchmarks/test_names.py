"""The judge of names, on users that can be counted by eye."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.names.judge import judge
from benchmarks.names.raw import evidence_list, items, over_represented, words

ADDRESSES = ["https://s.e/sale/hats", "https://s.e/blog/caf%C3%A9", "https://s.e/"]


@pytest.fixture(scope="module")
def users() -> pd.DataFrame:
    """Forty who saw hats on sale and the home page, forty who read the blog; the first half came twice."""
    return pd.DataFrame(
        {
            "sessions": np.repeat([2, 1], 40), "page_views": np.repeat([4, 2], 40), "engagement_msec": 1000.0,
            "source": np.repeat(["mail / email", "google / organic"], 40),
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def table(users: pd.DataFrame) -> pd.DataFrame:
    sequences = pd.DataFrame({"page": [[0, 2, 0, 2]] * 40 + [[1, 2]] * 40})
    pages = pd.DataFrame({"page_location": ADDRESSES, "page_title": ["Hats", None, "Home"]})
    labels = pd.DataFrame(
        {"theme": ["Apparel", "Unknown", "No theme"], "type": ["Category", "Blog", "Homepage"]}
    )
    outcomes = pd.DataFrame({"user": range(30), "event_name": "purchase"})
    return items(users, sequences, pages, outcomes, labels)


SEGMENT = pd.Series(np.repeat([0, 1], 40))


def test_words_are_folded_without_a_plural() -> None:
    assert words("Caf%C3%A9s, Mattresses & T-Shirts") == words("cafe mattress t shirt")


def test_shares_and_lifts_are_those_of_the_users(table: pd.DataFrame) -> None:
    found = over_represented(table, SEGMENT).set_index(["segment", "family", "text"])
    assert found.loc[(0, "folder", "sale"), ["share", "rest"]].tolist() == [1, 0]
    assert found.loc[(0, "outcome", "purchase buyers"), "share"] == 0.75
    home = found.loc[(1, "page", "/ Home")]
    assert home[["share", "rest", "lift"]].tolist() == [1, 1, 1]
    hats = found.loc[(0, "outcome", "purchase buyers")]
    assert 1 < hats["low"] < hats["lift"]


def test_the_list_of_a_segment_has_what_only_its_users_saw(table: pd.DataFrame) -> None:
    listed = evidence_list(over_represented(table, SEGMENT), 0)
    assert words("sale hats returning") <= set(listed)
    assert not words("blog home") & set(listed)


def test_names_are_judged(table: pd.DataFrame, users: pd.DataFrame) -> None:
    right = judge(
        "s", 2, {0: "Returning buyers of hats", 1: "Blog readers, one visit"}, table, users, SEGMENT
    )
    assert [(name.by_rule, name.matched, name.foreign) for name in right] == [(True, True, ())] * 2
    wrong = judge("s", 2, {0: "Apparel shoppers", 1: "Home visitors"}, table, users, SEGMENT)
    assert [(name.by_rule, name.slightly, name.matched) for name in wrong] == [
        (True, True, True), (False, False, False),
    ]  # fmt: skip
    assert wrong[0].foreign == tuple(words("apparel"))  # no page says so
