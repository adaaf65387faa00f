"""Two segments, and all of them."""

import pytest

from core.base.errors import InputError
from core.facts.answer import BY_KEY, Note, Ranking, Verdict
from core.facts.segment_tools import MAX_NAMED, NOT_SHOWN, addresses, compare, compare_all, differing
from core.profiles.differences import is_apart, top_differences
from core.profiles.profile_columns import HEAT_MAP
from tests.core.facts.shop import shop_figures
from tests.core.facts.toy import figures


def test_what_differs_most_in_the_table_then_all_metrics_sure_ones_first() -> None:
    made = shop_figures()
    blocks = compare(made, a="segment:3", b="segment:0").blocks
    told = addresses(
        made.context, top_differences(made.context.tables.pair("segment:3", "segment:0"), "segment:3")
    )
    assert [(block.first.measure, block.first.item) for block in blocks[:MAX_NAMED]] == list(told)
    assert {(block.first.row, block.second.row) for block in blocks} == {("segment:3", "segment:0")}
    assert {block.first.measure for block in blocks} >= set(HEAT_MAP)
    unsure = [block.verdict is Verdict.UNSURE for block in blocks]
    assert unsure == sorted(unsure)
    assert len(set(unsure)) == 2


def test_against_all_users_a_segment_is_held_against_the_others() -> None:
    made = shop_figures()
    for pair in (("segment:3", "all"), ("all", "segment:3")):
        blocks = compare(made, *pair).blocks
        assert blocks[:MAX_NAMED] == differing(made, "segment:3")
        assert {row for block in blocks for row in (block.first.row, block.second.row)} == {
            "segment:3", "others",
        }  # fmt: skip


def test_a_segment_is_not_compared_with_itself() -> None:
    with pytest.raises(InputError, match="cannot be compared with itself"):
        compare(figures(), a="segment:0", b="segment:0")


def test_only_what_differs_is_ranked_over_all_segments() -> None:
    made = shop_figures()
    table = made.context.tables.differences
    blocks = compare_all(made).blocks
    ranked = [block.facts[0].measure for block in blocks if isinstance(block, Ranking)]
    (others,) = (block.text for block in blocks if isinstance(block, Note))
    for name in HEAT_MAP:
        item = "purchase" if name == "outcome_rate" else name
        differs = is_apart(table[(table["item"] == item) & (table["kind"] == "segment")]).any()
        assert (name in ranked) == differs
        assert (BY_KEY[name].label in others) != differs


def test_of_five_users_nothing_is_shown_to_differ() -> None:
    (note, *_) = compare_all(figures()).blocks
    assert isinstance(note, Note)
    assert note.text.startswith(NOT_SHOWN[:20])
