"""Users sorted into rows: nobody twice, nobody left out."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.base.errors import ArtifactError
from core.base.schema import Group
from core.base.settings import AnalyzeSettings
from core.profiles.metrics import profile
from core.profiles.profile_columns import Col, RowKind
from core.profiles.rows import Numbers, all_rows, make_rows, medians
from core.segments.one_page import OnePageSegment, OnePageSegments
from tests.core.profiles.toy import LABELS, many, toy


def test_rows_by_eye() -> None:
    rows = make_rows(toy(), LABELS)
    assert rows.head[Col.KEY].tolist() == [
        "segment:0",
        "segment:1",
        "group:one_page",
        "group:bot_like",
        "all",
    ]
    assert rows.head[Col.LABEL].tolist() == [
        "Segment 1",
        "Segment 2",
        "One-page users",
        "Bot-like users",
        "All users",
    ]
    assert rows.head[Col.SEGMENT].tolist() == [0, 1, -1, -1, -1]
    assert rows.count().tolist() == [3, 2, 2, 1]
    assert rows.with_all(rows.count()).tolist() == [3, 2, 2, 1, 8]


def test_every_row_is_compared_with_the_other_clustered_users() -> None:
    rows = make_rows(toy(), LABELS)
    np.testing.assert_array_equal(rows.rest(rows.count()), [2, 3, 5, 5, np.nan])


def test_one_page_segments_are_parts_of_their_group_which_is_a_total() -> None:
    rows = make_rows(toy(), LABELS, one_page([5], [6]))
    assert rows.head[Col.KEY].tolist() == [
        "segment:0", "segment:1", "group:bot_like", "one_page:0", "one_page:1", "group:one_page", "all",
    ]  # fmt: skip
    assert rows.head[Col.LABEL].tolist()[3:] == [
        "One-page A: a",
        "One-page B: b",
        "One-page users",
        "All users",
    ]
    assert rows.count().tolist() == [3, 2, 1, 1, 1]
    assert rows.with_all(rows.count()).tolist() == [3, 2, 1, 1, 1, 2, 8]
    np.testing.assert_array_equal(rows.rest(rows.count()), [2, 3, 5, 5, 5, 5, np.nan])
    assert [int(rows.members(row).sum()) for row in range(7)] == [3, 2, 1, 1, 1, 2, 8]
    np.testing.assert_array_equal(
        medians(rows, Numbers.of(rows.place, np.arange(8.0))), [1, 3.5, 7, 5, 6, 5.5, 3.5]
    )


def test_totals_are_those_of_the_same_users_without_one_page_segments() -> None:
    parted, whole = (
        profile(toy(), LABELS, AnalyzeSettings(), found).segments.set_index(Col.KEY).drop(columns=Col.LABEL)
        for found in (one_page([5], [6]), None)
    )
    pd.testing.assert_frame_equal(parted.loc[whole.index], whole)
    parts = parted[parted[Col.KIND] == RowKind.ONE_PAGE]
    for column in (Col.USERS, Col.PAGE_VIEWS, Col.SESSIONS, Col.OUTCOME_USERS):
        assert parts[column].sum() == whole.loc["group:one_page", column]


def one_page(*members: list[int]) -> OnePageSegments:
    codes = np.full(8, -1, dtype=np.int8)
    for place, users in enumerate(members):
        codes[users] = place
    names = "abcdefgh"[: len(members)]
    return OnePageSegments(codes, tuple(OnePageSegment(name=name, rule=(), users=1) for name in names))


def test_ids_need_not_be_consecutive() -> None:
    rows = make_rows(toy(), np.array([5, 5, 5, 2, 2, -1, -1, -1]))
    assert rows.segments == (2, 5)
    assert rows.place.tolist() == [1, 1, 1, 0, 0, 2, 2, 3]


def test_a_segment_that_is_not_there_is_not_its_neighbour() -> None:
    labels = np.array([5, 5, 5, 2, 2, -1, -1, -1])
    with pytest.raises(ArtifactError, match="Users are in segments that the model does not have"):
        all_rows(toy(), labels, [2, 7])
    assert all_rows(toy(), labels, [2, 5, 7]).segments == (2, 5, 7)


def test_users_set_aside_are_a_group_of_their_own_and_everybody_is_counted_once() -> None:
    rows = make_rows(toy(), np.array([0, 0, -3, 1, 1, -1, -1, -1]))
    assert rows.groups == (Group.ONE_PAGE, Group.BOT_LIKE, Group.SET_ASIDE)
    assert rows.place.tolist() == [0, 0, 4, 1, 1, 2, 2, 3]
    assert rows.head["label"].tolist()[4] == "Set aside by hand"
    assert rows.count().sum() == 8
    assert rows.clustered(rows.count()) == 4  # whom the others are compared with are in segments


def test_counting_some_users_and_weights() -> None:
    rows = make_rows(toy(), LABELS)
    assert rows.count(np.array([0, 0, 4])).tolist() == [2, 1, 0, 0]
    assert rows.count(np.array([0, 4]), np.array([2.5, 1.0])).tolist() == [2.5, 1, 0, 0]
    assert rows.table(np.array([0, 1, 4]), np.array([1, 1, 0]), 2).tolist() == [
        [0, 2],
        [1, 0],
        [0, 0],
        [0, 0],
    ]


def test_a_segment_can_take_users_that_a_rule_would_leave_out() -> None:
    rows = make_rows(toy(), np.array([0, 0, 0, 1, 1, 1, 1, 1]))
    assert rows.groups == ()
    assert rows.count().tolist() == [3, 5]


def test_labels_of_other_users_are_refused() -> None:
    with pytest.raises(ArtifactError, match="Segments of 7 users do not fit a data set of 8"):
        make_rows(toy(), LABELS[:7])
    with pytest.raises(ArtifactError, match="1 users to be clustered have no segment"):
        make_rows(toy(), np.array([0, 0, -1, 1, 1, -1, -1, -1]))


def test_medians_by_eye() -> None:
    rows = make_rows(toy(), LABELS)
    values = np.array([1, 9, 2, 4, np.nan, np.nan, np.nan, 7.0])
    np.testing.assert_array_equal(medians(rows, Numbers.of(rows.place, values)), [2, 4, np.nan, 7, 4])


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 1000))
def test_counts_and_medians_are_those_of_each_rows_users(seed: int) -> None:
    data, labels, _ = many(seed, n_users=40)
    rows = make_rows(data, labels)
    assert rows.count().sum() == data.n_users
    values = data.page_views.astype(float)
    of_each = [values[rows.place == row] for row in range(rows.n_rows)]
    assert medians(rows, Numbers.of(rows.place, values)) == pytest.approx(
        [np.median(part) for part in [*of_each, values]]
    )
    clustered = values[rows.place < rows.n_segments].sum()
    for row, part in enumerate(of_each):
        own = part.sum() if row < rows.n_segments else 0
        assert rows.rest(rows.count(weights=values))[row] == pytest.approx(clustered - own)


def test_all_rows_are_there_before_anybody_is_and_those_of_nobody_can_go() -> None:
    every = all_rows(toy(), LABELS, [0, 1, 4], one_page([5], [6], []))
    assert [*every.segments, *every.groups] == [0, 1, 4, Group.BOT_LIKE, Group.SET_ASIDE]
    assert every.count().tolist() == [3, 2, 0, 1, 0, 1, 1, 0]
    used, made = every.only(every.used(every.count())), make_rows(toy(), LABELS, one_page([5], [6], []))
    assert used.place.tolist() == made.place.tolist() == [0, 0, 0, 1, 1, 3, 4, 2]
    assert used.head.equals(made.head)


def test_segments_that_are_none_of_a_model_have_keys_of_their_own() -> None:
    called = (("outcome:with", "With"), ("outcome:without", "Without"))
    head = replace(make_rows(toy(), LABELS), called=called).head
    assert head["key"].tolist()[:3] == ["outcome:with", "outcome:without", "group:one_page"]
    assert head["label"].tolist()[:2] == ["With", "Without"]
