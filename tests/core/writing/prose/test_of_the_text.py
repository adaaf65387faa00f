"""Numbers of the text itself claim nothing; those that count what measures count do."""

import pytest

from core.facts.answer import Fact, Unit
from core.writing.prose.check import check_slots
from core.writing.prose.claims import numerals_of
from core.writing.prose.verify import verify_numbers

SEGMENTS = {"segment:0": ("Segment 1",), "segment:1": ("Segment 2",)}
FACTS = (
    Fact("F1", "users", "users", ("segment:0",), 7, Unit.COUNT, "7"),
    Fact("F2", "users", "users", ("segment:1",), 4, Unit.COUNT, "4"),
)  # fmt: skip


def found(text: str) -> list[str]:
    return [text[one.start : one.end] for one in numerals_of(text, [])]


@pytest.mark.parametrize(
    "text",
    [
        "Two things stand out",
        "It stands out for two topics.",
        "Its two largest sources are search and mail.",
        "There isn't one story here, there are two.",
        "Three segments, three conversion levels.",
        "Of the three segments you picked, S1 converts.",
        "These four, ranked by size:",
        "The two average as much.",
        "One user of S8 brings in more than one user of S3.",
        "I would try the first message in that channel.",
        "The first group converts, the second of these never.",
        "Between S1 and S2 lie worlds. The first is ahead, the second is not.",
        "For the first group, offer a guide; the second has enough.",
        "They never got past their first page.",
        "Here are 3 key takeaways.",
    ],
)
def test_counts_or_orders_what_the_text_speaks_of(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("It has seven users.", "seven"),
        ("Seven of its users came back.", "Seven"),
        ("Of them, seven converted.", "seven"),
        ("Seven bought tents.", "Seven"),
        ("Only one user of S1 came back.", "one"),
        ("One user of 743 came back.", "One"),
        ("They view one page view a session.", "one"),
        ("They make two very short sessions.", "two"),
        ("They read two topics a visit.", "two"),
        ("On average, they buy four tents.", "four"),
        ("Its users, all ten of them, came back.", "ten"),
        ("The two users in it came back.", "two"),
        ("Hardly any user, five in total, is in it.", "five"),
        ("There are seven.", "seven"),
        ("All eight segments are small.", "eight"),
        ("There are eight segments in all.", "eight"),
        ("A third of them converts.", "A third"),
        ("It has twice as many.", "twice"),
        ("It is the second largest.", "second"),
        ("It is in third place.", "third"),
        ("It is the third group by size.", "third"),
        ("They buy in their second session.", "second"),
        ("It is three percentage points more.", "three percentage points"),
        ("Send a 3-part series.", "3"),
        ("Sell 3 tents.", "3"),
    ],
)
def test_says_something_of_the_data(text: str, number: str) -> None:
    assert number in found(text)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Seven users of segment 1 share two habits.", []),
        ("Seven users of segment 2 share two habits.", ["Seven"]),
        ("Segment 1 has seven users in the two segments that matter.", []),
        ("Segment 1 is one of all two segments and has seven users.", []),
        ("Segment 1 is one of all three segments and has seven users.", ["three"]),
    ],
)
def test_only_the_numbers_of_the_data_have_to_be_right(text: str, wrong: list[str]) -> None:
    marked = verify_numbers(text, FACTS, segments=SEGMENTS).unverified
    assert [text[one.start : one.end] for one in marked] == wrong


def test_beside_slots_as_well() -> None:
    right, wrong = "Segment 1 has two habits and [[F1]] users.", "Segment 1 has two users, [[F1]]."
    assert check_slots(right, FACTS, segments=SEGMENTS).ok
    (problem,) = check_slots(wrong, FACTS, segments=SEGMENTS).problems
    assert wrong[problem.start : problem.end] == "two"
