"""A training that ended before it was done can go on from its last checkpoint."""

from __future__ import annotations

import streamlit as st

from core import jobs
from core.jobs import JobView, State
from pages.ui import errors, job_panel, state


def offer_to_go_on(dataset_key: str) -> None:
    """Say that the last training of a data set was stopped or died, and offer to go on with it."""
    last = _last_training(dataset_key)
    if last is None or last.state not in (State.FAILED, State.CANCELLED):
        return
    job_panel.forget_failure("train")
    with st.container(border=True, key="unfinished"):
        if last.state is State.FAILED:
            errors.show_job(last)
        else:
            st.write(f"The last training was stopped at {last.fraction:.0%}. Its checkpoint is kept.")
        st.button(
            "Go on with it", icon=":material/resume:", key="go-on", on_click=_go_on, args=(last, dataset_key)
        )


def _last_training(dataset_key: str) -> JobView | None:
    found = jobs.recent(state.store().root)
    return next((job for job in found if job.task == "train" and job.subject == dataset_key), None)


def _go_on(last: JobView, dataset_key: str) -> None:
    job_panel.start("train", job_panel.request_of(last), dataset_key)
