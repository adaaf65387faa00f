import pytest

from core.facts.answer import MarkKind
from core.writing.checking import Checker, Draft, streamed
from core.writing.contract import AssistantSettings
from core.writing.material import evidence, overview
from core.writing.outbox import Outbox
from tests.core.facts.toy import NAMES, figures


def checker(*, slots: bool = True, names: dict[int, str] | None = None) -> tuple[Checker, dict[str, str]]:
    """With the id of the users of each segment, and the number of a page."""
    box = Outbox(figures(names or NAMES), (), AssistantSettings(fewest_users=1))
    facts = [*overview(box.figures), *evidence(box.figures, "segment:0")]
    box.first("Do.", "Who?", facts, host="h", model="m")
    ids = {key: next(f.id for f in facts if f.metric == "users" and f.segments == (key,)) for key in
           ("segment:0", "segment:1")}  # fmt: skip
    page = next(number for number, text in box.quotes.texts.items() if text == "/sale")
    return Checker(box, "Who?", slots=slots), {"one": ids["segment:0"], "two": ids["segment:1"], "page": page}


def draft(text: str, **options: bool) -> Draft:
    made, ids = checker(**options)
    return made.draft(text.format(**ids))


def test_names_stand_in_place_of_numbers() -> None:
    made = draft("Segment S1 has [[{one}]] users. Show them page {page}.")
    assert not made.complaint
    assert made.text.startswith("Segment 1 (Sale hunters) has [[")
    assert made.text.endswith("Show them “/sale”.")
    assert [(made.text[one.start : one.end], one.kind) for one in made.marks] == [
        ("Show them “/sale”.", MarkKind.SUGGESTION)
    ]


@pytest.mark.parametrize("text", ["P999 is nice.", "S9 is nice.", "S0 is nice.", "S1 has [[{two}]] users."])
def test_what_does_not_exist_or_is_of_another_may_not_be_shown(text: str) -> None:
    assert draft(text).complaint


def test_a_name_that_speaks_of_numbers_hides_none() -> None:
    made, ids = checker(names={0: "Twice as many", 1: "Has 999 users"})
    assert made.draft(f"S2 has [[{ids['two']}]] users.").complaint == ""
    assert "999" in made.draft("S2 has 999 users.").complaint
    assert made.draft("S1 has twice as many users as S2.").complaint


def test_without_slots_numbers_are_looked_for_in_the_facts() -> None:
    made = draft("S1 has 3 users. S2 has 3 users.", slots=False)
    assert [made.text[one.start : one.end] for one in made.marks] == ["3"]
    assert made.markdown.endswith("Segment 2 (Blog readers) has ~~3~~ (unverified) users.")
    assert [fact.segments for fact in made.facts] == [("segment:0",)]


def test_slots_are_checked_where_they_are_written_all_the_same() -> None:
    assert draft("S1 has [[{one}]] users.", slots=False).facts
    assert draft("S1 has [[{two}]] users.", slots=False).complaint


def test_sentences_without_a_fact_are_suggestions_line_by_line() -> None:
    made = draft("Ideas:\n- Write. Call.\n- S1 has [[{one}]] users.\n1. Wait.\n")
    assert [made.text[one.start : one.end] for one in made.marks] == ["Write. Call.", "Wait."]


def test_hidden_characters_are_dropped() -> None:
    assert draft("Wri\u200bte\u202e.").text == "Write."


def test_a_stream_waits_for_the_end_of_a_sentence_and_for_the_check() -> None:
    made, ids = checker()
    seen: list[str] = []
    part = streamed(made, seen.append)
    assert part is not None
    said = f"S1 has [[{ids['one']}]] users. S2 has 999 users. Bye."
    for length in range(1, len(said) + 1):
        part(said[:length])
    assert seen == ["Segment 1 (Sale hunters) has 3 users."]
    assert streamed(made, None) is None
