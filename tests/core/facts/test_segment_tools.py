"""List, one figure, rank, chart."""

from dataclasses import replace

import pytest

from core.base.errors import InputError
from core.facts import arguments
from core.facts.arguments import Mark, Metric, Order
from core.facts.fact_book import FactBook
from core.facts.fact_maker import Figures
from core.facts.finding import Finding
from core.facts.render import fill
from core.facts.segment_tools import beyond_average, chart, list_segments, metric, metrics, rank_segments
from tests.core.facts.toy import context, figures, without_outcome


def said(found: Finding) -> str:
    return fill(found.text, found.facts)[0]


def test_all_segments_with_their_sizes() -> None:
    found = list_segments(figures(), arguments.ListSegments())
    assert said(found) == (
        "There are 2 segments: Segment 1 (Sale hunters) with 3 users (37.5%) and Segment 2 (Blog readers) "
        "with 2 users (25.0%). Outside them: One-page users (2) and Bot-like users (1)."
    )
    assert found.table["users"].tolist() == [3, 2, 2, 1, 8]


def test_one_figure_with_its_query() -> None:
    found = metric(figures(), arguments.OneMetric(segment="segment:1", metric=Metric.OUTCOME_RATE))
    assert said(found) == "Segment 2 (Blog readers) – outcome rate: 50.00%."
    assert found.query == "SELECT outcome_rate FROM segments WHERE key = 'segment:1'"
    assert found.table["low"].tolist() == [found.facts[0].low]


def test_rows_that_do_not_exist_are_refused() -> None:
    with pytest.raises(InputError, match="no row 'segment:7'"):
        metrics(figures(), ["segment:7"], ["users"])


def test_ranking_by_eye_says_when_the_order_is_not_sure() -> None:
    found = rank_segments(figures(), arguments.RankSegments(metric=Metric.OUTCOME_RATE))
    assert said(found) == (
        "Segment 2 (Blog readers) has the highest outcome rate: 50.00%. Then come Segment 1 (Sale hunters) "
        "(33.33%). The intervals of the first two overlap: the order of these is not sure."
    )
    assert found.table["segment"].tolist() == [1, 0]


def test_least_first() -> None:
    found = rank_segments(figures(), arguments.RankSegments(metric=Metric.USERS, order=Order.LEAST))
    assert said(found).startswith("Segment 2 (Blog readers) has the fewest users: 2.")


def test_equal_segments_share_the_place() -> None:
    found = rank_segments(figures(), arguments.RankSegments(metric=Metric.PAGE_VIEWS_MEAN))
    assert said(found).startswith(
        "Segment 1 (Sale hunters) and Segment 2 (Blog readers) share the highest page views a user: 3.0."
    )


def test_an_absent_metric_cannot_be_ranked() -> None:
    with pytest.raises(InputError, match="revenue of Segment 1"):
        rank_segments(Figures(without_outcome(), FactBook()), arguments.RankSegments(metric=Metric.REVENUE))


def test_a_chart_is_a_spec_over_its_own_columns() -> None:
    found = chart(figures(), arguments.ChartSpec(metric=Metric.USERS, mark=Mark.POINT))
    assert found.chart is not None
    assert found.chart["mark"] == "point"
    fields = {found.chart[axis]["field"] for axis in ("x", "y", "color")} | set(found.chart["tooltip"])
    assert fields <= set(found.table.columns)
    assert found.table[["label", "text"]].to_numpy().tolist() == [
        ["Segment 1 (Sale hunters)", "3"],
        ["Segment 2 (Blog readers)", "2"],
    ]


def test_titles_follow_the_names() -> None:
    made = figures()
    renamed = Figures(replace(made.context, names={}), FactBook())
    assert "Segment 1 with" in said(list_segments(renamed, arguments.ListSegments()))


def test_who_is_above_and_below_all_users() -> None:
    rate = beyond_average(figures(), "outcome_rate", above=True)
    assert said(rate) == (
        "Outcome rate of all users: 25.00%. Above that: Segment 2 (Blog readers) (50.00%) and Segment 1 "
        "(Sale hunters) (33.33%). The interval of Segment 2 (Blog readers) and Segment 1 (Sale hunters) "
        "holds that value: it may be chance."
    )
    assert "outcome_rate > 0.25" in rate.query
    assert said(beyond_average(figures(), "outcome_rate", above=False)).endswith("Below that: no segment.")


def test_one_that_is_written_as_all_users_is_neither_above_nor_below() -> None:
    made = context()
    segments = made.tables.profiles.segments.copy()
    segments["sessions_mean"] = [1.334, 1.5, 1.0, 1.0, 1.331]
    profiles = replace(made.tables.profiles, segments=segments)
    about = replace(made, tables=replace(made.tables, profiles=profiles))
    assert said(beyond_average(Figures(about, FactBook()), "sessions_mean", above=True)) == (
        "Sessions a user of all users: 1.33. Above that: Segment 2 (Blog readers) (1.50)."
    )


def test_a_total_is_no_average() -> None:
    with pytest.raises(InputError, match="is a total and no average"):
        beyond_average(figures(), "page_views", above=True)
