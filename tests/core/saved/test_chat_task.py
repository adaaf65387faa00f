"""Turns of a conversation: a question is read alike by whoever answers, and sent only once that is agreed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from core.facts.answer import Answer
from core.facts.sentences import plain
from core.llm import LlmSettings
from core.saved import conversations
from core.saved.chat_task import ChatTask
from core.saved.conversations import Conversation
from core.storage.store import Store
from tests.core.writing.simulated import assisted, figures
from tests.core.writing.test_assistant import answering

SERVER = LlmSettings.checked(model="m", base_url="http://127.0.0.1:9/v1")
PATIENCE_S = 10.0
T = TypeVar("T")


def test_a_question_behind_one_that_was_not_agreed_to_goes_on_with_the_answer_before_and_sends_nothing(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    made = asked(store, "sessions a user of segment 1", "Suggest a campaign", "and the lowest?")
    with assisted(answering(figures("S2.users"))) as (assistant, simulator):

        def turn(place: int) -> ChatTask:
            return ChatTask(lambda _: assistant, SERVER, False, store, made, place, assistant.context)

        turn(0).begin()
        first = answered(store, made, 0)
        suggestion = turn(1)
        suggestion.begin()
        until(lambda: suggestion.waits)
        suggestion.decline()
        assert answered(store, made, 1).declined
        turn(2).begin()
        last = answered(store, made, 2)
    assert simulator.requests == []
    assert not first.declined
    assert plain(last.blocks, last.titles).startswith("Sessions a user, by segment, fewest first")


def asked(store: Store, *questions: str) -> Conversation:
    made = conversations.begin("k")
    for question in questions:
        made = conversations.ask(store, made, question)
    return made


def answered(store: Store, made: Conversation, place: int) -> Answer:
    def found() -> Answer | None:
        now = conversations.load(store, made.model, made.id)
        return now.exchanges[place].answer if now else None

    return until(found)


def until(found: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + PATIENCE_S
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return value
