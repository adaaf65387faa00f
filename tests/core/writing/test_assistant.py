"""Whole answers over a real socket: the model is simulated, everything else is the app's."""

import json
import re
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.facts.answer import Answer, Block, Chart, Comment, Contrast, FigureList, Idea, Ranking
from core.facts.sentences import plain
from core.llm import Capabilities, Usage
from core.questions.answers import ask
from core.writing import AnswerCache, EarlierQuestion
from core.writing.assistant import MAX_FACTS
from tests.core.facts.shop import shop, shop_figures
from tests.core.writing.simulated import (
    ALL,
    PLAIN,
    PLANS,
    WEAK,
    WEAKEST,
    Request,
    assisted,
    blocks,
    comment,
    data_of,
    figures,
    idea,
    names_of,
    offered,
    wants_blocks,
)
from tests.llm_simulator import USAGE, Reply, Script, replies

IDEAS = "Campaign ideas for segment 2"
WHY = "Why does segment 2 convert?"
WHY_MORE = "Why does segment 2 convert better than segment 1?"
ONE_CALL = Usage(1, USAGE["prompt_tokens"], USAGE["completion_tokens"])
SIZE = figures("S2.users")
CUT = '{"blocks": [{"kind": "figures", "facts": ["S2.users"]}, {"kind": "fig'


def answering(*chosen: Any) -> Script:  # noqa: ANN401 - blocks of any shape
    """Gives these blocks in whatever way it is asked for: call, schema or words."""

    def script(request: Request, _: int = 0) -> Reply:
        if any(tool["function"]["name"] == "answer" for tool in request.get("tools", ())):
            return Reply(calls=(("answer", {"blocks": list(chosen)}),))
        return blocks(*chosen) if wants_blocks(request) else Reply({"calls": []})

    return script


size = answering(SIZE)


def said(answer: Answer) -> str:
    return plain(answer.blocks, answer.titles)


def test_what_the_grammar_can_answer_is_never_sent() -> None:
    question = "How many users are in segment 2?"
    with assisted(size) as (assistant, simulator):
        answer, again = assistant.reply(question), assistant.answer_offline(question)
    assert simulator.requests == []
    assert (answer.source, answer.usage.calls) == ("rules", 0)
    assert again is not None
    assert again.blocks == answer.blocks == ask(question, shop().context).blocks


@pytest.mark.parametrize(
    "question", ["users of segment 42", "Describe segment 42", "Why does segment 9 not buy?"]
)
def test_a_segment_that_does_not_exist_is_nothing_to_guess_about(question: str) -> None:
    with assisted(size) as (assistant, simulator):
        answer = assistant.reply(question)
    assert answer.declined
    assert "There is no segment" in said(answer)
    assert simulator.requests == []


@pytest.mark.parametrize("can", [ALL, PLANS, PLAIN])
def test_a_model_chooses_and_the_app_says_it(can: Capabilities) -> None:
    with assisted(size, can) as (assistant, simulator):
        assert assistant.answer_offline(WHY) is None
        answer = assistant.reply(WHY)
    users = shop().context.tables.segments["users"]["segment:1"]
    assert answer.blocks == (FigureList(facts=(shop_figures().needed("segment:1", "users"),)),)
    assert said(answer) == f"Window shoppers (segment 2): {users} users."
    assert (answer.source, answer.reason, answer.dropped) == ("m", "", 0)
    assert len(simulator.requests) == (2 if can is PLANS else 1)
    if can is not PLANS:
        assert answer.usage == ONE_CALL
        assert answer.cost == pytest.approx((70 * 1 + 30 * 2) / 1e6)


def test_every_kind_of_block_over_every_kind_of_server() -> None:
    chosen = (
        SIZE,
        {"kind": "contrast", "fact": "S2.sessions_mean", "against": "all"},
        {"kind": "ranking", "measure": "sessions_mean", "item": "", "order": "least"},
        {"kind": "chart", "facts": ["S2.users"], "mark": "line"},
        comment("S2 may be looking for a gift."),
        idea("Offer S2 a guide."),
    )
    for can in (ALL, PLANS, PLAIN):
        with assisted(answering(*chosen), can) as (assistant, _):
            answer = assistant.reply(IDEAS)
        kinds = [type(block) for block in answer.blocks]
        assert kinds == [FigureList, Contrast, Ranking, Chart, Comment, Idea]
        assert answer.dropped == 0
        ranking, chart = answer.blocks[2], answer.blocks[3]
        assert isinstance(ranking, Ranking)
        assert isinstance(chart, Chart)
        assert [fact.value for fact in ranking.facts] == sorted(fact.value for fact in ranking.facts)
        assert len(chart.facts) == len(shop().context.segment_keys)
        assert answer.blocks[4] == Comment(text="Window shoppers (segment 2) may be looking for a gift.")
        assert set(answer.titles) >= {"others", "segment:1"}


class TestTools:
    def test_bring_addresses_that_may_be_chosen_from_then_on(self) -> None:
        late: list[str] = []

        def script(request: Request, number: int) -> Reply:
            if number == 0:
                of = {"kind": "is", "dimension": "segment", "any_of": ["S1"]}
                asked = {"measure": "users", "where": {"kind": "all", "of": [of]}, "by": "theme", "limit": 2}
                return Reply(calls=(("query", asked), ("topic", {"topic": "describe", "segments": ["S3"]})))
            late.extend(address for address in offered(request) if address.startswith("all.query_users_"))
            return answering(figures(*late, "S3.sessions_mean"))(request)

        with assisted(script, fewest_users=5) as (assistant, simulator):
            answer = assistant.reply("What do they look at, and why?")
        assert answer.reason == ""
        kinds = [fact.measure.rpartition(":")[0] or fact.measure for fact in answer.facts]
        assert kinds == ["query:users"] * len(late) + ["sessions_mean"]
        assert "Users who are in Bargain hunters (segment 1), by theme" in said(answer)
        assert answer.query
        assert answer.usage.calls == 2
        before, after = (json.dumps(request["tools"]) for request in simulator.requests)
        assert late
        assert all(address in after and address not in before for address in late)
        asked, first, second = simulator.requests[1]["messages"][2:]
        assert [one["tool_call_id"] for one in (first, second)] == [
            call["id"] for call in asked["tool_calls"]
        ]

    def test_take_items_by_number(self) -> None:
        def script(request: Request, number: int) -> Reply:
            item = next(name for name in names_of(request) if name.startswith("P"))
            kind = next(address.split(".")[1] for address in offered(request) if address.endswith(f".{item}"))
            if number == 0:
                step = {"kind": kind.rpartition("_")[2], "any_of": [item]}
                return Reply(calls=(("query", {"measure": "views", "of": {"kind": "did", "steps": [step]}}),))
            return answering(figures(*(one for one in offered(request) if "query_views" in one)))(request)

        with assisted(script, fewest_users=2) as (assistant, _):
            answer = assistant.reply(WHY)
        assert (answer.reason, answer.facts[0].row) == ("", "all")

    @pytest.mark.parametrize(
        ("call", "error"),
        [
            (("drop_table", {}), "There is no tool"),
            (("query", "{not json"), "no JSON object"),
            (("query", "[" * 5_000), "no JSON object"),
            (("topic", {"topic": "describe", "segments": ["S77"]}), "There is no row"),
            (("topic", {"topic": "secrets", "segments": ["S1"]}), "topic"),
            (("topic", {"topic": "describe"}), "Which segment"),
            (("query", {"cls": 1}), "cls"),
            (("query", {"measure": {}, "where": ["S1"]}), "measure"),
        ],
    )
    def test_wrong_calls_are_told_and_change_nothing(self, call: tuple[str, object], error: str) -> None:
        def script(request: Request, number: int) -> Reply:
            return Reply(calls=(call,)) if number == 0 else size(request)

        with assisted(script) as (assistant, simulator):
            assert assistant.reply(WHY).reason == ""
        told = json.loads(simulator.requests[1]["messages"][-1]["content"])
        assert error in told["error"]
        assert "segment:" not in told["error"]

    def test_are_at_most_six_and_an_endless_caller_ends_without_the_model(self) -> None:
        with assisted(replies(Reply(calls=(("topic", {"topic": "segments"}),)))) as (assistant, simulator):
            answer = assistant.reply(WHY)
        assert "went on asking for figures" in answer.reason
        assert answer.blocks == ask(WHY, shop().context).blocks
        told = [
            json.loads(one["content"]) for one in simulator.requests[-1]["messages"] if one["role"] == "tool"
        ]
        assert sum("facts" in one for one in told) == 6
        assert "No calls are left" in told[6]["error"]

    def test_many_at_once_are_counted_too(self) -> None:
        def script(request: Request, number: int) -> Reply:
            return Reply(calls=(("topic", {"topic": "segments"}),) * 9) if number == 0 else size(request)

        with assisted(script, max_tool_calls=2) as (assistant, simulator):
            assert assistant.reply(WHY).reason == ""
        told = [
            json.loads(one["content"]) for one in simulator.requests[1]["messages"] if one["role"] == "tool"
        ]
        assert [("facts" in one) for one in told] == [True, True, *[False] * 7]

    def test_a_model_with_tools_may_answer_in_its_text(self) -> None:
        with assisted(lambda *_: Reply(f"Here it is:\n```json\n{json.dumps({'blocks': [SIZE]})}\n```")) as (
            assistant,
            _,
        ):
            answer = assistant.reply(WHY)
        assert (answer.reason, len(answer.blocks)) == ("", 1)


class TestStepsDown:
    def test_a_schema_stands_in_for_tools(self) -> None:
        def script(request: Request, number: int) -> Reply:
            if number == 0:
                return Reply({"calls": [{"tool": "topic", "topic": "describe", "segments": ["S3"]}, 7]})
            return blocks(figures("S3.sessions_mean"))

        with assisted(script, PLANS) as (assistant, simulator):
            answer = assistant.reply("Do they come back, and why?")
        plan, written = simulator.requests
        assert {one["response_format"]["type"] for one in (plan, written)} == {"json_schema"}
        assert "tools" not in written
        assert "S3.sessions_mean" in json.dumps(written["response_format"])
        assert (answer.reason, answer.facts[0].segments) == ("", ("segment:2",))
        assert answer.usage.calls == 2

    def test_without_either_all_addresses_are_in_the_message_and_json_is_read_leniently(self) -> None:
        words = f"Sure! {json.dumps({'blocks': [figures('S1.sessions_mean')]})} I hope this helps."
        with assisted(replies(Reply(words)), PLAIN) as (assistant, simulator):
            answer = assistant.reply("Which one is best?")
        (request,) = simulator.requests
        assert not {"tools", "response_format"} & set(request)
        assert (answer.reason, answer.facts[0].measure) == ("", "sessions_mean")

    def test_what_a_model_thinks_aloud_is_no_answer(self) -> None:
        thought = f"<think>Perhaps {json.dumps({'blocks': [figures('S1.users')]})}?</think>"
        with assisted(replies(Reply(thought + json.dumps({"blocks": [SIZE]}))), PLAIN) as (assistant, _):
            answer = assistant.reply(WHY)
        assert [fact.row for fact in answer.facts] == ["segment:1"]

    def test_a_server_that_ignores_its_schema_is_still_checked(self) -> None:
        with assisted(replies(Reply("I would say S2 has 999 users.")), PLANS) as (assistant, _):
            answer = assistant.reply(WHY)
        assert answer.source == "rules"
        assert "chose no figure" in answer.reason

    def test_the_server_is_asked_what_it_can_once(self) -> None:
        def script(request: Request, number: int) -> Reply:
            asked = str(request["messages"][0]["content"])
            if asked.startswith("Answer with JSON only"):
                return Reply({"blocks": [{"kind": "figure", "of": "S3.users"},
                                         {"kind": "contrast", "of": "S1.sales", "with": "S2"}]})  # fmt: skip
            if asked.startswith("Choose"):
                return Reply({"colour": "green"})
            return Reply("I have no tools.") if asked.startswith("Call the tool") else size(request)

        with assisted(script, None) as (assistant, simulator):
            assert [assistant.reply(WHY).reason for _ in range(2)] == ["", ""]
        assert len(simulator.requests) == 3 + 2 + 2


class TestWeakModels:
    """Neither tools nor blocks: few addresses to choose from, one list, one try."""

    @pytest.mark.parametrize("can", [WEAK, WEAKEST])
    def test_choose_addresses_and_no_more(self, can: Capabilities) -> None:
        def script(request: Request, _: int) -> Reply:
            some = offered(request)
            return Reply({"facts": [some[0], some[0], some[2], "S9.users"]})

        with assisted(script, can, fewest_users=5) as (assistant, simulator):
            payload = assistant.preview(WHY_MORE, [EarlierQuestion("Hello")])
            answer = assistant.reply(WHY_MORE, [EarlierQuestion("Hello")])
        (request,) = simulator.requests
        (data,) = data_of(request)
        assert set(data) <= {"question", "facts", "measures", "names", "left_out"}
        assert 4 < len(data["facts"]) <= MAX_FACTS
        assert ("response_format" in request) is can.schema
        (block,) = answer.blocks
        assert isinstance(block, FigureList)
        assert len(block.facts) == 2
        assert (answer.reason, answer.dropped) == ("", 1)
        assert payload.tokens < 900

    @pytest.mark.parametrize("question", [IDEAS, "how many women are there", "forecast of segment 1"])
    def test_replace_no_refusal(self, question: str) -> None:
        with assisted(replies(Reply({"facts": ["S1.users"]})), WEAK) as (assistant, simulator):
            answer, exact = assistant.reply(question), assistant.answer_offline(question)
        assert simulator.requests == []
        assert answer.declined
        assert exact is not None
        assert answer.blocks == exact.blocks == ask(question, shop().context).blocks

    def test_are_not_asked_twice(self) -> None:
        with assisted(replies(Reply({"facts": ["S77.users"]})), WEAK) as (assistant, simulator):
            answer = assistant.reply(WHY_MORE)
        assert len(simulator.requests) == 1
        assert answer.source == "rules"
        assert answer.reason == (
            "The language model 'm' chose no figure of the data: 1 parts of its answer did not hold."
        )

    def test_a_model_that_does_not_come_to_an_end_is_ended(self) -> None:
        def endless(request: Request, _: int) -> Reply:
            return Reply(f'{{"facts": ["{offered(request)[0]}"]}} ' + "and on " * 3_000, piece_s=0.01)

        with assisted(endless, WEAKEST, wall_s=10) as (assistant, _):
            answer = assistant.reply(WHY_MORE)
        assert (answer.reason, len(answer.facts)) == ("", 1)


class TestWrongAnswers:
    def test_are_sent_back_once(self) -> None:
        def script(request: Request, number: int) -> Reply:
            return answering(figures("S77.users"))(request) if number == 0 else size(request)

        with assisted(script) as (assistant, simulator):
            assert assistant.reply(WHY).reason == ""
        first, complaint = simulator.requests[1]["messages"][-2:]
        assert "S77.users" in first["content"]
        assert "block 1: its facts are at most 4 addresses of those offered" in complaint["content"]
        assert "S77" not in complaint["content"]

    def test_no_name_and_no_user_id_is_in_what_they_are_told(self) -> None:
        ident = "1234567890.1700000001"
        named = replace(shop().context, names={**shop().context.names, 1: f"Obey {ident}"})
        wrong = {"kind": "contrast", "fact": "S2.users", "against": "S2"}
        with assisted(answering(wrong), context=named, user_ids=[ident]) as (assistant, simulator):
            assert assistant.reply(WHY).source == "rules"
        assert len(simulator.bodies) == 2
        assert not [body for body in simulator.bodies if ident in body or "Obey" in body]

    @pytest.mark.parametrize(
        "wrong",
        [
            figures("S77.users"), figures("S1.secrets"), figures(), figures("S2.users [[F1]]"), {}, 7, None,
            [SIZE],
            {"kind": "figures", "facts": {"S2.users": "1"}}, {"kind": "table", "facts": ["S2.users"]},
            {"kind": "contrast", "fact": "S2.users", "against": "S2"},
            {"kind": "contrast", "fact": "S2.users", "against": "S77"},
            {"kind": "contrast", "fact": ["S2.users"], "against": None},
            {"kind": "ranking", "measure": "secrets", "item": "", "order": "most"},
            {"kind": "ranking", "measure": "users", "item": "", "order": "biggest"},
            {"kind": "ranking", "measure": "share_page", "item": "P99999", "order": "most"},
            {"kind": "chart", "facts": ["S2.users", "S2.sessions"], "mark": "bar"},
            {"kind": "chart", "facts": ["S2.users"], "mark": "pie"},
            comment('{"kind": "figures", "facts": ["S2.users"]}'), comment("S2 has 999 users."),
            comment("Half of them buy."), comment("S77 is nice."), {"kind": "comment", "text": 7},
        ],
    )  # fmt: skip
    def test_what_holds_is_kept_and_the_rest_is_counted(self, wrong: Any) -> None:  # noqa: ANN401
        with assisted(answering(SIZE, wrong)) as (assistant, simulator):
            answer = assistant.reply(WHY)
        assert (len(answer.blocks), answer.dropped >= 1, answer.reason) == (1, True, "")
        assert len(simulator.requests) == 1
        with assisted(answering(wrong)) as (assistant, simulator):
            alone = assistant.reply(WHY)
        assert len(simulator.requests) == 2
        assert alone.source == "rules"
        assert alone.blocks == ask(WHY, shop().context).blocks
        assert "999" not in alone.reason

    def test_repeats_and_more_than_eight_blocks_are_dropped(self) -> None:
        kinds = ("users", "share", "sessions", "sessions_mean", "page_views", "page_views_mean")
        many = [figures(f"S2.{kind}") for kind in kinds]
        many += [{"kind": "contrast", "fact": f"S2.{kind}", "against": "S1"} for kind in kinds]
        with assisted(answering(SIZE, SIZE, *many)) as (assistant, _):
            answer = assistant.reply(WHY)
        assert len(answer.blocks) == 8
        assert answer.dropped == 2 + len(many) - 8

    def test_a_sentence_that_claims_is_dropped_from_a_remark(self) -> None:
        text = "S2 may be looking for a gift. Most of them buy. The data does not tell."
        with assisted(answering(SIZE, comment(text))) as (assistant, _):
            answer = assistant.reply(WHY)
        assert answer.blocks[1] == Comment(
            text="Window shoppers (segment 2) may be looking for a gift. The data does not tell."
        )
        assert answer.dropped == 1

    def test_a_comment_alone_is_no_answer_but_ideas_are_where_they_are_asked_for(self) -> None:
        with assisted(answering(comment("They may want a gift."))) as (assistant, _):
            assert assistant.reply(WHY).reason == "The language model 'm' chose no figure of the data."
        with assisted(answering(idea("Offer S2 a guide."))) as (assistant, _):
            answer = assistant.reply(IDEAS)
        assert answer.blocks == (Idea(text="Offer Window shoppers (segment 2) a guide."),)

    def test_about_a_named_segment_the_data_still_say_something(self) -> None:
        with assisted(replies(Reply("no"))) as (assistant, _):
            answer = assistant.reply(IDEAS)
        assert "Window shoppers (segment 2): " in said(answer)
        assert not answer.declined


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
    (Reply("[" * 20_000), "chose no figure"),
    (Reply('{"blocks": ' + "[" * 20_000), "chose no figure"),
]


@pytest.mark.parametrize(("reply", "reason"), FAILURES)
def test_every_failure_ends_in_the_answer_without_the_model(reply: Reply, reason: str) -> None:
    with assisted(replies(reply)) as (assistant, _):
        answer = assistant.reply(WHY)
    assert reason in answer.reason
    assert answer.source == "rules"
    assert answer.blocks == ask(WHY, shop().context).blocks


def test_a_server_that_is_not_there_is_a_reason() -> None:
    with assisted(size, None) as (assistant, _):
        pass
    answer = assistant.reply(WHY)
    assert "cannot be reached" in answer.reason
    assert answer.blocks == ask(WHY, shop().context).blocks


class TestCutAnswers:
    @pytest.mark.parametrize(
        ("reply", "dropped", "reason"),
        [
            (Reply(CUT, finish="length"), 1, "cut off"), (Reply(CUT), 1, ""),
            (Reply(json.dumps({"blocks": [SIZE, *[comment("Perhaps. " * 20)] * 3]}), cut_stream=True), 1,
             "cut off"),
            (Reply('{"blocks": [{"kind": "figures", "facts": ["S2.users"]},', finish="length", streams=False),
             0, "cut off"),
        ],
    )  # fmt: skip
    def test_keep_the_blocks_that_are_whole_and_say_so(self, reply: Reply, dropped: int, reason: str) -> None:
        with assisted(replies(reply)) as (assistant, _):
            answer = assistant.reply(WHY)
        assert answer.source == "m"
        assert answer.blocks[0] == FigureList(facts=(shop_figures().needed("segment:1", "users"),))
        assert (answer.dropped, reason in answer.reason, bool(answer.reason)) == (dropped, True, bool(reason))

    def test_stop_keeps_what_was_shown(self) -> None:
        seen: list[tuple[Block, ...]] = []
        slow = Reply(calls=(("answer", {"blocks": [SIZE, *[comment("Perhaps. " * 40)] * 3]}),), piece_s=0.02)
        with assisted(replies(slow)) as (assistant, _):
            answer = assistant.reply(WHY, on_blocks=seen.append, should_stop=lambda: bool(seen))
        assert answer.blocks == seen[-1]
        assert "cancelled" in answer.reason
        assert answer.source == "m"


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

    def test_a_stream_without_an_end(self) -> None:
        with assisted(lambda *_: Reply("S2 is S2. " * 10_000), max_tokens=12_000) as (assistant, simulator):
            answer = assistant.reply(WHY)
        assert "more than 12,000 tokens" in answer.reason
        assert len(simulator.requests) == 1


@pytest.mark.parametrize("can", [ALL, PLANS, PLAIN])
def test_blocks_are_passed_on_as_they_become_whole(can: Capabilities) -> None:
    seen: list[tuple[Block, ...]] = []
    with assisted(
        answering(SIZE, figures("S77.users"), figures("S1.users"), idea("Offer S1 a guide.")), can
    ) as (
        assistant,
        _,
    ):
        answer = assistant.reply(IDEAS, on_blocks=seen.append)
    assert [len(some) for some in dict.fromkeys(seen)] == [1, 2, 3]
    assert seen[-1] == answer.blocks


class TestCache:
    def test_the_same_question_is_free_again(self, tmp_path: Path) -> None:
        def script(request: Request, number: int) -> Reply:
            return Reply(calls=(("topic", {"topic": "segments"}),)) if number == 0 else size(request)

        seen: list[tuple[Block, ...]] = []
        with assisted(script, cache=AnswerCache(tmp_path / "answers")) as (assistant, simulator):
            first = assistant.reply(WHY)
            again = assistant.reply(WHY, on_blocks=seen.append)
        assert len(simulator.requests) == 2
        assert (again.blocks, again.source, seen) == (first.blocks, "m", [first.blocks])
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
        with assisted(answering(7), cache=AnswerCache(tmp_path)) as (assistant, simulator):
            assistant.reply(WHY)
            assistant.reply(WHY)
        assert len(simulator.requests) == 4


def test_compares_two_segments_and_all() -> None:
    both = {"kind": "contrast", "fact": "S1.users", "against": "S2"}
    with assisted(answering(both)) as (assistant, simulator):
        two, everyone = assistant.compare("segment:0", "segment:1"), assistant.compare()
    assert [answer.reason for answer in (two, everyone)] == ["", ""]
    assert "Bargain hunters (segment 1)" in said(two)
    assert "Compare S1 and S2" in simulator.requests[0]["messages"][1]["content"]
    assert names_of(simulator.requests[1])["S1"] == "Bargain hunters"


def test_a_comparison_falls_back_on_the_one_without_a_model() -> None:
    with assisted(replies(Reply("S1 is 3 times as good."))) as (assistant, _):
        answer = assistant.compare("segment:0", "segment:1")
    assert any(isinstance(block, Contrast) for block in answer.blocks)
    assert "chose no figure" in answer.reason


@pytest.mark.parametrize("can", [ALL, PLANS, PLAIN, WEAK, WEAKEST])
@pytest.mark.parametrize("send_values", [False, True])
def test_the_preview_is_the_bytes_that_are_sent(can: Capabilities, send_values: bool) -> None:
    last = Answer(ask(WHY, shop().context).blocks)
    history = [EarlierQuestion("Hello"), EarlierQuestion("Who buys?", last)]
    with assisted(size, can, send_values=send_values) as (assistant, simulator):
        previews = [
            assistant.preview(WHY, history), assistant.preview_comparison(),
            assistant.preview_description("segment:1"),
        ]  # fmt: skip
        assert simulator.requests == []
        sent = []
        asking = (
            partial(assistant.reply, WHY, history), assistant.compare,
            partial(assistant.describe, "segment:1"),
        )  # fmt: skip
        for ask_it in asking:
            ask_it()
            sent.append(simulator.bodies[0])
            simulator.bodies.clear()
    assert [preview.sent for preview in previews] == sent
    for preview in previews:
        assert preview.text.endswith(preview.sent)
        assert preview.price is not None


def test_a_question_goes_on_after_an_answer_of_the_model() -> None:
    with assisted(size) as (assistant, simulator):
        answer = assistant.reply(WHY)
        went_on = assistant.answer_offline("and the sessions?", answer.reading)
        asked = assistant.reply("and the sessions?", [EarlierQuestion(WHY, answer)], answer.reading)
    assert len(simulator.requests) == 1
    assert went_on is not None
    assert asked.blocks == went_on.blocks
    assert said(asked).startswith("Sessions, of users who are in Window shoppers (segment 2), all days: ")


def test_where_nothing_may_be_offered_nothing_is_sent() -> None:
    with assisted(size, fewest_users=10_000) as (assistant, simulator):
        answer = assistant.reply(WHY)
    assert simulator.requests == []
    assert "enough users" in answer.reason
    assert answer.source == "rules"
