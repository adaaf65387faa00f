"""Whole answers over a real socket: the model is simulated, everything else is the app's."""

import json
import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.facts.answer import MarkKind
from core.facts.render import fill
from core.llm import Capabilities, Usage
from core.questions.answers import ask
from core.writing import AnswerCache, Said, shown
from core.writing.material import MOST_FACTS
from tests.core.facts.shop import shop
from tests.core.writing.simulated import (
    ALL,
    PLAIN,
    PLANS,
    WEAK,
    assisted,
    data_of,
    fact_of,
    facts_of,
    line_value,
    named,
    slot,
)
from tests.llm_simulator import USAGE, Reply, replies

WEAK_BUT_OBEYS = Capabilities(streaming=True, schema=True)
IDEAS = "Campaign ideas for segment 2"
WHY = "Why does segment 2 convert?"
ONE_CALL = Usage(1, USAGE["prompt_tokens"], USAGE["completion_tokens"])
Request = dict[str, Any]


def size(request: Request, _: int = 0) -> Reply:
    return Reply(f"S2 has {slot(request, 'users', 'S2')} users.")


def test_what_the_grammar_can_answer_is_never_sent() -> None:
    with assisted(size) as (assistant, simulator):
        answer = assistant.reply("How many users are in segment 2?")
        again = assistant.answer_offline("How many users are in segment 2?")
    assert simulator.requests == []
    assert answer.source == "rules"
    assert answer.usage.calls == 0
    assert again is not None
    assert again.text == answer.text
    assert answer.text == ask("How many users are in segment 2?", shop().context).text


@pytest.mark.parametrize(
    "question", ["users of segment 42", "Describe segments 42 and 1", "Why does segment 9 not buy?"]
)
def test_a_segment_that_does_not_exist_is_nothing_to_guess_about(question: str) -> None:
    with assisted(size) as (assistant, simulator):
        answer = assistant.reply(question)
    assert answer.declined
    assert "There is no segment" in answer.text
    assert simulator.requests == []


def test_a_model_answers_with_slots_and_names_are_filled_in() -> None:
    with assisted(size) as (assistant, simulator):
        assert assistant.answer_offline(WHY) is None
        answer = assistant.reply(WHY)
    (fact,) = answer.facts
    assert answer.text == f"Segment 2 (Window shoppers) has [[{fact.id}]] users."
    assert (fact.metric, fact.segments) == ("users", ("segment:1",))
    assert fill(answer.text, answer.facts)[0] == f"Segment 2 (Window shoppers) has {fact.text} users."
    assert (answer.source, answer.reason, answer.usage) == ("m", "", ONE_CALL)
    assert answer.cost == pytest.approx((70 * 1 + 30 * 2) / 1e6)
    assert answer.table is not None
    assert answer.table["value"].tolist() == [fact.text]
    assert len(simulator.requests) == 1


def test_the_preview_is_what_is_sent_first() -> None:
    history = [Said("user", "Hello"), Said("assistant", "Hi.", source="m")]
    with assisted(size) as (assistant, simulator):
        payload = assistant.preview(IDEAS, history)
        assert simulator.requests == []
        assistant.reply(IDEAS, history)
    sent = simulator.requests[0]["messages"]
    assert [message["content"] for message in sent] == [payload.system, payload.user]
    assert payload.host in simulator.base_url
    assert payload.price is not None


class TestTools:
    def test_are_run_and_their_facts_may_be_cited(self) -> None:
        def script(request: Request, number: int) -> Reply:
            if number == 0:
                return Reply(calls=(("compare", {"a": "S1", "b": "S3", "metrics": ["sessions_mean"]}),))
            ratio = fact_of(request, "ratio of sessions a user", "S1", "S3")
            word = "more" if float(ratio["value"].removesuffix("×")) > 1 else "fewer"
            return Reply(f"S1 has {word} sessions a user than S3 ([[{ratio['id']}]]).")

        with assisted(script) as (assistant, simulator):
            answer = assistant.reply("Which of them come back, and why?")
        assert answer.reason == ""
        assert answer.facts[0].metric == "ratio:sessions_mean"
        assert answer.facts[0].segments == ("segment:0", "segment:2")
        assert "sessions_mean" in answer.query
        assert answer.usage.calls == 2
        assert {tool["function"]["name"] for tool in simulator.requests[0]["tools"]} >= {"compare", "calc"}
        asked, told = simulator.requests[1]["messages"][2:]
        assert asked["tool_calls"][0]["function"]["name"] == "compare"
        assert told["tool_call_id"] == asked["tool_calls"][0]["id"]

    def test_take_items_by_number_and_derive_only_by_calc(self) -> None:
        def script(request: Request, number: int) -> Reply:
            if number == 0:
                ask_for = {"dimension": "theme", "segment": "S1", "metric": "users", "n": 2}
                return Reply(calls=(("top_items", ask_for), ("list_segments", {})))
            first = next(fact for fact in facts_of(request) if "item" in fact)
            if number == 1:
                share = {"segment": "S2", "dimension": "theme", "value": first["item"], "metric": "share"}
                both = [fact_of(request, "users", key)["id"] for key in ("S1", "S2")]
                return Reply(
                    calls=(
                        ("item_share", share),
                        ("calc", {"op": "sum", "first": both[0], "second": both[1]}),
                    )
                )
            total = slot(request, "sum of users and users", "S1", "S2")
            share = slot(request, "share of users who saw the theme", "S2", item=first["item"])
            return Reply(f"S1 and S2 have {total} users. Of S2's users, {share} saw {first['item']}.")

        with assisted(script) as (assistant, _):
            answer = assistant.reply("What do they look at, and why?")
        sizes = shop().context.tables.segments["users"]
        assert answer.reason == ""
        assert answer.facts[0].value == sizes["segment:0"] + sizes["segment:1"]
        assert answer.facts[1].metric == "share:theme"
        assert f"“{answer.facts[1].item}”" in answer.text

    def test_draw_a_chart(self) -> None:
        def script(request: Request, number: int) -> Reply:
            if number == 0:
                return Reply(calls=(("chart", {"metric": "users", "mark": "bar"}),))
            return size(request)

        with assisted(script) as (assistant, _):
            answer = assistant.reply("Illustrate the sizes, please")
        assert answer.chart is not None
        assert answer.chart["mark"] == "bar"
        assert answer.table is not None
        assert answer.chart["y"]["field"] in answer.table.columns

    @pytest.mark.parametrize(
        ("call", "error"),
        [
            (("drop_table", {}), "There is no tool"),
            (("metric", "{not json"), "no JSON object"),
            (("metric", {"segment": "S77", "metric": "users"}), "There is no row"),
            (("metric", {"segment": "S1", "metric": "secrets"}), "not possible"),
            (("metric", {"segment": "S1"}), "metric"),
        ],
    )
    def test_wrong_calls_are_told_and_change_nothing(self, call: tuple[str, object], error: str) -> None:
        def script(request: Request, number: int) -> Reply:
            return Reply(calls=(call,)) if number == 0 else size(request)

        with assisted(script) as (assistant, simulator):
            answer = assistant.reply(WHY)
        assert answer.reason == ""
        told = json.loads(simulator.requests[1]["messages"][-1]["content"])
        assert error in told["error"]
        assert "segment:" not in told["error"]

    def test_are_at_most_six_and_an_endless_caller_ends_without_the_model(self) -> None:
        with assisted(replies(Reply(calls=(("list_segments", {}),)))) as (assistant, simulator):
            answer = assistant.reply(WHY)
        assert "went on asking for figures" in answer.reason
        assert answer.text == ask(WHY, shop().context).text
        told = [
            json.loads(one["content"]) for one in simulator.requests[-1]["messages"] if one["role"] == "tool"
        ]
        assert sum("facts" in one for one in told) == 6
        assert "No calls are left" in told[6]["error"]

    def test_many_at_once_are_counted_too(self) -> None:
        def script(request: Request, number: int) -> Reply:
            return Reply(calls=(("list_segments", {}),) * 9) if number == 0 else size(request)

        with assisted(script, max_tool_calls=2) as (assistant, simulator):
            assert assistant.reply(WHY).reason == ""
        told = [
            json.loads(one["content"]) for one in simulator.requests[1]["messages"] if one["role"] == "tool"
        ]
        assert [("facts" in one) for one in told] == [True, True, *[False] * 7]


class TestStepsDown:
    def test_a_schema_stands_in_for_tools(self) -> None:
        def script(request: Request, number: int) -> Reply:
            if number == 0:
                call = {"tool": "metric", "segment": "S3", "metric": "sessions_mean"}
                return Reply({"calls": [call]})
            return Reply(f"S3 has {slot(request, 'sessions a user', 'S3')} sessions a user.")

        with assisted(script, PLANS) as (assistant, simulator):
            payload = assistant.preview("Do they come back, and why?")
            answer = assistant.reply("Do they come back, and why?")
        plan, written = simulator.requests
        assert plan["response_format"]["type"] == "json_schema"
        assert [message["content"] for message in plan["messages"]] == [payload.system, payload.user]
        assert "tools" not in written
        assert answer.reason == ""
        assert answer.facts[0].segments == ("segment:2",)
        assert answer.usage.calls == 2

    def test_without_either_all_facts_are_in_the_message(self) -> None:
        with assisted(size, PLAIN) as (assistant, simulator):
            assert assistant.reply("Which one is best?").reason == ""
        (request,) = simulator.requests
        assert "tools" not in request
        assert "response_format" not in request
        assert any("highest" in fact["measure"] for fact in facts_of(request))

    def test_the_server_is_asked_what_it_can_once(self) -> None:
        def script(request: Request, number: int) -> Reply:
            said = str(request["messages"][0]["content"])
            if said.startswith("You write one sentence"):
                return Reply("The shop has [[F1]] visitors.")
            if said.startswith("Choose"):
                return Reply({"colour": "green"})
            if said.startswith("Call the tool"):
                return Reply("I have no tools.")
            return Reply({"calls": []}) if "response_format" in request else size(request)

        with assisted(script, None) as (assistant, simulator):
            assert [assistant.reply(WHY).reason for _ in range(2)] == ["", ""]
        assert len(simulator.requests) == 3 + 2 + 2

    def test_numbers_of_a_weak_model_are_verified_and_others_struck_through(self) -> None:
        def script(request: Request, _: int) -> Reply:
            users = line_value(request, "S2, users")
            return Reply(f"S2 has {users} users. S1 has {users} users.")

        with assisted(script, WEAK) as (assistant, _):
            answer = assistant.reply(IDEAS)
        value = shop().context.tables.segments["users"]["segment:1"]
        assert answer.reason == ""
        assert shown(answer.text, answer.facts, answer.marks) == (
            f"Segment 2 (Window shoppers) has {value} users. "
            f"Segment 1 (Bargain hunters) has ~~{value}~~ (unverified) users."
        )
        assert [fact.segments for fact in answer.facts] == [("segment:1",)]


class TestWeakModels:
    """Neither tools nor slots: little to read, little to write, one try."""

    SEVEN = " ".join(f"Idea {word}." for word in ("red", "big", "cat", "sun", "dog", "sea", "end"))

    def size(self, request: Request) -> str:
        return f"S2 has {line_value(request, 'S2, users')} users. "

    def test_read_what_the_own_answer_says_and_no_more(self) -> None:
        with assisted(replies(Reply("S2 is worth it.")), WEAK_BUT_OBEYS) as (assistant, simulator):
            payload = assistant.preview(IDEAS, [Said("user", "Hello")])
            assistant.reply(IDEAS, [Said("user", "Hello")])
        (request,) = simulator.requests
        assert "tools" not in request
        assert "response_format" not in request
        (data,) = data_of(request)
        assert set(data) == {"question", "facts", "names"}
        assert data["facts"][0] == f"S2, users: {shop().context.tables.segments['users']['segment:1']}"
        assert 4 < len(data["facts"]) <= MOST_FACTS
        assert (
            payload.tokens < 600
        )  # a minute on a slow machine is a thousand tokens to read and a few to write

    def test_are_stopped_after_some_sentences(self) -> None:
        with assisted(lambda request, _: Reply(self.size(request) + self.SEVEN), WEAK) as (assistant, _):
            answer = assistant.reply(IDEAS)
        assert answer.reason == ""
        assert answer.text.endswith("users. Idea red. Idea big. Idea cat.")

    def test_may_say_what_is_whole_when_the_time_is_over(self) -> None:
        def script(request: Request, _: int) -> Reply:
            return Reply(self.size(request) + "The next thing goes on " + "and on " * 100, piece_s=0.3)

        with assisted(script, WEAK, wall_s=5) as (assistant, _):
            answer = assistant.reply(IDEAS)
        assert answer.reason == ""
        assert answer.text.endswith(" users.")

    def test_are_not_shown_without_any_figure_that_holds(self) -> None:
        for said in ("S2 has 999 users. Write to them.", self.SEVEN):
            with assisted(replies(Reply(said)), WEAK) as (assistant, _):
                answer = assistant.reply(IDEAS)
            assert answer.source == "rules"
            assert "without any figure" in answer.reason

    def test_are_not_asked_twice(self) -> None:
        with assisted(replies(Reply("S77 has many users.")), WEAK) as (assistant, simulator):
            answer = assistant.reply(IDEAS)
        assert len(simulator.requests) == 1
        assert answer.reason.endswith("made a statement that no figure of the data backs.")

    def test_compare_with_the_figures_of_the_own_comparison(self) -> None:
        with assisted(replies(Reply("No idea.")), WEAK) as (assistant, simulator):
            answer = assistant.compare("segment:0", "segment:1")
        (data,) = data_of(simulator.requests[0])
        assert len(data["facts"]) == MOST_FACTS
        assert any(" against " in line for line in data["facts"])
        assert "without any figure" in answer.reason


class TestWrongAnswers:
    WRONG = Reply("S2 has 999 users.")

    def test_are_sent_back_once(self) -> None:
        def script(request: Request, number: int) -> Reply:
            return self.WRONG if number == 0 else size(request)

        with assisted(script) as (assistant, simulator):
            answer = assistant.reply(WHY)
        assert answer.reason == ""
        first, complaint = simulator.requests[1]["messages"][-2:]
        assert first == {"role": "assistant", "content": "S2 has 999 users."}
        assert "'999': a number may only be written as [[F…]]" in complaint["content"]

    @pytest.mark.parametrize(
        "said",
        [
            "S2 has 999 users.",
            "S2 has a dozen users.",
            "S2 has [[F99999]] users.",
            "S2 buys twice as often as S1.",
            "S77 is the best.",
            "S2 likes P99999.",
            "Segment 42 is the best.",
        ],
    )
    def test_end_in_the_answer_without_the_model(self, said: str) -> None:
        with assisted(replies(Reply(said))) as (assistant, simulator):
            answer = assistant.reply(WHY)
        assert len(simulator.requests) == 2
        assert answer.source == "rules"
        assert answer.text == ask(WHY, shop().context).text
        assert answer.reason == (
            "The language model 'm' made a statement that no figure of the data backs, twice."
        )
        assert answer.usage.calls == 2

    def test_a_right_value_of_another_segment_is_wrong(self) -> None:
        def script(request: Request, _: int) -> Reply:
            return Reply(f"S1 has {slot(request, 'users', 'S2')} users.")

        with assisted(script) as (assistant, _):
            assert "no figure of the data backs" in assistant.reply(WHY).reason

    def test_an_answer_without_any_figure_is_none(self) -> None:
        with assisted(replies(Reply("People are busy."))) as (assistant, _):
            answer = assistant.reply(WHY)
        assert answer.reason == "The language model 'm' answered without any figure of the data."
        assert answer.source == "rules"

    def test_about_a_named_segment_the_data_still_say_something(self) -> None:
        with assisted(replies(self.WRONG)) as (assistant, _):
            answer = assistant.reply(IDEAS)
        assert answer.text.startswith("Facts for a persona of Segment 2 (Window shoppers).")
        assert not answer.declined


def test_ideas_are_marked_as_suggestions() -> None:
    def script(request: Request, _: int) -> Reply:
        return Reply(
            f"S2 has {slot(request, 'users', 'S2')} users. Greet them by mail. Offer a guide.\n\n"
            "Ideas:\n- Show new tents first.\n"
        )

    with assisted(script) as (assistant, _):
        answer = assistant.reply(IDEAS)
    marked = [answer.text[mark.start : mark.end] for mark in answer.marks]
    assert marked == ["Greet them by mail. Offer a guide.", "Show new tents first."]
    assert {mark.kind for mark in answer.marks} == {MarkKind.SUGGESTION}
    assert "- Show new tents first. *(suggestion)*" in shown(answer.text, answer.facts, answer.marks)


FAILURES = [
    (Reply("slow down", status=429, headers={"Retry-After": "0.01"}), "slow down"),
    (Reply("no such key", status=401), "no such key"),
    (Reply("broken", status=500), "broken"),
    (Reply("S2 has many users.", cut_stream=True), "cut off"),
    (Reply("S2 has many users.", cut=True, streams=False), "gave no answer"),
    (Reply("S2 has", finish="length"), "cut off after"),
    (Reply("S2", finish="content_filter"), "stopped by a filter"),
    (Reply(refusal="I would rather not"), "I would rather not"),
    (Reply(raw="<html>hello</html>"), "gave no answer"),
    (Reply(""), "said nothing"),
]


@pytest.mark.parametrize(("reply", "reason"), FAILURES)
def test_every_failure_ends_in_the_answer_without_the_model(reply: Reply, reason: str) -> None:
    with assisted(replies(reply)) as (assistant, _):
        answer = assistant.reply(WHY)
    assert reason in answer.reason
    assert answer.source == "rules"
    assert answer.text == ask(WHY, shop().context).text


def test_truncated_json_and_an_ignored_schema_are_asked_for_in_words() -> None:
    def script(request: Request, number: int) -> Reply:
        return (
            [Reply('{"calls": ['), Reply("Sure! I would call something."), Reply({"calls": []})][number]
            if (number < 3)
            else size(request)
        )

    with assisted(script, PLANS) as (assistant, simulator):
        assert assistant.reply(WHY).reason == ""
    assert len(simulator.requests) == 4


def test_a_plan_that_never_comes_ends_in_the_answer_without_the_model() -> None:
    with assisted(replies(Reply("Sure!")), PLANS) as (assistant, _):
        assert "not valid twice" in assistant.reply(WHY).reason


def test_a_server_that_is_not_there_is_a_reason() -> None:
    with assisted(size, None) as (assistant, _):
        pass
    answer = assistant.reply(WHY)
    assert "cannot be reached" in answer.reason
    assert answer.text == ask(WHY, shop().context).text


class TestLimits:
    def test_time(self) -> None:
        with assisted(replies(Reply(hang_s=30)), wall_s=5) as (assistant, _):
            limited = replace(assistant, settings=assistant.settings.model_copy(update={"wall_s": 1.0}))
            answer = limited.reply(WHY)
        assert re.search("no answer within|took more than 1 s", answer.reason)

    def test_stop(self) -> None:
        pressed = threading.Event()

        def script(request: Request, _: int) -> Reply:
            pressed.set()
            return Reply(hang_s=30)

        with assisted(script) as (assistant, _):
            answer = assistant.reply(WHY, should_stop=pressed.is_set)
        assert "cancelled" in answer.reason
        assert answer.source == "rules"

    def test_tokens(self) -> None:
        with assisted(size, max_tokens=1_000) as (assistant, simulator):
            answer = assistant.reply(WHY)
        assert "more than 1,000 tokens" in answer.reason
        assert simulator.requests == []


class TestStreaming:
    def test_passes_on_whole_sentences_with_their_values(self) -> None:
        seen: list[str] = []

        def script(request: Request, _: int) -> Reply:
            users = slot(request, "users", "S2")
            return Reply(f"S2 has {users} users. It has {users} users. That is all.")

        with assisted(script) as (assistant, _):
            answer = assistant.reply(WHY, on_text=seen.append)
        users = answer.facts[0].text
        first = f"Segment 2 (Window shoppers) has {users} users."
        assert list(dict.fromkeys(text.strip() for text in seen)) == [first, f"{first} It has {users} users."]

    def test_never_shows_what_does_not_hold(self) -> None:
        seen: list[str] = []

        def script(request: Request, number: int) -> Reply:
            users = slot(request, "users", "S2")
            return Reply(f"S2 has {users} users. S1 has 999 users. S3 has 998 users. Bye.")

        with assisted(script) as (assistant, _):
            answer = assistant.reply(WHY, on_text=seen.append)
        assert answer.source == "rules"
        assert seen
        assert not re.search(r"99[89]", " ".join([*seen, answer.text, answer.reason]))


class TestCache:
    def test_the_same_question_is_free_again(self, tmp_path: Path) -> None:
        def script(request: Request, number: int) -> Reply:
            return Reply(calls=(("list_segments", {}),)) if number == 0 else size(request)

        seen: list[str] = []
        with assisted(script, cache=AnswerCache(tmp_path / "answers")) as (assistant, simulator):
            first = assistant.reply(WHY)
            again = assistant.reply(WHY, on_text=seen.append)
        assert len(simulator.requests) == 2
        assert (again.text, again.facts, again.source) == (first.text, first.facts, "m")
        assert (again.usage.calls, again.cost) == (0, 0.0)

    def test_another_question_other_data_and_another_server_are_asked(self, tmp_path: Path) -> None:
        cache = AnswerCache(tmp_path)
        with assisted(size, cache=cache) as (assistant, simulator):
            assistant.reply(WHY)
            assistant.reply(WHY + " Please.")
            tables = replace(
                assistant.context.tables, basis=replace(assistant.context.tables.basis, key="another")
            )
            replace(assistant, context=replace(assistant.context, tables=tables)).reply(WHY)
            assert len(simulator.requests) == 3
        with assisted(size, cache=cache) as (assistant, simulator):
            assistant.reply(WHY)
            assert len(simulator.requests) == 1

    def test_what_did_not_hold_is_not_kept(self, tmp_path: Path) -> None:
        with assisted(replies(TestWrongAnswers.WRONG), cache=AnswerCache(tmp_path)) as (assistant, simulator):
            assistant.reply(WHY)
            assistant.reply(WHY)
        assert len(simulator.requests) == 4

    def test_plans_are_kept_too(self, tmp_path: Path) -> None:
        def script(request: Request, number: int) -> Reply:
            return Reply({"calls": [{"tool": "list_segments"}]}) if number == 0 else size(request)

        with assisted(script, PLANS, cache=AnswerCache(tmp_path)) as (assistant, simulator):
            assert [assistant.reply(WHY).reason for _ in range(2)] == ["", ""]
        assert len(simulator.requests) == 2


def test_compares_two_segments_and_all() -> None:
    def script(request: Request, number: int) -> Reply:
        return Reply(f"S1 has {slot(request, 'users', 'S1')} users, S2 {slot(request, 'users', 'S2')}.")

    with assisted(script, ALL) as (assistant, simulator):
        both, everyone = assistant.compare("segment:0", "segment:1"), assistant.compare()
    assert [answer.reason for answer in (both, everyone)] == ["", ""]
    assert [fact.segments for fact in both.facts] == [("segment:0",), ("segment:1",)]
    assert all("tools" not in request for request in simulator.requests)
    assert "Compare S1 and S2" in simulator.requests[0]["messages"][1]["content"]
    assert named(simulator.requests[1], "Bargain hunters") == "S1"


def test_the_preview_of_a_comparison_is_what_is_sent() -> None:
    with assisted(replies(Reply("They differ.")), ALL) as (assistant, simulator):
        previews = [assistant.preview_comparison("segment:0", "segment:1"), assistant.preview_comparison()]
        assert not simulator.requests
        assistant.compare("segment:0", "segment:1")
        assistant.compare()
    sent = [request["messages"][1]["content"] for request in simulator.requests]
    assert [preview.user for preview in previews] == sent[:2]


def test_a_comparison_falls_back_on_the_one_without_a_model() -> None:
    with assisted(replies(Reply("S1 is 3 times as good."))) as (assistant, _):
        answer = assistant.compare("segment:0", "segment:1")
    assert answer.text.startswith("Segment 1 (Bargain hunters) against Segment 2 (Window shoppers).")
    assert "no figure of the data backs" in answer.reason


@pytest.mark.parametrize("can", [ALL, PLANS])
def test_the_preview_holds_the_tools_or_the_shape_of_a_plan(can: Capabilities) -> None:
    def script(request: Request, _: int) -> Reply:
        return Reply({"calls": []}) if "response_format" in request else size(request)

    with assisted(script, can) as (assistant, simulator):
        payload = assistant.preview(WHY)
        assistant.reply(WHY)
    sent = simulator.requests[0]
    if can is ALL:
        assert json.loads(payload.schemas) == [one["function"] for one in sent["tools"]]
    else:
        shape = sent["response_format"]["json_schema"]["schema"]
        assert json.loads(payload.schemas)["properties"].keys() == shape["properties"].keys()
    assert payload.schemas in payload.text


def test_a_stream_without_an_end_is_ended_by_the_limit_of_tokens() -> None:
    with assisted(lambda *_: Reply("S2 is S2. " * 10_000), PLAIN, max_tokens=6_000) as (assistant, simulator):
        answer = assistant.reply(WHY)
    assert "more than 6,000 tokens" in answer.reason
    assert len(simulator.requests) == 1


def test_all_requests_that_an_object_may_take_have_to_be_within_the_limit() -> None:
    with assisted(size, PLANS) as (assistant, simulator):
        once = assistant.preview(WHY).tokens
        limit = assistant.settings.model_copy(update={"max_tokens": 2 * once})
        answer = replace(assistant, settings=limit).reply(WHY)
    assert "more than" in answer.reason
    assert simulator.requests == []
