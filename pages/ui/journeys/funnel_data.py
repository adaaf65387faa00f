"""What a funnel on screen is made from, kept by content key for all sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import streamlit as st

from core.base.errors import ArtifactError
from core.data.dataset import EVENTS
from core.data.timed_events import TimedEvents
from core.journeys.funnel import Funnel, FunnelStep, StepKind
from core.journeys.funnel_start import usual_funnel
from core.journeys.funnel_walk import FunnelWalk, walk
from core.journeys.moments import users_who
from core.journeys.patterns import FunnelSite
from core.journeys.places import Places
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.made_from import Sources

OFFERED: Final = 200
"""Names of a kind that can be picked, the most seen ones; any other can be written."""


@dataclass(frozen=True, eq=False)
class FunnelBasis:
    """A data set as funnels see it.

    Args:
        site: What steps can be made of.
        events: What users did besides viewing pages; nothing where the data set does not say when.
        lacks_times: Whether it does not.
        offered: Kind → names that can be picked, the most seen first.
    """

    site: FunnelSite
    events: TimedEvents
    lacks_times: bool
    offered: dict[StepKind, list[str]]


def basis(live: LiveSegments) -> FunnelBasis:
    """Laid out once a data set and its labels."""
    return _basis(_key(live), live.sources)


def _key(live: LiveSegments) -> str:
    """Of the data set, its labels, and whether it says when events were done: that can be added to it."""
    return f"{live.tables.basis.key} {(live.sources.dataset.path / EVENTS).exists()}"


def suggested(live: LiveSegments) -> Funnel:
    """The usual way to the outcome."""
    chosen = live.profiles.chosen
    return _suggested(_key(live), chosen[:1], live)


def followed(live: LiveSegments, funnel: Funnel) -> FunnelWalk:
    """How far each user comes.

    Raises:
        SettingsError: If these pages have no names at the level of a step.
    """
    return _walk(_key(live), funnel.model_copy(update={"name": ""}), live)


def found(live: LiveSegments, step: FunnelStep) -> tuple[int, int]:
    """How many different names a step matches, and how many users did any of it.

    Raises:
        SettingsError: If these pages have no names at its level.
    """
    return _found(_key(live), step, live)


@st.cache_resource(max_entries=2, show_spinner="Laying out pages and events …")
def _basis(key: str, _sources: Sources) -> FunnelBasis:
    data = _sources.dataset
    try:
        events, lacks = data.events, False
    except ArtifactError:
        events, lacks = TimedEvents.none(), True
    site = FunnelSite.of(data, _sources.labels, events.names)
    offered = {
        StepKind(level): list(Places.from_names(level, named, data.sequences).names[:OFFERED])
        for level, named in site.names.items()
    }
    often = np.bincount(events.name, minlength=len(events.names))
    happened = [events.names[place] for place in np.argsort(-often, kind="stable").tolist()]
    if happened:
        offered[StepKind.EVENT] = happened[:OFFERED]
    return FunnelBasis(site, events, lacks, offered)


@st.cache_resource(max_entries=8, show_spinner="Looking for the usual way …")
def _suggested(key: str, chosen: tuple[str, ...], _live: LiveSegments) -> Funnel:
    index = _live.tables.basis.data.outcomes
    return usual_funnel(basis(_live).site, index.whole or index, chosen)  # of a part, that of the whole


@st.cache_resource(max_entries=12, show_spinner="Following all users …")
def _walk(key: str, funnel: Funnel, _live: LiveSegments) -> FunnelWalk:
    made = basis(_live)
    return walk(funnel, made.site.marks_of(funnel), _live.sources.dataset.sequences, made.events)


@st.cache_data(max_entries=512, show_spinner=False)
def _found(key: str, step: FunnelStep, _live: LiveSegments) -> tuple[int, int]:
    made = basis(_live)
    marks = made.site.marks(step)
    users = users_who(marks, _live.sources.dataset.sequences, made.events)
    return made.site.different(step, marks), users
