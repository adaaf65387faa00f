"""What a funnel on screen is made from, kept by content key for all sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

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
from pages.ui.shell.kept import kept

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


def _key(live: LiveSegments) -> str:
    """Of the data set, its labels, and whether it says when events were done: that can be added to it."""
    return f"{live.tables.basis.key} {(live.sources.dataset.path / EVENTS).exists()}"


@kept(_key, max_entries=2, show_spinner="Laying out pages and events …")
def basis(live: LiveSegments) -> FunnelBasis:
    """Laid out once a data set and its labels."""
    data = live.sources.dataset
    try:
        events, lacks = data.events, False
    except ArtifactError:
        events, lacks = TimedEvents.none(), True
    site = FunnelSite.of(data, live.sources.labels, events.names)
    offered = {
        StepKind(level): list(Places.from_names(level, named, data.sequences).names[:OFFERED])
        for level, named in site.names.items()
    }
    often = np.bincount(events.name, minlength=len(events.names))
    happened = [events.names[place] for place in np.argsort(-often, kind="stable").tolist()]
    if happened:
        offered[StepKind.EVENT] = happened[:OFFERED]
    return FunnelBasis(site, events, lacks, offered)


@kept(
    lambda live: (_key(live), live.profiles.chosen[:1]), max_entries=8,
    show_spinner="Looking for the usual way …",
)  # fmt: skip
def suggested(live: LiveSegments) -> Funnel:
    """The usual way to the outcome."""
    index = live.tables.basis.data.outcomes  # of a part, that of the whole
    return usual_funnel(basis(live).site, index.whole or index, live.profiles.chosen[:1])


def followed(live: LiveSegments, funnel: Funnel) -> FunnelWalk:
    """How far each user comes.

    Raises:
        SettingsError: If these pages have no names at the level of a step.
    """
    return _walk(live, funnel.model_copy(update={"name": ""}))


@kept(lambda live, funnel: (_key(live), funnel), max_entries=12, show_spinner="Following all users …")
def _walk(live: LiveSegments, funnel: Funnel) -> FunnelWalk:
    made = basis(live)
    return walk(funnel, made.site.marks_of(funnel), live.sources.dataset.sequences, made.events)


@kept(lambda live, step: (_key(live), step), max_entries=512)
def found(live: LiveSegments, step: FunnelStep) -> tuple[int, int]:
    """How many different names a step matches, and how many users did any of it.

    Raises:
        SettingsError: If these pages have no names at its level.
    """
    made = basis(live)
    marks = made.site.marks(step)
    users = users_who(marks, live.sources.dataset.sequences, made.events)
    return made.site.different(step, marks), users
