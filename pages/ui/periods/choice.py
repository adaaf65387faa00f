"""The choice at the top of the parts of the page Time, and counts over time kept once for all sessions.

The parts share whose time is on screen, by days or weeks, and what to know before reading it.
"""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from core.periods.calendar import Calendar, PeriodUnit, calendar
from core.periods.filter import CountFilter
from core.periods.over_time import (
    Activity,
    PeriodMeasure,
    curve,
    left_out,
    moments_of,
    over_time,
    rhythm,
    triangle,
)
from core.storage.dataset import TimedEvents
from pages.ui.data.receipt_view import days_of
from pages.ui.periods import count_filter
from pages.ui.segments import profile_tables as tables
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.shared import SESSIONS
from pages.ui.shell import state
from pages.ui.shell.shared_cache import cached


def _filter(live: LiveSegments) -> CountFilter:
    return state.controls(live.sources.model_key).counted


def _key(live: LiveSegments, *asked: object) -> tuple[object, ...]:
    return live.sources.counted, live.segmentation.partition.digest, _filter(live), *asked


@cached(lambda live, unit: (live.sources.counted, unit, _filter(live)), max_entries=16)
def calendar_now(live: LiveSegments, unit: PeriodUnit | None) -> Calendar:
    """The days or weeks of the export within the filter; without a unit, whichever suits the export."""
    return calendar(live.sources.dataset, unit, _filter(live).within)


def by_period(live: LiveSegments, unit: PeriodUnit, measure: PeriodMeasure) -> tuple[pd.DataFrame, int]:
    """Count a measure by segment and period.

    Returns:
        The table of :func:`core.periods.over_time.over_time`, and how many users had the outcome in a period
        without a page view: they are in no row.
    """
    made, unseen = _by_period(live, unit, measure, live.profiles.chosen)
    return tables.named(made, live.names), unseen


def retained(live: LiveSegments, unit: PeriodUnit) -> tuple[pd.DataFrame, pd.DataFrame, dict[int, int]]:
    """Count who comes again.

    Returns:
        Tables by first period and over all of them (:func:`core.periods.over_time.triangle`, ``curve``), and
        segment → users left out as they had a single page view in their first period.
    """
    cells, together, without = _retained(live, unit)
    return tables.named(cells, live.names), tables.named(together, live.names), without


def by_hour(live: LiveSegments, *, sessions: bool) -> pd.DataFrame:
    """Table of page views, or of beginnings of sessions, by segment and hour of the week."""
    return tables.named(_by_hour(live, sessions), live.names)


@cached(lambda live, unit, outcome: (live.sources.counted, _filter(live), unit, outcome), max_entries=6)
def _activity(live: LiveSegments, unit: PeriodUnit, outcome: tuple[str, ...]) -> Activity:
    """Who came when, laid out once whatever the segments; without an outcome where none is named."""
    data, index = live.sources.dataset, live.tables.basis.data.outcomes
    asks_events = any(not index.pages_of(one) for one in outcome)
    events = data.events if asks_events else TimedEvents.none()
    had = moments_of(outcome, index, events) if outcome else None
    return Activity.of(data.sequences, calendar_now(live, unit), count_filter.left(live).users, had)


@cached(_key, SESSIONS)
def _by_period(
    live: LiveSegments, unit: PeriodUnit, measure: PeriodMeasure, outcome: tuple[str, ...]
) -> tuple[pd.DataFrame, int]:
    activity = _activity(live, unit, outcome if measure is PeriodMeasure.OUTCOME else ())
    return over_time(activity, live.profiles.rows, measure), activity.unseen


@cached(_key, SESSIONS)
def _retained(live: LiveSegments, unit: PeriodUnit) -> tuple[pd.DataFrame, pd.DataFrame, dict[int, int]]:
    activity, rows = _activity(live, unit, ()), live.profiles.rows
    without = dict(zip(rows.segments, left_out(activity, rows).tolist(), strict=True))
    return triangle(activity, rows), curve(activity, rows), without


@cached(_key, SESSIONS)
def _by_hour(live: LiveSegments, sessions: bool) -> pd.DataFrame:
    days, users = calendar_now(live, PeriodUnit.DAY), count_filter.left(live).users
    return rhythm(live.sources.dataset.sequences, days, users, live.profiles.rows, sessions=sessions)


_EVERY: Final = "every"
UNITS: Final = {PeriodUnit.DAY: "Days", PeriodUnit.WEEK: "Weeks"}
FITTED: Final = (
    "Segments were fitted on all days of the export, so a user's segment may come from days after the one "
    "that is counted."
)
_OF_BEFORE: Final = (
    "It was prepared by an earlier release, which tells summer hours one hour early. Prepare its files again "
    "on Data to have them right."
)


def whose(live: LiveSegments) -> int | None:
    """Draw the choice of a segment, and return its id; None for all segments side by side."""
    titles = {_EVERY: "All segments side by side"}
    titles |= {f"segment:{segment}": live.names[segment] for segment in live.segments}
    preselected = state.controls(live.sources.model_key).segments or ()
    now = next((key for key in preselected if key in titles), _EVERY) if len(preselected) == 1 else _EVERY
    state.display("time-whose", now)
    chosen: str = st.selectbox(
        "Whose", list(titles), list(titles).index(now), format_func=titles.__getitem__, key="time-whose",
        on_change=_keep, args=(live.sources.model_key,),
    )  # fmt: skip
    return None if chosen == _EVERY else int(chosen.partition(":")[2])


def _keep(model: str) -> None:
    chosen = st.session_state["time-whose"]
    state.set_controls(model, segments=() if chosen == _EVERY else (chosen,))


def unit(live: LiveSegments, most: int | None = None) -> PeriodUnit:
    """Draw the choice of days or weeks, where both can be read, and return it.

    Args:
        live: The segments.
        most: Number of days above which only weeks can be read; None for no limit.
    """
    if most is not None and calendar_now(live, PeriodUnit.DAY).n_periods > most:
        return PeriodUnit.WEEK
    usual = calendar_now(live, None).unit
    return st.segmented_control(
        "By", list(UNITS), default=usual, required=True, format_func=UNITS.__getitem__,
        key="time-unit", persist_state="session",
    )  # fmt: skip


def clock(live: LiveSegments) -> str:
    """Sentence on the clock by which days begin, and on days with gaps."""
    receipt, days = live.sources.dataset.receipt, days_of(live.sources.dataset)
    exactly = "inferred" in receipt.time_zone
    more = ", as its dates say" if exactly else ": the export does not say more exactly"
    said = f"Times are {receipt.clock.name}{more}."
    if days.missing or days.low_days:
        said += f" {days.sentence}"
    return f"{said} {_OF_BEFORE}" if receipt.is_winter_all_year else said


def parts(calendar: Calendar, unit: PeriodUnit) -> str:
    """Sentence on periods that are covered only in part; empty where none is."""
    dates = [
        f"{day.day} {day:%b}" for day, part in zip(calendar.dates, calendar.is_part, strict=True) if part
    ]
    if not dates:
        return ""
    named = ", ".join(dates[:3]) + (f" and {len(dates) - 3} more" if len(dates) > 3 else "")
    begins = "beginning " if unit is PeriodUnit.WEEK else ""
    return (
        f"Hollow: {'a ' + unit if len(dates) == 1 else unit + 's'} that the export or the filter covers only "
        f"in part ({begins}{named})."
    )
