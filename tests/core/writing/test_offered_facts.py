"""Eight users in two segments: three and two users each, so that k decides what may go."""

import json
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from core.base.errors import InputError
from core.facts.answer import Answer, Fact, FigureList
from core.facts.segment_tools import compare
from core.llm import ChatReply, ToolCall
from core.profiles.profile_columns import Col
from core.writing import figure_tools
from core.writing.assistant import evidence, overview
from core.writing.payload import (
    MAX_OFFERED,
    AssistantSettings,
    EarlierQuestion,
    OfferedFacts,
    is_few,
    key_of_message,
    message_key,
)
from tests.core.facts.shop import shop_figures
from tests.core.facts.toy import NAMES, context, figures

ID = "1234567890.1700000001"


def offered_facts(
    fewest: int = 1, names: Mapping[int, str] = NAMES, ids: Collection[str] = (ID,), **more: object
) -> OfferedFacts:
    return OfferedFacts(figures(names), ids, AssistantSettings(fewest_users=fewest, **more))


def asked(
    box: OfferedFacts,
    question: str = "Who buys?",
    facts: list[Fact] | None = None,
    history: tuple[EarlierQuestion, ...] = (),
) -> dict[str, Any]:
    given = [*overview(box.figures), *evidence(box.figures, "segment:0")] if facts is None else facts
    return json.loads(box.question(question, given, history))


def test_addresses_go_and_neither_values_nor_names_in_them() -> None:
    box = offered_facts()
    data = asked(box)
    assert {"S1.users", "S2.share", "all.users"} <= set(data["facts"])
    assert data["measures"]["share"] == "share of all users"
    assert data["names"]["S1"] == "Sale hunters"
    items = [address.split(".")[2] for address in data["facts"] if address.count(".") == 2]
    assert all(item in data["names"] or item in box.rows for item in items)
    assert not any("/" in address or " " in address for address in data["facts"])
    assert set(box.offered) == set(data["facts"])


def test_values_go_where_the_analyst_agrees() -> None:
    told = asked(offered_facts(send_values=True))["facts"]
    assert told["S1.users"] == "3"
    assert isinstance(asked(offered_facts())["facts"], list)


def test_no_figure_of_few_users_or_of_all_but_few_is_offered() -> None:
    for fewest in (1, 2, 3, 4):
        box = offered_facts(fewest)
        asked(box)
        assert not [fact for fact in box.offered.values() if is_few(box.figures, fact, fewest)]
    assert "S2.users" not in asked(offered_facts(3))["facts"]
    assert "S1.users" in asked(offered_facts(3))["facts"]


def test_a_total_that_gives_a_part_away_has_no_value() -> None:
    made = shop_figures()
    smallest = min(int(made.context.row(key)[Col.USERS]) for key in made.context.keys)
    box = OfferedFacts(made, (), AssistantSettings(fewest_users=smallest + 1, send_values=True))
    told = json.loads(box.question("?", overview(made)))["facts"]
    assert told["all.users"] is None
    assert told["S1.share"] is None
    assert told["S1.users"] is not None
    before = OfferedFacts(made, (), AssistantSettings(fewest_users=smallest, send_values=True))
    assert json.loads(before.question("?", overview(made)))["facts"]["all.users"] == "697"


def test_what_was_told_is_not_told_again_and_no_more_than_may_be_offered() -> None:
    box = offered_facts()
    first = asked(box)
    again = json.loads(box.result(box.offered.values()))
    assert again["facts"] == first["facts"]
    assert (again["measures"], again["names"]) == ({}, {})
    few = OfferedFacts(figures(), (), AssistantSettings(fewest_users=1), most=3)
    data = json.loads(few.question("?", overview(few.figures)))
    assert len(data["facts"]) == 3
    assert data["left_out"]
    assert MAX_OFFERED < 250


def test_no_order_and_no_number_tells_a_value() -> None:
    """Facts in whatever order are written in one; neither how items are numbered follows theirs."""
    made = shop_figures()
    facts = [*overview(made), *evidence(made, "segment:1"), *evidence(made, "segment:0")]
    history = (EarlierQuestion("?", Answer((FigureList(facts=tuple(overview(made)[::3])),))),)
    turned = (EarlierQuestion("?", Answer((FigureList(facts=tuple(overview(made)[::3][::-1])),))),)
    boxes = [OfferedFacts(made, (), AssistantSettings(fewest_users=1)) for _ in range(2)]
    assert boxes[0].question("?", facts, history) == boxes[1].question("?", facts[::-1], turned)


def test_how_two_rows_stand_to_each_other_is_never_offered() -> None:
    made = shop_figures()
    told = compare(made, a="segment:0", b="segment:3").facts
    assert any(fact.is_relation for fact in told)
    sent = []
    for facts in (told, [fact for fact in told if not fact.is_relation]):
        history = (EarlierQuestion("?", Answer((FigureList(facts=tuple(facts)),))),)
        box = OfferedFacts(made, (), AssistantSettings(fewest_users=1))
        sent.append(box.question("?", [*facts, *made.nearest("segment:0", 2)], history))
    assert sent[0] == sent[1]
    assert ".distance." in sent[0]
    assert "ratio" not in sent[0]


def test_of_a_query_neither_a_value_nor_its_words_go() -> None:
    box = OfferedFacts(shop_figures(), (), AssistantSettings(fewest_users=20, send_values=True))
    saw = {"kind": "did", "steps": [{"kind": "page", "any_of": ["/cart"]}]}
    found = figure_tools.call(box.figures, "query", {"measure": "share", "of": saw, "by": "device"}).facts
    told = json.loads(box.result(found))
    assert 1 <= len(told["facts"]) <= len(found)
    assert {*told["facts"].values()} == {None}
    ((measure, label),) = told["measures"].items()
    assert (measure[:12], label) == ("query_share_", "share, as asked by query")
    few = [fact for fact in found if min(fact.value, 1 - fact.value) * fact.n < 20]
    assert not {*few} & {*box.offered.values()}


def test_only_names_of_what_is_offered_go() -> None:
    made, offered_first = shop_figures(), 3
    box = OfferedFacts(made, (), AssistantSettings(fewest_users=1), most=offered_first)
    data = json.loads(box.question("?", evidence(made, "segment:1")[::-1]))
    used = {part for address in data["facts"] for part in address.split(".")}
    assert len(data["facts"]) == offered_first
    assert set(data["names"]) <= used
    few = OfferedFacts(made, (), AssistantSettings(fewest_users=10_000))
    assert json.loads(few.question("?", evidence(made, "segment:1")))["names"] == {}


def test_a_user_id_never_goes() -> None:
    box = offered_facts(names={0: f"{'x' * 65} {ID}", 1: "Blog readers"})
    with pytest.raises(InputError, match="user id"):
        asked(box, f"What did {ID} do?")
    data = asked(box)
    assert data["names"]["S2"] == "Blog readers"
    assert "S1" not in data["names"]
    fact = box.figures.needed("segment:1", Col.USERS).model_copy(
        update={"item": f"/u/{ID}", "measure": "share:page"}
    )
    assert ID not in box.result([fact])
    assert ID not in box.problem(InputError(f"There is no {ID}"))
    for reply in (
        ChatReply(f"The user is {ID}."),
        ChatReply("", (ToolCall("1", "topic", json.dumps({"segments": [ID]})),)),
    ):
        with pytest.raises(InputError):
            box.check(reply)
    box.check(ChatReply("Hello", (ToolCall("1", "topic", '{"segments": ["S1"]}'),)))


def test_of_earlier_answers_only_addresses_go() -> None:
    box = offered_facts(fewest=3)
    facts = (box.figures.needed("segment:0", Col.USERS), box.figures.needed("segment:1", Col.USERS))
    gone = facts[0].model_copy(update={"segments": ("segment:9",)})
    history = (
        EarlierQuestion("Too old"), EarlierQuestion("Who buys?", Answer((FigureList(facts=(*facts, gone)),))),
        EarlierQuestion(f"And {ID}?"),
        EarlierQuestion("x" * 5_000),
    )  # fmt: skip
    earlier = asked(box, history=history)["earlier"]
    assert earlier[0] == {"asked": "Who buys?", "shown": ["S1.users"]}
    assert len(earlier) == 2
    assert len(earlier[1]["asked"]) <= 400


def test_errors_hold_no_value_of_few_users_and_no_name() -> None:
    box = offered_facts(fewest=3)
    asked(box)
    said = box.problem(InputError("There is no row", allowed="segment:0, segment:1, all"))
    assert json.loads(said) == {"error": "There is no row. Allowed: S1, S2, all."}
    item = next(number for number in box.quotes.texts if number.startswith("P"))
    page, segment = box.quotes.texts[item], context().title("segment:0")
    named = InputError(f"No page is called {page!r} in {segment}")
    assert json.loads(box.problem(named)) == {"error": f"No page is called {item} in S1."}


def test_rows_and_items_are_named_by_number() -> None:
    box = offered_facts()
    number = box.quotes.id_of("P", "/cart")
    of_segment = {"kind": "is", "dimension": "segment", "any_of": ["S2", "segment 3"]}
    saw = {"kind": "did", "steps": [{"kind": "page", "any_of": [number, "/x"]}], "times": None}
    asked = {"measure": "users", "where": {"kind": "all", "of": [of_segment, saw]}, "limit": 3}
    assert box.own_terms(asked) == {
        "measure": "users", "limit": 3,
        "where": {"kind": "all", "of": [
            {"kind": "is", "dimension": "segment", "any_of": ["segment:1", "segment:2"]},
            {"kind": "did", "steps": [{"kind": "page", "any_of": ["/cart", "/x"]}]},
        ]},
    }  # fmt: skip
    assert box.own_terms({"topic": "describe", "segments": ["S1", "all"]}) == {
        "topic": "describe", "segments": ["segment:0", "all"],
    }  # fmt: skip
    assert [key_of_message(message_key(key)) for key in box.figures.context.keys] == list(
        box.figures.context.keys
    )
