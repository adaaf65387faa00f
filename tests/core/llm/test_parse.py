import json
from typing import Literal

import pytest
from pydantic import BaseModel, SecretStr

from core.base.errors import ResourceError
from core.llm import LlmSettings, ServerLlm, Usage
from tests.core.llm.of_errors import everything_of
from tests.llm_simulator import Reply, Simulator, replies, simulating


class Colour(BaseModel):
    name: Literal["red", "green"]


RED = Reply({"name": "red"})


def llm_of(simulator: Simulator, timeout_s: float = 5) -> ServerLlm:
    return ServerLlm(
        LlmSettings(model="m", base_url=simulator.base_url, api_key=SecretStr("the-key"), timeout_s=timeout_s)
    )


def ask(llm: ServerLlm) -> Colour:
    return llm.parse("Choose a colour.", "Of blood.", Colour)


def test_an_answer_is_an_object_and_the_schema_was_sent() -> None:
    with simulating(replies(RED)) as simulator:
        llm = llm_of(simulator)
        assert ask(llm) == Colour(name="red")
    request = simulator.requests[0]
    assert request["model"] == "m"
    assert request["response_format"]["type"] == "json_schema"
    assert request["response_format"]["json_schema"]["schema"]["properties"]["name"]["enum"] == [
        "red",
        "green",
    ]
    assert [message["content"] for message in request["messages"]] == ["Choose a colour.", "Of blood."]
    assert simulator.keys == ["Bearer the-key"]
    assert llm.usage == Usage(calls=1, prompt_tokens=70, completion_tokens=30)


def test_usage_adds_up_and_may_be_missing() -> None:
    silent = Reply(raw=json.dumps({**json.loads(RED.body()), "usage": None}))
    with simulating(replies(RED, silent)) as simulator:
        llm = llm_of(simulator)
        ask(llm)
        ask(llm)
        assert llm.usage == Usage(calls=2, prompt_tokens=70, completion_tokens=30)


def test_too_many_requests_are_retried_by_the_sdk_after_the_time_asked_for() -> None:
    busy = Reply("slow down", status=429, headers={"Retry-After": "0.01"})
    with simulating(replies(busy, busy, RED)) as simulator:
        assert ask(llm_of(simulator)) == Colour(name="red")
        assert len(simulator.requests) == 3


def test_a_server_that_stays_busy_is_an_error_after_the_sdk_gave_up() -> None:
    busy = Reply("slow down", status=429, headers={"Retry-After": "0.01"})
    with simulating(replies(busy)) as simulator, pytest.raises(ResourceError, match="slow down"):
        ask(llm_of(simulator))
    assert len(simulator.requests) == 3


def test_a_server_that_hangs_is_an_error() -> None:
    with (
        simulating(replies(Reply(hang_s=30))) as simulator,
        pytest.raises(ResourceError, match="no answer within 1 s"),
    ):
        ask(llm_of(simulator, timeout_s=1))


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply("no such key: Bearer the-key", status=401), "no such key: Bearer …"),
        (Reply(f"{'x' * 270} the-key", status=401), "xxx"),  # not cut in the middle of the key either
        (Reply(refusal="Not with the-key"), "Not with …"),
        (Reply(refusal=f"{'x' * 290} the-key"), "xxx"),
        (Reply("no the-key here", status=400), "no … here"),
        (Reply("no model m", status=404), "no model m"),
        (Reply({"name": "red"}, cut=True), "cannot be reached"),
        (Reply('{"name": "re', finish="length"), "cut off"),
        (Reply(refusal="I would rather not"), "I would rather not"),
        (Reply(raw="<html>hello</html>"), "gave no answer"),
        (Reply(raw="{}"), "gave no answer"),
        (Reply(raw="[]"), "gave no answer"),
        (Reply(raw='{"choices": []}'), "gave no answer"),
        (Reply("schemas? no chat either", status=400), "no chat either"),
        (Reply({"name": "blue"}), "name: Input should be 'red' or 'green'"),
    ],
)
def test_every_failure_is_an_error_with_its_reason_and_without_the_key(reply: Reply, reason: str) -> None:
    with simulating(replies(reply)) as simulator, pytest.raises(ResourceError) as caught:
        ask(llm_of(simulator))
    assert reason in str(caught.value)
    assert "127.0.0.1" in str(caught.value)
    assert "the-" not in everything_of(caught.value)


def test_a_server_that_is_not_there_is_an_error() -> None:
    with simulating(replies(RED)) as simulator:
        pass
    with pytest.raises(ResourceError, match="cannot be reached"):
        ask(llm_of(simulator))


def test_a_server_that_refuses_schemas_is_asked_in_words_from_then_on() -> None:
    with simulating(replies(Reply("response_format unknown", status=400), RED)) as simulator:
        llm = llm_of(simulator)
        assert ask(llm) == ask(llm) == Colour(name="red")
    assert ["response_format" in request for request in simulator.requests] == [True, False, False]
    assert '"enum": ["red", "green"]' in simulator.requests[1]["messages"][0]["content"]


@pytest.mark.parametrize("said", ["Red, I think!", '{"name": "re', '{"colour": "red"}'])
def test_a_server_that_ignores_the_schema_is_asked_in_words(said: str) -> None:
    worded = Reply('Sure:\n```json\n{"name": "red"}\n```')
    with simulating(replies(Reply(said), worded)) as simulator:
        llm = llm_of(simulator)
        assert ask(llm) == Colour(name="red")
        assert llm.usage.calls == 2


def test_a_broken_answer_may_be_repaired_once() -> None:
    refused = Reply("no", status=422)
    with simulating(replies(refused, Reply({"name": "blue"}), RED)) as simulator:
        assert ask(llm_of(simulator)) == Colour(name="red")
    roles = [message["role"] for message in simulator.requests[2]["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert "Input should be 'red' or 'green'" in simulator.requests[2]["messages"][3]["content"]


def test_an_answer_that_stays_broken_is_an_error_after_one_repair() -> None:
    with simulating(replies(Reply("I cannot say"))) as simulator:
        with pytest.raises(ResourceError, match="not valid twice"):
            ask(llm_of(simulator))
        assert len(simulator.requests) == 3
