"""The page SQL for experts: a SELECT over the tables behind the profiles, in a restricted process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from core.saved import preferences
from core.sql.views import SqlView, columns, sql_views
from pages.ui.chat import chat_message, topic
from pages.ui.segments import segment_controls
from pages.ui.shell import errors, state
from pages.ui.shell.links import SETTINGS, SQL, button, heading
from pages.ui.shell.text import count

WRITTEN: Final = "sql_written"
_FOUND: Final = "sql_found"
_EXAMPLE: Final = """\
SELECT label, users, outcome_rate
FROM segments
WHERE kind = 'segment'
ORDER BY outcome_rate DESC"""


def page() -> None:
    """Draw the page SQL, or what to do first."""
    heading(SQL)
    if not preferences.load(state.store()).expert_sql:
        st.caption("SQL for experts is switched off.")
        button(SETTINGS, "Go to Settings")
        return
    live = segment_controls.ready()
    if live is None:
        return
    about = topic.context(live)
    mine = state.of_model(live.sources.model_key)
    st.caption(
        "It runs in a process of its own, without files and network, for at most "
        f"{chat_message.LIMITS.wall_s:g} seconds. Nothing can be changed."
    )
    views = sql_views(about)
    _tables(views)
    _query()
    if st.button("Run", key="run-sql", type="primary", icon=":material/play_arrow:"):
        with st.spinner(f"Running, at most {chat_message.LIMITS.wall_s:g} seconds …", show_time=True):
            mine[_FOUND] = chat_message.run(st.session_state[WRITTEN], views, about.tables.digest)
    found = mine.get(_FOUND)
    if isinstance(found, chat_message.QueryRun):
        chat_message.show(found, about.tables.digest)


def _tables(views: Mapping[str, SqlView]) -> None:
    with st.expander(f"{len(views)} tables to choose from", icon=":material/table:", key="sql-tables"):
        name = st.selectbox("Table", list(views), key="sql-table", persist_state="session")
        view = views[name]
        st.caption(f"{view.about} {count(view.table.num_rows, 'row')}.")
        st.dataframe(columns(view), hide_index=True, alt=f"Columns of {name}", height=280)


def _query() -> None:
    written = st.session_state.setdefault(WRITTEN, _EXAMPLE)
    st.text_area("Query", written, key="sql", height=150, max_chars=10_000, on_change=_keep)


def _keep() -> None:
    st.session_state[WRITTEN] = st.session_state["sql"]


with errors.shown():
    page()
