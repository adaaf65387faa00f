"""Whose time is on screen, by days or weeks, and what to know before reading it."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.periods.calendar import Calendar, PeriodUnit
from pages.ui.data.receipt_view import days_of
from pages.ui.periods import counted_time
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import state

EVERY: Final = "every"
UNITS: Final = {PeriodUnit.DAY: "Days", PeriodUnit.WEEK: "Weeks"}
FITTED: Final = (
    "Segments were fitted on all days of the export, so a user's segment may come from days after the one "
    "that is counted."
)
OF_BEFORE: Final = (
    "It was prepared by an earlier release, which tells summer hours one hour early. Prepare its files again "
    "on Data to have them right."
)


def whose(live: LiveSegments) -> int | None:
    """Draw whose time is shown; None for all segments side by side."""
    titles = {EVERY: "All segments side by side"}
    titles |= {f"segment:{segment}": live.names[segment] for segment in live.segments}
    held = state.controls(live.sources.model_key).segments or ()
    now = next((key for key in held if key in titles), EVERY) if len(held) == 1 else EVERY
    state.display("time-whose", now)
    chosen: str = st.selectbox(
        "Whose", list(titles), list(titles).index(now), format_func=titles.__getitem__, key="time-whose",
        on_change=_keep, args=(live.sources.model_key,),
    )  # fmt: skip
    return None if chosen == EVERY else int(chosen.partition(":")[2])


def _keep(model: str) -> None:
    chosen = st.session_state["time-whose"]
    state.set_controls(model, segments=() if chosen == EVERY else (chosen,))


def unit(live: LiveSegments, most: int | None = None) -> PeriodUnit:
    """Draw whether it is told by days or by weeks, where both can be read.

    Args:
        live: The segments.
        most: Days from which on only weeks can be read; None for no limit.
    """
    if most is not None and counted_time.calendar_now(live, PeriodUnit.DAY).n_periods > most:
        return PeriodUnit.WEEK
    usual = counted_time.calendar_now(live, None).unit
    return st.segmented_control(
        "By", list(UNITS), default=usual, required=True, format_func=UNITS.__getitem__,
        key="time-unit", persist_state="session",
    )  # fmt: skip


def clock(live: LiveSegments) -> str:
    """By which clock days begin, and which days lack something."""
    receipt, days = live.sources.dataset.receipt, days_of(live.sources.dataset)
    exactly = "inferred" in receipt.time_zone
    more = ", as its dates say" if exactly else ": the export does not say more exactly"
    said = f"Times are {receipt.clock.name}{more}."
    if days.missing or days.fallen:
        said += f" {days.sentence}"
    return f"{said} {OF_BEFORE}" if receipt.is_winter_all_year else said


def parts(calendar: Calendar, unit: PeriodUnit) -> str:
    """Which periods are covered only in part; empty where none is."""
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
