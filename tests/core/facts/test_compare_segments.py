"""Two segments, and all of them."""

import pytest

from core.base.errors import InputError
from core.facts.answer import Contrast, FigureList, Ranking, Verdict
from core.facts.arguments import Compare, Metric
from core.facts.compare_segments import COMPARED, compare, compare_all
from tests.core.facts.shop import shop_figures
from tests.core.facts.toy import figures


def test_one_metric_by_eye() -> None:
    (block,) = compare(figures(), Compare(a="segment:0", b="segment:1", metrics=(Metric.USERS,))).blocks
    assert isinstance(block, Contrast)
    assert (block.first.value, block.second.value, block.verdict) == (3, 2, Verdict.HIGHER)


def test_all_metrics_sure_ones_first_then_what_sets_each_apart() -> None:
    found = compare(shop_figures(), Compare(a="segment:3", b="segment:0"))
    contrasts = [block for block in found.blocks if isinstance(block, Contrast)]
    assert {block.first.measure for block in contrasts} == set(COMPARED)
    assert {(block.first.row, block.second.row) for block in contrasts} == {("segment:3", "segment:0")}
    unsure = [block.verdict is Verdict.UNSURE for block in contrasts]
    assert unsure == sorted(unsure)
    assert len(set(unsure)) == 2
    apart = found.blocks[-1]
    assert isinstance(apart, FigureList)
    assert list(dict.fromkeys(fact.row for fact in apart.facts)) == ["segment:3", "segment:0"]
    assert {fact.measure.partition(":")[0] for fact in apart.facts} == {"lift", "view_lift"}


def test_all_users_are_not_set_apart() -> None:
    apart = compare(shop_figures(), Compare(a="segment:3", b="all")).blocks[-1]
    assert isinstance(apart, FigureList)
    assert {fact.row for fact in apart.facts} == {"segment:3"}


def test_a_segment_is_not_compared_with_itself() -> None:
    with pytest.raises(InputError, match="cannot be compared with itself"):
        compare(figures(), Compare(a="segment:0", b="segment:0"))


def test_all_segments_have_a_ranking_each_metric() -> None:
    rankings = [block for block in compare_all(figures()).blocks if isinstance(block, Ranking)]
    assert [block.facts[0].measure for block in rankings] == list(COMPARED)
    users = rankings[0]
    assert [(fact.row, fact.value) for fact in users.facts] == [("segment:0", 3), ("segment:1", 2)]
