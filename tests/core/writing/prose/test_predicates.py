"""What is counted: outcome rates of two segments, and which of their users saw /blog."""

import pytest

from core.facts.answer import Fact, Unit
from core.writing.prose.mentions import Lexicon
from core.writing.prose.predicates import is_of_something_else
from core.writing.prose.reading import read
from core.writing.prose.sentence import Place
from core.writing.prose.verify import verify_numbers

FACTS = (
    Fact("F1", "outcome_rate", "outcome rate", ("segment:0",), 0.124, Unit.SHARE, "12.4%"),
    Fact("F2", "share:page", "share that saw it", ("segment:0",), 0.402, Unit.SHARE, "40.2%", item="/blog"),
)
SEGMENTS = {"segment:0": ("Segment 1", "Hunters"), "segment:1": ("Segment 2",)}
LEXICON = Lexicon(FACTS, SEGMENTS)


def is_unknown(text: str) -> bool:
    (part,) = read(text, LEXICON, lambda said, _: [])
    start = part.sentence.text.index("12.4 %")
    (part,) = read(text, LEXICON, lambda said, _: [Place(start, start + len("12.4 %"))])
    return is_of_something_else(part.sentence, part.sentence.values[0], LEXICON.is_share)


@pytest.mark.parametrize(
    "text",
    [
        "12.4 % of segment 1 are women.",
        "In segment 1, 12.4 % are women.",
        "12.4 % of Hunters' users own a dog.",
        "12.4 % of users in segment 1 have children.",
        "12.4 % of its visitors come back within a week.",
    ],
)
def test_what_nobody_counted(text: str) -> None:
    assert is_unknown(text)


@pytest.mark.parametrize(
    "text",
    [
        "12.4 % of them buy.",
        "12.4 % of segment 1 go on to place an order.",
        "12.4 % of segment 1 pay.",
        "12.4 % of segment 1 complete checkout.",
        "12.4 % of segment 1 saw /blog.",
        "12.4 % of them are in segment 1.",
        "12.4 %, or 15 of 120 users.",
        "12.4 % of cases.",
        "12.4 % of users in segment 1 did.",
    ],
)
def test_what_somebody_did_or_may_have(text: str) -> None:
    assert not is_unknown(text)


def test_such_a_percentage_is_not_verified() -> None:
    def is_fine(text: str) -> bool:
        return verify_numbers(text, FACTS, segments=SEGMENTS).ok

    assert is_fine("12.4 % of segment 1 buy.")
    assert not is_fine("12.4 % of segment 1 are women.")
    assert not is_fine("The outcome rate of segment 1 is known. 12.4 % of its users are women.")
    assert is_fine("/blog matters to segment 1: 40.2 % of its users went there.")
