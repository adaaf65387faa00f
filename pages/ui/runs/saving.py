"""Save what is on screen as a run, and put a saved run on screen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import streamlit as st

from core.runs import artifacts
from core.saved import saved_runs, saved_work
from core.saved.controls import Controls
from core.saved.saved_runs import MAX_NAME_LENGTH, SavedRun, run_log
from core.saved.saved_work import Segmentation
from pages.ui.data import catalog
from pages.ui.segments import session_segments
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.shared import Sources
from pages.ui.shell import errors, state
from pages.ui.shell.links import EXPLORE

_BEFORE = "Before “{}” was opened"
_LINKED = "run"
"""Parameter of a link that opens a saved run, once."""


def save(live: LiveSegments, name: str, note: str = "") -> str:
    """Save the segments on screen with all that is set.

    Returns:
        The key of the run.

    Raises:
        SettingsError: If the name is empty or too long.
        ResourceError: If the disk is full.
    """
    run = _on_screen(live).model_copy(update={"note": note.strip()}).renamed(name)
    return saved_runs.save(live.sources.store, run, live.segmentation, live.sources.dataset)


def saved_as(live: LiveSegments, kept: Mapping[str, SavedRun]) -> str:
    """Name of the newest saved run with exactly these segments, names and settings; empty without one.

    Args:
        live: The segments.
        kept: Key → saved run, newest first.
    """
    now = _on_screen(live)
    return next((run.name for run in kept.values() if run.is_like(now)), "")


def _on_screen(live: LiveSegments) -> SavedRun:
    return _told(live.sources, live.segmentation, state.controls(live.sources.model_key), live.plain_names)


def _told(
    sources: Sources,
    shown: Segmentation,
    controls: Controls,
    titles: Mapping[int, str] = MappingProxyType({}),
) -> SavedRun:
    """Record of segments for a saved run, named after their data set; without titles by number."""
    receipt, cluster = sources.dataset.receipt, shown.partition.settings
    given = saved_work.given_names(sources.store, sources.model_key)
    called = {segment: f"{segment + 1} · {name.text}" for segment, name in given.items()}
    sizes = shown.partition.sizes
    return SavedRun(
        name=catalog.title_of(receipt)[:MAX_NAME_LENGTH],
        at=saved_runs.now(),
        dataset=sources.dataset.key,
        model=sources.model_key,
        embeddings=sources.embeddings,
        title=catalog.title_of(receipt),
        users=receipt.users,
        page_views=receipt.page_views_used,
        controls=controls.model_copy(
            update={"weights": shown.weights, "n_clusters": cluster.n_clusters, "user": None}
        ),
        names=given,
        titles={one: titles.get(one) or called.get(one) or f"Segment {one + 1}" for one in sizes},
        sizes=sizes,
        digest=shown.partition.digest,
        log=run_log(receipt, _stages(sources), shown, {one: name.text for one, name in given.items()}),
    )


def _stages(sources: Sources) -> dict[str, Path]:
    return {
        "preprocess": sources.dataset.path,
        **({"label": sources.labels.path} if sources.labels else {}),
        "train": sources.model,
    }


def reopen(key: str) -> None:
    """Put a saved run on screen: its data set, model, segments, names and all that was set.

    What its model's segments are now is saved first, unless a run holds it already.

    Raises:
        ArtifactError: If there is no such run, or what it was made of is gone; nothing was changed.
        ResourceError: If the disk is full.
    """
    store = state.store()
    run, segments = saved_runs.open_run(store, key)
    if missing := saved_runs.missing_parts(store, run):
        raise saved_runs.missing_error(run, " and ".join(missing))
    artifacts.open_embeddings(store, artifacts.open_dataset(store, run.dataset), run.embeddings)
    state.select_dataset(run.dataset)
    state.select_model(run.model)
    _keep_what_is_there(run)
    saved_work.choose_vectors(store, run.model, run.embeddings)
    sources = session_segments.found_sources()
    if sources is None:
        raise saved_runs.missing_error(run, "what it was made of")
    others = dict.fromkeys(saved_work.names(store, run.model), "")
    evidence = {segment: name.evidence for segment, name in run.names.items()}
    saved_work.rename(store, run.model, others | run.own_names, evidence)
    state.set_controls(run.model, **dict(run.controls))
    session_segments.reopen(sources, segments)


def _keep_what_is_there(run: SavedRun) -> None:
    sources = session_segments.found_sources()
    shown = sources and saved_work.load_segments(sources.store, run.model, len(sources.vectors.inside))
    if not sources or not shown or shown.embeddings != sources.embeddings:
        return
    now = _told(sources, shown, state.controls(run.model))
    if not any(saved.is_like(now) for saved in saved_runs.saved_runs(sources.store).values()):
        before = now.renamed(_BEFORE.format(run.name[: MAX_NAME_LENGTH - len(_BEFORE)]))
        saved_runs.save(sources.store, before, shown, sources.dataset)


def link_to(key: str) -> str:
    """Address that opens a saved run on this server."""
    here = urlsplit(st.context.url or "")
    place = f"{here.scheme}://{here.netloc}/" if here.netloc else ""
    return f"{place}{EXPLORE.url_path}?{_LINKED}={key}"


def open_linked() -> None:
    """Open the run that the address names, once a session."""
    key = st.query_params.get(_LINKED, "")
    if key:
        del st.query_params[_LINKED]
        with errors.shown():
            reopen(key)
            state.sync_link()
