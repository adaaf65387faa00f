"""Eight users in two segments: three and two users each, so that k decides what may go."""

import json
from dataclasses import replace

import pytest

from core.base.errors import InputError
from core.facts import tools
from core.llm import ChatReply, ToolCall
from core.profiles.profile_columns import Col
from core.writing.contract import AssistantSettings, Said
from core.writing.material import evidence, overview
from core.writing.outbox import Outbox
from core.writing.privacy import Payload
from tests.core.facts.toy import figures

ID = "1234567890.1700000001"


def outbox(fewest: int = 1, names: dict[int, str] | None = None) -> Outbox:
    made = figures() if names is None else figures(names)
    return Outbox(made, {ID, "u7"}, AssistantSettings(fewest_users=fewest))


def first(box: Outbox, question: str = "Who?", history: tuple[Said, ...] = ()) -> Payload:
    facts = [*overview(box.figures), *evidence(box.figures, "segment:0")]
    return box.first("Do.", question, facts, history, host="h", model="m")


def test_figures_of_few_users_stay_here_and_cannot_be_cited() -> None:
    box = outbox(fewest=3)
    data = json.loads(first(box).user)
    of = {tuple(fact["of"]) for fact in data["facts"]}
    assert ("S1",) in of  # three users
    assert ("S2",) not in of  # two
    assert {fact["id"] for fact in data["facts"]} == {fact.id for fact in box.sent}
    left_out = [fact for fact in overview(box.figures) if fact.segments == ("segment:1",)]
    assert left_out
    assert all(box.fact(fact.id) is None for fact in left_out)
    assert all(box.figures.book.users(fact) >= 3 for fact in box.sent)


def test_results_of_tools_are_held_to_the_same() -> None:
    box = outbox(fewest=3)
    found = tools.call(box.figures, "list_segments", {})
    told = json.loads(box.result(found.facts))
    assert told["left_out"] == "figures of too few users"
    assert all(box.figures.book.users(fact) >= 3 for fact in box.sent)


def test_a_name_is_told_once() -> None:
    box = outbox()
    names = json.loads(first(box).user)["names"]
    assert names["S1"] == "Sale hunters"
    facts = evidence(box.figures, "segment:0")
    assert json.loads(box.result(facts))["names"] == {}
    more = evidence(box.figures, "segment:1")
    new = json.loads(box.result(more))["names"]
    assert new
    assert names.keys().isdisjoint(new)


def test_facts_that_were_sent_have_numbers_for_names() -> None:
    box = outbox()
    first(box)
    items = {fact.item for fact in box.sent if fact.item}
    assert items
    assert all(item in box.quotes.texts for item in items)
    shown = {fact.item for sent in box.sent if (fact := box.fact(sent.id)) and fact.item}
    assert shown == {box.quotes.texts[item] for item in items}


def test_a_question_with_a_user_id_is_refused() -> None:
    with pytest.raises(InputError, match="user id"):
        first(outbox(), f"What did {ID} do?")


def test_names_and_items_with_a_user_id_stay_here() -> None:
    box = outbox(names={0: f"User {ID}", 1: "Blog readers"})
    fact = evidence(box.figures, "segment:0")[0]
    payload = first(box)
    assert ID not in payload.user
    assert "Blog readers" in payload.user
    assert ID not in box.result([replace(fact, item=f"/u/{ID}")])
    assert ID not in box.problem(InputError(f"There is no {ID}"))


def test_what_the_model_said_goes_back_only_without_a_user_id() -> None:
    box = outbox()
    box.check(ChatReply("Hello", (ToolCall("1", "metric", '{"segment": "S1"}'),)))
    with pytest.raises(InputError):
        box.check(ChatReply(f"The user is {ID}."))
    with pytest.raises(InputError):
        box.check(ChatReply("", (ToolCall("1", "metric", json.dumps({"segment": ID})),)))


def test_a_count_that_is_spelt_like_a_short_id_may_go() -> None:
    made = figures()
    box = Outbox(made, {"3", "2", "8"}, AssistantSettings(fewest_users=1))
    assert any(fact["value"] == "3" for fact in json.loads(first(box).user)["facts"])


def test_earlier_messages_go_without_values() -> None:
    box = outbox()
    fact = overview(box.figures)[0]
    history = (
        Said("user", "Who buys?"),
        Said("assistant", "Segment 1 (Hat lovers of /hats) has [[F1]] users.", (fact,)),
        Said("assistant", "Segment 1 has [[F1]] users, 40 of 50 buy.", (fact,), source="m"),
        Said("user", f"And {ID}?"),
        Said("user", "x" * 5_000),
    )
    earlier = json.loads(first(box, history=history).user)["earlier"]
    assert earlier[:3] == [
        {"asked": "Who buys?"},
        {"answered_with": "users of S1"},
        {"answered": "Segment 1 has ... users, ... of ... buy."},
    ]
    assert len(earlier) == 4
    assert len(earlier[3]["asked"]) <= 402  # an ellipsis becomes three dots


def test_only_the_last_messages_go() -> None:
    history = tuple(Said("user", f"Question {'abcdefghij'[number]}") for number in range(10))
    earlier = json.loads(first(outbox(), history=history).user)["earlier"]
    assert [one["asked"][-1] for one in earlier] == list("efghij")


def test_errors_call_segments_by_their_number() -> None:
    said = outbox().problem(InputError("There is no row", allowed="segment:0, segment:1, all"))
    assert json.loads(said) == {"error": "There is no row. Allowed: S1, S2, all."}


def test_errors_hold_no_value_of_few_users_and_no_name() -> None:
    box = outbox(fewest=3)
    first(box)
    item = next(number for number in box.quotes.texts if number.startswith("P"))
    with pytest.raises(InputError) as unknown:
        tools.call(box.figures, "item_share", {"segment": "all", "dimension": "device", "value": "fridge"})
    values = box.figures.context.tables.profiles.shares[Col.VALUE]
    assert "mobile" in set(values)
    assert not [value for value in values if str(value) in box.problem(unknown.value)]
    page, segment = box.quotes.texts[item], box.figures.context.title("segment:0")
    named = InputError(f"No page is called {page!r} in {segment}")
    assert json.loads(box.problem(named)) == {"error": f"No page is called {item} in S1."}


def test_a_name_with_an_id_that_would_be_cut_stays_here() -> None:
    box = outbox(names={0: f"{'x' * 65} {ID}", 1: "Blog readers"})
    assert ID[:10] not in first(box).user
    assert ID[:10] not in first(box, history=(Said("user", f"{'x' * 390} {ID}"),)).user
