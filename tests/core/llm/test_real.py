"""The contract against a real server with real weights: llama.cpp and SmolLM2, which is mostly wrong."""

import os
import time
from itertools import pairwise
from typing import Literal

import pytest
from pydantic import BaseModel, SecretStr

from core.base.errors import Cancelled, ResourceError
from core.facts.render import fill
from core.llm import Capabilities, LlmSettings, ServerLlm
from core.writing import Assistant, AssistantSettings, shown
from tests.core.facts.shop import shop
from tests.core.facts.toy import context
from tests.core.llm.test_parse import Colour, ask
from tests.core.writing.test_injections import unbacked_numbers
from tests.smollm import RealServer


class Short(BaseModel):
    """Little to write."""

    word: Literal["yes", "no"]


def real_llm(server: RealServer, key: str = "", tokens: int = 40) -> ServerLlm:
    return ServerLlm(
        LlmSettings(
            model=server.model, base_url=server.base_url, api_key=SecretStr(key or server.api_key),
            max_output_tokens=tokens,
        )
    )  # fmt: skip


def weak(server: RealServer) -> ServerLlm:
    """What is known of it: neither tools nor slots."""
    settings = LlmSettings(model=server.model, base_url=server.base_url, api_key=SecretStr(server.api_key))
    return ServerLlm(settings, known=Capabilities(streaming=True, schema=True))


def test_is_held_to_the_schema(smollm: RealServer) -> None:
    llm = real_llm(smollm)
    answer = llm.parse("Answer in JSON.", "Which colour has blood, red or green?", Colour)
    assert answer.name in ("red", "green")
    assert llm.usage.calls == 1  # at the first try: llama.cpp obeys schemas
    assert llm.usage.prompt_tokens > 10
    assert llm.usage.completion_tokens > 1


def test_chats_in_pieces(smollm: RealServer) -> None:
    llm, seen = real_llm(smollm, tokens=400), list[str]()
    reply = llm.chat([{"role": "user", "content": "Say only the word hello."}], on_text=seen.append)
    assert reply.text
    assert seen[-1] == reply.text
    assert len(seen) > 1
    assert all(later.startswith(earlier) for earlier, later in pairwise(seen))
    assert llm.streams
    assert llm.usage.completion_tokens > 0


def test_an_answer_that_is_cut_off_is_an_error(smollm: RealServer) -> None:
    with pytest.raises(ResourceError, match="cut off after 16 tokens"):
        real_llm(smollm, tokens=16).chat([{"role": "user", "content": "Tell a very long story about a fox."}])


def test_can_be_stopped(smollm: RealServer) -> None:
    seen: list[str] = []
    with pytest.raises(Cancelled):
        real_llm(smollm, tokens=2_000).chat(
            [{"role": "user", "content": "Tell a very long story."}], on_text=seen.append,
            should_stop=lambda: len(seen) > 2,
        )  # fmt: skip


def test_what_it_can_is_found_out(smollm: RealServer) -> None:
    can = real_llm(smollm, tokens=200).capabilities()
    assert can.streaming
    assert can.schema
    assert not can.tools  # its chat template has none


def test_refuses_a_wrong_key(smollm: RealServer) -> None:
    with pytest.raises(ResourceError, match="401"):
        real_llm(smollm, "wrong").parse("Answer.", "Red?", Colour)


def test_whatever_it_says_the_assistant_shows_nothing_unbacked(smollm: RealServer) -> None:
    llm = real_llm(smollm, tokens=60)
    settings = AssistantSettings(fewest_users=8, max_tool_calls=0, wall_s=10)
    assistant = Assistant(llm, context(), (), settings)
    assistant.preview("Any ideas?")  # finds out what the server can
    answer = assistant.reply("Any ideas?")
    assert answer.usage.calls + bool(answer.reason) >= 1
    assert fill(answer.text, answer.facts)
    assert shown(answer.text, answer.facts, answer.marks)
    if not answer.reason:
        assert answer.source == smollm.model
        assert all(0 <= mark.start < mark.end <= len(answer.text) for mark in answer.marks)
    else:
        assert answer.source == "rules"


SECONDS = 10
"""For one answer; whatever is not written by then is written without the model."""


def test_a_persona_and_a_comparison_end_in_time_with_numbers_that_hold(smollm: RealServer) -> None:
    about, llm = shop().context, weak(smollm)
    assistant = Assistant(llm, about, (), AssistantSettings(fewest_users=1, wall_s=SECONDS))
    question, both = "Build a buyer persona and a slogan for segment 1", ("segment:0", "segment:1")
    payloads = assistant.preview(question), assistant.preview_comparison(*both)
    assert max(one.tokens for one in payloads) < 700  # its context would hold more, its machine would not
    for ask_for in (lambda: assistant.reply(question), lambda: assistant.compare(*both)):
        began = time.monotonic()
        answer = ask_for()
        assert time.monotonic() - began < SECONDS + 5
        assert answer.source == ("rules" if answer.reason else smollm.model)
        assert answer.text
        assert unbacked_numbers(answer, about, "no such name") == []


LIVE = pytest.mark.skipif(
    not os.environ.get("BEHA2VEC_LIVE_LLM"),
    reason="opt-in: set BEHA2VEC_LIVE_LLM=1 and the model's variables",
)


@LIVE
def test_the_model_of_the_environment_answers() -> None:
    assert ask(ServerLlm(LlmSettings.from_environment())) == Colour(name="red")


@LIVE
def test_the_model_of_the_environment_answers_about_segments() -> None:
    assistant = Assistant(
        ServerLlm(LlmSettings.from_environment()), context(), (), AssistantSettings(fewest_users=1)
    )
    answer = assistant.reply("Why does segment 1 convert more often than segment 2?")
    assert answer.reason == ""
    assert answer.facts
