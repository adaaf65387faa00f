"""How users move, by eye."""

from typing import Any

import pytest

from core.base.errors import InputError
from core.facts.answer import Contrast, Note
from core.facts.move_tools import differing_steps, transitions
from core.facts.sentences import plain
from tests.core.facts.test_item_tools import listed
from tests.core.facts.toy import figures, rule_figures


def test_all_of_a_segment_go_on_to_one_page_and_none_of_the_others() -> None:
    found = differing_steps(rule_figures(), segment="segment:0")
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
    assert len(differing_steps(rule_figures(), segment="segment:0", n=1).blocks) == 1


def test_who_moves_like_the_others_differs_in_no_step() -> None:
    (note,) = differing_steps(rule_figures(alike=True), segment="segment:1").blocks
    assert note == Note(
        text="Blog readers (segment 2): no step that clearly more or fewer of them take than of the others."
    )


def test_steps_differ_only_in_what_is_labelled() -> None:
    with pytest.raises(InputError, match=r"no themes.*Label the pages"):
        differing_steps(rule_figures(), segment="segment:0", by="theme")


@pytest.mark.parametrize(
    ("asked", "measure", "items"),
    [
        ({"where": "entry"}, "entry:page", [("/sale", "75%"), ("/", "25%")]),
        ({"where": "exit", "n": 2}, "exit:page", [("/sale", "50%"), ("/cart", "50%")]),
        (
            {"n": 3}, "step:page",
            [("(start) → /sale", "23%"), ("/sale → /sale", "15%"), ("/sale → /cart", "15%")],
        ),
        (
            {"origin": "/sale"}, "step:page:from",
            [("/sale → /sale", "33%"), ("/sale → /cart", "33%"), ("/sale → (end of session)", "33%")],
        ),
        (
            {"segment": "all", "by": "type", "target": "Cart & checkout"}, "step:type:to",
            [("Blog → Cart & checkout", "50%"), ("Category → Cart & checkout", "50%")],
        ),
    ],
)  # fmt: skip
def test_paths_by_eye(asked: dict[str, Any], measure: str, items: list[tuple[str, str]]) -> None:
    found = transitions(figures(), **{"segment": "segment:0", **asked})
    assert listed(found) == items
    assert {fact.measure for fact in found.facts} == {measure}


def test_routes_are_whole_sessions_with_the_share_of_users_who_took_them() -> None:
    found = transitions(figures(), segment="segment:0", where="routes")
    assert listed(found) == [("/sale → /cart", "67%"), ("/ → /sale", "33%"), ("/sale ×2+", "33%")]
    by_type = transitions(figures(), "segment:0", where="routes", by="type", n=1)
    assert listed(by_type) == [("Category → Cart & checkout", "67%")]
    assert {fact.measure for fact in found.facts} == {"route:page"}


def test_no_step_is_said_as_none() -> None:
    found = transitions(figures(), segment="group:one_page", origin="/sale")
    assert found.blocks == (Note(text="One-page users: no such step."),)


def test_places_that_do_not_exist_are_refused() -> None:
    with pytest.raises(InputError, match="no page '/nowhere'"):
        transitions(figures(), segment="all", origin="/nowhere")
    with pytest.raises(InputError, match=r"no themes.*Label the pages"):
        transitions(figures(labelled=False), segment="all", by="theme")
