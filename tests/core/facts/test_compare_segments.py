"""Two segments, and all of them."""

import pytest

from core.base.errors import InputError
from core.facts.answer import Contrast, FigureList, Note, Ranking, Verdict
from core.facts.arguments import Compare, Metric
from core.facts.compare_segments import NOT_SHOWN, compare, compare_all
from core.facts.measures import BY_KEY
from core.profiles.profile_columns import HEAT_MAP
from tests.core.facts.shop import shop_figures
from tests.core.facts.toy import figures


def test_one_metric_by_eye() -> None:
    (block,) = compare(figures(), Compare(a="segment:0", b="segment:1", metrics=(Metric.USERS,))).blocks
    assert isinstance(block, Contrast)
    assert (block.first.value, block.second.value, block.verdict) == (3, 2, Verdict.HIGHER)


def test_all_metrics_sure_ones_first_then_what_sets_each_apart() -> None:
    found = compare(shop_figures(), Compare(a="segment:3", b="segment:0"))
    contrasts = [block for block in found.blocks if isinstance(block, Contrast)]
    assert {block.first.measure for block in contrasts} == set(HEAT_MAP)
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


def test_only_what_differs_is_ranked_over_all_segments() -> None:
    made = shop_figures()
    table = made.context.tables.differences
    blocks = compare_all(made).blocks
    ranked = [block.facts[0].measure for block in blocks if isinstance(block, Ranking)]
    (others,) = (block.text for block in blocks if isinstance(block, Note))
    for name in HEAT_MAP:
        item = "purchase" if name == "outcome_rate" else name
        differs = table.loc[(table["item"] == item) & (table["kind"] == "segment"), "differs"].any()
        assert (name in ranked) == differs
        assert (BY_KEY[name].label in others) != differs


def test_of_five_users_nothing_is_shown_to_differ() -> None:
    (note, *_) = compare_all(figures()).blocks
    assert isinstance(note, Note)
    assert note.text.startswith(NOT_SHOWN[:20])
