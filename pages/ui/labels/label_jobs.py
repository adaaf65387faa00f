"""Labelling in the background, and what follows from it: users are placed anew by the labels as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.desk import label_book, saved_work
from core.labels.label_settings import LabelMode, LabelSettings
from core.llm import LlmSettings
from core.runs import jobs, pipeline
from core.runs.jobs import JobView
from core.runs.tasks import LabelRequest
from pages.ui.chat import connection, consent
from pages.ui.shell import errors, job_panel, state

LABEL: Final = "label"
TASKS: Final = (LABEL,)
ASKING: Final = (LABEL, "train")
"""Tasks that label, and so may ask a language model."""


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
    hosts = list(dict.fromkeys([*agreed, *fetch_hosts]))
    order = may_ask(settings, fetching=bool(hosts))
    run = state.model()
    request = LabelRequest(
        dataset=dataset, label=order.settings, asked=order.asked, fetch_hosts=tuple(hosts),
        model=run.key if run else "",
    )  # fmt: skip
    job_panel.start(LABEL, request, dataset, replace=True, environment=order.environment)


@dataclass(frozen=True)
class Order:
    """How a job may label.

    Args:
        settings: The analyst's, without the language model where it must not be asked.
        server: The model that is asked, if any.
    """

    settings: LabelSettings
    server: LlmSettings | None

    @property
    def asked(self) -> str:
        """What the model that is asked is written down as, without its key; empty for none."""
        return self.server.identity if self.server else ""

    @property
    def environment(self) -> dict[str, str] | None:
        """Variables of the job's process."""
        return self.server.as_environment() if self.server else None


def may_ask(settings: LabelSettings, *, fetching: bool = False) -> Order:
    """What a job may do now: a language model is asked only by a session that has agreed to it.

    Args:
        settings: The analyst's.
        fetching: Whether it reads pages first, so that labels that are there already are not what it needs.
    """
    server = named(settings)
    if server is not None and (consent.given(server) or (not fetching and _labelled(settings))):
        return Order(settings, server)
    if settings.mode is LabelMode.LLM:
        return Order(settings.model_copy(update={"mode": LabelMode.AUTO}), None)
    return Order(settings, None)


def _labelled(settings: LabelSettings) -> bool:
    """Whether the labels are there already, so that nobody would be asked."""
    dataset = state.dataset()
    if dataset is None:
        return False
    return pipeline.find_labels(state.store(), dataset, settings, identity(settings)) is not None


def stop_asking() -> None:
    """Stop every job that asks a language model."""
    for job in job_panel.running(ASKING):
        if job_panel.request_of(job).get("asked"):
            jobs.cancel(state.store().root, job.id)


def named(settings: LabelSettings) -> LlmSettings | None:
    """The model of the Settings page, where these settings want one asked."""
    found = connection.usable() if settings.mode is LabelMode.LLM else None
    return None if found is None else found.settings


def identity(settings: LabelSettings) -> str:
    """What that model's decisions are kept under; empty where none is wanted."""
    server = named(settings)
    return "" if server is None else server.identity


def undo(dataset: str) -> None:
    """Take the latest edit of corrections back (a button's callback)."""
    with errors.shown():
        if label_book.undo(state.store()):
            start(dataset, label_book.load(state.store(), state.dataset()))


def remove(dataset: str, targets: Sequence[label_book.Target]) -> None:
    """Delete corrections (a button's callback)."""
    with errors.shown():
        if label_book.remove(state.store(), targets):
            start(dataset, label_book.load(state.store(), state.dataset()))


def take_result() -> None:
    """Show the vectors that this session's job has just made."""
    made = job_panel.result(LABEL)
    if made and made.get("embeddings"):
        with errors.shown():
            saved_work.choose_vectors(state.store(), made["model"], made["embeddings"])


def last_fetch(dataset: str) -> JobView | None:
    """The last job that fetched pages; ``fetched`` of its result says what became of them."""
    found = jobs.recent(state.store().root)
    mine = (job for job in found if (job.task, job.subject) == (LABEL, dataset))
    return next((job for job in mine if job.result.get("fetched")), None)
