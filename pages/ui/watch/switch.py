"""The form that starts a watch: which folder below the input folder, on the segments on screen."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, Literal

import streamlit as st

from core.base.errors import InputError
from core.runs import app_watches
from core.runs.app_watches import AppWatch, WatchOrder, WatchState
from pages.ui.data import catalog, sources
from pages.ui.segments import downloads, session_segments
from pages.ui.segments.live_segments import solve
from pages.ui.segments.session_segments import MIN_USERS, found_sources
from pages.ui.shell import errors, state
from pages.ui.shell.links import TRAINING, WATCH, link
from pages.ui.shell.text import count, md_text

POLL_S: Final = 2.0
_MAX_DEPTH: Final = 3
"""Depth of the folders that are offered."""
_OFFERED: Final = 200
_WHAT: Final = (
    "Each new file in it is taken once, and all users so far are put into the segments on screen. It goes on "
    "in the background, also when this page is closed or the app starts again."
)
_BADGES: Final[dict[WatchState, tuple[str, str, Literal["blue", "green", "orange", "red", "gray"]]]] = {
    WatchState.STARTING: ("Starting", ":material/hourglass_top:", "blue"),
    WatchState.WATCHING: ("Watching", ":material/visibility:", "green"),
    WatchState.TAKING: ("Taking files", ":material/sync:", "blue"),
    WatchState.TROUBLE: ("Waiting", ":material/warning:", "orange"),
    WatchState.DEAF: ("Not answering", ":material/signal_disconnected:", "orange"),
    WatchState.STOPPING: ("Stopping", ":material/hourglass_bottom:", "gray"),
    WatchState.STOPPED: ("Stopped", ":material/stop_circle:", "gray"),
    WatchState.DEAD: ("Ended by itself", ":material/error:", "red"),
    WatchState.ENDED: ("Ended", ":material/stop_circle:", "gray"),
}


def offer() -> None:
    """Draw the box “Watch a folder” of the Data page: a line a watch, and the form to start another."""
    found = app_watches.watches(state.store())
    with st.expander(
        "Watch a folder", icon=WATCH.icon, expanded=any(one.alive for one in found), key="watch-a-folder"
    ):
        if found:
            _lines()
        start_form(found)


@st.fragment(run_every=POLL_S)
def _lines() -> None:
    for watch in app_watches.watches(state.store()):
        _line(watch)


def _line(watch: AppWatch) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"watched-{watch.id}"):
        badge(watch)
        st.markdown(f"**{md_text(shown_name(watch.order.folder))}**", width="stretch")
        link(WATCH, "What it took")


def badge(watch: AppWatch) -> None:
    """Draw the state of a watch as a badge."""
    said, icon, colour = _BADGES[watch.state]
    st.badge(said, icon=icon, color=colour)


def start_form(found: list[AppWatch]) -> None:
    """Draw the form to watch another folder; or what is missing for that.

    Args:
        found: Every watch there is.
    """
    st.caption(_WHAT)
    taken = {one.order.folder for one in found if one.alive}
    folder = state.input_dir().resolve()
    names = [name for name in folders(folder) if folder / name not in taken]
    made_from = found_sources()
    if made_from is None or made_from.n_clustered < MIN_USERS:
        st.write("It needs segments: train a model first.")
        link(TRAINING, "Train a model")
        return
    if not names:
        _make_folder(folder)
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Folder in the input folder", names, key="watch-folder")
        if st.button("Start watching", icon=":material/play_arrow:", key="watch-start"):
            with errors.shown():
                _start(name)
                st.rerun()


def _make_folder(root: Path) -> None:
    """Draw a field and a button that make a folder for the files that will come, below the input folder."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Folder for the files that will come", "nightly", max_chars=60, key="new-folder")
        if st.button("Make the folder", icon=":material/create_new_folder:", key="make-folder"):
            with errors.shown():
                _make(root, name)
                st.rerun()
    st.caption(f"It is made in {md_text(str(root), 300)}. Put new exports there, by hand or by a program.")


def _make(root: Path, name: str) -> None:
    """Make a folder; raises an InputError if the name is none, or the folder cannot be made."""
    if not name or Path(name).name != name or name.startswith("."):
        raise InputError(f"{name!r} cannot be the name of a folder", remedy="Use letters, digits, - and _")
    try:
        (root / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder cannot be made: {error.strerror}", remedy="Make it by hand") from error


def folders(root: Path) -> list[str]:
    """The first :data:`_OFFERED` folders below ``root``, by relative path: none hidden, deep or a link."""
    found = []
    for path, below, _ in os.walk(root):
        here = Path(path).relative_to(root)
        below[:] = sorted(name for name in below if not name.startswith("."))
        found += [(here / name).as_posix() for name in below if not (Path(path) / name).is_symlink()]
        if len(here.parts) + 1 >= _MAX_DEPTH:
            below.clear()
    return found[:_OFFERED]


def _start(name: str) -> None:
    """Start a watch; raises a Beha2VecError where the folder is gone, outside, or watched."""
    (folder,) = sources.paths([name])
    made_from = found_sources()
    if not folder.is_dir() or made_from is None:
        raise InputError(f"{name} is not a folder in the input folder", remedy="Choose another one")
    live = solve(session_segments.settle(made_from, session_segments.read(made_from)))
    order = WatchOrder(
        folder=folder,
        dataset=made_from.dataset.key,
        model=made_from.model_key,
        title=catalog.title_of(made_from.dataset.receipt),
        names=live.plain_names,
        sizes=dict(Counter(live.labels[live.labels >= 0].tolist())),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    app_watches.start(state.store(), order, partial(downloads.model_into, live))


def shown_name(folder: Path) -> str:
    """A watched folder relative to the input folder, or its full path where it is elsewhere."""
    root = state.input_dir().resolve()
    return folder.relative_to(root).as_posix() if folder.is_relative_to(root) else str(folder)


def on_what(watch: AppWatch) -> str:
    """The segments that a watch puts users into, in words."""
    return f"{count(len(watch.order.names), 'segment')} of {md_text(watch.order.title, 60)}"
