import time
from dataclasses import replace
from typing import Any

import pytest

from core.base.errors import ResourceError
from core.llm import Capabilities, LlmSettings, ServerLlm
from core.llm.server import CHOOSE, CHOSEN
from tests.llm_simulator import Reply, Simulator, replies, simulating

Request = dict[str, Any]


def able(request: Request, _: int) -> Reply:
    """Does all that it is asked for."""
    if request["messages"][0]["content"] == CHOOSE:
        return Reply({"colour": "green"})
    if "tools" in request:
        return Reply(calls=(("weather", {"city": "Paris"}),))
    return Reply({"blocks": list(CHOSEN)})


def unable(request: Request, _: int) -> Reply:
    """Ignores what it does not know."""
    return Reply("It has 5 visitors.", streams=False)


def llm_of(simulator: Simulator) -> ServerLlm:
    return ServerLlm(LlmSettings(model="m", base_url=simulator.base_url))


def test_what_a_server_can_is_tried_once() -> None:
    with simulating(able) as simulator:
        llm = llm_of(simulator)
        assert llm.capabilities() == llm.capabilities() == Capabilities(True, True, True, True)
        assert len(simulator.requests) == 3


def test_a_server_that_ignores_everything_can_nothing() -> None:
    with simulating(unable) as simulator:
        assert llm_of(simulator).capabilities() == Capabilities()


@pytest.mark.parametrize(
    "said",
    [
        "S3 has users.",
        "[" * 300,
        {"blocks": []},
        {"blocks": list(CHOSEN[:1])},
        {"blocks": list(CHOSEN[::-1])},
        7,
    ],
)
def test_blocks_are_chosen_rightly_or_not_at_all(said: object) -> None:
    with simulating(lambda request, n: Reply(said) if n == 1 else able(request, n)) as simulator:
        can = llm_of(simulator).capabilities()
    assert can == Capabilities(True, True, True, blocks=False)
    assert not can.is_weak


def test_who_neither_calls_tools_nor_chooses_blocks_is_weak() -> None:
    assert Capabilities(streaming=True, schema=True).is_weak
    assert not Capabilities(blocks=True).is_weak


@pytest.mark.parametrize(
    ("model", "small"),
    [
        ("SmolLM2-135M-Instruct-Q4_K_M", True), ("qwen2.5:0.5b", True), ("smollm2_360m", True),
        ("llama3.2:1b", False), ("gpt-4o-mini", False), ("mixtral-8x7b", False),
        ("Qwen3-8B-draft-0.6B", False),
    ],
)  # fmt: skip
def test_a_model_is_small_by_the_size_in_its_name_or_where_it_was_seen_to_be_weak(
    model: str, small: bool
) -> None:
    settings = LlmSettings(model=model)
    assert ServerLlm(settings, known=Capabilities(tools=True)).is_small is small
    assert ServerLlm(settings, known=Capabilities(streaming=True)).is_small


def test_the_choice_is_held_to_a_schema_where_the_server_can() -> None:
    with simulating(able) as simulator:
        llm_of(simulator).capabilities()
    assert simulator.requests[1]["response_format"]["json_schema"]["strict"] is True


def test_a_server_that_refuses_tools_or_schemas_has_none() -> None:
    def script(request: Request, number: int) -> Reply:
        refused = "tools" in request or "response_format" in request
        return Reply("unknown field", status=400) if refused else able(request, number)

    with simulating(script) as simulator:
        assert llm_of(simulator).capabilities() == Capabilities(streaming=True, blocks=True)


def test_a_server_that_says_nothing_is_an_error() -> None:
    with simulating(replies(Reply("no such key", status=401))) as simulator, pytest.raises(ResourceError):
        llm_of(simulator).capabilities()


def test_what_is_known_is_not_asked() -> None:
    known = Capabilities(schema=True)
    with simulating(able) as simulator:
        settings = LlmSettings(model="m", base_url=simulator.base_url)
        assert ServerLlm(settings, known=known).capabilities() == known
    assert simulator.requests == []


def test_a_model_that_does_not_come_to_an_end_is_not_waited_for() -> None:
    endless = Reply("word " * 4_000, piece_s=0.002)

    def script(request: Request, number: int) -> Reply:
        return able(request, number) if request["messages"][0]["content"] == CHOOSE else endless

    began = time.monotonic()
    with simulating(script) as simulator:
        assert llm_of(simulator).capabilities() == Capabilities(streaming=True, schema=True)
    assert time.monotonic() - began < 12  # to the end it takes 16 s


@pytest.mark.parametrize("before", ["I shall ask for the weather. " * 15, f"<think>{'Hm. ' * 400}</think>"])
def test_a_model_may_think_aloud_before_it_calls_a_tool(before: str) -> None:
    def script(request: Request, number: int) -> Reply:
        reply = able(request, number)
        return replace(reply, content=before) if reply.calls else reply

    with simulating(script) as simulator:
        assert llm_of(simulator).capabilities().tools
