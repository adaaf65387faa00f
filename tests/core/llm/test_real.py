"""The contract against a real server with real weights: llama.cpp and SmolLM2, which is mostly wrong."""

import os
from itertools import pairwise
from typing import Literal

import pytest
from pydantic import BaseModel, SecretStr

from benchmarks.words.smollm import RealServer
from core.base.errors import Cancelled, ResourceError
from core.facts.fact_maker import Figures
from core.llm import LlmSettings, ServerLlm
from core.writing import Assistant, AssistantSettings
from tests.core.facts.shop import shop
from tests.core.facts.toy import context
from tests.core.llm.test_parse import Colour, ask


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


def test_it_is_found_to_be_weak_and_what_it_chooses_is_true(smollm: RealServer) -> None:
    about = shop().context
    assistant = Assistant(real_llm(smollm, tokens=200), about, (), AssistantSettings(fewest_users=5))
    question, both = "Build a buyer persona and a slogan for segment 1", ("segment:0", "segment:1")
    payloads = assistant.preview(question), assistant.preview_comparison(*both)
    assert assistant.llm.capabilities().is_weak
    assert max(one.tokens for one in payloads) < 900  # its context would hold more, its machine would not
    assert assistant.reply(question).source == "rules"  # a weak model is not asked what the app declines
    answer = assistant.compare(*both)
    assert (answer.source, answer.reason) == (smollm.model, "")
    figures = Figures(about)
    assert answer.facts
    assert all(figures.same(fact, fact.row) in (fact, None) for fact in answer.facts)


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
