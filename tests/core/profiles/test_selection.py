"""Users that somebody drew a line around: where they belong and what they looked at."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from core.base.errors import InputError
from core.base.schema import OUTSIDE, Group, Pages, Users
from core.profiles.data import ProfileData
from core.profiles.profile_columns import Col, PageRanking
from core.profiles.rows import make_rows
from core.profiles.top_pages import describe_selection
from core.storage.sequences import UserSequences
from tests.core.profiles.toy import outcomes

HERE, THERE, ONCE = 40, 60, 10
"""Users who saw page 0, who saw page 1, and one-page users (page 1)."""
N = HERE + THERE + ONCE
LABELS = np.array([0] * HERE + [1] * THERE + [OUTSIDE] * ONCE, dtype=np.int32)


@pytest.fixture
def data() -> ProfileData:
    page = np.array([0] * HERE + [1] * (THERE + ONCE), dtype=np.int32)
    sequences = UserSequences(
        pa.array([f"u{user:03d}" for user in range(N)]),
        np.arange(N + 1),
        page,
        np.arange(N),
        np.zeros(N, np.int32),
    )
    users = pd.DataFrame(
        {
            Users.GROUP: [Group.SEGMENT.value] * (HERE + THERE) + [Group.ONE_PAGE.value] * ONCE,
            Users.PAGE_VIEWS: 1,
            Users.SESSIONS: 1,
            Users.ENGAGEMENT_MSEC: pd.array([None] * N, dtype="Int64"),
            **{name: "x" for name in (Users.BROWSER, Users.DEVICE, Users.COUNTRY, Users.SOURCE)},
        }
    )
    pages = pd.DataFrame({Pages.PAGE_LOCATION: ["a", "b"], Pages.PAGE_TITLE: ["A", None]})
    return ProfileData.from_tables(users, pages, outcomes([]), sequences)


def test_the_mix_counts_segments_and_groups_of_the_selection(data: ProfileData) -> None:
    chosen = describe_selection(data, make_rows(data, LABELS), np.array([0, 1, 2, HERE, N - 1]))
    assert chosen.mix[Col.KEY].tolist() == ["segment:0", "segment:1", "group:one_page"]
    assert chosen.mix[Col.USERS].tolist() == [3, 1, 1]
    assert chosen.mix[Col.SHARE].tolist() == [0.6, 0.2, 0.2]
    assert chosen.mix[Col.REST_SHARE].iloc[0] == pytest.approx((HERE - 3) / (N - 5))


def test_a_segment_that_is_not_selected_is_not_listed(data: ProfileData) -> None:
    assert describe_selection(data, make_rows(data, LABELS), np.arange(HERE)).mix[Col.KEY].tolist() == [
        "segment:0"
    ]


def test_pages_are_those_that_set_the_selection_apart(data: ProfileData) -> None:
    pages = describe_selection(data, make_rows(data, LABELS), np.arange(HERE)).pages
    assert pages[Col.PAGE_LOCATION].tolist() == ["a"]
    assert pages[Col.RANKING].tolist() == [PageRanking.OVER.value]
    assert (pages[Col.SHARE].iloc[0], pages[Col.REST_SHARE].iloc[0]) == (1.0, 0.0)


def test_where_nothing_stands_out_the_most_viewed_pages_are_listed(data: ProfileData) -> None:
    everybody = describe_selection(data, make_rows(data, LABELS), np.arange(N))
    assert set(everybody.pages[Col.RANKING]) == {PageRanking.MOST_VIEWED.value}
    assert everybody.mix[Col.REST_SHARE].isna().all()


def test_nobody_selected_is_said_in_words(data: ProfileData) -> None:
    with pytest.raises(InputError, match="No user is selected"):
        describe_selection(data, make_rows(data, LABELS), np.array([], dtype=np.int64))
