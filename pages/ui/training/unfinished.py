"""A training that ended before it was done can go on from its last checkpoint."""

from __future__ import annotations

import streamlit as st

from core.labels.label_settings import LabelSettings
from core.runs import jobs
from core.runs.jobs import JobView, State
from pages.ui.labels import label_jobs
from pages.ui.shell import errors, job_panel, state


def stopped_training(dataset_key: str) -> JobView | None:
    """The last training of a data set, when it was stopped or died. Its message is shown with the offer."""
    found = (job for job in jobs.recent(state.store().root) if job.task == "train")
    last = next((job for job in found if job.subject == dataset_key), None)
    if last is None or last.state not in (State.FAILED, State.CANCELLED):
        return None
    job_panel.forget_failure("train")
    return last


def offer_to_go_on(last: JobView) -> None:
    """Say how a training ended, and offer to go on with it."""
    with st.container(border=True, key="unfinished"):
        if last.state is State.FAILED:
            errors.show_job(last)
        else:
            st.write(f"The last training was stopped at {last.fraction:.0%}. Its checkpoint is kept.")
        st.button("Go on with it", icon=":material/resume:", key="go-on", on_click=_go_on, args=(last,))


def _go_on(last: JobView) -> None:
    with errors.shown():
        asked_for = dict(job_panel.request_of(last))
        asked_for.pop("asked", None)
        order = label_jobs.may_ask(LabelSettings.checked(**asked_for["label"]))
        job_panel.start("train", asked_for | order.request, last.subject, environment=order.environment)
