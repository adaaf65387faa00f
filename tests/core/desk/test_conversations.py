"""Conversations on disk: for their owner alone, read as they were kept, and never in the way when damaged."""

from __future__ import annotations

import json
import math
import stat
from pathlib import Path

import pandas as pd
import pytest

from core.desk import conversations
from core.desk.conversations import Message
from core.facts.answer import Answer, Fact, Mark, MarkKind, Unit
from core.storage.json_file import set_aside
from core.storage.store import Store


def test_a_damaged_conversation_is_set_aside_and_an_invented_one_is_not_opened(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made = conversations.begin("m").saying(Message("user", "hello"))
    conversations.save(store, made)
    assert conversations.load(store, "m", made.id) == made
    assert conversations.load(store, "m", "../../etc/passwd") is None
    folder = tmp_path / conversations.FOLDER / "m"
    (folder / f"{made.id}.json").write_text("{")
    assert conversations.load(store, "m", made.id) is None
    assert conversations.earlier(store, "m") == []
    (kept,) = set_aside(folder)
    assert kept.read_text() == "{"


def test_an_answer_is_read_as_it_was_kept(tmp_path: Path) -> None:
    fact = Fact("F1", "lift:page", "Lift", ("segment:0", "all"), math.inf, Unit.RATIO, "∞×", low=1.0, n=3)
    named = Fact("F2", "page", "Page", ("segment:0",), "12", Unit.TEXT, "12")
    answer = Answer(
        "[[F1]] and 7 (Readers)", (fact, named), pd.DataFrame({"page": ["/a"], "lift": [2.5]}), "query", "m",
        chart={"kind": "bar", "columns": ["page"]}, marks=(Mark(11, 12, MarkKind.UNVERIFIED),),
    )  # fmt: skip
    made = conversations.begin("m").saying(conversations.to_message(answer, {0: "Readers", 1: "Buyers"}))
    assert made.messages[0].called == {"0": "Readers"}
    conversations.save(Store(tmp_path), made)
    assert conversations.load(Store(tmp_path), "m", made.id) == made


def test_a_conversation_of_an_older_release_is_read(tmp_path: Path) -> None:
    folder = tmp_path / conversations.FOLDER / "m"
    folder.mkdir(parents=True)
    old = {
        "role": "assistant",
        "text": "12",
        "facts": [],
        "rows": [{"page": "/a"}],
        "query": "q",
        "source": "rules",
    }
    kept = {"id": "0" * 16, "model": "m", "messages": [old], "begun": "2024-01-01T00:00:00+00:00"}
    (folder / f"{kept['id']}.json").write_text(json.dumps(kept))
    found = conversations.load(Store(tmp_path), "m", "0" * 16)
    assert found is not None
    assert found.messages == (Message("assistant", "12", rows=({"page": "/a"},), query="q", source="rules"),)


def test_a_conversation_is_for_its_owner_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made = conversations.begin("m").saying(Message("user", "hello"))
    conversations.save(store, made)
    (path,) = (tmp_path / conversations.FOLDER).rglob("*.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_menu_reads_a_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    for number in range(3):
        conversations.save(store, conversations.begin("m").saying(Message("user", f"question {number}")))
    read: list[Path] = []
    whole = conversations._read
    monkeypatch.setattr(conversations, "_read", lambda path: read.append(path) or whole(path))
    first, again = conversations.earlier(store, "m"), conversations.earlier(store, "m")
    assert first == again
    assert {one.title for one in first} == {"question 0", "question 1", "question 2"}
    assert len(read) == 3
