"""Pages that give the outcome away: leave them out, and fit again with the settings of the current model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from core.base.errors import InputError
from core.base.schema import Pages
from core.base.settings import IngestSettings
from core.data.dataset import Dataset
from core.desk import label_book
from core.ingest.clean.urls import with_templates
from core.runs import jobs
from core.runs.file_requests import RefitRequest
from pages.ui.data import catalog, sources
from pages.ui.data.prepare_form import PREPARE_WALL_S, start_preparing
from pages.ui.labels import label_jobs
from pages.ui.shell import job_panel, state
from pages.ui.shell.text import md_text

TASK: Final = "refit"
GIVES_AWAY: Final = (
    "Buyers, or whoever has the outcome, see this at the outcome or afterwards. A model that reads it knows "
    "the outcome, so that segments differ in it by how they were made: "
)


def take_result() -> None:
    """Take the data set and model that this session's job has just made; call it first on a page."""
    done = job_panel.ended(TASK)
    if done is not None:
        state.take_model(done.result, done.subject)


def offer(dataset: Dataset, pages: Sequence[str]) -> None:
    """Draw what is given away and the button, or the job that it has started; nothing without such pages."""
    pages = with_templates(pages, dataset.pages[Pages.PAGE_LOCATION])
    if not pages or job_panel.panels((TASK,), dataset.key):
        return
    card = next((card for card in catalog.datasets(state.store()) if card.key == dataset.key), None)
    if card is None:
        return
    st.warning(GIVES_AWAY + md_text(", ".join(pages), 1_000), icon=":material/visibility:")
    before = IngestSettings.checked(**card.settings)
    strip = tuple(dict.fromkeys((*before.strip_pages, *pages)))
    there = () if card.filtered else sources.still_there(card)  # else the filter would be lost
    st.button(
        "Leave it out and fit again" if state.model() else "Leave it out", icon=":material/backspace:",
        key="leave-out", disabled=not there, on_click=_start,
        args=(dataset.key, there, before.model_copy(update={"strip_pages": strip})),
        help="Reads the same files again without these pages, and trains with the settings of this model. "
        "They can still be the outcome." if there else
        ("Leave it out of the data set that this one was made of." if card.filtered else sources.GONE),
    )  # fmt: skip


def _start(dataset: str, names: tuple[str, ...], settings: IngestSettings) -> None:
    run = state.model()
    if run is None:
        start_preparing(names, settings)
        return
    order = label_jobs.may_ask(label_book.load(state.store()))
    try:
        request = RefitRequest(
            paths=tuple(sources.paths(names)), ingest=settings, label=order.settings, asked=order.asked,
            train=run.settings,
        )  # fmt: skip
    except InputError as error:
        job_panel.fail(TASK, error)
        return
    limits = job_panel.file_limits(PREPARE_WALL_S)
    job_panel.start(TASK, request, dataset, limits, environment=order.environment, child=jobs.ENGINES)
