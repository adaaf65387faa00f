from pathlib import Path

import pytest

from core.llm import ChatReply, ToolCall
from core.writing.model_calls import AnswerCache, from_json, key_of, to_json


def test_answers_come_back(tmp_path: Path) -> None:
    AnswerCache(tmp_path / "a").put({"key": {"text": "Hi"}})
    assert AnswerCache(tmp_path / "a").get("key") == {"text": "Hi"}
    assert AnswerCache(tmp_path / "a").get("other") is None


def test_a_reply_survives_as_plain_data() -> None:
    reply = ChatReply("Hi", (ToolCall("1", "metric", "{}"),))
    assert from_json(to_json(reply)) == reply


@pytest.mark.parametrize("held", [None, 3, "x", {}, {"text": "Hi"}, {"text": "Hi", "calls": [[1]]}])
def test_anything_else_is_no_reply(held: object) -> None:
    assert from_json(held) is None


def test_a_key_is_of_everything_it_rests_on() -> None:
    keys = {key_of(model="a"), key_of(model="b"), key_of(model="a", data="x"), key_of(model="a", data="y")}
    assert len(keys) == 4
    assert key_of(model="a", data="x") == key_of(data="x", model="a")
