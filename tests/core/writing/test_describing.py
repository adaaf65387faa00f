from typing import Any

import pytest

from core.base.errors import InputError
from core.facts.render import fill
from core.writing.describing import offline, taken
from tests.core.facts.shop import shop, shop_figures
from tests.core.writing.simulated import WEAK, assisted, fact_of, facts_of, line_value, slot
from tests.llm_simulator import Reply, Script, replies

KEY = "segment:1"
Request = dict[str, Any]


def described(request: Request, **changes: object) -> Reply:
    users = fact_of(request, "users", "S2")
    return Reply({
        "name": "Tent lovers", "summary": f"S2 has [[{users['id']}]] users.", "distinguishing": [users["id"]],
        "caveats": ["The time is short."], "action": "Show S2 tents first.", **changes,
    })  # fmt: skip


def test_one_call_gives_all_of_it() -> None:
    with assisted(lambda request, _: described(request)) as (assistant, simulator):
        made = assistant.describe(KEY)
    (request,) = simulator.requests
    assert request["response_format"]["type"] == "json_schema"
    assert made.name == "Tent lovers"
    assert made.summary.text == f"Segment 2 (Window shoppers) has [[{made.distinguishing[0]}]] users."
    assert fill(made.summary.text, made.summary.facts)
    assert made.caveats == ("The time is short.",)
    assert made.action == "Show Segment 2 (Window shoppers) tents first."
    assert (made.summary.source, made.summary.reason, made.usage.calls) == ("m", "", 1)
    others = {tuple(fact["of"]) for fact in facts_of(request) if "item" in fact}
    assert len(others) >= 3  # its own, and those of the segments it is to be told apart from


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Bargain hunters"},
        {"name": "Taken already"},
        {"name": "One two three four five six"},
        {"name": "Top 10 buyers"},
        {"name": "Most profitable buyers"},
        {"name": ""},
        {"summary": "S2 has 99 users."},
        {"distinguishing": ["F99999"]},
        {"caveats": ["Only 99 of them were counted."]},
        {"action": "Sell 3 tents."},
        {"action": "[[F1]]"},
    ],
)
def test_a_mistake_is_sent_back_once_and_then_ends_without_the_model(wrong: dict[str, object]) -> None:
    with assisted(lambda request, n: described(request, **(wrong if n == 0 else {}))) as (
        assistant,
        simulator,
    ):
        made = assistant.describe(KEY, taken=["Taken already"])
        assert (made.name, made.summary.reason) == ("Tent lovers", "")
    assert "cannot be shown" in simulator.requests[1]["messages"][1]["content"]
    with assisted(lambda request, _: described(request, **wrong)) as (assistant, simulator):
        made = assistant.describe(KEY, taken=["Taken already"])
    assert len(simulator.requests) == 2
    assert made.summary.source == "rules"
    assert "no figure of the data backs" in made.summary.reason
    assert made.name not in ("", "Bargain hunters", "Taken already")


@pytest.mark.parametrize(
    "reply", [Reply('{"name": "Te', finish="length"), Reply("no", status=500), Reply("")]
)
def test_every_failure_ends_without_the_model(reply: Reply) -> None:
    with assisted(replies(reply)) as (assistant, _):
        made = assistant.describe(KEY)
    without = offline(shop_figures(), KEY, taken(shop_figures(), KEY, ()))
    texts = [fill(one.summary.text, one.summary.facts)[0] for one in (made, without)]
    assert made.summary.reason
    assert made.name == without.name
    assert texts[0] == texts[1]
    assert made.action == ""


@pytest.mark.parametrize(
    ("summary", "is_shown", "reason"),
    [
        ("S2 has {users} users.", True, ""),
        ("S2 has {users} users. Its pages are the", True, ""),
        ("S2 has {users} users, not 99.", False, "made a statement that no figure of the data backs"),
        ("S2, users: {users}, S2, page views a", False, "did not come to the end of a sentence"),
    ],
)
def test_words_of_a_weak_model_are_verified_and_whole(summary: str, is_shown: bool, reason: str) -> None:
    def script(request: Request, _: int) -> Reply:
        users = line_value(request, "S2, users")
        return Reply({"name": "Tent lovers", "summary": summary.format(users=users)})

    with assisted(script, WEAK) as (assistant, _):
        made = assistant.describe(KEY)
    assert reason in made.summary.reason
    assert (made.summary.source == "m", made.name == "Tent lovers") == (is_shown, is_shown)
    assert made.summary.text.endswith("users.") == is_shown


def test_a_weak_model_whose_name_may_not_stand_gets_ours_and_one_that_says_nothing_is_not_used() -> None:
    def sketch(summary: str) -> Script:
        return lambda request, _: Reply(
            {"name": "S2", "summary": summary.format(line_value(request, "S2, users"))}
        )

    without = offline(shop_figures(), KEY, taken(shop_figures(), KEY, ()))
    with assisted(sketch("S2 has {} users."), WEAK) as (assistant, simulator):
        made = assistant.describe(KEY)
    assert (made.name, made.summary.source) == (without.name, "m")
    assert len(simulator.requests) == 1
    with assisted(sketch("They are nice."), WEAK) as (assistant, _):
        made = assistant.describe(KEY)
    assert made.summary.source == "rules"
    assert "without any figure" in made.summary.reason


def test_without_a_model_the_name_is_free_and_the_lifts_stand_out() -> None:
    figures = shop_figures()
    first = offline(figures, KEY, taken(figures, KEY, ()))
    second = offline(figures, KEY, taken(figures, KEY, [first.name]))
    assert first.name != second.name == "Segment 2"
    known = {fact.id: fact for fact in first.summary.facts}
    assert first.distinguishing
    assert all(known[name].comparison for name in first.distinguishing)


def test_the_preview_is_what_is_sent_first() -> None:
    with assisted(lambda request, _: described(request)) as (assistant, simulator):
        payload = assistant.preview_description(KEY)
        assert simulator.requests == []
        assistant.describe(KEY)
    sent = simulator.requests[0]["messages"]
    assert [message["content"] for message in sent] == [payload.system, payload.user]


def test_only_a_segment_can_be_described() -> None:
    with assisted(lambda request, _: described(request)) as (assistant, simulator):
        for key in ("segment:99", "all"):
            with pytest.raises(InputError):
                assistant.describe(key)
    assert simulator.requests == []


def test_names_that_are_taken_are_those_of_the_others() -> None:
    names = shop().context.names
    assert taken(shop_figures(), KEY, ["Mine"]) == {
        "mine", *(name.casefold() for number, name in names.items() if number != 1)
    }  # fmt: skip


def test_a_value_of_another_segment_does_not_hold() -> None:
    def script(request: Request, _: int) -> Reply:
        return described(request, summary=f"S2 has {slot(request, 'users', 'S1')} users.")

    with assisted(script) as (assistant, _):
        assert assistant.describe(KEY).summary.source == "rules"
