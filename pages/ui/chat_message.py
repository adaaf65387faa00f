"""One message of the chat: text with its figures, where each comes from, the table and the chart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import altair as alt
import pandas as pd
import streamlit as st

from core.errors import InputError
from core.words.contract import Fact
from core.words.render import cited, fill
from pages.ui.conversations import Conversation, Message
from pages.ui.text import md_text

LONGEST: Final = 6_000
AXIS_FORMATS: Final = {"percent": "%"}


def draw(message: Message, key: str) -> None:
    """Draw a message; nothing in its text becomes more than text."""
    if message.role == "user":
        with st.container(border=True, key=f"asked-{key}"):
            st.markdown(f":material/person: {md_text(message.text, LONGEST)}")
        return
    st.markdown(_with_figures(message))
    if message.chart and message.rows:
        st.altair_chart(_chart(message), key=f"chart-{key}", alt="Chart of the answer")
    with st.container(horizontal=True, gap="small", key=f"behind-{key}"):
        if facts := _cited(message):
            _sources(facts, f"facts-{key}")
        if message.rows:
            _table(message, f"rows-{key}")


def as_markdown(conversation: Conversation) -> str:
    """A conversation to take along, with the figures written out."""
    parts = [f"# {conversation.title}", ""]
    for message in conversation.messages:
        who = "You" if message.role == "user" else f"Beha2Vec ({message.source})"
        parts += [f"**{who}:** {_plain(message)}", ""]
        parts += [
            f"- {fact.label}: {fact.text}{_interval(fact)} (n = {fact.n:,})" for fact in _cited(message)
        ]
        parts += [""]
    return "\n".join(parts)


def _plain(message: Message) -> str:
    try:
        return fill(message.text, message.facts)[0]
    except InputError:  # kept by an older version
        return message.text


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


def _escaped(text: str) -> str:
    """Escape, and keep the blanks at both ends: they part words from figures."""
    inner = text.strip()
    if not inner:
        return text
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    return text[:start] + md_text(inner, LONGEST) + text[end:]


def _cited(message: Message) -> list[Fact]:
    used = set(cited(message.text))
    return [fact for fact in message.facts if fact.id in used]


def _sources(facts: list[Fact], key: str) -> None:
    with st.popover(f"{len(facts)} figures" if len(facts) > 1 else "1 figure", type="tertiary", key=key):
        table = pd.DataFrame(
            {
                "Figure": [f"{fact.label} {fact.item}".strip() for fact in facts],
                "Of": [" and ".join(map(_called, fact.segments)) for fact in facts],
                "Value": [fact.text for fact in facts],
                "95 % interval": [_interval(fact) for fact in facts],
                "n": [fact.n for fact in facts],
            }
        )
        st.dataframe(table, hide_index=True, placeholder="–", alt="The figures of the answer")
        st.caption("Computed by the functions that draw the Profiles page.")


def _called(key: str) -> str:
    """What a row is called: segments are counted from 1 on the screen."""
    kind, _, name = key.partition(":")
    return f"Segment {int(name) + 1}" if kind == "segment" else (name or kind).replace("_", " ")


def _interval(fact: Fact) -> str:
    if fact.low is None or fact.high is None:
        return ""
    return f" [{fact.low:.4g}, {fact.high:.4g}]"


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
    return (
        mark()
        .encode(
            y=alt.Y(
                f"{x['field']}:{kinds[x['type']]}", title=None, sort=None, axis=alt.Axis(labelOverlap=False)
            ),
            x=alt.X(f"{y['field']}:{kinds[y['type']]}", title=y["title"], axis=axis),
        )
        .properties(height=24 * max(2, len(message.rows)) + 40)
    )
