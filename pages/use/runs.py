"""The page Runs: segmentations saved by name, to be opened, compared, copied and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import pandas as pd
import streamlit as st

from core.base.wording import pluralise
from core.profiles.profile_columns import Col
from core.saved import saved_runs
from core.saved.saved_runs import MAX_NAME_LENGTH, MAX_NOTE_LENGTH, SavedRun, weights_text
from pages.ui.runs import comparison_view, saving
from pages.ui.segments import segment_controls
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, state, written_table
from pages.ui.shell.links import EXPLORE, RUNS, heading
from pages.ui.shell.text import md_text

_OPENING: Final = "runs-opening"
_MOST: Final = 20
"""Runs that are listed at once, the newest first; a search finds the others."""


def page() -> None:
    """Draw the form to save a run, the saved runs, and the comparison of two."""
    heading(RUNS)
    if _OPENING in st.session_state:
        _open(st.session_state.pop(_OPENING))
    live = segment_controls.ready() if state.model() is not None else None
    kept = saved_runs.saved_runs(state.store())
    if live is not None:
        _save(live, kept)
    if not kept:
        st.caption("Nothing is saved yet. A saved run keeps segments, names, settings, receipt and a log.")
        return
    st.subheader(pluralise(len(kept), "saved run"))
    words = st.text_input("Search", key="runs-search", placeholder="Name, note, data set or segment")
    found = {key: run for key, run in kept.items() if words.casefold().strip() in run.found_by}
    if not found:
        st.caption(f"No saved run holds “{md_text(words)}”.")
    for key, run in list(found.items())[:_MOST]:
        _card(key, run)
    if len(found) > _MOST:
        st.caption(f"The newest {_MOST} of {len(found):,}: search for the others.")
    if len(kept) > 1:
        comparison_view.draw(kept)


def _save(live: LiveSegments, kept: Mapping[str, SavedRun]) -> None:
    with st.container(border=True, key="save-run"):
        saved = saving.saved_as(live, kept)
        said = f" are saved as “{md_text(saved)}”." if saved else " are not saved yet."
        st.markdown(f"**The segments on screen**{said}")
        with st.form("save", border=False, clear_on_submit=True):
            name = st.text_input("Name", max_chars=MAX_NAME_LENGTH, key="run-name")
            note = st.text_area("Note", max_chars=MAX_NOTE_LENGTH, key="run-note", height=68)
            kind: Literal["primary", "secondary"] = "secondary" if saved else "primary"
            if st.form_submit_button("Save", type=kind, icon=":material/save:"):
                _saved(live, name, note)


def _saved(live: LiveSegments, name: str, note: str) -> None:
    if not name.strip():
        errors.show("Give it a name: a saved run is found by it.")
        return
    with errors.shown():
        saving.save(live, name, note)
        st.rerun()


def _card(key: str, run: SavedRun) -> None:
    missing = saved_runs.missing_parts(state.store(), run)
    with st.container(border=True, key=f"run-{key}"):
        st.markdown(f"**{md_text(run.name)}**")
        facts = [
            md_text(run.title),
            pluralise(len(run.sizes), "segment"),
            f"weights {weights_text(run.controls.weights)}",
            pluralise(run.users, "user"),
            f"saved {run.when}",
        ]
        st.caption(" · ".join(facts))
        if run.note:
            st.text(run.note)
        if missing:
            st.caption(f":material/link_off: It cannot be opened: no longer here: {', '.join(missing)}.")
        with st.container(horizontal=True, vertical_alignment="center"):
            if not missing:
                st.button(
                    "Open", key=f"open-{key}", icon=":material/folder_open:", on_click=_ask, args=(key,)
                )
            _more(key, run)


def _ask(key: str) -> None:
    st.session_state[_OPENING] = key


def _open(key: str) -> None:
    with errors.shown():
        saving.reopen(key)
        st.switch_page(EXPLORE.file)


def _more(key: str, run: SavedRun) -> None:
    with st.popover("Details", type="tertiary", key=f"more-{key}"):
        st.markdown("\n".join(f"- {md_text(line)}" for line in run.log))
        users = [run.sizes[segment] for segment in run.titles]
        sizes = pd.DataFrame({Col.LABEL: run.titles.values(), Col.USERS: users})
        written_table.draw(sizes, key=f"sizes-{key}", alt_text="Users of each segment")
        st.caption("Link to it, for others who use this server:")
        st.code(saving.link_to(key), language=None)
    called = st.popover("Rename", type="tertiary", key=f"rename-{key}")
    with called, st.form(f"rename-form-{key}", border=False):
        name = st.text_input("Name", run.name, max_chars=MAX_NAME_LENGTH)
        note = st.text_area("Note", run.note, max_chars=MAX_NOTE_LENGTH)
        if st.form_submit_button("Keep"):
            with errors.shown():
                saved_runs.rename_run(state.store(), key, name=name, note=note)
                st.rerun()
    st.button(
        "Duplicate", key=f"duplicate-{key}", type="tertiary",
        on_click=_duplicate, args=(key, run),
    )  # fmt: skip
    with st.popover("Delete", type="tertiary", key=f"delete-{key}"):
        st.write("The saved run goes for good. Its data set and model stay.")
        st.button("Delete it", key=f"delete-now-{key}", on_click=_delete, args=(key,))


def _duplicate(key: str, run: SavedRun) -> None:
    with errors.shown():
        saved_runs.duplicate(state.store(), key, f"{run.name[: MAX_NAME_LENGTH - 7]} (copy)")


def _delete(key: str) -> None:
    with errors.shown():
        saved_runs.delete(state.store(), key)


with errors.shown():
    page()
