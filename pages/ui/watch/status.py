"""How a watch goes right now: whether it lives, what is wrong, and what can be done."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from core.base.errors import ArtifactError
from core.runs import kept_watches
from core.runs.kept_watches import KeptWatch, WatchState
from core.runs.taken_files import TakenFiles
from pages.ui.shell import errors, state
from pages.ui.shell.text import md_text
from pages.ui.watch.switch import POLL_S, badge, on_what, shown_name
from pages.ui.watch.taken import draw_taken, local

GONE_ON: Final = (
    "What was taken stays, and whoever watches again goes on from there: files that came meanwhile are taken."
)
DEAF: Final = (
    "No sign of life from its process: it was stopped, swapped out, or it hangs. It goes on by itself once "
    "it can. Stop ends it in any case; what was taken stays."
)
WHOLE: Final = "One is taken once it has not changed for 5 seconds."
WAITING: Final = "It looks again and goes on by itself once it can."


def draw(watch: KeptWatch) -> None:
    """Everything about one watch."""
    _live(watch.id, _signature(watch))
    with suppress(ArtifactError):  # told above
        draw_taken(watch, watch.taken())
    _told(watch)


def _signature(watch: KeptWatch) -> tuple[object, ...]:
    """What the rest of the page depends on: where this changes, all is drawn again."""
    with suppress(ArtifactError):
        taken = watch.taken()
        return (watch.alive, *((taken.files, taken.refused, taken.model) if taken else ()))
    return (watch.alive, "damaged")


@st.fragment(run_every=POLL_S)
def _live(watch_id: str, drawn: tuple[object, ...]) -> None:
    """What changes from moment to moment."""
    watch = next((one for one in kept_watches.watches(state.store()) if one.id == watch_id), None)
    if watch is None or _signature(watch) != drawn:  # another session may have deleted it
        st.rerun()
    with st.container(border=True, key="watch-now"):
        _head(watch)
        _what_is_wrong(watch)
        with errors.shown():
            _figures(watch, watch.taken())
        with errors.shown():
            _buttons(watch)


def _head(watch: KeptWatch) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(md_text(shown_name(watch.order.folder)), width="content")
        badge(watch)
    begun = local(watch.order.at)
    parts = [f"On {on_what(watch)}", f"since {begun:%d %b %Y %H:%M}", _last_look(watch)]
    st.caption(" · ".join(part for part in parts if part))


def _last_look(watch: KeptWatch) -> str:
    looked = watch.looked
    if looked is None:
        return "" if watch.alive else "it never saw the folder"
    ago = (datetime.now(UTC) - looked).total_seconds()
    if not watch.alive or ago > 120:
        return f"last look {looked.astimezone():%d %b %Y %H:%M}"
    return f"last look {max(ago, 0):.0f} s ago"


def _what_is_wrong(watch: KeptWatch) -> None:
    job = watch.job
    if watch.state is WatchState.TAKING and job is not None:
        st.progress(min(1.0, job.fraction), text=md_text(job.message or "Placing all users"))
    elif watch.state is WatchState.TROUBLE and job is not None:
        st.warning(f"{md_text(job.message, 600)} {WAITING}", icon=":material/warning:")
    elif watch.state is WatchState.DEAF:
        st.warning(DEAF, icon=":material/signal_disconnected:")
    elif not watch.alive:
        if watch.state is WatchState.DEAD and job is not None:
            errors.show_job(job)
        st.caption(GONE_ON)


def _figures(watch: KeptWatch, taken: TakenFiles | None) -> None:
    files = taken.files if taken else ()
    last = files[-1] if files else None
    shown = {
        "Files": len(files), "Users so far": last.users if last else 0,
        "Page views so far": last.page_views if last else 0, "Refused": len(taken.refused) if taken else 0,
    }  # fmt: skip
    with st.grid(4, min_column_width=120, gap="small", key="watch-figures"):
        for label, value in shown.items():
            st.metric(label, f"{value:,}")
    if not any(shown.values()) and watch.state is not WatchState.TAKING:
        st.caption(f"No file was taken yet. {WHOLE if watch.alive else ''}")


def _buttons(watch: KeptWatch) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if watch.alive:
            st.button(
                "Stop watching", icon=":material/stop_circle:", key="watch-stop", on_click=_stop,
                args=(watch,), disabled=watch.state is WatchState.STOPPING,
            )  # fmt: skip
            return
        if st.button("Watch again", icon=":material/play_arrow:", key="watch-again", type="primary"):
            kept_watches.go_on(state.store(), watch)
            st.rerun()
        with st.popover("Delete", type="tertiary", key="watch-delete"):
            st.write("All that was made of its files goes for good. The files themselves stay.")
            st.button("Delete it", key="watch-delete-now", on_click=_delete, args=(watch,))


def _stop(watch: KeptWatch) -> None:
    with errors.shown():
        kept_watches.stop(state.store(), watch)


def _delete(watch: KeptWatch) -> None:
    with errors.shown():
        kept_watches.delete(state.store(), watch)


def _told(watch: KeptWatch) -> None:
    said = watch.told()
    if not said:
        return
    with st.expander("What it said", icon=":material/notes:", key="watch-told"):
        lines = [f"{local(at):%d %b %H:%M:%S}  {line}" for at, line in said]
        st.code("\n".join(lines), language=None, wrap_lines=True)
