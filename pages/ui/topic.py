"""What the chat is about: the segments on screen, laid out for questions and shared by content key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from core.base.settings import AnalyzeSettings
from core.facts.context import Basis, Context, make_context
from core.facts.fact_book import FactBook
from core.facts.fact_maker import Figures
from core.facts.finding import Finding
from core.profiles.metrics import Profiles
from core.segments.partition import Partition
from pages.ui import descriptions, desk, fits, naming, steering, workbench
from pages.ui.fits import Fit
from pages.ui.workbench import Sources


def context() -> Context | None:
    """The segments that this session saw last, or the ones kept for the model; None before there are any."""
    made_from = workbench.found_sources()
    if made_from is None:
        return None
    fit, previous = _fits(made_from)
    made = _tables(made_from.embeddings, fit.partition.digest, _outcome(), made_from, fit)
    named = replace(made, names=desk.names(made_from.store, made_from.model_key))
    told = descriptions.load(made_from.store, made_from.model_key, made.tables.digest)
    suggested = naming.suggested(named, {segment: one.name for segment, one in told.items()})
    return replace(named, previous=previous, suggested=suggested)


def told(about: Context, what: str, say: Callable[[Figures], Finding]) -> Finding:
    """What the app says of segments: said once for all sessions that have the same ones by the same names.

    Args:
        about: The segments.
        what: Names what is said.
        say: Says it, if it has not been said.
    """
    segments = f"{about.tables.digest} {about.tables.partition.digest}"
    return _told(segments, tuple(sorted(about.names.items())), what, about, say)


def prepare() -> None:
    """Lay out what every question needs, once the page is drawn, so that the first answer need not wait."""
    made_from = workbench.found_sources()
    if made_from is not None and st.session_state.get(fits.KEY) is not None:
        _basis(made_from.embeddings, made_from)
        about = context()
        if about is not None:
            about.tables.warm()


def _fits(made_from: Sources) -> tuple[Fit, Partition | None]:
    """The segments on screen, and those before the last move; made now if nobody has looked at them yet.

    Raises:
        SettingsError: If there are too few users for segments.
    """
    session = st.session_state.get(fits.KEY)
    if isinstance(session, fits.Session) and session.model == made_from.model_key and session.fits:
        before = session.fits[1].partition if len(session.fits) > 1 else None
        return session.fits[0], before
    kept = desk.recall(made_from.store, made_from.model_key, len(made_from.inside))
    if kept is not None:
        return Fit(kept.embeddings, kept.weights, kept.partition), None
    return workbench.solve(made_from, steering.standard(made_from.n_clustered)).fit, None


def _outcome() -> str | None:
    chosen = st.session_state.get("outcome")
    return str(chosen) if chosen else None


@st.cache_resource(max_entries=2, show_spinner=False)
def _basis(embeddings: str, _made_from: Sources) -> Basis:
    data = workbench.profile_data(_made_from)
    return Basis.from_dataset(_made_from.dataset, _made_from.labels, data)


@st.cache_resource(max_entries=workbench.SESSIONS, show_spinner=False)
def _tables(embeddings: str, segments: str, outcome: str | None, _made_from: Sources, _fit: Fit) -> Context:
    partition = _fit.partition
    profiles = _profiles(_made_from, partition, outcome)
    return make_context(_basis(embeddings, _made_from), profiles, partition, {})


@st.cache_resource(max_entries=16 * workbench.SESSIONS, show_spinner=False)
def _told(
    segments: str, names: tuple[tuple[int, str], ...], what: str, _about: Context,
    _say: Callable[[Figures], Finding],
) -> Finding:  # fmt: skip
    return _say(Figures(_about, FactBook(_about.tables.digest)))


def _profiles(made_from: Sources, partition: Partition, outcome: str | None) -> Profiles:
    known = workbench.outcomes(made_from)
    settings = AnalyzeSettings.checked(outcome=outcome if outcome in known else None)
    return workbench.profiles(made_from, partition, settings)
