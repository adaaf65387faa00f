"""The log of calls to a language model: all of them, one whole, to take along, and cleared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
import streamlit as st

from core.writing.privacy import Price, price_of
from pages.ui.chat import connection
from pages.ui.shell import errors
from pages.ui.shell.text import count

SHOWN: Final = 200
Call = Mapping[str, Any]


def draw(prices: Mapping[str, Price]) -> None:
    """Draw the log, or that it is empty."""
    with st.container(border=True, key="calls-card"):
        st.subheader("Every call", icon=":material/receipt_long:")
        st.caption(
            "What was sent, and what came back, kept in `cache/llm_log/` on this machine. No key is in it."
        )
        with errors.shown():
            calls = connection.call_log().read(SHOWN)
            if not calls:
                st.caption("No call yet.")
                return
            _list(calls, prices)
            _actions(calls)


def _list(calls: Sequence[Call], prices: Mapping[str, Price]) -> None:
    chosen = st.dataframe(
        table(calls, prices), hide_index=True, key="calls", on_select="rerun", selection_mode="single-row",
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


def table(calls: Sequence[Call], prices: Mapping[str, Price]) -> pd.DataFrame:
    """One row a call, the latest first."""
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


def _whole(call: Call) -> None:
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


def _actions(calls: Sequence[Call]) -> None:
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
