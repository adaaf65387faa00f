"""How users move, by eye."""

import pytest

from core.base.errors import InputError
from core.facts.answer import Contrast, Note
from core.facts.fact_maker import Finding
from core.facts.move_tools import differing_steps, routes, steps
from core.facts.sentences import plain
from tests.core.facts.toy import figures, rule_figures


def test_all_of_a_segment_go_on_to_one_page_and_none_of_the_others() -> None:
    found = differing_steps(rule_figures(), segment="segment:0", by="page", n=5)
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
    assert len(differing_steps(rule_figures(), segment="segment:0", by="page", n=1).blocks) == 1


def test_who_moves_like_the_others_differs_in_no_step() -> None:
    (note,) = differing_steps(rule_figures(alike=True), segment="segment:1", by="page", n=5).blocks
    assert note == Note(
        text="Blog readers (segment 2): no step that clearly more or fewer of them take than of the others."
    )


def test_steps_differ_only_in_what_is_labelled() -> None:
    with pytest.raises(InputError, match=r"no themes.*Label the pages"):
        differing_steps(rule_figures(), segment="segment:0", by="theme", n=5)


def listed(found: Finding) -> list[tuple[str, str]]:
    return [(fact.item, fact.text) for fact in found.facts]


def test_steps_by_eye() -> None:
    found = steps(figures(), "segment:0", "page", 3)
    assert listed(found) == [("(start) → /sale", "23%"), ("/sale → /sale", "15%"), ("/sale → /cart", "15%")]
    assert {fact.measure for fact in found.facts} == {"step:page"}


def test_routes_are_whole_sessions_with_the_share_of_users_who_took_them() -> None:
    found = routes(figures(), "segment:0", "page", 5)
    assert listed(found) == [("/sale → /cart", "67%"), ("/ → /sale", "33%"), ("/sale ×2+", "33%")]
    assert listed(routes(figures(), "segment:0", "type", 1)) == [("Category → Cart & checkout", "67%")]
    assert {fact.measure for fact in found.facts} == {"route:page"}


def test_steps_between_what_is_not_labelled_are_refused() -> None:
    with pytest.raises(InputError, match=r"no themes.*Label the pages"):
        steps(figures(labelled=False), "all", "theme", 5)
