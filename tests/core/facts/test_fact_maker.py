"""Facts come from the tables that draw the profiles."""

import math
from dataclasses import replace

import pytest

from core.base.errors import InputError
from core.facts.answer import MEASURES, Fact, Unit, Verdict
from core.facts.fact_maker import Figures, make_fact, relation, select
from core.facts.items import ItemMetric
from core.profiles import profile_columns
from core.profiles.user_items import Family
from tests.core.facts.shop import shop_figures
from tests.core.facts.toy import context, figures, without_outcome
from tests.core.facts.toy_facts import fact


def test_every_measure_is_that_of_the_profile() -> None:
    made = figures()
    for key in made.context.keys:
        for measure in MEASURES:
            value = float(made.context.row(key)[measure.key])
            found = made.measure(key, measure.key)
            assert (found is None) == math.isnan(value)
            assert found is None or (found.value, found.segments) == (value, (key,))
            if found and measure.key not in ("share", "share_clustered"):  # of eight users: few digits
                assert found.text == profile_columns.of_row(
                    made.context.row(key), measure.key
                )  # as on the pages


def test_the_outcome_rate_has_its_interval_and_counts_the_converted() -> None:
    rate = figures().needed("segment:0", "outcome_rate")
    assert (rate.text, rate.n, rate.users) == ("33%", 3, 1)
    assert rate.low is not None
    assert rate.low < 1 / 3


def test_an_absent_figure_says_why() -> None:
    made = Figures(without_outcome())
    assert made.measure("segment:0", "revenue") is None
    with pytest.raises(InputError, match=r"outcome rate of Sale hunters \(segment 1\) is absent"):
        made.needed("segment:0", "outcome_rate")


def test_an_interval_without_an_end_is_none_and_nobody_named_is_everybody() -> None:
    lost = make_fact("a", "a", ("all",), 0.5, Unit.SHARE, interval=(math.nan, 1.0), n=8)
    kept = make_fact("a", "a", ("all",), 0.5, Unit.SHARE, interval=(0.25, 0.75), n=8, users=4)
    assert (lost.low, lost.high, lost.users) == (None, None, 8)
    assert (kept.low, kept.high, kept.users) == (0.25, 0.75, 4)


@pytest.mark.parametrize(
    ("first", "second", "unit", "text"),
    [
        (
            fact("outcome_rate", 0.3),
            fact("outcome_rate", 0.5, "all"),
            Unit.POINTS,
            "−20.00 percentage points",
        ),
        (
            fact("outcome_rate", 0.5),
            fact("outcome_rate", 0.0, "all"),
            Unit.POINTS,
            "+50.00 percentage points",
        ),
        (fact("outcome_rate", 0.5), fact("outcome_rate", 0.1, "all"), Unit.RATIO, "5.0×"),
        (fact("users", 3), fact("users", 2, "all"), Unit.RATIO, "1.5×"),
    ],
)
def test_shares_far_apart_are_told_by_their_ratio_and_near_ones_by_points(
    first: Fact, second: Fact, unit: Unit, text: str
) -> None:
    found = relation(first, second)
    assert found is not None
    assert (found.unit, found.text, found.segments) == (unit, text, ("segment:0", "all"))


def test_there_is_no_ratio_to_nothing() -> None:
    assert relation(fact("users", 3), fact("users", 0, "all")) is None


def test_items_with_their_numbers() -> None:
    made = figures()
    share = made.item("segment:0", Family.PAGE, "/cart", ItemMetric.SHARE)
    assert share is not None
    assert (share.measure, share.item, share.text, share.users) == ("share:page", "/cart", "67%", 2)
    lift = made.item("segment:0", Family.PAGE, "/cart", ItemMetric.LIFT)
    assert lift is not None
    assert lift.text == "only here"
    assert made.item("all", Family.PAGE, "/cart", ItemMetric.LIFT) is None


def test_the_same_measure_and_item_of_another_row() -> None:
    made = figures()
    share = made.item("segment:0", Family.PAGE, "/cart", ItemMetric.SHARE)
    assert share is not None
    assert made.same(share, "segment:1") == made.item("segment:1", Family.PAGE, "/cart", ItemMetric.SHARE)
    assert made.same(made.needed("segment:0", "users"), "all") == made.needed("all", "users")
    assert made.same(made.nearest("segment:0", 1)[0], "all") is None


def test_what_cannot_be_held_against_each_other_is_refused() -> None:
    made = figures()
    users, near = made.needed("segment:0", "users"), made.nearest("segment:0", 1)[0]
    lift = made.item("segment:0", Family.PAGE, "/cart", ItemMetric.LIFT)
    assert lift is not None
    for first, key, message in (
        (users, "segment:0", "cannot be held against itself"),
        (near, "all", "no distance of the centroids of All users"),
        (lift, "all", "no times the others' share of users who saw the page of All users"),
        (made.needed("segment:0", "share_clustered"), "all", "no share of clustered users of All users"),
        (users, "segment:9", "no row 'segment:9'"),
    ):
        with pytest.raises(InputError, match=message):
            made.contrast(first, key)


def test_a_ranking_is_in_order_and_equal_figures_stay_in_theirs() -> None:
    made = figures()
    pages = [made.needed(key, "page_views_mean") for key in made.context.keys[:4]]
    assert [one.value for one in pages] == [3, 3, 1, 8]
    assert [one.row for one in made.ranking(pages).facts] == [
        "group:bot_like", "segment:0", "segment:1", "group:one_page",
    ]  # fmt: skip
    assert [one.row for one in made.ranking(pages, most=False).facts][1:3] == ["segment:0", "segment:1"]
    assert not made.ranking(pages[:2]).sure
    assert made.ranking([made.needed(key, "users") for key in made.context.segment_keys]).sure
    with pytest.raises(InputError, match="not two rows"):
        made.ranking(pages[:1])


def test_queries_quote_what_they_are_about() -> None:
    assert select("a", "t", value="O'Neil") == "SELECT a FROM t WHERE value = 'O''Neil'"
    assert select("a", "t") == "SELECT a FROM t"


def test_revenue_says_its_currency_and_none_where_it_is_not_known() -> None:
    made = context()
    bought = made.tables.profiles.conversions
    assert bought
    euros = replace(bought, money={"EUR": bought.revenue})
    tables = replace(made.tables, profiles=replace(made.tables.profiles, conversions=euros))
    figure = Figures(replace(made, tables=tables)).needed("segment:0", "revenue")
    assert (figure.text, figure.currency) == ("30.00 EUR", "EUR")
    assert Figures(made).needed("segment:0", "revenue").text == "30.00"


def test_the_others_share_has_the_digits_of_its_own_number() -> None:
    made = shop_figures()
    share = made.item("segment:0", "device", "mobile", ItemMetric.SHARE)
    assert share
    others = made.contrast(share, "all").second
    assert (others.n >= 100, others.text) == (True, f"{others.value:.1%}")


def test_a_contrast_holds_both_figures_what_lies_between_and_the_test() -> None:
    made = figures()
    users = made.contrast(made.needed("segment:0", "users"), "segment:1")
    assert (users.second.value, users.verdict, users.test, users.p_value) == (2, Verdict.HIGHER, "", None)
    assert users.relation is not None
    assert users.relation.value == 1.5
    rate = made.contrast(made.needed("segment:0", "outcome_rate"), "all")
    assert (rate.verdict, rate.relation, rate.test) == (Verdict.UNSURE, None, "Fisher's exact test")
    assert rate.p_value == 1
