"""The frame around every page: navigation, the current data set and model, jobs, and broken files."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.base.errors import Beha2VecError
from core.base.settings import Encoder
from core.runs import app_watches, jobs
from core.runs.jobs import JobView
from core.runs.stages import LATER_EXPORT, SCORECARD, SECOND_TRAINING
from core.saved import conversations, saved_work
from core.storage import json_cache
from core.storage.receipt import COUNTED
from pages.ui.chat import chat_panel, topic
from pages.ui.data import catalog
from pages.ui.runs import saving
from pages.ui.segments import spotlight
from pages.ui.shell import errors, state
from pages.ui.shell.job_panel import TITLES, progress_line, request_of
from pages.ui.shell.links import (
    COMPARE,
    DATA,
    EXPLORE,
    LABELS,
    PROFILES,
    SETTINGS,
    TIME,
    TRAINING,
    TRUST,
    WATCH,
    Screen,
    link,
    navigate,
)
from pages.ui.shell.text import count, md_text


def show() -> None:
    """Draw the files of the app that could not be read, each with a download and a delete button."""
    root = state.store().root
    folders = (root, root / saved_work.STAGE, *(root / conversations.FOLDER).glob("*"))
    for path in (path for folder in folders for path in json_cache.set_aside(folder)):
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


HOME_OF = {
    "demo": DATA,
    "inspect": DATA,
    "preprocess": DATA,
    "forget": DATA,
    "label": LABELS,
    "train": TRAINING,
    SCORECARD.name: TRUST,
    SECOND_TRAINING.name: TRUST,
    LATER_EXPORT.name: TIME,
    app_watches.TASK: WATCH,
}
"""Task → the page with its panel; other tasks belong to the map."""
_SIDEBAR_PX = 330
"""Width of the sidebar in pixels, enough for a chat beside the pages."""
_STATUS_S = 3.0
_OPENING = "Opening the data and making the segments …"
_LOOK = (
    "<style>[data-testid^=stBaseButton-primary] { color: light-dark(#ffffff, #10141b) }"
    " [data-testid=stPageLink] * { white-space: normal }"
    " @media (prefers-reduced-motion: reduce) { *, ::before, ::after { animation-duration: .01ms !important;"
    " animation-iteration-count: 1 !important; transition-duration: .01ms !important } }</style>"
)
"""Style of every page: main buttons can be read, whose text is white in Streamlit on any colour, links
take two lines where they must, and nothing moves for those who asked for that."""
_ASSETS = Path(__file__).parent / "assets"
"""Folder of logos; their letters are outlines, so that no font is needed."""


def main() -> None:
    """Draw the frame and the chosen page; an error of the page is shown as text."""
    st.set_page_config(
        page_title="Beha2Vec",
        page_icon=str(_ASSETS / "mark.svg"),
        layout="wide",
        initial_sidebar_state=_SIDEBAR_PX,
    )
    st.html(_LOOK)
    st.logo(str(_ASSETS / "logo.svg"), size="large", icon_image=str(_ASSETS / "mark.svg"))
    page = navigate()
    saving.open_linked()
    state.sync_link()
    if page.url_path not in (PROFILES.url_path, COMPARE.url_path):
        spotlight.leave()
    status, talk = st.sidebar.container(key="status"), st.sidebar.container(key="talk")
    drawn: chat_panel.Drawn = []
    with st.spinner(_OPENING), talk, errors.shown():  # the chat is drawn first, and knows the segments
        drawn = chat_panel.show()
    with errors.shown():
        state.say_gone()
        _part()
        page.run()
        chat_panel.mark(drawn)
        show()
    with status:
        _work()
        _running()
        link(SETTINGS, SETTINGS.title)
    with errors.shown():
        topic.prepare()


def _part() -> None:
    """Draw a note above every page where only a part of an export is counted."""
    dataset = state.dataset()
    if dataset is not None and (part := dataset.receipt.narrowed):
        st.caption(f":material/filter_alt: {COUNTED.format(f'**{md_text(part)}**')}")


def _work() -> None:
    """Draw the current data set and model."""
    dataset = state.dataset()
    if dataset is None:
        st.caption("No data set yet")
        return
    receipt, run, made = dataset.receipt, state.model(), catalog.made(dataset.path)
    made_by = _made_by(run) if run else "No model yet"
    st.caption(
        f"**{md_text(catalog.title_of(receipt), 60)}**  \n{count(receipt.users, 'user')} · "
        f"{count(receipt.page_views_used, 'page view')}  \nPrepared {made:%d %b %Y %H:%M}  \n{made_by}"
    )


def _made_by(run: state.ModelRun) -> str:
    return (
        "A bag of pages, no model"
        if run.settings.encoder is Encoder.BAG
        else f"Model of {count(run.report['epochs'], 'epoch')}"
    )


@st.fragment(run_every=_STATUS_S)
def _running() -> None:
    """Draw the jobs that run right now, of any session."""
    for job in (job for job in jobs.recent(state.store().root, limit=10) if job.active):
        _one_job(job, HOME_OF.get(job.task, EXPLORE))


def _one_job(job: JobView, home: Screen) -> None:
    link(home, TITLES.get(job.task, job.task))
    if data := _data_of(job):
        st.caption(md_text(data, 60))
    if job.task == app_watches.TASK and not job.fraction:  # it rests, and never comes to an end
        st.caption(progress_line(job))
        return
    st.progress(min(1.0, job.fraction), text=progress_line(job))


def _data_of(job: JobView) -> str:
    """Names of the files or the data set of a job; empty for the data set on screen."""
    try:
        asked, shown = request_of(job), state.dataset()
    except Beha2VecError:  # its folder was cleaned away just now
        return ""
    key = asked.get("dataset", "")
    if not key or (shown is not None and key == shown.key):
        return ", ".join(Path(path).name for path in asked.get("paths", ()))
    return next((card.title for card in catalog.datasets(state.store()) if card.key == key), "")
