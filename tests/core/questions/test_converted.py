"""Questions about who has the outcome."""

import pytest

from core.facts.answer import FigureList, Note
from core.questions.grammar import parse
from core.questions.parsed import AT_ANY_TIME, CONVERTED, beside_outcome, of_converted
from tests.core.facts.toy import context, figures

WITH, BOTH = ["outcome:with"], ["outcome:with", "outcome:without"]


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("which source brings the buyers", WITH),
        ("what do people who buy look at", WITH),
        ("sessions of buyers", WITH),
        ("do buyers view more pages than the others", BOTH),
        ("how do buyers differ", BOTH),
    ],
)
def test_they_are_a_row_alone_or_against_the_others(question: str, rows: list[str]) -> None:
    read = of_converted(parse(question, context()), context())
    assert read is not None
    assert (read.rows, "outcome_users" in read.measures) == (rows, False)


@pytest.mark.parametrize(
    "question",
    ["buyers of segment 1", "which segment has the most buyers", "how long does it take to buy", "top pages"],
)
def test_some_of_a_segment_or_none_are_no_such_row(question: str) -> None:
    assert of_converted(parse(question, context()), context()) is None


def test_before_buying_is_not_told_from_after() -> None:
    read = of_converted(parse("which pages do buyers see before buying", context()), context())
    assert read is not None
    assert "before" not in read.cues
    assert read.notes[-1] == AT_ANY_TIME


def test_that_all_of_them_converted_is_no_news() -> None:
    rate, views = (figures().needed("all", name) for name in ("outcome_rate", "page_views"))
    blocks = (FigureList(facts=(rate, views)), FigureList(facts=(rate,)))
    assert beside_outcome(blocks) == (FigureList(facts=(views,)),)
    assert beside_outcome(blocks[1:]) == (Note(text=CONVERTED),)
