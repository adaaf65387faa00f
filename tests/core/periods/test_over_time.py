"""Shares, outcome and activity by period: by eye, and against pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.base.local_clock import DAY
from core.periods.calendar import PeriodUnit, calendar_of
from core.periods.over_time import Activity, PeriodMeasure, moments_of, over_time
from core.profiles.data import ProfileData
from core.profiles.profile_columns import Col
from core.profiles.two_shares import Z_95, wilson
from core.storage.dataset import TimedEvents
from tests.core.periods.visits import CASES, MONDAY, frame, random_case, rows_of, visits

ALL = np.ones(4, dtype=bool)


def laid_out(had: list[tuple[int, float]] | None = None) -> Activity:
    """Two users of segment 0 and one of segment 1 on three days, and a bot on each."""
    sequences = visits([[0.1, 0.2, 2.5], [0.3], [0.4, 1.1, 1.2], [0.5, 1.5, 2.6]])
    done = had and (
        np.array([user for user, _ in had]),
        np.array([int((MONDAY + day) * DAY) for _, day in had]),
    )
    return Activity.of(sequences, calendar_of(sequences.timestamp, PeriodUnit.DAY), ALL, done)


ROWS = rows_of([0, 0, 1, -1])


def measured(
    measure: PeriodMeasure, column: str = "value", **kwargs: list[tuple[int, float]]
) -> list[list[float]]:
    table = over_time(laid_out(**kwargs), ROWS, measure)
    return table.pivot(index=Col.SEGMENT, columns="period", values=column).to_numpy().tolist()


def test_shares_are_of_the_users_in_segments_who_come_that_day() -> None:
    assert measured(PeriodMeasure.SHARE) == [[2 / 3, 0, 1], [1 / 3, 1, 0]]
    assert measured(PeriodMeasure.SHARE, "n") == [[3, 1, 1], [3, 1, 1]]
    low, high = wilson(np.array(2), np.array(3))
    assert measured(PeriodMeasure.SHARE, "low")[0][0] == low
    assert measured(PeriodMeasure.SHARE, "high")[0][0] == high


def test_a_share_is_held_against_that_of_all_other_periods() -> None:
    assert measured(PeriodMeasure.SHARE, "rest_value")[0] == [1 / 2, 3 / 4, 2 / 4]


def test_activity_is_a_mean_of_those_who_come_and_absent_where_nobody_does() -> None:
    assert np.array_equal(measured(PeriodMeasure.VIEWS), [[1.5, np.nan, 1], [1, 2, np.nan]], equal_nan=True)
    assert measured(PeriodMeasure.USERS) == [[2, 0, 1], [1, 1, 0]]
    assert measured(PeriodMeasure.SESSIONS)[0][0] == 1.5
    assert measured(PeriodMeasure.VIEWS, "rest_value")[0][0] == 1  # the bot is not among the others


def test_the_outcome_counts_on_its_day_of_those_who_came_that_day() -> None:
    had = [(0, 0.25), (0, 0.26), (2, 0.5), (2, 1.3), (1, 2.2)]
    assert measured(PeriodMeasure.OUTCOME, had=had)[0][0] == 1 / 2  # once, however often
    assert measured(PeriodMeasure.OUTCOME, had=had)[1][:2] == [1, 1]
    assert laid_out(had).unseen == 1  # of user 1, who had no page view that day


def test_one_segment_has_nobody_beside_it() -> None:
    sequences = visits([[0.1], [0.2]])
    activity = Activity.of(
        sequences, calendar_of(sequences.timestamp, PeriodUnit.DAY), np.ones(2, dtype=bool)
    )
    table = over_time(activity, rows_of([0, 0]), PeriodMeasure.VIEWS)
    assert table["rest_value"].isna().all() and not table["differs"].any()


def test_a_segment_of_one_user_has_a_share_and_no_interval_of_its_mean() -> None:
    table = over_time(laid_out(), ROWS, PeriodMeasure.VIEWS)
    one = table[table[Col.SEGMENT] == 1].iloc[0]
    assert (one["n"], one["value"]) == (1, 1)
    assert np.isnan(one["low"]) and not one["differs"]
    assert measured(PeriodMeasure.SHARE, "high")[1][0] < 1


def test_who_does_not_fit_is_not_counted() -> None:
    sequences = visits([[0.1], [0.2], [0.3]])
    calendar = calendar_of(sequences.timestamp, PeriodUnit.DAY)
    found = Activity.of(sequences, calendar, np.array([True, False, True]))
    assert found.user.tolist() == [0, 2]


def test_outcomes_are_events_and_pages() -> None:
    sequences = visits([[0.1, 0.2], [0.3]])
    data = ProfileData.from_tables(*tables(sequences), sequences)
    events = TimedEvents(
        np.array([1, 1]), np.array([0, 1]), np.array([5, 7]), np.array([0, 0]), np.array([1, 1]),
        ("purchase", "scroll"),
    )  # fmt: skip
    user, at = moments_of(("purchase",), data.outcomes, events)
    assert (user.tolist(), at.tolist()) == ([1], [5])
    user, at = moments_of(("purchase", "page:shop/a"), data.outcomes, events)
    assert user.tolist() == [0, 0, 1, 1]
    assert at[:3].tolist() == sequences.timestamp.tolist()


def tables(sequences: object) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    users = pd.DataFrame(
        {name: ["x", "x"] for name in ("browser", "device", "country", "source")}
        | {"group": ["segment"] * 2, "page_views": [2, 1], "sessions": [2, 1], "engagement_msec": [1, 1]}
    )
    pages = pd.DataFrame({"page_location": ["shop/a"], "page_title": [None]})
    outcomes = pd.DataFrame(
        {
            "user": [1], "event_name": ["purchase"], "events": [1], "sessions": [1], "first_ts": [5],
            "revenue": [1.0], "currency": ["EUR"],
        }
    )  # fmt: skip
    return users, pages, outcomes


@pytest.mark.parametrize("seed", range(CASES))
def test_every_figure_is_that_of_pandas(seed: int) -> None:
    random = np.random.default_rng(seed)
    sequences, labels, clock = random_case(random)
    users = random.random(sequences.n_users) < 0.8
    some = random.random(sequences.n_views) < 0.3
    had = sequences.user[some], sequences.timestamp[some]
    views = frame(sequences, labels, clock).assign(had=some)
    views = views[users[views["user"]] & (views["segment"] >= 0)]
    for unit, code in ((PeriodUnit.DAY, "D"), (PeriodUnit.WEEK, "W-SUN")):
        calendar = calendar_of(sequences.timestamp, unit, clock)
        activity, rows = Activity.of(sequences, calendar, users, had), rows_of(labels.tolist())
        cell = ["segment", views["local"].dt.to_period(code).dt.start_time.rename("period")]
        each = views.groupby([*cell, "user"]).agg(
            views=("ts", "size"), sessions=("begins", "sum"), had=("had", "any")
        )
        by_cell = each.groupby(level=["segment", "period"])
        users_there = by_cell.size()
        expected = {
            (PeriodMeasure.USERS, "value"): users_there,
            (PeriodMeasure.SHARE, "value"): users_there
            / users_there.groupby(level="period").transform("sum"),
            (PeriodMeasure.OUTCOME, "part"): by_cell["had"].sum(),
            (PeriodMeasure.OUTCOME, "value"): by_cell["had"].mean(),
            (PeriodMeasure.VIEWS, "value"): by_cell["views"].mean(),
            (PeriodMeasure.SESSIONS, "value"): by_cell["sessions"].mean(),
            (PeriodMeasure.VIEWS, "high"): by_cell["views"].mean() + Z_95 * by_cell["views"].sem(),
        }
        for (measure, column), theirs in expected.items():
            made = over_time(activity, rows, measure)
            ours = made.set_index([Col.SEGMENT, "period"])[column].reindex(theirs.index)
            np.testing.assert_allclose(ours, theirs.astype(float), atol=1e-6)
        came = over_time(activity, rows, PeriodMeasure.USERS)
        assert (came["value"] > 0).sum() == len(users_there)
