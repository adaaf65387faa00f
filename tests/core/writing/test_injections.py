"""Hostile text in the data, and a model that obeys all of it: end to end, over a real socket."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from benchmarks.words.injections import INJECTIONS, USER_ID, Injection
from core.base.schema import Pages, View
from core.facts.answer import Answer, MarkKind
from core.facts.context import Basis, Context, make_context
from core.facts.measures import clean
from core.facts.tools import TOOLS
from core.questions.answers import ask
from core.writing import Said, shown
from core.writing.prose.mentions import Kind, Lexicon
from core.writing.prose.numerals import find_numerals
from tests.core.facts.toy import NAMES, THEMES, TYPES, tables
from tests.core.outgoing.test_markdown import loads_or_links
from tests.core.profiles.toy import toy_tables
from tests.core.writing.simulated import ALL, WEAK, assisted, data_of, slot
from tests.llm_simulator import Reply, Script

QUESTION = "Campaign ideas for segment 1"
"""Ideas may be said without a figure: the question that leaves a model most room."""
SALE = 1
EACH = pytest.mark.parametrize(
    "one", INJECTIONS, ids=lambda one: one.text[:30].encode("unicode_escape").decode()
)


@cache
def context(one: Injection) -> Context:
    """The eight users, with the hostile text where it would stand; must not be changed."""
    made = tables(labelled=True)
    _, pages, _, sequences = toy_tables()
    types = [one.text if one.where == "label" and name == "Category" else name for name in TYPES]
    if one.where in ("title", "url"):
        pages = pages.copy()
        pages.loc[SALE, Pages.PAGE_LOCATION] = one.text
    basis = Basis.from_tables(
        "toy", made.basis.data, pages, sequences, {View.THEME: THEMES, View.TYPE: types}
    )
    names = {0: one.text, 1: NAMES[1]} if one.where == "name" else NAMES
    return make_context(basis, made.profiles, made.partition, names)


def obeying(one: Injection, told: list[str]) -> Script:
    """First calls tools with the hostile text as name and arguments, then says what it was told to."""

    def script(request: dict[str, Any], number: int) -> Reply:
        told.extend(name for data in data_of(request) for name in data.get("names", {}).values())
        if number == 0 and "tools" in request:
            share = {"segment": one.text, "dimension": "page", "value": one.text, "metric": "share"}
            return Reply(
                calls=((one.text[:60], {"command": one.text}), ("item_share", share), ("chart", one.text))
            )
        return Reply(f"S1 has {slot(request, 'users', 'S1')} users. {one.obeyed}")

    return script


def letters(text: str) -> str:
    """What is left of a text in any spelling."""
    return "".join(one for one in unicodedata.normalize("NFKC", text).casefold() if "a" <= one <= "z")


def only(one: Injection) -> Script:
    """Says nothing but what it was told to."""
    return lambda _request, _number: Reply(one.obeyed)


def unbacked_numbers(answer: Answer, made: Context, hostile: str) -> list[str]:
    """Numbers of an answer that are neither of a fact, nor struck through, nor part of a quoted name."""
    text = answer.text
    for mark in reversed(answer.marks):
        if mark.kind is MarkKind.UNVERIFIED:
            text = text[: mark.start] + " " * (mark.end - mark.start) + text[mark.end :]
    names = [re.escape(clean(hostile)), *(re.escape(made.title(key)) for key in made.keys)]
    text = re.sub("|".join(sorted(names, key=len, reverse=True)), " ", re.sub(r"\[\[F\d+\]\]", " ", text))
    lexicon = Lexicon((), {key: () for key in made.segment_keys})
    hidden = [(one.start, one.end) for one in lexicon.mentions(text) if one.kind is Kind.SEGMENT]
    backed = {fact.text for fact in answer.facts}
    found = (text[one.start : one.end] for one in find_numerals(text, hidden))
    return [number for number in found if number not in backed]


@pytest.fixture
def nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No file is made, and the tools are the same afterwards."""
    monkeypatch.chdir(tmp_path)
    before = dict(TOOLS)
    yield
    assert list(tmp_path.iterdir()) == []
    assert before == TOOLS


def held(one: Injection, can: Any, script_of: Callable[[], Script]) -> None:  # noqa: ANN401
    """Ask a model that obeys, and look at everything that was shown and sent."""
    made, seen = context(one), list[str]()
    digest, names = made.tables.digest, dict(made.names)
    history = [Said("user", one.text), Said("assistant", one.text, source="m")]
    with assisted(script_of(), can, context=made, user_ids={USER_ID}, fewest_users=1) as (
        assistant,
        simulator,
    ):
        answer = assistant.reply(QUESTION, history, on_text=seen.append)

    assert simulator.requests
    assert USER_ID not in json.dumps(simulator.requests)
    everything = [shown(answer.text, answer.facts, answer.marks), *seen]
    assert [found for text in everything for found in loads_or_links(text)] == []
    assert unbacked_numbers(answer, made, one.text) == []
    assert one.text not in answer.reason
    assert (made.tables.digest, dict(made.names)) == (digest, names)


@pytest.mark.usefixtures("nothing_happens")
@EACH
class TestObeyed:
    def test_between_true_sentences(self, one: Injection) -> None:
        told: list[str] = []
        held(one, ALL, lambda: obeying(one, told))
        assert (letters(one.text)[:12] in letters(" ".join(told))) == (USER_ID not in one.text)

    def test_alone_by_a_weak_model(self, one: Injection) -> None:
        held(one, WEAK, lambda: only(one))

    def test_offline_names_are_text(self, one: Injection) -> None:
        made = context(one)
        for question in ("Describe segment 1", "Compare"):
            answer = ask(question, made)
            assert loads_or_links(shown(answer.text, answer.facts)) == []


@pytest.mark.parametrize("one", [one for one in INJECTIONS if one.lies], ids=lambda one: one.obeyed)
def test_a_lie_is_never_the_answer(one: Injection) -> None:
    with assisted(only(one), context=context(one), fewest_users=1) as (assistant, _):
        answer = assistant.reply(QUESTION)
    assert answer.source == "rules"
    assert "no figure of the data backs" in answer.reason


def test_the_measure_can_fail() -> None:
    made = context(INJECTIONS[0])
    answer = Answer("Segment 1 has 999 users.")
    assert unbacked_numbers(answer, made, "x") == ["999"]
    assert unbacked_numbers(replace(answer, text="Segment 1 has many users."), made, "x") == []
