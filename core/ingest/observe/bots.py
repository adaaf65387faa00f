"""Ids that look automated: flagged and shown, never deleted silently.

GA4 drops the bots it knows and exports no user agent, so what is left to judge is behaviour. The limits
are far beyond what a keen shopper does (170 page views in a visit happen); who passes them is a program, a
test account or a screen that reloads itself.
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
"""Events of one id in one UTC day: one every 43 seconds around the clock."""
PACED_VIEWS: Final = 300
"""Page views in a row …"""
PACE_SECONDS: Final = 3.0
"""… each at most so far from the one before: too fast to read, for too long to be impatience."""
UNENGAGED_VIEWS: Final = 300
"""Page views without any engagement, in an export …"""
ENGAGED_SHARE: Final = 0.5
"""… in which this share of the users has some: a browser that nobody looks at."""
DAY: Final = 86_400_000_000  # microseconds


def bot_like(
    engine: Engine, events: Events, people: UserFacts, views: PageViews, rounded: bool, engaged: float
) -> np.ndarray:
    """Say which users look automated.

    Args:
        engine: Where the tables are.
        events: All events of the users.
        people: Facts about the users.
        views: Their page views.
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
    """Those of the candidates that sent :data:`EVENTS_A_DAY` in one day."""
    if not len(candidates):
        return candidates
    few = events.table.filter(events.table[USER].isin(candidates.tolist()))
    days = few.group_by(USER, day=_[records.TS] // DAY).agg(events=_.count())
    busy = days.filter(days.events >= EVENTS_A_DAY).select(USER).distinct()
    found: np.ndarray = engine.arrow(busy)[USER].to_numpy()
    return found


def fast(views: PageViews) -> np.ndarray:
    """Users with a run of :data:`PACED_VIEWS` page views without any pause."""
    pauses = np.diff(views.timestamp, prepend=0) > PACE_SECONDS * 1e6
    run = np.cumsum(pauses | views.begins_user)
    long: np.ndarray = np.bincount(run)[run] >= PACED_VIEWS
    return views.only(long).user
