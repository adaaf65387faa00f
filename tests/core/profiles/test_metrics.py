"""The segments table by eye and against pandas; the JSON; the outcome that is asked for."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from core.base.errors import SettingsError
from core.base.schema import Group
from core.base.settings import AnalyzeSettings
from core.profiles.data import ProfileData
from core.profiles.metrics import profile, records
from core.profiles.profile_columns import FIELDS, ROW, Col, MetricRole
from core.storage.receipt import OutcomeUsers
from tests.core.profiles.toy import GROUPS, LABELS, many, outcomes, toy, toy_tables


@pytest.fixture
def table() -> pd.DataFrame:
    return profile(toy(), LABELS, AnalyzeSettings()).segments.set_index(Col.KEY)


def without_events() -> ProfileData:
    return replace(toy(), outcomes=replace(toy().outcomes, events={}))


def test_sizes_by_eye(table: pd.DataFrame) -> None:
    assert table[Col.USERS].to_dict() == {
        "segment:0": 3, "segment:1": 2, "group:one_page": 2, "group:bot_like": 1, "all": 8,
    }  # fmt: skip
    assert table[Col.SHARE].tolist() == [3 / 8, 2 / 8, 2 / 8, 1 / 8, 1]
    np.testing.assert_array_equal(table[Col.SHARE_CLUSTERED], [3 / 5, 2 / 5, np.nan, np.nan, np.nan])


def test_behaviour_by_eye(table: pd.DataFrame) -> None:
    first = table.loc["segment:0"]
    assert (first[Col.PAGE_VIEWS], first[Col.PAGE_VIEWS_MEAN], first[Col.PAGE_VIEWS_MEDIAN]) == (9, 3, 3)
    assert (first[Col.SESSIONS], first[Col.SESSIONS_MEAN], first[Col.PAGES_PER_SESSION]) == (4, 4 / 3, 9 / 4)
    assert first[Col.DIFFERENT_PAGES_MEAN] == 2
    everybody = table.loc["all"]
    assert (everybody[Col.PAGE_VIEWS], everybody[Col.PAGE_VIEWS_MEDIAN], everybody[Col.SESSIONS]) == (
        25,
        2.5,
        10,
    )


def test_engagement_is_the_mean_over_users_that_sent_any(table: pd.DataFrame) -> None:
    first = table.loc["segment:0"]
    assert (first[Col.ENGAGEMENT_USERS], first[Col.ENGAGEMENT_MEAN], first[Col.ENGAGEMENT_MEDIAN]) == (
        2,
        2.5,
        2.5,
    )
    assert first[Col.ENGAGEMENT_NONE_SHARE] == pytest.approx(1 / 3)
    nobody = table.loc["group:one_page"]
    assert (nobody[Col.ENGAGEMENT_USERS], nobody[Col.ENGAGEMENT_NONE_SHARE]) == (0, 1)
    assert np.isnan(nobody[Col.ENGAGEMENT_MEAN])
    assert table.loc["group:bot_like", Col.ENGAGEMENT_MEAN] == 0  # sent a 0, which is not the same as nothing


def test_a_file_without_engagement_says_nothing_about_it() -> None:
    quiet = profile(replace(toy(), engagement_s=np.full(8, np.nan)), LABELS, AnalyzeSettings()).segments
    columns = [Col.ENGAGEMENT_MEAN, Col.ENGAGEMENT_MEDIAN, Col.ENGAGEMENT_NONE_SHARE]
    assert quiet[columns].isna().all(axis=None)


def test_outcome_by_eye(table: pd.DataFrame) -> None:
    first = table.loc["segment:0"]
    assert (first[Col.OUTCOME_USERS], first[Col.OUTCOME_RATE]) == (1, pytest.approx(1 / 3))
    interval = binomtest(1, 3).proportion_ci(0.95, method="wilson")
    assert (first[Col.OUTCOME_LOW], first[Col.OUTCOME_HIGH]) == pytest.approx((interval.low, interval.high))
    assert (first[Col.OUTCOME_SESSIONS], first[Col.SESSION_RATE]) == (1, 1 / 4)
    assert (first[Col.REVENUE], first[Col.REVENUE_PER_USER]) == (30, 10)
    assert table.loc["segment:1", Col.REVENUE] == 0  # a purchase without a value, in a file that has values


def test_another_event_can_be_the_outcome() -> None:
    found = profile(toy(), LABELS, AnalyzeSettings(outcome="add_to_cart"))
    assert found.outcome == "add_to_cart"
    segments = found.segments.set_index(Col.KEY)
    assert segments[Col.OUTCOME_USERS].tolist() == [2, 0, 0, 0, 2]
    assert segments.loc["segment:0", Col.SESSION_RATE] == 3 / 4
    assert segments[Col.REVENUE].isna().all()  # no add_to_cart carries a value


def test_an_event_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(SettingsError, match=r"outcome = 'add_to_card' is not an event.*add_to_cart"):
        profile(toy(), LABELS, AnalyzeSettings(outcome="add_to_card"))
    with pytest.raises(SettingsError, match="page views only"):
        profile(without_events(), LABELS, AnalyzeSettings(outcome="sign_up"))


def test_a_page_can_be_the_outcome_and_is_no_finding() -> None:
    """The model saw the page: who is in a segment and saw it proves nothing."""
    found = profile(without_events(), LABELS, AnalyzeSettings(outcome="page:/cart"))
    assert found.outcome == "a view of /cart"
    assert found.segments.set_index(Col.KEY)[Col.OUTCOME_USERS].tolist() == [2, 0, 0, 1, 3]
    roles = found.fields.set_index(Col.FIELD)[Col.EVIDENCE]
    assert roles[Col.OUTCOME_RATE] == MetricRole.INPUT
    assert roles[Col.ENGAGEMENT_MEAN] == MetricRole.HELD_OUT
    heat = found.heatmap.set_index(Col.METRIC)[Col.EVIDENCE]
    assert set(heat[Col.OUTCOME_RATE]) == {MetricRole.INPUT}


def test_each_of_several_outcomes_has_its_own_rows() -> None:
    found = profile(toy(), LABELS, AnalyzeSettings(outcome=("purchase", "add_to_cart"))).outcomes
    converted = found.pivot_table(index=Col.KEY, columns=Col.OUTCOME, values=Col.OUTCOME_USERS, sort=False)
    assert converted.loc["segment:0"].to_dict() == {"purchase": 1, "add_to_cart": 2, "any of them": 2}
    assert converted.loc["all"].to_dict() == {"purchase": 2, "add_to_cart": 2, "any of them": 3}


def test_users_without_a_page_view_are_a_row_so_that_everybody_is_in_the_table() -> None:
    users, pages, _, sequences = toy_tables()
    conversions = outcomes(
        [(0, "purchase", 1, 1, 30.0), (8, "purchase", 1, 1, 7.0), (9, "purchase", 2, 1, None)]
    )
    data = ProfileData.from_tables(users, pages, conversions, sequences)
    found = profile(data, LABELS, AnalyzeSettings())
    assert found.segments[Col.OUTCOME_USERS].tolist() == [1, 0, 0, 0, 1]
    table = found.outcomes.set_index(Col.KEY)
    assert table[Col.OUTCOME_USERS].to_dict() == {
        "segment:0": 1, "segment:1": 0, "group:one_page": 0, "group:bot_like": 0, "all": 1,
        "group:no_page_view": 2,
    }  # fmt: skip
    assert table.loc["group:no_page_view", Col.LABEL] == "No page view used"
    assert (table.loc["all", Col.REVENUE], table.loc["group:no_page_view", Col.REVENUE]) == (30, 7)


def test_what_nobody_did_is_in_a_row_of_its_own_and_in_the_total() -> None:
    users, pages, _, sequences = toy_tables()
    conversions = outcomes([(0, "purchase", 1, 1, 30.0), (8, "purchase", 1, 1, 7.0)]).assign(currency="EUR")
    nobody = OutcomeUsers(users=0, without_page_view=0, events=2, revenue={"EUR": 5, "USD": 4})
    data = ProfileData.from_tables(users, pages, conversions, sequences)
    data = replace(data, outcomes=replace(data.outcomes, without_user_id={"purchase": nobody}))
    table = profile(data, LABELS, AnalyzeSettings()).outcomes.set_index([Col.CURRENCY, Col.KEY])
    euros, dollars = (table.loc[currency] for currency in ("EUR", "USD"))
    assert euros.loc["group:no_user_id", Col.LABEL] == "No user id (2 times)"
    assert euros[Col.REVENUE].tail(4).tolist() == [30, 7, 5, 42]  # all users, unseen, nobody, the total
    assert dollars[Col.REVENUE].tail(2).tolist() == [4, 4]
    assert euros.loc["total", Col.OUTCOME_USERS] == dollars.loc["total", Col.OUTCOME_USERS] == 2


def test_currencies_have_rows_of_their_own_and_no_sum() -> None:
    users, pages, _, sequences = toy_tables()
    conversions = outcomes(
        [(0, "purchase", 1, 1, 30.0), (0, "purchase", 0, 0, 5.0), (3, "purchase", 1, 1, 2.0)]
    )
    data = ProfileData.from_tables(
        users, pages, conversions.assign(currency=["EUR", "USD", "EUR"]), sequences
    )
    found = profile(data, LABELS, AnalyzeSettings())
    assert found.segments[Col.REVENUE].isna().all()
    assert found.segments[Col.OUTCOME_USERS].tolist() == [1, 1, 0, 0, 2]
    everybody = found.outcomes[found.outcomes[Col.KEY] == "all"]
    assert dict(zip(everybody[Col.CURRENCY], everybody[Col.REVENUE], strict=True)) == {"EUR": 32, "USD": 5}
    told = found.fields.set_index(Col.FIELD)[Col.DEFINITION]
    assert "EUR and USD, which are not added up" in told[Col.REVENUE]


def test_the_currency_is_the_unit() -> None:
    users, pages, _, sequences = toy_tables()
    conversions = outcomes([(0, "purchase", 1, 1, 30.0)]).assign(currency=["EUR"])
    found = profile(ProfileData.from_tables(users, pages, conversions, sequences), LABELS, AnalyzeSettings())
    assert found.fields.set_index(Col.FIELD)["unit"][Col.REVENUE_PER_USER] == "EUR"
    assert found.segments[Col.REVENUE].tolist()[0] == 30


def test_a_file_without_events_has_no_outcome() -> None:
    found = profile(without_events(), LABELS, AnalyzeSettings())
    assert found.outcome is None
    assert (
        found.segments[[Col.OUTCOME_USERS, Col.OUTCOME_RATE, Col.SESSION_RATE, Col.REVENUE]]
        .isna()
        .all(axis=None)
    )


def test_more_converting_sessions_than_sessions_is_no_rate() -> None:
    data = toy()
    busy = replace(data.outcomes["purchase"], sessions=np.array([9.0, 1.0]))
    index = replace(data.outcomes, events={"purchase": busy})
    found = profile(replace(data, outcomes=index), LABELS, AnalyzeSettings()).segments
    assert np.isnan(found.loc[0, Col.SESSION_RATE])
    assert found.loc[1, Col.SESSION_RATE] == 1 / 3


def test_everybody_in_one_segment() -> None:
    found = profile(toy(), np.zeros(8, dtype=np.int32), AnalyzeSettings())
    assert found.segments[Col.KEY].tolist() == ["segment:0", "all"]
    assert found.n_clustered == found.n_users == 8
    json.loads(found.to_json())


def test_nobody_in_a_segment() -> None:
    data = replace(toy(), group=np.full(8, [*Group].index(Group.ONE_PAGE), dtype=np.int8))
    found = profile(data, np.full(8, -1, dtype=np.int32), AnalyzeSettings())
    assert found.segments[Col.KEY].tolist() == ["group:one_page", "all"]
    assert found.n_clustered == 0
    assert found.heatmap[Col.Z].isna().all()


def test_every_column_is_described_and_says_what_it_is_of() -> None:
    found = profile(toy(), LABELS, AnalyzeSettings())
    described = [field.field for field in FIELDS]
    assert found.segments.columns.tolist() == [*ROW, *described]
    assert found.fields[Col.FIELD].tolist() == described
    assert set(found.fields[Col.EVIDENCE]) <= set(MetricRole)
    assert all(field.n in ("", *described) for field in FIELDS)
    by_name = found.fields.set_index(Col.FIELD)[Col.EVIDENCE]
    assert by_name[Col.OUTCOME_RATE] == by_name[Col.ENGAGEMENT_MEAN] == MetricRole.HELD_OUT
    assert by_name[Col.PAGE_VIEWS_MEAN] == MetricRole.DERIVED


def test_json_is_strict_and_holds_every_table() -> None:
    found = profile(toy(), LABELS, AnalyzeSettings(outcome="purchase", top_pages=3))
    plain = json.loads(found.to_json())
    assert list(plain) == [
        "format", "settings", "outcome", "n_users", "n_clustered", "compared_with", "notes",
        "segments", "top_pages", "shares", "heatmap", "outcomes", "fields",
    ]  # fmt: skip
    assert plain["settings"] == {
        "outcome": ["purchase"], "outcome_counts": "any", "top_pages": 3, "samples": 5,
    }  # fmt: skip
    assert plain["segments"][2][Col.ENGAGEMENT_MEAN] is None
    assert plain["segments"][0] == {
        **plain["segments"][0],
        "key": "segment:0",
        "users": 3,
        "page_views_mean": 3.0,
    }
    for name in ("segments", "top_pages", "shares", "heatmap"):
        assert len(plain[name]) == len(getattr(found, name))
        assert all(Col.KEY in record for record in plain[name])


def test_records_are_plain_python() -> None:
    frame = pd.DataFrame({"a": np.array([1, 2]), "b": [0.5, np.nan], "c": pd.array(["x", None], dtype="str")})
    found = records(frame)
    assert found == [{"a": 1, "b": 0.5, "c": "x"}, {"a": 2, "b": None, "c": None}]
    assert {type(value) for record in found for value in record.values()} <= {int, float, str, type(None)}


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 1000))
def test_every_number_is_that_of_pandas(seed: int) -> None:
    data, labels, views = many(seed)
    found = profile(data, labels, AnalyzeSettings()).segments.set_index(Col.KEY)
    whole = pd.concat([views, views.assign(row="all")])
    users = whole.groupby(["row", "user"]).agg(
        views=("page", "size"), pages=("page", "nunique"), bought=("bought", "first"),
        engagement=("engagement", "first"), sessions=("sessions", "first"),
    ).reset_index()  # fmt: skip
    expected = users.groupby("row").agg(
        users=("user", "size"), page_views=("views", "sum"), mean=("views", "mean"),
        median=("views", "median"), sessions=("sessions", "sum"), pages=("pages", "mean"),
        converted=("bought", "sum"),
        engagement=("engagement", "mean"), known=("engagement", "count"), middle=("engagement", "median"),
    ).loc[found.index]  # fmt: skip
    pairs = {
        Col.USERS: "users", Col.PAGE_VIEWS: "page_views", Col.PAGE_VIEWS_MEAN: "mean",
        Col.PAGE_VIEWS_MEDIAN: "median", Col.SESSIONS: "sessions", Col.DIFFERENT_PAGES_MEAN: "pages",
        Col.OUTCOME_USERS: "converted", Col.ENGAGEMENT_USERS: "known",
    }  # fmt: skip
    for ours, theirs in pairs.items():
        np.testing.assert_allclose(found[ours], expected[theirs], err_msg=ours)
    np.testing.assert_allclose(found[Col.ENGAGEMENT_MEAN], expected["engagement"] / 1000)
    np.testing.assert_allclose(found[Col.ENGAGEMENT_MEDIAN], expected["middle"] / 1000)
    np.testing.assert_allclose(found[Col.PAGES_PER_SESSION], expected["page_views"] / expected["sessions"])


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 1000))
def test_rows_add_up_to_all_users(seed: int) -> None:
    data, labels, _ = many(seed)
    found = profile(data, labels, AnalyzeSettings()).segments
    parts, everybody = found.iloc[:-1], found.iloc[-1]
    for name in (
        Col.USERS,
        Col.PAGE_VIEWS,
        Col.SESSIONS,
        Col.OUTCOME_USERS,
        Col.ENGAGEMENT_USERS,
        Col.REVENUE,
    ):
        assert parts[name].sum() == pytest.approx(everybody[name])
    assert parts[Col.SHARE].sum() == pytest.approx(1)
    assert found[Col.SHARE_CLUSTERED].sum() == pytest.approx(1)
    assert (found[Col.OUTCOME_LOW] <= found[Col.OUTCOME_RATE]).all()
    assert (found[Col.OUTCOME_RATE] <= found[Col.OUTCOME_HIGH]).all()


def test_the_groups_of_the_toy_are_those_of_its_labels() -> None:
    assert [label >= 0 for label in LABELS] == [group is Group.SEGMENT for group in GROUPS]
