import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import SecretStr

from core.base.errors import Cancelled, ResourceError
from core.llm import ChatReply, LlmSettings, LoggedCall, ServerLlm, ToolCall, Usage
from core.llm.chat_types import EnoughText
from tests.core.llm.of_errors import everything_of
from tests.llm_simulator import Reply, Simulator, replies, simulating

ASKED = [{"role": "user", "content": "Hello?"}]
WEATHER = {"name": "weather", "description": "Of a city.", "parameters": {"type": "object", "properties": {}}}
HELLO = Reply("Hello there, you.")


class Kept:
    """A log in memory."""

    def __init__(self) -> None:
        self.calls: list[LoggedCall] = []

    def write(self, call: LoggedCall) -> None:
        self.calls.append(call)


def llm_of(simulator: Simulator, log: Kept | None = None, timeout_s: float = 5) -> ServerLlm:
    settings = LlmSettings(
        model="m", base_url=simulator.base_url, api_key=SecretStr("the-key"), timeout_s=timeout_s
    )
    return ServerLlm(settings, log)


def test_an_answer_comes_piece_by_piece() -> None:
    seen: list[str] = []
    with simulating(replies(HELLO)) as simulator:
        llm = llm_of(simulator)
        assert llm.chat(ASKED, on_text=seen.append) == ChatReply("Hello there, you.")
    assert seen == ["Hello ", "Hello there, ", "Hello there, you."]
    assert simulator.requests[0]["stream"] is True
    assert simulator.requests[0]["stream_options"] == {"include_usage": True}
    assert llm.usage == Usage(1, 70, 30)


@pytest.mark.parametrize("streams", [True, False])
def test_who_wants_no_more_gets_what_is_wanted(streams: bool) -> None:
    def enough(text: str) -> None:
        if "there" in text:
            raise EnoughText("Hello there.")

    kept = Kept()
    long = Reply("Hello there " + "and so on " * 200, streams=streams, piece_s=0.02)
    began = time.monotonic()
    with simulating(replies(long)) as simulator:
        llm = llm_of(simulator, kept)
        assert llm.chat(ASKED, on_text=enough) == ChatReply("Hello there.")
        assert time.monotonic() - began < 10  # all of it takes 12 s
        assert llm.chat(ASKED, on_text=enough) == ChatReply("Hello there.")  # and it can be asked again
    assert llm.usage.calls == len(kept.calls)
    if streams:  # the server counts at the end, which never came: 37 characters each time, and 12
        assert kept.calls[0].usage == {"prompt_tokens": 11, "completion_tokens": 4, "estimated": True}
        assert llm.usage == Usage(2, 22, 8)
    assert {call.error for call in kept.calls} == {""}
    assert not streams or kept.calls[0].answer == "Hello there."


def test_tools_are_offered_and_calls_come_back() -> None:
    with simulating(replies(Reply(calls=(("weather", {"city": "Paris"}), ("weather", "{bro"))))) as simulator:
        reply = llm_of(simulator).chat(ASKED, [WEATHER])
    assert simulator.requests[0]["tools"] == [{"type": "function", "function": WEATHER}]
    assert reply.calls == (
        ToolCall("call-0", "weather", '{"city": "Paris"}'), ToolCall("call-1", "weather", "{bro"),
    )  # fmt: skip


def test_a_server_that_does_not_stream_is_asked_for_the_whole_from_then_on() -> None:
    seen: list[str] = []
    whole = Reply("Hello.", calls=(("weather", {}),), streams=False)
    with simulating(replies(whole)) as simulator:
        llm = llm_of(simulator)
        first = llm.chat(ASKED, on_text=seen.append)
        assert first == ChatReply("Hello.", (ToolCall("call-0", "weather", "{}"),))
        llm.chat(ASKED)
    assert seen == ["Hello."]
    assert [request["stream"] for request in simulator.requests] == [True, False, False]
    assert not llm.streams


@pytest.mark.parametrize(
    ("complaint", "left_out"),
    [("unknown field stream_options", "stream_options"), ("max_tokens is not supported", "max_tokens")],
)
def test_a_field_that_is_refused_is_left_out(complaint: str, left_out: str) -> None:
    def script(request: dict[str, Any], _: int) -> Reply:
        return Reply(complaint, status=400) if left_out in request else HELLO

    with simulating(script) as simulator:
        assert llm_of(simulator).chat(ASKED).text == "Hello there, you."
    assert left_out not in simulator.requests[-1]
    assert "stream" in simulator.requests[-1]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply("no such key: Bearer the-key", status=401), "no such key: Bearer …"),
        (Reply(f"{'x' * 270} the-key", status=401), "xxx"),  # not cut in the middle of the key either
        (Reply(refusal="Not with the-key"), "Not with …"),
        (Reply(refusal=f"{'x' * 290} the-key"), "xxx"),
        (Reply("no the-key here", status=400), "no … here"),
        (Reply("tools? never", status=400), "tools? never"),
        (Reply("One two three four.", cut_stream=True), "was cut off"),
        (Reply("One", finish="length"), "cut off after 2000 tokens"),
        (Reply("One", finish="content_filter"), "filter"),
        (Reply(refusal="No, thanks"), "No, thanks"),
        (Reply("One", cut=True), "gave no answer"),
        (Reply(raw="<html>"), "gave no answer"),
        (Reply(raw="{}", streams=False), "gave no answer"),
    ],
)
def test_every_failure_is_an_error_with_its_reason_and_without_the_key(reply: Reply, reason: str) -> None:
    log = Kept()
    with simulating(replies(reply)) as simulator, pytest.raises(ResourceError) as caught:
        llm_of(simulator, log).chat(ASKED)
    assert reason in str(caught.value)
    assert "the-" not in everything_of(caught.value) + repr(log.calls)


def test_too_many_requests_are_tried_again_after_the_time_asked_for() -> None:
    busy = Reply("slow down", status=429, headers={"Retry-After": "0.01"})
    with simulating(replies(busy, HELLO)) as simulator:
        assert llm_of(simulator).chat(ASKED).text
        assert len(simulator.requests) == 2


def test_time_is_for_all_attempts_together() -> None:
    begun = time.monotonic()
    with simulating(replies(Reply(hang_s=30))) as simulator, pytest.raises(ResourceError, match="within"):
        llm_of(simulator, timeout_s=30).chat(ASKED, timeout_s=0.5)
    assert time.monotonic() - begun < 20


def test_stop_ends_a_call_at_once_and_the_next_one_works() -> None:
    asked = threading.Event()

    def script(_: dict[str, Any], number: int) -> Reply:
        asked.set()
        return Reply(hang_s=30) if number == 0 else HELLO

    with simulating(script) as simulator:
        llm = llm_of(simulator, timeout_s=30)
        with pytest.raises(Cancelled):
            llm.chat(ASKED, should_stop=asked.is_set)
        assert llm.chat(ASKED).text == "Hello there, you."


def test_every_call_is_written_down() -> None:
    log = Kept()
    called = Reply(calls=(("weather", {}),))
    with simulating(replies(HELLO, called, Reply("no", status=401))) as simulator:
        llm = llm_of(simulator, log)
        llm.chat(ASKED, [WEATHER])
        llm.chat(ASKED, [WEATHER])
        with pytest.raises(ResourceError):
            llm.chat(ASKED)
    assert [call.answer for call in log.calls] == [
        "Hello there, you.", '[{"tool": "weather", "arguments": "{}"}]', "",
    ]  # fmt: skip
    assert log.calls[0].messages == ASKED
    assert names(log.calls) == [("weather",), ("weather",), ()]
    assert "no" in log.calls[2].error
    assert log.calls[0].usage == {"prompt_tokens": 70, "completion_tokens": 30, "total_tokens": 100} | {
        name: value for name, value in (log.calls[0].usage or {}).items() if value is None
    }  # fmt: skip


def names(calls: Sequence[LoggedCall]) -> list[tuple[str, ...]]:
    return [tuple(call.tools) for call in calls]


def test_what_is_stopped_or_too_late_already_is_not_sent() -> None:
    with simulating(replies(HELLO)) as simulator:
        with pytest.raises(Cancelled):
            llm_of(simulator).chat(ASKED, should_stop=lambda: True)
        with pytest.raises(ResourceError, match="no answer within"):
            llm_of(simulator).chat(ASKED, timeout_s=-1)
        llm_of(simulator).chat([{"role": "user", "content": "the only one"}])
    assert [request["messages"][0]["content"] for request in simulator.requests] == ["the only one"]


def test_nothing_follows_a_redirect_to_another_server() -> None:
    with simulating(replies(HELLO)) as other:
        moved = Reply("", status=307, headers={"Location": f"{other.base_url}/chat/completions"})
        with simulating(replies(moved)) as simulator, pytest.raises(ResourceError, match="gave no answer"):
            llm_of(simulator).chat(ASKED)
    assert other.requests == []


def test_a_server_without_keys_has_no_word_of_its_errors_hidden() -> None:
    with simulating(replies(Reply("there is none", status=401))) as simulator:
        llm = ServerLlm(LlmSettings(model="m", base_url=simulator.base_url))
        with pytest.raises(ResourceError, match="there is none"):
            llm.chat(ASKED)


def test_whoever_has_had_enough_of_an_answer_ends_it() -> None:
    def enough(_: str) -> None:
        raise ResourceError("That is enough")

    with (
        simulating(replies(Reply("One two three four.", piece_s=0.01))) as simulator,
        pytest.raises(ResourceError, match="That is enough"),
    ):
        llm_of(simulator).chat(ASKED, on_text=enough)


def test_a_call_is_passed_on_as_it_is_written() -> None:
    seen: list[ToolCall] = []
    with simulating(replies(Reply(calls=(("weather", {"city": "New York"}),)))) as simulator:
        reply = llm_of(simulator).chat(ASKED, [WEATHER], on_call=seen.append)
    assert [call.arguments for call in seen] == ["", '{"city": ', '{"city": "New ', '{"city": "New York"}']
    assert reply.calls == (seen[-1],)


def test_a_schema_goes_along_and_the_body_is_known_beforehand() -> None:
    shape = {"type": "object", "properties": {}}
    with simulating(replies(Reply("{}"))) as simulator:
        llm = llm_of(simulator)
        body = llm.body(ASKED, [WEATHER], shape)
        llm.chat(ASKED, [WEATHER], schema=shape)
    assert simulator.requests == [body]
    assert body["response_format"]["json_schema"]["schema"] == shape
    assert "the-key" not in str(body)


def test_the_text_of_an_answer_that_was_cut_is_passed_on_before_the_error() -> None:
    seen: list[str] = []
    with (
        simulating(replies(Reply("Half", finish="length", streams=False))) as simulator,
        pytest.raises(ResourceError, match="cut off"),
    ):
        llm_of(simulator).chat(ASKED, on_text=seen.append)
    assert seen == ["Half"]
