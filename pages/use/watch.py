"""The page Watch: folders in which new files appear, and what became of the files."""

from __future__ import annotations

import streamlit as st

from core.runs import app_watches
from pages.ui.shell import errors, state
from pages.ui.shell.links import WATCH, heading
from pages.ui.watch import status, switch


def page() -> None:
    """Draw a watched folder and the form to watch another; only the form where none is watched."""
    heading(WATCH)
    found = app_watches.watches(state.store())
    if not found:
        with st.container(border=True, key="no-watch"):
            st.subheader("No folder is watched", icon=WATCH.icon)
            switch.start_form(found)
        return
    by_id = {one.id: one for one in found}
    chosen = found[0].id
    if len(found) > 1:
        chosen = st.selectbox(
            "Folder", list(by_id), key="watch-which", persist_state="session",
            format_func=lambda one: switch.shown_name(by_id[one].order.folder),
        )  # fmt: skip
    status.draw(by_id[chosen])
    with st.expander("Watch another folder", icon=":material/add_circle:", key="watch-another"):
        switch.start_form(found)


with errors.shown():
    page()
