"""Facts come from the tables that draw the profiles."""

import math

import pytest

from core.base.errors import InputError
from core.facts.answer import Unit
from core.facts.fact_book import FactBook
from core.facts.fact_maker import Figures, select
from core.facts.items import Dimension, ItemMetric
from core.facts.measures import MEASURES
from core.profiles import formats
from tests.core.facts.toy import figures, without_outcome


def test_every_measure_is_that_of_the_profile() -> None:
    made = figures()
    for key in made.context.keys:
        for measure in MEASURES:
            value = float(made.context.row(key)[measure.key])
            fact = made.measure(key, measure.key)
            assert (fact is None) == math.isnan(value)
            assert fact is None or (fact.value == value and fact.segments == (key,) and fact.query)
            assert fact is None or fact.text == formats.figure(measure.key, value)  # as on the pages


def test_the_outcome_rate_has_its_interval_and_counts_the_converted() -> None:
    made = figures()
    rate = made.needed("segment:0", "outcome_rate")
    assert (rate.text, rate.n, made.book.users(rate)) == ("33.33%", 3, 1)
    assert rate.low is not None
    assert rate.low < 1 / 3


def test_an_absent_figure_says_why() -> None:
    made = Figures(without_outcome(), FactBook())
    assert made.measure("segment:0", "revenue") is None
    with pytest.raises(InputError, match=r"outcome rate of Segment 1 \(Sale hunters\) is absent"):
        made.needed("segment:0", "outcome_rate")


def test_differences_are_points_for_shares_and_comparisons() -> None:
    made = figures()
    gap = made.gap("segment:0", "segment:1", "outcome_rate")
    assert (gap.unit, gap.text, gap.comparison) == (Unit.POINTS, "-16.67 percentage points", True)
    assert made.gap("segment:0", "segment:1", "users").value == 1
    ratio = made.times("segment:0", "segment:1", "users")
    assert ratio is not None
    assert (ratio.text, ratio.segments) == ("1.5×", ("segment:0", "segment:1"))
    assert made.times("segment:0", "group:one_page", "outcome_users") is None


def test_items_with_their_numbers() -> None:
    made = figures()
    share = made.item("segment:0", Dimension.PAGE, "/cart", ItemMetric.SHARE)
    assert share is not None
    assert (share.metric, share.item, share.text, made.book.users(share)) == (
        "share:page",
        "/cart",
        "66.7%",
        2,
    )
    lift = made.item("segment:0", Dimension.PAGE, "/cart", ItemMetric.LIFT)
    assert lift is not None
    assert (lift.text, lift.comparison) == ("only here", True)
    assert made.item("all", Dimension.PAGE, "/cart", ItemMetric.LIFT) is None


def test_the_nearest_segment() -> None:
    (fact,) = figures().nearest("segment:0", 3)
    assert fact.segments == ("segment:0", "segment:1")
    assert fact.value == pytest.approx(math.sqrt(2))


def test_queries_quote_what_they_are_about() -> None:
    assert select("a", "t", value="O'Neil") == "SELECT a FROM t WHERE value = 'O''Neil'"
    assert select("a", "t") == "SELECT a FROM t"
