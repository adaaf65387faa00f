"""What is drawn of segments over time, counted once for all sessions that ask the same."""

from __future__ import annotations

import pandas as pd

from core.data.timed_events import TimedEvents
from core.periods.activity import Activity, moments_of
from core.periods.calendar import Calendar, PeriodUnit, calendar
from core.periods.filter import CountFilter
from core.periods.over_time import PeriodMeasure, over_time
from core.periods.retention import curve, left_out, triangle
from core.periods.rhythm import rhythm
from pages.ui.periods import count_filter
from pages.ui.segments import profile_tables as tables
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.shared import SESSIONS
from pages.ui.shell import state
from pages.ui.shell.kept import kept


def _filter(live: LiveSegments) -> CountFilter:
    return state.controls(live.sources.model_key).counted


def _key(live: LiveSegments, *asked: object) -> tuple[object, ...]:
    return live.sources.counted, live.segmentation.partition.digest, _filter(live), *asked


@kept(lambda live, unit: (live.sources.counted, unit, _filter(live)), max_entries=16)
def calendar_now(live: LiveSegments, unit: PeriodUnit | None) -> Calendar:
    """Days or weeks as the filter leaves them; what suits the export where no unit is asked for."""
    return calendar(live.sources.dataset, unit, _filter(live).within)


def by_period(live: LiveSegments, unit: PeriodUnit, measure: PeriodMeasure) -> tuple[pd.DataFrame, int]:
    """A measure of every segment by period (``core/periods/over_time.py``), and outcomes that are in no row.

    Raises:
        ArtifactError: If the outcome is an event and the data set does not say when it was done.
    """
    made, unseen = _by_period(live, unit, measure, live.profiles.chosen)
    return tables.named(made, live.names), unseen


def retained(live: LiveSegments, unit: PeriodUnit) -> tuple[pd.DataFrame, pd.DataFrame, dict[int, int]]:
    """Who comes again: by first period and periods since, of all of these together, and who is left out."""
    cells, together, without = _retained(live, unit)
    return tables.named(cells, live.names), tables.named(together, live.names), without


def by_hour(live: LiveSegments, *, sessions: bool) -> pd.DataFrame:
    """Page views or beginnings of sessions by the hour of the week."""
    return tables.named(_by_hour(live, sessions), live.names)


@kept(lambda live, unit, outcome: (live.sources.counted, _filter(live), unit, outcome), max_entries=6)
def _activity(live: LiveSegments, unit: PeriodUnit, outcome: tuple[str, ...]) -> Activity:
    """Laid out once, whatever the segments; without an outcome where none is named."""
    data, index = live.sources.dataset, live.tables.basis.data.outcomes
    asks_events = any(not index.pages_of(one) for one in outcome)
    events = data.events if asks_events else TimedEvents.none()
    had = moments_of(outcome, index, events) if outcome else None
    return Activity.of(data.sequences, calendar_now(live, unit), count_filter.left(live).users, had)


@kept(_key, SESSIONS)
def _by_period(
    live: LiveSegments, unit: PeriodUnit, measure: PeriodMeasure, outcome: tuple[str, ...]
) -> tuple[pd.DataFrame, int]:
    activity = _activity(live, unit, outcome if measure is PeriodMeasure.OUTCOME else ())
    return over_time(activity, live.profiles.rows, measure), activity.unseen


@kept(_key, SESSIONS)
def _retained(live: LiveSegments, unit: PeriodUnit) -> tuple[pd.DataFrame, pd.DataFrame, dict[int, int]]:
    activity, rows = _activity(live, unit, ()), live.profiles.rows
    without = dict(zip(rows.segments, left_out(activity, rows).tolist(), strict=True))
    return triangle(activity, rows), curve(activity, rows), without


@kept(_key, SESSIONS)
def _by_hour(live: LiveSegments, sessions: bool) -> pd.DataFrame:
    days, users = calendar_now(live, PeriodUnit.DAY), count_filter.left(live).users
    return rhythm(live.sources.dataset.sequences, days, users, live.profiles.rows, sessions=sessions)
