"""Labelling in the background, and what follows from it: users are placed anew by the labels as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from core import jobs
from core.jobs import JobView
from core.labels.settings import LabelMode, LabelSettings
from pages.ui import desk, errors, job_panel, label_book, state

LABEL: Final = "label"
TASKS: Final = (LABEL,)


def start(dataset: str, settings: LabelSettings, fetch_hosts: Sequence[str] = ()) -> None:
    """Start labelling a data set; with a model, its users get vectors by the new labels as well.

    Only the last settings count: a job with others is stopped, and pages that it was to fetch, which the
    analyst has agreed to, are fetched by this one.
    """
    running = [job for job in job_panel.running(TASKS, dataset) if not job.stopping]
    if settings.mode is LabelMode.OFF:
        for job in running:
            jobs.cancel(state.store().root, job.id)
        return
    agreed = [host for job in running for host in job_panel.request_of(job)["fetch_hosts"]]
    request: dict[str, Any] = {
        "dataset": dataset,
        "label": settings.model_dump(mode="json"),
        "fetch_hosts": list(dict.fromkeys([*agreed, *fetch_hosts])),
    }
    run = state.model()
    if run is not None:
        request["model"] = run.key
    job_panel.start(LABEL, request, dataset, replace=True)


def undo(dataset: str) -> None:
    """Take the latest edit of corrections back (a button's callback)."""
    with errors.shown():
        if label_book.undo():
            start(dataset, label_book.load())


def remove(dataset: str, targets: Sequence[label_book.Target]) -> None:
    """Delete corrections (a button's callback)."""
    with errors.shown():
        if label_book.remove(targets):
            start(dataset, label_book.load())


def take_result() -> None:
    """Show the vectors that this session's job has just made."""
    made = job_panel.result(LABEL)
    if made and made.get("embeddings"):
        with errors.shown():
            desk.choose_vectors(state.store(), made["model"], made["embeddings"])


def last_fetch(dataset: str) -> JobView | None:
    """The last job that fetched pages; ``fetched`` of its result says what became of them."""
    found = jobs.recent(state.store().root)
    mine = (job for job in found if (job.task, job.subject) == (LABEL, dataset))
    return next((job for job in mine if job.result.get("fetched")), None)
