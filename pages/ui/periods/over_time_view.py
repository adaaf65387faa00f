"""The part of the page Time with shares of segments, outcome and activity by day or week."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from core.periods.calendar import PeriodUnit
from core.periods.over_time import IN_PART, PART, PERIOD, REST_VALUE, SHARES, VALUE, PeriodMeasure
from core.profiles.profile_columns import Col
from pages.ui.periods import choice, time_charts
from pages.ui.periods.panels import Told
from pages.ui.periods.panels import draw as draw_panels
from pages.ui.segments.figure import Draw
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell.text import md_text
from pages.ui.shell.written_table import Columns

TITLES: Final = {
    PeriodMeasure.SHARE: "Share of users",
    PeriodMeasure.OUTCOME: "Outcome rate",
    PeriodMeasure.USERS: "Users",
    PeriodMeasure.VIEWS: "Page views a user",
    PeriodMeasure.SESSIONS: "Sessions a user",
}
MEANS: Final = {
    PeriodMeasure.SHARE: "Share of each segment among the clustered users who came",
    PeriodMeasure.OUTCOME: "Of the users who came, how many had the outcome",
    PeriodMeasure.USERS: "How many users came",
    PeriodMeasure.VIEWS: "Page views of a user who came",
    PeriodMeasure.SESSIONS: "Sessions that a user who came began",
}
SMALL, LARGE = 150, 280
"""Height in pixels of a chart among others, and of a single one."""
HOW: Final = (
    "A user counts in every {unit} with a page view of theirs. Band: 95 % interval (Wilson's of shares). Of "
    "many {unit}s some stand apart by chance: 1 of 20. An interval that reaches the end of the axis may go "
    "on."
)
FEW: Final = 10
"""Users of a period below which its wide interval does not stretch the axis."""


def draw(live: LiveSegments) -> None:
    """Draw a measure by period, of one segment or of all side by side."""
    offered = [one for one in TITLES if one is not PeriodMeasure.OUTCOME or live.profiles.outcome]
    with st.grid("auto", min_column_width=200, gap="small", key="time-choice"):
        segment = choice.whose(live)
        measure = st.selectbox(
            "What", offered, format_func=TITLES.__getitem__, key="time-measure", persist_state="session"
        )
        unit = choice.unit(live)
    table, unseen = choice.by_period(live, unit, measure)
    st.caption(f"{choice.FITTED} {choice.clock(live)}")
    is_share = measure in SHARES
    grey = f"all other {unit}s" if measure is PeriodMeasure.SHARE else "the other clustered users"
    own = table if segment is None else time_charts.of(table, segment)
    top = time_charts.axis_top(own, FEW, (Col.HIGH,) if is_share else ())

    def chart(rows: pd.DataFrame, which: int) -> Draw:
        style, height = "%" if is_share else "~s", SMALL if segment is None else LARGE
        return partial(time_charts.over_time, rows, which, style, TITLES[measure], top * 1.08, height, grey)

    parts = choice.parts(choice.calendar_now(live, unit), unit)
    told = Told(
        f"{MEANS[measure]}, by {unit}",
        " ".join([*_counted(live, own, measure, unit), *_left_out(measure, unit, unseen), parts]),
        f"time-{measure}", HOW.format(unit=unit), _columns(measure, unit, grey),
    )  # fmt: skip
    draw_panels(live, segment, table, chart, told)


def _counted(
    live: LiveSegments, table: pd.DataFrame, measure: PeriodMeasure, unit: PeriodUnit
) -> Iterator[str]:
    of_users = measure in (PeriodMeasure.SHARE, PeriodMeasure.USERS)
    pairs = int(table[PART if of_users else Col.N].sum())
    yield f"{pairs:,} times a user came in a {unit}: a user of three {unit}s counts three times."
    if measure is PeriodMeasure.OUTCOME:
        yield f"Outcome: {md_text(live.profiles.outcome or '', 60)}, in that very {unit}."
    if measure is PeriodMeasure.SHARE:
        yield f"Grey: its share in all other {unit}s."
    elif measure is not PeriodMeasure.USERS:
        yield "Grey: the other clustered users."


def _left_out(measure: PeriodMeasure, unit: PeriodUnit, unseen: int) -> Iterator[str]:
    if measure is PeriodMeasure.OUTCOME and unseen:
        yield f"{unseen:,} {unit}s of users with the outcome and without a page view are left out."


def _columns(measure: PeriodMeasure, unit: PeriodUnit, grey: str) -> Columns:
    number = partial(st.column_config.NumberColumn, format="percent" if measure in SHARES else "%.2f")
    return {
        PERIOD: f"{unit.capitalize()} from", IN_PART: ("In part", "Covered only in part."), PART: "Counted",
        VALUE: number(TITLES[measure]), Col.LOW: number("From"), Col.HIGH: number("To"),
        REST_VALUE: number(grey.capitalize()),
    }  # fmt: skip
