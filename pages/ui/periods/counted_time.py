"""What is drawn of segments over time, counted once for all sessions that ask the same."""

from __future__ import annotations

import pandas as pd
import streamlit as st

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


def calendar_now(live: LiveSegments, unit: PeriodUnit | None) -> Calendar:
    """Days or weeks as the filter leaves them; what suits the export where no unit is asked for."""
    return _calendar(live.sources.counted, unit, _filter(live), live)


def by_period(live: LiveSegments, unit: PeriodUnit, measure: PeriodMeasure) -> tuple[pd.DataFrame, int]:
    """A measure of every segment by period (``core/periods/over_time.py``), and outcomes that are in no row.

    Raises:
        ArtifactError: If the outcome is an event and the data set does not say when it was done.
    """
    made, unseen = _by_period(*_key(live), unit, measure, live.profiles.chosen, live)
    return tables.named(made, live.names), unseen


def retained(live: LiveSegments, unit: PeriodUnit) -> tuple[pd.DataFrame, pd.DataFrame, dict[int, int]]:
    """Who comes again: by first period and periods since, of all of these together, and who is left out."""
    cells, together, without = _retained(*_key(live), unit, live)
    return tables.named(cells, live.names), tables.named(together, live.names), without


def by_hour(live: LiveSegments, *, sessions: bool) -> pd.DataFrame:
    """Page views or beginnings of sessions by the hour of the week."""
    return tables.named(_by_hour(*_key(live), sessions, live), live.names)


def _filter(live: LiveSegments) -> CountFilter:
    return state.controls(live.sources.model_key).counted


def _key(live: LiveSegments) -> tuple[str, str, CountFilter]:
    return live.sources.counted, live.segmentation.partition.digest, _filter(live)


@st.cache_resource(max_entries=16, show_spinner=False)
def _calendar(dataset: str, unit: PeriodUnit | None, chosen: CountFilter, _live: LiveSegments) -> Calendar:
    return calendar(_live.sources.dataset, unit, chosen.within)


@st.cache_resource(max_entries=6, show_spinner=False)
def _activity(
    dataset: str, chosen: CountFilter, unit: PeriodUnit, outcome: tuple[str, ...], _live: LiveSegments
) -> Activity:
    """Laid out once, whatever the segments; without an outcome where none is named."""
    data, index = _live.sources.dataset, _live.tables.basis.data.outcomes
    days, users = _calendar(dataset, unit, chosen, _live), count_filter.left(_live).users
    asks_events = any(not index.pages_of(one) for one in outcome)
    events = data.events if asks_events else TimedEvents.none()
    had = moments_of(outcome, index, events) if outcome else None
    return Activity.of(data.sequences, days, users, had)


@st.cache_resource(max_entries=SESSIONS, show_spinner=False)
def _by_period(
    dataset: str, segments: str, chosen: CountFilter, unit: PeriodUnit, measure: PeriodMeasure,
    outcome: tuple[str, ...], _live: LiveSegments,
) -> tuple[pd.DataFrame, int]:  # fmt: skip
    asked = outcome if measure is PeriodMeasure.OUTCOME else ()
    activity = _activity(dataset, chosen, unit, asked, _live)
    return over_time(activity, _live.profiles.rows, measure), activity.unseen


@st.cache_resource(max_entries=SESSIONS, show_spinner=False)
def _retained(
    dataset: str, segments: str, chosen: CountFilter, unit: PeriodUnit, _live: LiveSegments
) -> tuple[pd.DataFrame, pd.DataFrame, dict[int, int]]:
    activity, rows = _activity(dataset, chosen, unit, (), _live), _live.profiles.rows
    without = dict(zip(rows.segments, left_out(activity, rows).tolist(), strict=True))
    return triangle(activity, rows), curve(activity, rows), without


@st.cache_resource(max_entries=SESSIONS, show_spinner=False)
def _by_hour(
    dataset: str, segments: str, chosen: CountFilter, sessions: bool, _live: LiveSegments
) -> pd.DataFrame:
    days = _calendar(dataset, PeriodUnit.DAY, chosen, _live)
    users = count_filter.left(_live).users
    return rhythm(_live.sources.dataset.sequences, days, users, _live.profiles.rows, sessions=sessions)
