"""What is on screen becomes a saved run, and a saved run what is on screen."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import streamlit as st

from core.base.errors import ArtifactError
from core.desk import saved_runs, saved_work
from core.desk.run_log import run_log
from core.desk.saved_runs import SavedRun
from pages.ui.data import catalog
from pages.ui.segments import made_from, session_segments
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, state

BEFORE = "Before “{}” was opened"
LINKED = "run"
"""Parameter of a link that opens a saved run, once."""


def save(live: LiveSegments, name: str, note: str = "") -> str:
    """Save the segments on screen with all that is set.

    Returns:
        The key of the run.

    Raises:
        SettingsError: If the name is empty or too long.
        ResourceError: If the disk is full.
    """
    sources, receipt = live.sources, live.sources.dataset.receipt
    held = state.controls(sources.model_key).model_copy(
        update={"weights": live.steering.weights, "n_clusters": live.steering.cluster.n_clusters}
    )
    run = SavedRun.checked(
        name=name,
        note=note.strip(),
        at=saved_runs.now(),
        dataset=sources.dataset.key,
        model=sources.model_key,
        embeddings=sources.embeddings,
        title=catalog.title_of(receipt),
        users=receipt.users,
        page_views=receipt.page_views_used,
        controls=held,
        names=saved_work.given_names(sources.store, sources.model_key),
        titles=live.plain_names,
        sizes=live.segmentation.partition.sizes,
        log=run_log(receipt, _stages(live), live.segmentation, live.own_names),
    )
    return saved_runs.save(sources.store, run, live.segmentation, sources.dataset)


def _stages(live: LiveSegments) -> dict[str, Path]:
    labels = live.sources.labels
    return {
        "preprocess": live.sources.dataset.path,
        **({"label": labels.path} if labels else {}),
        "train": live.sources.model,
    }


def is_saved(live: LiveSegments) -> bool:
    """Whether these very segments, names and settings of segments are in a saved run."""
    store, digest = live.sources.store, live.segmentation.partition.digest
    for key, run in saved_runs.saved_runs(store).items():
        if (run.model, run.own_names) == (live.sources.model_key, live.own_names):
            with suppress(ArtifactError):  # a damaged one says so where it is opened
                if saved_runs.open_run(store, key)[1].partition.digest == digest:
                    return True
    return False


def reopen(key: str) -> None:
    """Put a saved run on screen: its data set, model, segments, names and all that was set.

    Raises:
        ArtifactError: If there is no such run, or what it was made of is gone.
    """
    store = state.store()
    run, segments = saved_runs.open_run(store, key)
    state.select_dataset(run.dataset)
    state.select_model(run.model)
    saved_work.choose_vectors(store, run.model, run.embeddings)
    sources = made_from.found_sources()
    if sources is None or sources.embeddings != run.embeddings:
        what = " and ".join(saved_runs.gone(store, run)) or "what it was made of"
        raise saved_runs.not_there(run, what)
    others = dict.fromkeys(saved_work.names(store, run.model), "")
    evidence = {segment: name.evidence for segment, name in run.names.items()}
    saved_work.rename(store, run.model, others | run.own_names, evidence)
    state.set_controls(run.model, **run.controls.model_dump())
    session_segments.show(sources, segments)


def open_linked() -> None:
    """Open the run that the address names, once a session."""
    key = st.query_params.get(LINKED, "")
    if key:
        del st.query_params[LINKED]
        with errors.shown():
            reopen(key)
            state.sync_link()
