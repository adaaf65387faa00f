"""Detect ids that look automated; they are flagged and shown, never deleted silently.

GA4 drops the bots it knows and exports no user agent, so only behaviour is left to judge. The limits are far
beyond what a keen shopper does (170 page views in a visit happen): an id above them is a program, a test
account or a screen that reloads itself.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from ibis import _

from core.ingest.clean import records
from core.ingest.engine import Engine
from core.ingest.observe.narrow import USER, Events
from core.ingest.observe.page_views import PageViews
from core.ingest.observe.user_facts import UserFacts

EVENTS_A_DAY: Final = 2_000
"""Fewest events of an automated id in a UTC day: one every 43 seconds around the clock."""
PACED_VIEWS: Final = 300
"""Fewest page views in a row, without a pause, of an automated id: too many for impatience."""
PACE_SECONDS: Final = 3.0
"""Longest time between such page views, in seconds: too short to read a page."""
UNENGAGED_VIEWS: Final = 300
"""Fewest page views of an automated id without any engagement: nobody looks at its browser."""
ENGAGED_SHARE: Final = 0.5
"""Share of users with engagement in an export, below which missing engagement says nothing."""
DAY: Final = 86_400_000_000  # microseconds


def bot_like(
    engine: Engine, events: Events, people: UserFacts, views: PageViews, rounded: bool, engaged: float
) -> np.ndarray:
    """Find the users who look automated.

    Args:
        engine: Database of the tables.
        events: All events of the users.
        people: Attributes of the users.
        views: Page views of the users.
        rounded: Whether a spreadsheet rounded the times, which then say nothing about pace.
        engaged: Share of the users of the export with any engagement.

    Returns:
        bool of shape (n_users,).
    """
    n_users = len(people.events)
    counts = np.bincount(views.user, minlength=n_users)
    flagged = _silent(people, counts, engaged)
    flagged[_busiest(engine, events, np.flatnonzero(people.events >= EVENTS_A_DAY))] = True
    if not rounded:
        flagged[fast(views)] = True
    return flagged


def _silent(people: UserFacts, counts: np.ndarray, share: float) -> np.ndarray:
    if share < ENGAGED_SHARE:
        return np.zeros(len(counts), dtype=bool)
    silent: np.ndarray = (counts >= UNENGAGED_VIEWS) & ~people.engaged
    return silent


def _busiest(engine: Engine, events: Events, candidates: np.ndarray) -> np.ndarray:
    """Return the candidates that sent at least :data:`EVENTS_A_DAY` events in a day."""
    if not len(candidates):
        return candidates
    few = events.table.filter(events.table[USER].isin(candidates.tolist()))
    days = few.group_by(USER, day=_[records.TS] // DAY).agg(events=_.count())
    busy = days.filter(days.events >= EVENTS_A_DAY).select(USER).distinct()
    found: np.ndarray = engine.arrow(busy)[USER].to_numpy()
    return found


def fast(views: PageViews) -> np.ndarray:
    """Return the user of each page view in a run of at least :data:`PACED_VIEWS` without a pause.

    A pause is longer than :data:`PACE_SECONDS`. A user comes once for each page view of such runs.
    """
    pauses = np.diff(views.timestamp, prepend=0) > PACE_SECONDS * 1e6
    run = np.cumsum(pauses | views.begins_user)
    long: np.ndarray = np.bincount(run)[run] >= PACED_VIEWS
    return views.only(long).user
