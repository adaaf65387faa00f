"""Conversations on disk: for their owner alone, read as they were kept, and never in the way when damaged."""

from __future__ import annotations

import json
import math
import stat
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from core.facts.answer import (
    Answer,
    Comment,
    Contrast,
    Fact,
    FigureList,
    Note,
    Reading,
    Title,
    Unit,
    Verdict,
    facts_of,
)
from core.facts.sentences import plain
from core.saved import conversations
from core.saved.conversations import Conversation, Exchange
from core.storage.json_cache import set_aside
from core.storage.store import Store
from tests.core.facts.toy import context


def said(store: Store, *questions: str) -> Conversation:
    made = conversations.begin("m")
    for question in questions:
        made = conversations.ask(store, made, question)
    return made


def test_a_damaged_conversation_is_set_aside_and_an_invented_one_is_not_opened(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made = said(store, "hello")
    assert conversations.load(store, "m", made.id) == made
    assert conversations.load(store, "m", "../../etc/passwd") is None
    folder = tmp_path / conversations.FOLDER / "m"
    (folder / f"{made.id}.json").write_text("{")
    assert conversations.load(store, "m", made.id) is None
    assert conversations.earlier(store, "m") == []
    (kept,) = set_aside(folder)
    assert kept.read_text() == "{"


def test_an_answer_is_read_as_it_was_kept(tmp_path: Path) -> None:
    store, about = Store(tmp_path), context()
    fact = Fact(
        measure="lift:page", label="Lift", segments=("segment:0", "all"), value=math.inf, unit=Unit.RATIO,
        text="∞×", low=1.0, n=3,
    )  # fmt: skip
    contrast = Contrast(first=fact, second=fact, verdict=Verdict.UNSURE, test="Fisher", p_value=0.4)
    blocks = (FigureList(facts=(fact,)), contrast, Comment(text="A reading."))
    answer = Answer(blocks, {"segment:0": Title(label="Segment 1")}, "SELECT 1", "m", dropped=2, cost=0.1)
    made = said(store, "hello", "again")
    conversations.answer(store, made, 0, answer, about)
    found = conversations.load(store, "m", made.id)
    assert found is not None
    first, second = found.exchanges
    plain = TypeAdapter(Answer).dump_python
    assert first.answer is not None
    assert plain(first.answer) == plain(answer)
    assert (first.digest, first.segments) == (about.tables.digest, len(about.segment_keys))
    assert second == Exchange("again")


def test_a_follow_up_goes_on_with_the_last_answer_that_was_no_refusal(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made = said(store, "one", "two", "three")
    reading = Reading(rows=("segment:0",))
    asked = Answer((Note(text="yes"),), reading=reading), Answer((Note(text="no"),), declined=True)
    for place, answer in enumerate(asked):
        conversations.answer(store, made, place, answer, None)
    found = conversations.load(store, "m", made.id)
    assert found is not None
    assert found.reading(0) is None
    assert found.reading(2) == reading


def test_two_tabs_that_go_on_with_one_conversation_lose_no_question(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made = said(store, "one")
    conversations.ask(store, made, "two")
    now = conversations.ask(store, made, "three")
    assert [one.question for one in now.exchanges] == ["one", "two", "three"]


def test_an_answer_to_what_was_deleted_meanwhile_brings_nothing_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made = said(store, "one")
    conversations.forget(store, made)
    conversations.answer(store, made, 0, Answer((Note(text="yes"),)), None)
    assert conversations.earlier(store, "m") == []


def test_a_conversation_of_an_older_release_is_read_as_plain_text(tmp_path: Path) -> None:
    folder = tmp_path / conversations.FOLDER / "m"
    folder.mkdir(parents=True)
    fact = {"id": "F1", "metric": "users", "segments": ["segment:0"], "value": 12.0, "text": "12"}
    old = {
        "role": "assistant", "text": "It has [[F1]] users, and [[F9]].", "facts": [fact],
        "rows": [{"page": "/a"}], "query": "q", "source": "rules",
    }  # fmt: skip
    by_model = {**old, "text": "Said.", "source": "m"}
    messages = [{"role": "user", "text": "How many?"}, old, {"role": "user", "text": "And now?"}, by_model]
    kept = {"id": "0" * 16, "model": "m", "messages": messages, "begun": "2024-01-01T00:00:00+00:00"}
    (folder / f"{kept['id']}.json").write_text(json.dumps(kept))
    found = conversations.load(Store(tmp_path), "m", "0" * 16)
    assert found is not None
    first, second = found.exchanges
    assert [first.question, second.question] == ["How many?", "And now?"]
    assert first.answer is not None
    assert second.answer is not None
    assert first.answer.blocks == (Note(text="It has 12 users, and [[F9]]."),)
    assert second.answer.blocks == (Comment(text="Said."),)  # nobody checks its numbers any more
    assert second.answer.source == "m"


def test_figures_that_are_made_no_more_are_still_said_with_row_and_item(tmp_path: Path) -> None:
    old = Path(__file__).with_name("old_conversation.json")
    kept = tmp_path / conversations.FOLDER / "m" / f"{'0' * 16}.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(old.read_text())
    found = conversations.load(Store(tmp_path), "m", kept.stem)
    assert found is not None
    answers = [one.answer for one in found.exchanges if one.answer]
    kinds = {fact.measure.partition(":")[0] for answer in answers for fact in answer.facts}
    assert {"users", "views", "view_share", "view_lift", "step"} <= kinds
    for answer in answers:
        text = plain(answer.blocks, answer.titles)
        whole = [block for block in answer.blocks if isinstance(block, FigureList | Contrast)]
        for fact in facts_of(whole):
            said = (fact.text, fact.called, answer.titles[fact.row].short)
            assert all(part.casefold() in text.casefold() for part in said)
    assert plain(answers[2].blocks, answers[2].titles) == (
        "Times the others' share of page views of the theme Unknown, of Bargain hunters (segment 1): 1.4×."
    )


@pytest.mark.parametrize(
    "old",
    [
        {"role": "user"},
        {"role": "nobody", "text": "x"},
        {"role": "assistant", "text": 5},
        {"role": "assistant", "text": "x", "facts": None},
        {"role": "assistant", "text": "x", "facts": [1]},
        {"role": "assistant", "text": "x", "facts": [{"text": "12"}]},
        7,
    ],
)
def test_a_damaged_conversation_of_an_older_release_is_set_aside(tmp_path: Path, old: object) -> None:
    folder = tmp_path / conversations.FOLDER / "m"
    folder.mkdir(parents=True)
    kept = {"id": "0" * 16, "model": "m", "messages": [{"role": "user", "text": "q"}, old], "begun": ""}
    (folder / f"{kept['id']}.json").write_text(json.dumps(kept))
    assert conversations.earlier(Store(tmp_path), "m") == []
    assert conversations.load(Store(tmp_path), "m", "0" * 16) is None
    assert len(set_aside(folder)) == 1


def test_a_conversation_is_for_its_owner_alone(tmp_path: Path) -> None:
    said(Store(tmp_path), "hello")
    (path,) = (tmp_path / conversations.FOLDER).rglob("*.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_menu_reads_a_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    for number in range(3):
        said(store, f"question {number}")
    read: list[Path] = []
    whole = conversations._read
    monkeypatch.setattr(conversations, "_read", lambda path: read.append(path) or whole(path))
    first, again = conversations.earlier(store, "m"), conversations.earlier(store, "m")
    assert first == again
    assert {one.title for one in first} == {"question 0", "question 1", "question 2"}
    assert len(read) == 3
