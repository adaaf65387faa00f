"""All segments, listed."""

from core.facts.answer import FigureList
from core.facts.segment_tools import list_segments
from tests.core.facts.toy import figures


def test_all_segments_with_their_sizes() -> None:
    count, sizes = list_segments(figures()).blocks
    assert isinstance(count, FigureList)
    assert isinstance(sizes, FigureList)
    assert [(fact.measure, fact.value) for fact in count.facts] == [("segments", 2)]
    assert [(fact.row, fact.text) for fact in sizes.facts if fact.measure == "users"] == [
        ("segment:0", "3"), ("segment:1", "2"), ("group:one_page", "2"), ("group:bot_like", "1"),
    ]  # fmt: skip
