"""Values in their places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import InputError
from core.facts.answer import Unit
from core.facts.fact_book import FactBook, slot
from core.facts.render import cited, fill

BOOK = FactBook()
USERS = BOOK.add("users", "users", ("all",), 1204, Unit.COUNT)
RATE = BOOK.add("outcome_rate", "outcome rate", ("all",), 0.0221, Unit.SHARE, digits=2)


def test_slots_become_values_and_spans_find_them() -> None:
    text, spans = fill(f"{slot(USERS)} users, {slot(RATE)} of them, again {slot(USERS)}.", BOOK.all())
    assert text == "1,204 users, 2.21% of them, again 1,204."
    assert [text[span.start : span.end] for span in spans] == ["1,204", "2.21%", "1,204"]
    assert [span.fact for span in spans] == [USERS, RATE, USERS]


def test_a_fact_of_another_turn_is_refused() -> None:
    with pytest.raises(InputError, match="F9, which is no fact of this turn"):
        fill("[[F9]]", BOOK.all())


def test_a_value_that_looks_like_a_slot_is_not_filled_again() -> None:
    book = FactBook()
    name = book.add("name", "name", (), "[[F2]]", Unit.TEXT)
    assert fill(slot(name), book.all())[0] == "[[F2]]"


def test_cited_ids_once_in_order() -> None:
    assert cited("[[F2]] and [[F1]] and [[F2]], not [F3] or [[X1]]") == ("F2", "F1")


@given(st.lists(st.sampled_from([slot(USERS), slot(RATE), "x", " ", "[[", "]]"])))
def test_spans_always_hold_the_values(parts: list[str]) -> None:
    text, spans = fill(" ".join(parts), BOOK.all())
    assert all(text[span.start : span.end] == span.fact.text for span in spans)
    assert len(spans) == sum(part.startswith("[[F") for part in parts)
