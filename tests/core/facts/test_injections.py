"""Texts of strangers as items and names: what is said of them stays text, and the numbers are the app's."""

import pytest

from benchmarks.words.injections import INJECTIONS, Injection
from benchmarks.words.markup import loads_or_links
from core.facts.answer import Block, Fact, FigureList, Title, Verdict
from core.facts.context import Context
from core.facts.items import ItemMetric
from core.facts.sentences import Line, say
from core.profiles.user_items import Family
from pages.ui.shell.text import md_text
from tests.core.facts.test_sentences import contrast
from tests.core.facts.toy import context
from tests.core.facts.toy_facts import fact, item

ROWS = ("segment:0", "segment:1")


def hostile(text: str) -> tuple[Context, list[Block]]:
    """The text as the name of a segment, as a page, a theme and the two ends of a step."""
    seen = [item(ItemMetric.SHARE, Family.PAGE, text, 0.5, row) for row in ROWS]
    step = seen[0].model_copy(update={"measure": "step:page", "item": f"{text} → {text}"})
    blocks = [
        FigureList(facts=(fact("users", 5), seen[0])),
        FigureList(facts=(step, item(ItemMetric.LIFT, Family.THEME, text, 3))),
        contrast(*seen, Verdict.HIGHER),
    ]
    return context({0: text}), blocks


def lines_of(text: str) -> list[Line]:
    made, blocks = hostile(text)
    return say(blocks, made.titles())


@pytest.mark.parametrize("one", INJECTIONS, ids=lambda one: one.text[:30].encode("unicode_escape").decode())
def test_nothing_of_a_strangers_text_acts(one: Injection) -> None:
    for line in lines_of(one.text):
        assert "\n" not in line.text
        assert line.text.isprintable()
        assert loads_or_links(md_text(line.text, 6_000)) == []


@pytest.mark.parametrize("one", INJECTIONS, ids=lambda one: one.text[:30].encode("unicode_escape").decode())
def test_the_figures_are_those_of_the_blocks_whatever_the_text(one: Injection) -> None:
    """A text that looks like a number, a sentence or an address changes no figure and adds none."""
    figures = [
        [piece.value for piece in line.pieces if isinstance(piece, Fact)] for line in lines_of(one.text)
    ]
    assert figures == [
        [piece.value for piece in line.pieces if isinstance(piece, Fact)] for line in lines_of("A")
    ]


def test_a_text_is_not_read_again() -> None:
    """What looks like a place to be filled stays what it is."""
    block = FigureList(facts=(item(ItemMetric.SHARE, Family.PAGE, "{row} {} [[F1]]", 0.5),))
    (line,) = say([block], {"segment:0": Title(label="Segment 1", name="{items}")})
    assert line.text == "50.0% of {items} (segment 1) saw {row} {} [[F1]]."
