"""Labelling in the background, and what follows from it: users are placed anew by the labels as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from core.labels.settings import LabelMode, LabelSettings
from pages.ui import desk, errors, job_panel, label_book, state

LABEL: Final = "label"
TASKS: Final = (LABEL,)


def start(dataset: str, settings: LabelSettings, fetch_hosts: Sequence[str] = ()) -> None:
    """Start labelling a data set; with a model, its users get vectors by the new labels as well."""
    if settings.mode is LabelMode.OFF:
        return
    request: dict[str, Any] = {
        "dataset": dataset,
        "label": settings.model_dump(mode="json"),
        "fetch_hosts": list(fetch_hosts),
    }
    run = state.model()
    if run is not None:
        request["model"] = run.key
    job_panel.start(LABEL, request, dataset)


def undo(dataset: str) -> None:
    """Take the latest correction back (a button's callback)."""
    label_book.undo()
    start(dataset, label_book.load())


def take_result() -> None:
    """Show the vectors that this session's job has just made."""
    made = job_panel.result(LABEL)
    if made and made.get("embeddings"):
        with errors.shown():
            desk.choose_vectors(state.store(), made["model"], made["embeddings"])
