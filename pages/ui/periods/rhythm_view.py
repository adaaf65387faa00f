"""The part of the page Time about when users come: the hours of the week."""

from __future__ import annotations

from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from core.periods.over_time import CLOCK, PART, REST_VALUE, VALUE
from core.profiles.profile_columns import Col
from pages.ui.periods import choice, time_charts
from pages.ui.periods.panels import Told
from pages.ui.periods.panels import draw as draw_panels
from pages.ui.segments.figure import Draw, picture
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell.written_table import Columns

FULL_COLOUR: Final = 0.98
"""Quantile of the hours with any users from which cells have the full colour."""
FEW: Final = 3
"""Users below which an hour has no colour: it would show the habit of a single person."""
COUNTED: Final = {"views": "Page views", "sessions": "Sessions"}
HOW: Final = (
    "Each cell is the share of that hour in all {what} of the segment, so that segments of any size compare; "
    "the full colour is the same in all of them. A session counts when it begins. There is no interval: "
    "{what} of one user come together. The table says how many users are behind a cell."
)

ONE_HOUR: Final = "All times of this export are in the same hour of a day: it seems to hold days only."


def draw(live: LiveSegments) -> None:
    """Draw the week of one segment beside the others', or of all segments side by side."""
    with st.grid("auto", min_column_width=200, gap="small", key="time-choice"):
        segment = choice.whose(live)
        what = st.segmented_control(
            "Count", list(COUNTED), default="views", required=True, format_func=COUNTED.__getitem__,
            key="time-rhythm", persist_state="session",
        )  # fmt: skip
    table = choice.by_hour(live, sessions=what == "sessions")
    st.caption(f"{choice.FITTED} {choice.clock(live)}")
    if live.sources.dataset.receipt.rounded_times:
        st.caption("The times of this export end in zeros, as a spreadsheet leaves them: hours may be off.")
    table, named = table[table[Col.N] > 0], COUNTED[what].lower()
    if table.loc[table[PART] > 0, CLOCK].nunique() == 1:
        st.caption(f":material/info: {ONE_HOUR}")
    own = table if segment is None else time_charts.of(table, segment)
    columns = (VALUE,) if segment is None else (VALUE, REST_VALUE)
    top = time_charts.full_colour(own, columns, FULL_COLOUR)

    def chart(rows: pd.DataFrame, which: int) -> Draw:
        return partial(time_charts.week, rows, which, top, FEW)

    total = int(own.drop_duplicates(Col.SEGMENT)[Col.N].sum())
    told = Told(
        f"When they come: {named} by weekday and hour",
        f"{total:,} {named}. Full colour: {top:.1%} and more; none: fewer than {FEW} users.",
        f"rhythm-{what}", HOW.format(what=named), _columns(named),
    )  # fmt: skip
    draw_panels(live, segment, table, chart, told)
    if segment is not None and own[REST_VALUE].notna().any():
        _others(own, top, named)


def _others(rows: pd.DataFrame, top: float, named: str) -> None:
    """Draw when the other clustered users come, in grey."""
    with st.container(border=True, key="rhythm-others", gap="xsmall"):
        st.markdown("**The other clustered users**")
        chart: Draw = partial(time_charts.week, rows, -1, top, 0, REST_VALUE)
        picture(
            chart, key="chart-rhythm-others", alt_text=f"Share of {named} of the others by weekday and hour"
        )


def _columns(named: str) -> Columns:
    share = partial(st.column_config.NumberColumn, format="percent")
    return {PART: named.capitalize(), VALUE: share("Share"), REST_VALUE: share("Others")}
