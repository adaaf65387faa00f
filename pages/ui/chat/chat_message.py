"""An answer made of blocks: what the app says of them, charts, where figures come from, remarks apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from core.base.wording import sentence
from core.desk.conversations import RULES, Conversation
from core.facts.answer import Answer, Block, Chart, Comment, Fact, Idea, Title, Unit
from core.facts.phrases import measured
from core.facts.sentences import Line, say
from core.profiles.profile_columns import Col, RowKind
from pages.ui.chat import consent, fact_sources
from pages.ui.segments import charts
from pages.ui.segments.figure import picture
from pages.ui.shell.text import count, md_text

LONGEST: Final = 6_000
REMARKS: Final = "The model's reading, not counted"
IDEAS: Final = "Ideas"
AXIS_FORMATS: Final = {Unit.SHARE: ".0%", Unit.POINTS: "+.0%", Unit.COUNT: ",d"}


def draw(answer: Answer, key: str, titles: Mapping[str, Title] | None = None) -> None:
    """Draw an answer; nothing in it that strangers wrote becomes more than text.

    Args:
        answer: What was answered.
        key: Of the widgets.
        titles: What rows are called now; as they were called then when None.
    """
    titles = titles or answer.titles
    blocks(answer.blocks, titles, key)
    if answer.facts:
        fact_sources.draw(answer, titles, f"facts-{key}")
    for note in _notes(answer):
        st.caption(f":material/info: {note}")
    parts = [md_text(answer.source, 60)] if answer.source != RULES else []
    parts += [f"{answer.usage.tokens:,} tokens"] if answer.usage.tokens else []
    parts += [consent.dollars(answer.cost)] if answer.usage.tokens and answer.cost is not None else []
    if parts:
        st.caption(" · ".join(parts))


def blocks(said: Sequence[Block], titles: Mapping[str, Title], key: str) -> None:
    """Draw what some blocks say, then their charts, then what a model adds of its own."""
    if text := sentences(say(said, titles)):
        st.markdown(text)
    for place, block in enumerate(said):
        if isinstance(block, Chart) and block.facts:
            _chart(block, titles, f"chart-{key}-{place}")
    if remarks := _remarks(said):
        with st.container(key=f"remarks-{key}", gap="xsmall"):
            for heading, text in remarks.items():
                st.caption(f":material/{'lightbulb' if heading == IDEAS else 'chat_bubble'}: {heading}")
                st.markdown(text)


def sentences(lines: Iterable[Line]) -> str:
    """Lines as Markdown that loads and links nothing, each figure in bold.

    Sentences flow in a paragraph; what heads a list begins one.
    """
    text, flows = "", False
    for line in lines:
        heads = line.text.endswith(":")
        text += "\n- " if line.bullet else " " if flows and not heads else "\n\n"
        text += "".join(map(_piece, line.pieces))
        flows = not (line.bullet or heads)
    return text.strip()


def as_markdown(conversation: Conversation) -> str:
    """A conversation to take along, figures written out: as safe as on the screen, remarks as far apart."""
    parts = [f"# {md_text(conversation.title)}"]
    for exchange in conversation.exchanges:
        parts.append(f"**You:** {md_text(exchange.question, LONGEST)}")
        if answer := exchange.answer:
            parts += [f"**Beha2Vec ({md_text(answer.source, 60)}):**"]
            parts += [sentences(say(answer.blocks, answer.titles))]
            parts += [f"**{heading}**\n\n{text}" for heading, text in _remarks(answer.blocks).items()]
            parts += ["\n".join(map(_source_line, answer.facts))] if answer.facts else []
            parts += [f"*{note}*" for note in _notes(answer)]
    return "\n\n".join(parts) + "\n"


def _piece(piece: str | Fact) -> str:
    """A figure in bold; text escaped, with the blanks at both ends, which part words from figures."""
    if isinstance(piece, Fact):
        return f"**{md_text(piece.text)}**"
    inner = piece.strip()
    before, _, after = piece.partition(inner) if inner else (piece, "", "")
    return before + md_text(inner, LONGEST) + after


def _remarks(said: Iterable[Block]) -> dict[str, str]:
    """Heading → what a model adds of its own, under it."""
    comments = [f"*{md_text(one.text, LONGEST)}*" for one in said if isinstance(one, Comment)]
    ideas = [f"- {md_text(one.text, LONGEST)}" for one in said if isinstance(one, Idea)]
    parts = {REMARKS: "\n\n".join(comments), IDEAS: "\n".join(ideas)}
    return {heading: text for heading, text in parts.items() if text}


def _source_line(fact: Fact) -> str:
    value = " ".join([fact.text, fact_sources.interval(fact)]).strip()
    return f"- {md_text(measured(fact))}: {md_text(value)} (n = {fact.n:,})"


def _notes(answer: Answer) -> list[str]:
    """What a reader has to know of whom it is about and how it was made."""
    how = "Answered without the model" if answer.source == RULES else "Broken off"
    why = [f"{how}: {md_text(answer.reason, LONGEST)}"] if answer.reason else []
    parts = f"{count(answer.dropped, 'part')} of the model's answer"
    left_out = f"Left out, as it did not hold or was said already: {parts}."
    population = [md_text(answer.population)] if answer.population else []
    return [*population, *why, *([left_out] if answer.dropped else [])]


def _chart(block: Chart, titles: Mapping[str, Title], key: str) -> None:
    """Figures of one measure: a bar, line or point each; what is the same for all stands in the title."""
    facts = block.facts
    of_rows, of_items = len({fact.row for fact in facts}) > 1, len({fact.item for fact in facts}) > 1
    rows = [titles[fact.row].full for fact in facts]  # two segments may have one name
    heads = [titles[fact.row].label for fact in facts] if of_items else rows
    table = pd.DataFrame({
        "name": [" · ".join([*([head] if of_rows else []), *([fact.called] if of_items else [])])
                 for head, fact in zip(heads, facts, strict=True)],
        Col.LABEL: rows,
        Col.KIND: [RowKind(fact.row.partition(":")[0]).value for fact in facts],
        "value": [fact.value for fact in facts],
        "text": [fact.text for fact in facts],
    })  # fmt: skip
    colours = {int(row[8:]): titles[row].full for row in titles if row.startswith("segment:")}
    label = facts[0].label if of_items else measured(facts[0])
    label = label if of_rows else f"{label}: {rows[0]}"
    title, style = sentence(label), AXIS_FORMATS.get(facts[0].unit, ",.4~g")
    st.caption(md_text(title))
    drawn = partial(charts.of_facts, table, colours, title, style, block.mark)
    picture(drawn, key=key, alt_text=f"Chart of {label}")
