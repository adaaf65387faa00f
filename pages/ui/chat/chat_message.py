"""An answer made of blocks on the screen: sentences, charts, sources of figures, and a model's remarks apart.

Also the result of an expert's SQL query, run in a separate process, and the log of calls to a language model.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import pandas as pd
import streamlit as st

from core.base.errors import Beha2VecError
from core.base.wording import capitalised
from core.facts.answer import Answer, Block, Chart, Comment, Fact, Idea, Title, Unit
from core.facts.sentences import Line, say
from core.facts.verbs import measured
from core.llm.chat_types import Price, price_of
from core.profiles.profile_columns import Col, RowKind
from core.runs.export import csv_bytes
from core.saved.conversations import RULES, Conversation
from core.sql.sandbox import SqlLimits, SqlResult, run_sql
from core.sql.views import SqlView
from pages.ui.chat import connection, fact_sources
from pages.ui.segments import charts
from pages.ui.segments.figure import picture
from pages.ui.shell import errors
from pages.ui.shell.text import count, md_text

LIMITS: Final = SqlLimits()


@dataclass(frozen=True, eq=False)
class QueryRun:
    """The result of an SQL query.

    Args:
        digest: Digest of the segments that it was run on.
        result: The rows; None if it was refused or went wrong.
        problem: The error then; else empty.
    """

    digest: str
    result: SqlResult | None = None
    problem: str = ""


def run(sql: str, views: Mapping[str, SqlView], digest: str) -> QueryRun:
    """Run an SQL query in a separate process; an error is in the result, not raised.

    Args:
        sql: The query as it was typed.
        views: Name in SQL → table that it may read.
        digest: Digest of the segments on screen, kept with the result.
    """
    try:
        return QueryRun(digest, run_sql(sql, {name: view.table for name, view in views.items()}, LIMITS))
    except Beha2VecError as error:
        return QueryRun(digest, problem=str(error))


def show(found: QueryRun, digest: str) -> None:
    """Draw the rows of a query's result with a download, or why there are none.

    Args:
        found: Result of :func:`run`.
        digest: Digest of the segments on screen; where it is another than the result's, a note says so.
    """
    if found.digest != digest:
        st.caption("The segments have changed since this was run.")
    if found.result is None:
        errors.show(found.problem)
        return
    result = found.result
    table: pd.DataFrame = result.table.to_pandas()
    cut = f", cut after {LIMITS.max_rows:,}: there are more" if result.cut else ""
    with st.container(border=True, key="sql-result"):
        st.caption(f"{count(len(table), 'row')}{cut} · {result.seconds:.1f} s")
        st.dataframe(table, hide_index=True, placeholder="–", alt="Result of the query")
        st.download_button(
            "Download as CSV", data=lambda: csv_bytes(table), file_name="result.csv",
            mime="text/csv", icon=":material/download:", key="get-sql", on_click="ignore",
        )  # fmt: skip
        st.caption("What was run")
        st.code(result.sql, language="sql", wrap_lines=True)


_SHOWN: Final = 200
_Call = Mapping[str, Any]


def draw_calls(prices: Mapping[str, Price]) -> None:
    """Draw the log of calls, or that it is empty."""
    with st.container(border=True, key="calls-card"):
        st.subheader("Every call", icon=":material/receipt_long:")
        st.caption(
            "What was sent, and what came back, kept in `cache/llm_log/` on this machine. No key is in it."
        )
        with errors.shown():
            calls = connection.call_log().read(_SHOWN)
            if not calls:
                st.caption("No call yet.")
                return
            _list(calls, prices)
            _actions(calls)


def _list(calls: Sequence[_Call], prices: Mapping[str, Price]) -> None:
    chosen = st.dataframe(
        _table(calls, prices), hide_index=True, key="calls", on_select="rerun", selection_mode="single-row",
        height=min(320, 38 + 35 * len(calls)), placeholder="–", alt="Calls to the language model",
        column_config={
            "Time (UTC)": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss"),
            "Seconds": st.column_config.NumberColumn(format="%.1f"),
            "US dollars": st.column_config.NumberColumn(format="%.5f"),
        },
    )  # fmt: skip
    rows = chosen.selection.rows
    if rows and rows[0] < len(calls):
        _whole(calls[rows[0]])
    else:
        st.caption("Tick a row to read a call whole.")


def _table(calls: Sequence[_Call], prices: Mapping[str, Price]) -> pd.DataFrame:
    """Table of logged calls, a row each in the order given; prices are empty for models without one."""
    rows = []
    for call in calls:
        usage = call.get("usage") or {}
        sent, received = (usage.get(name) for name in ("prompt_tokens", "completion_tokens"))
        rows.append(
            {
                "Time (UTC)": pd.to_datetime(call["time"], utc=True, errors="coerce"),
                "Server": call["host"],
                "Model": call["model"],
                "Sent": sent,
                "Received": received,
                "US dollars": price_of(call["model"], sent or 0, received or 0, prices) if usage else None,
                "Seconds": call["seconds"],
                "Outcome": call["error"] or "answered",
            }
        )
    return pd.DataFrame(rows).astype({"Sent": "Int64", "Received": "Int64"})


def _whole(call: _Call) -> None:
    with st.container(border=True, key="one-call"):
        for message in call["messages"]:
            st.caption(f"Sent as {message.get('role', '?')}")
            st.code(_text(message), language=None, wrap_lines=True, height="content")
        if call["tools"]:
            st.caption(f"Tools that were offered: {', '.join(call['tools'])}")
        st.caption("Came back")
        st.code(call["answer"] or call["error"] or "nothing", language=None, wrap_lines=True)


def _text(message: Mapping[str, Any]) -> str:
    """A message as it was sent; tool calls are written out as JSON."""
    content = message.get("content") or ""
    calls = message.get("tool_calls")
    return f"{content}\n{json.dumps(calls, ensure_ascii=False, indent=1)}".strip() if calls else str(content)


def _actions(calls: Sequence[_Call]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download", data=lambda: "\n".join(json.dumps(call, ensure_ascii=False) for call in calls),
            file_name="calls.jsonl", mime="application/jsonl", icon=":material/download:", on_click="ignore",
            key="get-calls",
        )  # fmt: skip
        st.button(
            "Clear the log", icon=":material/delete:", key="clear-calls", type="tertiary", on_click=_clear
        )
        st.caption(f"The last {count(len(calls), 'call')}")


def _clear() -> None:
    with errors.shown():
        connection.call_log().clear()


_MAX_ANSWER_LENGTH: Final = 6_000
_REMARKS: Final = "The model's reading, not counted"
_IDEAS: Final = "Ideas"
_AXIS_FORMATS: Final = {Unit.SHARE: ".0%", Unit.POINTS: "+.0%", Unit.COUNT: ",d"}


def draw(answer: Answer, key: str, titles: Mapping[str, Title] | None = None) -> None:
    """Draw an answer; nothing in it that strangers wrote becomes more than text.

    Args:
        answer: The answer to draw.
        key: Prefix of the widgets' keys.
        titles: Row key → its title now; None for the titles at the time of the answer.
    """
    titles = titles or answer.titles
    blocks(answer.blocks, titles, key)
    if answer.facts:
        fact_sources.draw(answer, titles, f"facts-{key}")
    for note in _notes(answer):
        st.caption(f":material/info: {note}")
    parts = [md_text(answer.source, 60)] if answer.source != RULES else []
    parts += [f"{answer.usage.tokens:,} tokens"] if answer.usage.tokens else []
    parts += [connection.dollars(answer.cost)] if answer.usage.tokens and answer.cost is not None else []
    if parts:
        st.caption(" · ".join(parts))


def blocks(said: Sequence[Block], titles: Mapping[str, Title], key: str) -> None:
    """Draw blocks as sentences, then their charts, then the model's remarks."""
    if text := sentences(say(said, titles)):
        st.markdown(text)
    for place, block in enumerate(said):
        if isinstance(block, Chart) and block.facts:
            _chart(block, titles, f"chart-{key}-{place}")
    if remarks := _remarks(said):
        with st.container(key=f"remarks-{key}", gap="xsmall"):
            for heading, text in remarks.items():
                st.caption(f":material/{'lightbulb' if heading == _IDEAS else 'chat_bubble'}: {heading}")
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
    """A conversation as Markdown for a file, escaped as on the screen, with remarks apart."""
    parts = [f"# {md_text(conversation.title)}"]
    for exchange in conversation.exchanges:
        parts.append(f"**You:** {md_text(exchange.question, _MAX_ANSWER_LENGTH)}")
        if answer := exchange.answer:
            parts += [f"**Beha2Vec ({md_text(answer.source, 60)}):**"]
            parts += [sentences(say(answer.blocks, answer.titles))]
            parts += [f"**{heading}**\n\n{text}" for heading, text in _remarks(answer.blocks).items()]
            parts += ["\n".join(map(_source_line, answer.facts))] if answer.facts else []
            parts += [f"*{note}*" for note in _notes(answer)]
    return "\n\n".join(parts) + "\n"


def _piece(piece: str | Fact) -> str:
    """A piece of a sentence as Markdown: figures in bold, text escaped with its outer blanks."""
    if isinstance(piece, Fact):
        return f"**{md_text(piece.text)}**"
    inner = piece.strip()
    before, _, after = piece.partition(inner) if inner else (piece, "", "")
    return before + md_text(inner, _MAX_ANSWER_LENGTH) + after


def _remarks(said: Iterable[Block]) -> dict[str, str]:
    """Heading → Markdown of the model's remarks below it."""
    comments = [f"*{md_text(one.text, _MAX_ANSWER_LENGTH)}*" for one in said if isinstance(one, Comment)]
    ideas = [f"- {md_text(one.text, _MAX_ANSWER_LENGTH)}" for one in said if isinstance(one, Idea)]
    parts = {_REMARKS: "\n\n".join(comments), _IDEAS: "\n".join(ideas)}
    return {heading: text for heading, text in parts.items() if text}


def _source_line(fact: Fact) -> str:
    value = " ".join([fact.text, fact_sources.interval(fact)]).strip()
    return f"- {md_text(measured(fact))}: {md_text(value)} (n = {fact.n:,})"


def _notes(answer: Answer) -> list[str]:
    """Notes on an answer: which users it is about, and how it was made."""
    how = "Answered without the model" if answer.source == RULES else "Broken off"
    why = [f"{how}: {md_text(answer.reason, _MAX_ANSWER_LENGTH)}"] if answer.reason else []
    parts = f"{count(answer.dropped, 'part')} of the model's answer"
    left_out = f"Left out, as it did not hold or was said already: {parts}."
    population = [md_text(answer.population)] if answer.population else []
    return [*population, *why, *([left_out] if answer.dropped else [])]


def _chart(block: Chart, titles: Mapping[str, Title], key: str) -> None:
    """Draw figures of a measure as bars, lines or points; what all share stands in the title."""
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
    title, style = capitalised(label), _AXIS_FORMATS.get(facts[0].unit, ",.4~g")
    st.caption(md_text(title))
    drawn = partial(charts.of_facts, table, colours, title, style, block.mark)
    picture(drawn, key=key, alt_text=f"Chart of {label}")
