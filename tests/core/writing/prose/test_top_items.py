"""Segment 1 comes from search (50 %), mail (30 %) and ads (10 %); segment 2 mostly from mail."""

import pytest

from core.facts.answer import Fact, Unit
from core.facts.fact_book import FactBook
from core.writing.prose.check import check_slots
from core.writing.prose.verify import verify_numbers

SEGMENTS = {"segment:0": ("Segment 1",), "segment:1": ("Segment 2",)}


def facts() -> tuple[Fact, ...]:
    book = FactBook()
    for key, users, shares in (("segment:0", 120, (0.5, 0.3, 0.1)), ("segment:1", 90, (0.2, 0.6, 0.1))):
        book.add("users", "users", (key,), users, Unit.COUNT, n=users)
        for source, share in zip(("search", "mail", "ads"), shares, strict=True):
            book.add("share:source", "share from it", (key,), share, Unit.SHARE, item=source, n=users)
        book.add("lift:page", "lift", (key,), 1.2, Unit.RATIO, item="/blog")
        book.add("lift:page", "lift", (key,), 2.4, Unit.RATIO, item="/cart")
    return book.all()


@pytest.mark.parametrize(
    "text",
    [
        "The largest source of segment 1 is search.",
        "search is the largest source of segment 1.",
        "Its largest source is mail: that is segment 2.",
        "The two largest sources of segment 1 are search and mail.",
        "The page with the highest lift in segment 1 is /cart.",
        "Which page sets segment 1 apart the most? It is /cart.",
    ],
)
def test_the_things_named_have_the_most(text: str) -> None:
    assert verify_numbers(text, facts(), segments=SEGMENTS).unverified == ()
    assert check_slots(text, facts(), segments=SEGMENTS).ok


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("The largest source of segment 1 is mail.", "largest"),
        ("mail is the largest source of segment 1.", "largest"),
        ("The largest source of segment 2 is search.", "largest"),
        ("The two largest sources of segment 1 are search and ads.", "largest"),
        ("The page with the highest lift in segment 1 is /blog.", "highest"),
    ],
)
def test_another_one_has(text: str, wrong: str) -> None:
    marked = verify_numbers(text, facts(), segments=SEGMENTS).unverified
    assert [text[one.start : one.end] for one in marked] == [wrong]
    problems = check_slots(text, facts(), segments=SEGMENTS).problems
    assert [text[one.start : one.end] for one in problems] == [wrong]


def test_a_superlative_of_segments_is_none_of_things() -> None:
    text = "Segment 2 has the most users, and most of them come from mail."
    assert not verify_numbers(text, facts(), segments=SEGMENTS).ok
