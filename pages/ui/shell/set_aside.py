"""Files of the app's own that could not be read: said for as long as they lie there."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.desk import conversations, saved_work
from core.storage import json_file
from pages.ui.shell import state
from pages.ui.shell.text import md_text


def show() -> None:
    """Say that files could not be read; each can be taken along, and deleted."""
    root = state.store().root
    folders = (root, root / saved_work.STAGE, *(root / conversations.FOLDER).glob("*"))
    for path in (path for folder in folders for path in json_file.set_aside(folder)):
        _one(path)


def _one(path: Path) -> None:
    with st.container(border=True, key=path.stem):
        st.warning(
            f"**{md_text(path.name.split('.broken-')[0])}.json** could not be read, so it counts as absent. "
            f"Nothing was written over: the file is kept as **{md_text(path.name)}**.",
            icon=":material/broken_image:",
        )
        with st.container(horizontal=True):
            st.download_button(
                "Get the file", path.read_bytes, path.name, "application/json",
                icon=":material/download:", on_click="ignore", key=f"get-{path.stem}",
            )  # fmt: skip
            st.button(
                "Delete it", icon=":material/delete:", key=f"delete-{path.stem}",
                on_click=path.unlink, args=(True,),
            )  # fmt: skip
