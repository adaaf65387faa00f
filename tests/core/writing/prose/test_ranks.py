"""A shop with 120 users in segment 1, 90 in segment 2 and 40 in segment 3."""

import pytest

from core.facts.answer import Unit
from core.facts.fact_book import FactBook
from core.writing.prose.verify import verify_numbers

SEGMENTS = {f"segment:{place}": (f"Segment {place + 1}",) for place in range(3)}


def unverified(text: str) -> list[str]:
    book = FactBook()
    for key, users, rate in zip(SEGMENTS, (120, 90, 40), (0.1, 0.2, 0.3), strict=True):
        book.add("users", "users", (key,), users, Unit.COUNT, n=users)
        book.add("outcome_rate", "outcome rate", (key,), rate, Unit.SHARE, n=users)
    found = verify_numbers(text, book.all(), segments=SEGMENTS)
    return [text[one.start : one.end] for one in found.unverified]


@pytest.mark.parametrize(
    "text",
    [
        "By number of users, segment 2 ranks second.",
        "Segment 3 is number 1 of 3 by outcome rate.",
        "On outcome rate, segment 1 is #3 of 3.",
        "Segment 2 is the second largest segment.",
        "| Rank | Segment | Users |\n|---|---|---|\n| 2 | Segment 2 | 90 |",
        "Segment 3 comes last in size.",
    ],
)
def test_a_right_rank_is_verified(text: str) -> None:
    assert unverified(text) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("By number of users, segment 2 ranks first.", "first"),
        ("Segment 3 is number 1 of 4 by outcome rate.", "4"),
        ("On outcome rate, segment 1 is #2 of 3.", "2"),
        ("| Rank | Segment | Users |\n|---|---|---|\n| 3 | Segment 2 | 90 |", "3"),
        ("Segment 2 comes last in size.", "last"),
    ],
)
def test_a_wrong_one_is_not(text: str, wrong: str) -> None:
    assert unverified(text) == [wrong]
