"""List, one figure, rank, chart."""

from dataclasses import replace

import pytest

from core.base.errors import InputError
from core.base.settings import AnalyzeSettings
from core.facts.answer import Chart, ChartMark, Contrast, FigureList, Metric, Order, Ranking, Verdict
from core.facts.context import UNSEEN, Context, Tables
from core.facts.fact_maker import Figures, Finding
from core.facts.segment_tools import beyond_average, chart, list_segments, metrics, one_metric, rank_segments
from core.profiles.data import ProfileData
from core.profiles.metrics import profile
from tests.core.facts.toy import basis, context, figures, partition, two_currencies, without_outcome
from tests.core.profiles.toy import LABELS, outcomes, toy_tables


def ranked(found: Finding) -> tuple[Ranking, list[tuple[str, str]]]:
    """The one ranking of a finding, and its rows with their values."""
    (block,) = (block for block in found.blocks if isinstance(block, Ranking))
    return block, [(fact.row, fact.text) for fact in block.facts]


def test_all_segments_with_their_sizes() -> None:
    count, sizes = list_segments(figures()).blocks
    assert isinstance(count, FigureList)
    assert isinstance(sizes, FigureList)
    assert [(fact.measure, fact.value) for fact in count.facts] == [("segments", 2)]
    assert [(fact.row, fact.text) for fact in sizes.facts if fact.measure == "users"] == [
        ("segment:0", "3"), ("segment:1", "2"), ("group:one_page", "2"), ("group:bot_like", "1"),
    ]  # fmt: skip


def test_one_figure_with_its_query() -> None:
    found = one_metric(figures(), segment="segment:1", metric=Metric.OUTCOME_RATE)
    assert found.blocks == (FigureList(facts=(figures().needed("segment:1", "outcome_rate"),)),)
    assert found.query == "SELECT outcome_rate FROM segments WHERE key = 'segment:1'"


def test_ranking_by_eye_says_when_the_order_is_not_sure() -> None:
    block, rows = ranked(rank_segments(figures(), metric=Metric.OUTCOME_RATE))
    assert rows == [("segment:1", "50%"), ("segment:0", "33%")]
    assert (block.most, block.sure, block.reference) == (True, False, None)


def test_least_first() -> None:
    block, rows = ranked(rank_segments(figures(), Metric.USERS, Order.LEAST))
    assert rows == [("segment:1", "2"), ("segment:0", "3")]
    assert (block.most, block.sure) == (False, True)


def test_an_absent_metric_cannot_be_ranked() -> None:
    with pytest.raises(InputError, match="revenue of Sale hunters"):
        rank_segments(Figures(without_outcome()), metric=Metric.REVENUE)


def test_a_chart_has_every_segment_beside_its_ranking() -> None:
    ranking, drawn = chart(figures(), metric=Metric.USERS, mark=ChartMark.POINT).blocks
    assert isinstance(ranking, Ranking)
    assert isinstance(drawn, Chart)
    assert drawn.mark == "point"
    assert [(fact.row, fact.value) for fact in drawn.facts] == [("segment:0", 3), ("segment:1", 2)]


def test_who_is_above_and_below_all_users_and_how_sure_that_is() -> None:
    found = beyond_average(figures(), "outcome_rate", above=True)
    block, rows = ranked(found)
    assert rows == [("segment:1", "50%"), ("segment:0", "33%")]
    assert block.reference == figures().needed("all", "outcome_rate")
    assert [one.verdict for one in found.blocks if isinstance(one, Contrast)] == [Verdict.UNSURE] * 2
    assert "outcome_rate > 0.25" in found.query
    assert ranked(beyond_average(figures(), "outcome_rate", above=False))[1] == []


def test_one_that_is_written_as_all_users_is_neither_above_nor_below() -> None:
    made = context()
    segments = made.tables.profiles.segments.copy()
    segments["sessions_mean"] = [1.334, 1.5, 1.0, 1.0, 1.331]
    profiles = replace(made.tables.profiles, segments=segments)
    about = replace(made, tables=replace(made.tables, profiles=profiles))
    _, rows = ranked(beyond_average(Figures(about), "sessions_mean", above=True))
    assert rows == [("segment:1", "1.50")]


def test_a_total_is_no_average() -> None:
    with pytest.raises(InputError, match="is a total and no average"):
        beyond_average(figures(), "page_views", above=True)


def test_revenue_is_told_by_its_currency_and_also_of_buyers_in_no_row() -> None:
    found = metrics(Figures(two_currencies()), ["all", "segment:0"], ["revenue"])
    assert [(fact.row, fact.measure, fact.text) for fact in found.facts] == [
        ("all", "revenue", "30.00 GBP"), ("all", "revenue", "20.00 EUR"),
        ("segment:0", "revenue", "30.00 GBP"), ("segment:0", "revenue", "0.00 EUR"),
        ("group:no_page_view", "outcome_users", "1"), ("group:no_page_view", "revenue", "5.00 EUR"),
    ]  # fmt: skip


def test_revenue_in_two_currencies_is_ranked_and_drawn_in_each() -> None:
    found = chart(Figures(two_currencies()), metric=Metric.REVENUE_PER_USER)
    rankings = [block for block in found.blocks if isinstance(block, Ranking)]
    assert [[(fact.row, fact.text) for fact in block.facts] for block in rankings] == [
        [("segment:0", "10.00 GBP"), ("segment:1", "0.00 GBP")],
        [("segment:1", "10.00 EUR"), ("segment:0", "0.00 EUR")],
    ]
    assert len([block for block in found.blocks if isinstance(block, Chart)]) == 2


def test_what_adds_up_over_currencies_is_refused_with_the_reason() -> None:
    with pytest.raises(InputError, match="in GBP and EUR, which are not added up"):
        beyond_average(Figures(two_currencies()), "revenue_per_user", above=True)


def test_revenue_of_users_without_a_page_view_alone_is_told() -> None:
    """User 0 bought and sent no value; a ninth, of whom no page view is used, paid €5."""
    users, pages, _, sequences = toy_tables()
    bought = outcomes([(0, "purchase", 1, 1, None), (8, "purchase", 1, 1, 5.0)])
    data = ProfileData.from_tables(users, pages, bought.assign(currency="EUR"), sequences)
    tables = Tables(replace(basis(), data=data), profile(data, LABELS, AnalyzeSettings()), partition())
    found = metrics(Figures(Context(tables)), ["all"], ["revenue"])
    assert [(fact.row, fact.text) for fact in found.facts] == [(UNSEEN, "1"), (UNSEEN, "5.00 EUR")]
