"""Two segments, and all of them."""

import pytest

from core.base.errors import InputError
from core.facts.answer import Unit
from core.facts.arguments import Compare, Metric
from core.facts.compare_segments import alike, compare, compare_all
from core.facts.fact_book import FactBook
from core.facts.finding import Finding
from core.facts.render import fill
from tests.core.facts.shop import shop_figures
from tests.core.facts.toy import figures


def said(found: Finding) -> str:
    return fill(found.text, found.facts)[0]


def test_one_metric_by_eye() -> None:
    found = compare(figures(), Compare(a="segment:0", b="segment:1", metrics=(Metric.USERS,)))
    assert said(found) == (
        "Segment 1 (Sale hunters) against Segment 2 (Blog readers).\n\n"
        "Different:\n\n- users 3 against 2 (1.5×)"
    )
    assert len(found.table) == 3


def test_rates_are_alike_where_their_intervals_overlap() -> None:
    found = compare(figures(), Compare(a="segment:0", b="segment:1", metrics=(Metric.OUTCOME_RATE,)))
    assert "Alike:\n\n- outcome rate 33.33% against 50.00% (-16.67 percentage points)" in said(found)


def test_a_ratio_to_nothing_is_a_difference() -> None:
    found = compare(figures(), Compare(a="segment:0", b="group:one_page", metrics=(Metric.OUTCOME_USERS,)))
    assert "converted users 1 against 0 (1)" in said(found)


def test_all_metrics_and_what_sets_each_apart() -> None:
    text = said(compare(shop_figures(), Compare(a="segment:3", b="all")))
    assert "Different:" in text
    apart = text.split("Viewed more often than by the others:\n\n")[1]
    assert apart.startswith("- Segment 4 (Weekend climbers): ")
    assert "- All users" not in apart


def test_a_segment_is_not_compared_with_itself() -> None:
    with pytest.raises(InputError, match="cannot be compared with itself"):
        compare(figures(), Compare(a="segment:0", b="segment:0"))


def test_all_segments_have_their_extremes() -> None:
    text = said(compare_all(figures()))
    assert (
        "Users: highest in Segment 1 (Sale hunters) (3) and lowest in Segment 2 (Blog readers) (2)." in text
    )
    assert "All segments have the same page views a user: 3.0." in text


def test_means_are_alike_within_a_tenth() -> None:
    book = FactBook()
    one, near, far = (
        book.add("m", "m", (f"segment:{number}",), value, Unit.NUMBER)
        for number, value in enumerate((100.0, 95.0, 80.0))
    )
    assert alike(one, near)
    assert not alike(one, far)
