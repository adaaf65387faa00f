import json
import os
from typing import Literal

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from core.errors import ResourceError, SettingsError
from core.llm import LlmSettings, ServerLlm, Usage, connect
from tests.llm_simulator import Reply, Simulator, replies, simulating
from tests.smollm import RealServer


class Colour(BaseModel):
    name: Literal["red", "green"]


RED = Reply({"name": "red"})


def llm_of(simulator: Simulator, timeout_s: float = 5) -> ServerLlm:
    return connect(
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
        (Reply("no such key", status=401), "no such key"),
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
    assert "the-key" not in str(caught.value)


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


def test_settings_come_from_the_environment_and_do_not_show_the_key() -> None:
    settings = LlmSettings.from_environment({
        "BEHA2VEC_MODEL": "m", "OPENAI_BASE_URL": "http://localhost:11434/v1/", "OPENAI_API_KEY": "sk-secret"
    })  # fmt: skip
    assert (settings.model, settings.base_url, settings.host) == (
        "m", "http://localhost:11434/v1", "localhost:11434"
    )  # fmt: skip
    assert settings.api_key.get_secret_value() == "sk-secret"
    assert "sk-secret" not in repr(settings) + settings.model_dump_json()


def test_a_key_alone_means_openai_and_a_server_alone_means_no_key() -> None:
    with_key = LlmSettings.from_environment({"BEHA2VEC_MODEL": "m", "OPENAI_API_KEY": "k"})
    assert with_key.base_url == "https://api.openai.com/v1"
    local = LlmSettings.from_environment({"BEHA2VEC_MODEL": "m", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"})
    assert connect(local).identity == "m @ http://127.0.0.1:1/v1"


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({}, "BEHA2VEC_MODEL"),
        ({"OPENAI_API_KEY": "k"}, "BEHA2VEC_MODEL"),
        ({"BEHA2VEC_MODEL": "m"}, "OPENAI"),
    ],
)
def test_an_environment_without_a_model_is_an_error_that_says_what_to_set(
    environment: dict[str, str], missing: str
) -> None:
    with pytest.raises(ResourceError, match=f"{missing}.* is not set"):
        LlmSettings.from_environment(environment)


@pytest.mark.parametrize("url", ["ftp://host/v1", "localhost:8000", "https://user:pass@host/v1", "https://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="base_url"):
        LlmSettings.from_environment({"BEHA2VEC_MODEL": "m", "OPENAI_BASE_URL": url})
    with pytest.raises(ValidationError):
        LlmSettings(model="m", base_url=url)


def real_llm(server: RealServer, key: str = "") -> ServerLlm:
    key = key or server.api_key
    return connect(LlmSettings(model=server.model, base_url=server.base_url, api_key=SecretStr(key)))


def test_a_real_server_is_held_to_the_schema(smollm: RealServer) -> None:
    llm = real_llm(smollm)
    answer = llm.parse("Answer in JSON.", "Which colour has blood, red or green?", Colour)
    assert answer.name in ("red", "green")
    assert llm.usage.calls == 1  # at the first try: llama.cpp obeys schemas
    assert llm.usage.prompt_tokens > 10
    assert llm.usage.completion_tokens > 1


def test_a_real_server_chats(smollm: RealServer) -> None:
    import openai

    client = openai.OpenAI(base_url=smollm.base_url, api_key=smollm.api_key)
    said = client.chat.completions.create(
        model=smollm.model, messages=[{"role": "user", "content": "Say hello."}], max_tokens=8
    )
    assert said.choices[0].message.content
    assert said.usage is not None
    assert said.usage.completion_tokens <= 8


def test_a_real_server_refuses_a_wrong_key(smollm: RealServer) -> None:
    with pytest.raises(ResourceError, match="401"):
        real_llm(smollm, "wrong").parse("Answer.", "Red?", Colour)


@pytest.mark.skipif(
    not os.environ.get("BEHA2VEC_LIVE_LLM"),
    reason="opt-in: set BEHA2VEC_LIVE_LLM=1 and the model's variables",
)
def test_the_model_of_the_environment_answers() -> None:
    assert ask(connect(LlmSettings.from_environment())) == Colour(name="red")
