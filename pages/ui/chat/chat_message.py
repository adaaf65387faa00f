"""One message of the chat: text with its figures, where each comes from, the table and the chart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import altair as alt
import pandas as pd
import streamlit as st

from core.base.errors import InputError
from core.desk.conversations import Conversation, Message
from core.facts.answer import Fact, MarkKind, Unit
from core.facts.render import cited, fill, shown
from core.outgoing.quoting import clean
from pages.ui.chat import consent, fact_sources
from pages.ui.shell.text import md_text

LONGEST: Final = 6_000
RULES: Final = ("", "rules")
"""Sources of what was written without a model."""
BREAKS: Final = ("\n", "\n- ")
BREAK: Final = re.compile(r"(\n(?:- )?)")
AXIS_FORMATS: Final = {"percent": "%"}


def draw(message: Message, key: str) -> None:
    """Draw a message; nothing in its text becomes more than text."""
    if message.role == "user":
        with st.container(border=True, key=f"asked-{key}"):
            st.markdown(f":material/person: {safe(message)}")
        return
    st.markdown(safe(message))
    if message.chart and message.rows:
        st.altair_chart(_chart(message), key=f"chart-{key}", alt="Chart of the answer")
    with st.container(horizontal=True, gap="small", key=f"behind-{key}"):
        if facts := _cited(message):
            fact_sources.draw(facts, f"facts-{key}")
        if message.rows:
            _table(message, f"rows-{key}")
    _about(message)


def _about(message: Message) -> None:
    """Who wrote it, at what price, and what is not counted in it."""
    for note in _notes(message):
        st.caption(f":material/info: {note}")
    parts = [md_text(message.source, 60)] if message.source not in RULES else []
    parts += [f"{message.tokens:,} tokens"] if message.tokens else []
    parts += [consent.dollars(message.cost)] if message.tokens and message.cost is not None else []
    if parts:
        st.caption(" · ".join(parts))


def renamed(message: Message, names: Mapping[int, str]) -> None:
    """Say which segments have got another name since a model wrote of them."""
    for segment, name in message.called.items():
        if clean(names.get(int(segment), "")) != name:
            st.caption(
                f":material/history: Segment {int(segment) + 1} was called “{md_text(name, 80)}” "
                "when this was written."
            )


def as_markdown(conversation: Conversation) -> str:
    """A conversation to take along, figures written out: as safe, and as marked, as on the screen."""
    parts = [f"# {md_text(conversation.title)}"]
    for message in conversation.messages:
        if message.role == "user":
            parts += [f"**You:** {safe(message)}"]
            continue
        parts += [f"**Beha2Vec ({md_text(message.source or 'rules', 60)}):**", safe(message)]
        parts += ["\n".join(map(_source_line, facts))] if (facts := _cited(message)) else []
        parts += [f"*{note}*" for note in _notes(message)]
    return "\n\n".join(parts) + "\n"


def safe(message: Message) -> str:
    """The text as Markdown that loads and links nothing, figures in bold, doubts marked."""
    if message.role == "user":
        return md_text(message.text, LONGEST)
    return _with_figures(message) if message.source in RULES else _by_model(message)


def _source_line(fact: Fact) -> str:
    value = " ".join([fact.text, fact_sources.interval(fact)]).strip()
    return f"- {md_text(fact.label)}: {md_text(value)} (n = {fact.n:,})"


def _notes(message: Message) -> list[str]:
    """What a reader has to know of how it was written."""
    kinds = {mark.kind for mark in message.marks}
    notes = {
        f"Written without the model: {md_text(message.reason, LONGEST)}": bool(message.reason),
        "(suggestion): the model's own idea; no figure stands behind it.": MarkKind.SUGGESTION in kinds,
        "Struck through: no figure backs it.": MarkKind.UNVERIFIED in kinds,
    }
    return [note for note, holds in notes.items() if holds]


def _with_figures(message: Message) -> str:
    """The text with each figure in bold; everything else is escaped."""
    try:
        text, spans = fill(message.text, message.facts)
    except InputError:
        return md_text(message.text, LONGEST)
    parts, last = [], 0
    for span in spans:
        parts += [_escaped(text[last : span.start]), f"**{_escaped(text[span.start : span.end])}**"]
        last = span.end
    return "".join([*parts, _escaped(text[last:])])


def _by_model(message: Message) -> str:
    """A model's text, made safe, with each figure in bold and what needs it marked."""
    facts = [
        fact if fact.unit is Unit.TEXT else replace(fact, text=f"**{fact.text}**") for fact in message.facts
    ]
    try:
        return shown(message.text, facts, message.marks)
    except InputError:
        return md_text(message.text, LONGEST)


def _escaped(text: str) -> str:
    """Escape what is between line ends and the signs of list items."""
    return "".join(part if part in BREAKS else _line(part) for part in BREAK.split(text))


def _line(text: str) -> str:
    """Escape, and keep the blanks at both ends: they part words from figures."""
    inner = text.strip()
    if not inner:
        return text
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    return text[:start] + md_text(inner, LONGEST) + text[end:]


def _cited(message: Message) -> list[Fact]:
    used = set(cited(message.text))
    return [fact for fact in message.facts if fact.id in used]


def _table(message: Message, key: str) -> None:
    with st.popover("Table", type="tertiary", key=key):
        st.dataframe(
            pd.DataFrame(list(message.rows)),
            hide_index=True,
            placeholder="–",
            alt="The rows behind the answer",
        )
        if message.query:
            st.caption("What was asked of the data")
            st.code(message.query, language="sql", wrap_lines=True)


def _chart(message: Message) -> alt.Chart:
    """A chart from its plain description: allow-listed marks over columns of the table."""
    spec: Mapping[str, Any] = message.chart or {}
    base = alt.Chart(pd.DataFrame(list(message.rows)))
    mark = {"bar": base.mark_bar, "line": base.mark_line, "point": base.mark_point}[str(spec["mark"])]
    kinds = {"nominal": "N", "quantitative": "Q", "ordinal": "O"}
    x, y = spec["x"], spec["y"]
    style = AXIS_FORMATS.get(str(y.get("format", "")))
    axis = alt.Axis(format=style) if style else alt.Axis()
    chart: alt.Chart = (
        mark()
        .encode(
            y=alt.Y(
                f"{x['field']}:{kinds[x['type']]}", title=None, sort=None, axis=alt.Axis(labelOverlap=False)
            ),
            x=alt.X(f"{y['field']}:{kinds[y['type']]}", title=y["title"], axis=axis),
        )
        .properties(height=24 * max(2, len(message.rows)) + 40)
    )
    return chart
