"""An answer on the screen and in a file: figures in bold, strangers' text escaped, remarks apart."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.facts.answer import (
    Answer,
    Block,
    Chart,
    ChartMark,
    Comment,
    Fact,
    FigureList,
    Idea,
    Note,
    Title,
    Unit,
)
from core.facts.sentences import Line
from core.profiles.profile_columns import Col
from core.saved.conversations import Conversation, Exchange
from core.storage.disk import PRIVATE
from core.storage.json_cache import JsonFile
from pages.ui.chat import chat_message
from pages.ui.shell.text import md_text
from tests.pages.fake_jobs import texts

HOSTILE = "![p](http://evil.example/p) <img src=x> **b** [l](javascript:x)"
TITLES = {"segment:0": Title(label="Segment 1", name=HOSTILE), "segment:1": Title(label="Segment 2")}


def fact(row: str = "segment:0", value: float = 3.0, item: str = "") -> Fact:
    return Fact(
        measure="users:page" if item else Col.USERS, label="users who saw the page" if item else "users",
        segments=(row,), value=value, unit=Unit.COUNT, text=f"{value:.0f}", item=item, n=3,
    )  # fmt: skip


BLOCKS: tuple[Block, ...] = (
    Comment(text=f"They plan. {HOSTILE}"),
    FigureList(facts=(fact(),)),
    FigureList(facts=(fact(item=HOSTILE),)),
    Idea(text="Write to them."),
    Idea(text="Call them."),
)


def drawn(answer: Answer) -> AppTest:
    def page(answer):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - it is run as a script
        from pages.ui.chat import chat_message

        chat_message.draw(answer, "one")

    return AppTest.from_function(page, args=(answer,)).run()


def test_lists_are_lists_and_hostile_text_stays_text() -> None:
    lines = [
        Line(("Different:",)),
        Line(("users ", fact(), "."), bullet=True),
        Line(("# [x](y)",), bullet=True),
    ]
    assert chat_message.sentences([*lines, Line(("# Alike",))]) == (
        "Different\\:\n- users **3**\\.\n- \\# \\[x\\]\\(y\\)\n\n\\# Alike"
    )


def test_remarks_and_ideas_stand_apart_from_what_is_counted() -> None:
    app = drawn(Answer(BLOCKS, TITLES, source="m", dropped=2))
    assert not app.exception
    said, reading, ideas = (element.value for element in app.markdown)
    assert "**3**" in said
    assert "They plan" not in said
    assert reading.startswith("*They plan") and reading.endswith("*")
    assert ideas == "- Write to them\\.\n- Call them\\."
    captions = [caption.value for caption in app.caption]
    place = captions.index(":material/chat_bubble: The model's reading, not counted")
    assert captions[place + 1] == ":material/lightbulb: Ideas"
    left_out = "Left out, as it did not hold or was said already: 2 parts of the model's answer."
    assert f":material/info: {left_out}" in captions


def test_nothing_of_a_stranger_s_loads_or_links() -> None:
    taken = chat_message.as_markdown(
        Conversation("0" * 16, "k", (Exchange(HOSTILE, Answer(BLOCKS, TITLES, source=HOSTILE)),))
    )
    for said in (taken, texts(drawn(Answer(BLOCKS, TITLES, source=HOSTILE)))):
        assert not re.search(r"(?<!\\)(?:!\[|<img|\]\(|\*\*b)", said)


def test_a_conversation_is_taken_along_with_remarks_apart_and_the_reason() -> None:
    by_model = Answer(BLOCKS, TITLES, source="m", dropped=1)
    offline = Answer((Note(text="12"),), reason="it cannot be reached")
    conversation = Conversation(
        "0" * 16, "k", (Exchange("one", by_model), Exchange("two", offline), Exchange("three"))
    )
    taken = chat_message.as_markdown(conversation)
    assert "**You:** one" in taken
    assert "**The model's reading, not counted**\n\n*They plan" in taken
    assert "**Ideas**\n\n- Write to them" in taken
    assert "*Left out, as it did not hold or was said already: 1 part of the model's answer.*" in taken
    assert "- users: 3 (n = 3)" in taken
    assert "Answered without the model: it cannot be reached" in taken
    assert taken.rstrip().endswith("**You:** three")


@pytest.mark.parametrize("mark", ChartMark)
@pytest.mark.parametrize(
    ("facts", "title", "names"),
    [
        ([("segment:1", ""), ("all", "")], "Users", ["Segment 2", "All users"]),
        ([("segment:1", "/a"), ("all", "/a")], "Users who saw the page /a", ["Segment 2", "All users"]),
        ([("segment:1", "/a"), ("segment:1", "/b")], "Users who saw the page: Segment 2", ["/a", "/b"]),
        (
            [("segment:1", "/a"), ("segment:1", "/b"), ("all", "/b")],
            "Users who saw the page",
            ["Segment 2 · /a", "Segment 2 · /b", "All users · /b"],
        ),
    ],
)
def test_a_chart_names_each_figure_by_what_differs_and_has_the_rest_in_its_title(
    mark: ChartMark, facts: list[tuple[str, str]], title: str, names: list[str]
) -> None:
    titles = TITLES | {"all": Title(label="All users")}
    chart = Chart(facts=tuple(fact(row, item=item) for row, item in facts), mark=mark)
    app = drawn(Answer((chart,), titles))
    assert not app.exception
    (shown,) = app.get("vega_lite_chart")
    spec = shown.proto.spec
    assert f'"{mark.value}"' in spec
    assert app.caption[0].value == md_text(title)
    assert '"title": null' in spec  # in a narrow column a long one leaves no room for bars
    assert mark is ChartMark.LINE or f'"sort": {json.dumps(names)}' in spec


def test_what_broke_off_says_so_and_keeps_what_came() -> None:
    said = texts(drawn(Answer(BLOCKS[1:2], TITLES, source="m", reason="You stopped it.")))
    assert "**3**" in said
    assert "Broken off: You stopped it" in said


def test_two_segments_with_one_name_are_two_bars() -> None:
    titles = {row: Title(label=title.label, name="Same") for row, title in TITLES.items()}
    (chart,) = drawn(Answer((Chart(facts=(fact(), fact("segment:1"))),), titles)).get("vega_lite_chart")
    assert '"sort": ["Same (segment 1)", "Same (segment 2)"]' in chart.proto.spec


def test_an_old_conversation_is_drawn_though_its_figures_are_made_no_more() -> None:
    kept = Path(__file__).parents[3] / "core" / "saved" / "old_conversation.json"
    old = JsonFile(kept, Conversation, PRIVATE).read()
    assert old is not None
    for answer in (exchange.answer for exchange in old.exchanges):
        assert answer is not None
        page = drawn(answer)
        assert not page.exception
        figures = [
            fact.text for block in answer.blocks if isinstance(block, FigureList) for fact in block.facts
        ]
        assert all(md_text(text) in texts(page) for text in figures)
