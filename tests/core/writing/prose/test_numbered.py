"""Segments by number, in ranges, in a row, in short and by ordinal."""

import pytest

from core.writing.prose.numbered import find_numbered


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Segment 2 has 90 users.", [2]),
        ("segments 1, 2 and 4", [1, 2, 4]),
        ("segments 1 to 4", [1, 2, 3, 4]),
        ("Buyers per segment (1–3)", [1, 2, 3]),
        ("the first three segments", [1, 2, 3]),
        ("S3 and #2", [3, 2]),
        ("the third segment", [3]),
        ("the fifth segment, Readers, has 90 users, and the sixth, Hunters, has 80", [5, 6]),
    ],
)
def test_finds(text: str, numbers: list[int]) -> None:
    found = list(find_numbered(text))
    assert [one.number for one in found] == numbers
    assert all(0 <= one.start < one.end <= len(text) for one in found)


@pytest.mark.parametrize(
    "text",
    [
        "the second largest segment",
        "It is #3 of 8.",
        "our #2 segment by size",
        "Ranked by size, it is the third segment.",
    ],
)
def test_a_place_in_a_ranking_is_no_number(text: str) -> None:
    assert list(find_numbered(text)) == []
