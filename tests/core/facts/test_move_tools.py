"""Steps that differ, by eye."""

import pytest

from core.base.errors import InputError
from core.facts.answer import Contrast, Note
from core.facts.arguments import MoveFacts
from core.facts.move_tools import differing_steps
from core.facts.sentences import plain
from tests.core.facts.toy import figures, rule_figures


def test_all_of_a_segment_go_on_to_one_page_and_none_of_the_others() -> None:
    found = differing_steps(rule_figures(), MoveFacts(segment="segment:0"))
    told = [
        (block.first.item, block.first.text, block.second.row, block.second.text, block.second.n, block.test)
        for block in found.blocks if isinstance(block, Contrast)
    ]  # fmt: skip
    assert told == [
        ("/ → /blog", "0%", "others", "100%", 20, ""), ("/ → /sale", "100%", "others", "0%", 20, ""),
    ]  # fmt: skip
    first = next(fact for fact in found.facts if fact.text == "100%" and fact.row == "segment:0")
    assert (first.measure, first.n, first.users) == ("move:page", 20, 20)
    assert first.low == pytest.approx(20 / (20 + 1.959964**2), abs=1e-6)  # Wilson of 20 of 20
    assert plain(found.blocks, rule_figures().context.titles()).splitlines() == [
        "What sets Sale hunters (segment 1) apart from the other clustered users:",
        "- 0% of those who were at / went on to /blog, against 100% (−100 percentage points).",
        "- 100% of those who were at / went on to /sale, against 0% (+100 percentage points).",
    ]
    assert len(differing_steps(rule_figures(), MoveFacts(segment="segment:0", n=1)).blocks) == 1


def test_who_moves_like_the_others_differs_in_no_step() -> None:
    (note,) = differing_steps(rule_figures(alike=True), MoveFacts(segment="segment:1")).blocks
    assert note == Note(
        text="Blog readers (segment 2): no step that clearly more or fewer of them take than of the others."
    )


def test_only_segments_differ_and_only_in_what_is_labelled() -> None:
    with pytest.raises(InputError, match="All users is no segment"):
        differing_steps(figures(), MoveFacts(segment="all"))
    with pytest.raises(InputError, match=r"no themes.*Label the pages"):
        differing_steps(rule_figures(), MoveFacts(segment="segment:0", by="theme"))
