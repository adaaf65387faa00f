"""Segment 1 has 120 users and 12 buyers, segment 2 has 90 and 9; there are 210 users."""

import pytest

from core.facts.answer import Fact, Unit
from core.writing.prose.assignment import assigned
from core.writing.prose.claims import claims_of, has_value, numerals_of, units_of
from core.writing.prose.mentions import Lexicon, Mention
from core.writing.prose.reading import read
from core.writing.prose.sentence import Place
from core.writing.prose.ties import Said, Tie

FACTS = (
    Fact("F1", "users", "users", ("segment:0",), 120, Unit.COUNT, "120"),
    Fact("F2", "users", "users", ("segment:1",), 90, Unit.COUNT, "90"),
    Fact("F3", "outcome_users", "converted users", ("segment:0",), 12, Unit.COUNT, "12"),
    Fact("F4", "outcome_users", "converted users", ("segment:1",), 9, Unit.COUNT, "9"),
    Fact("F5", "users", "users", ("all",), 210, Unit.COUNT, "210"),
)
LEXICON = Lexicon(FACTS, {"segment:0": ("Hunters",), "segment:1": ("Readers",)})


def places(text: str, names: list[Mention]) -> list[Place]:
    return [Place(one.start, one.end) for one in numerals_of(text, names)]


def facts_of(text: str) -> list[str]:
    """Id of the fact that each value of a text is given; empty for none."""
    ties = []
    for part in read(text, LEXICON, places):
        for one in numerals_of(part.sentence.text, part.sentence.mentions):
            claims = [claim for fact in FACTS for claim in claims_of(fact) if has_value(claim, one, "")]
            said = Said(Place(one.start, one.end), claims, units_of(one))
            ties.append(Tie(part.sentence, said, LEXICON, []))
    return [claim.fact.id if claim else "" for claim in assigned(ties)]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Hunters have 120 users and 12 buyers.", ["F1", "F3"]),
        ("Hunters have 120 users, Readers 90.", ["F1", "F2"]),
        ("Hunters have 12 users.", [""]),
        ("Hunters have 90 users.", [""]),
        ("Hunters have 77 users.", [""]),
        ("Hunters: 12 of 120 users.", ["F3", "F1"]),
        ("Hunters have 12 buyers, out of 210 users in total.", ["F3", "F5"]),
        ("Hunters have 12 buyers, out of 90 users in total.", ["F3", ""]),
    ],
)
def test_each_value_gets_the_fact_that_it_reads_as(text: str, ids: list[str]) -> None:
    assert facts_of(text) == ids


def test_of_two_equal_values_of_a_sentence_one_is_wrong() -> None:
    assert facts_of("Hunters have 120 users, Readers 120 users.") == ["F1", ""]
    assert facts_of("Hunters have 120 users and 120 users.") == ["", ""]


def test_a_fact_may_be_said_again_but_not_of_another_segment() -> None:
    assert facts_of("Hunters have 120 users. Hunters are 120 users.") == ["F1", "F1"]
    assert facts_of("Hunters have 120 users. Readers have 120 users.") == ["F1", ""]


def test_what_is_said_of_several_segments_has_to_hold_for_each() -> None:
    assert facts_of("Hunters and Readers have 120 users.") == [""]
