"""The part of the page Time about who comes again, by the day or week of a user's first page view."""

from __future__ import annotations

from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from core.base import wording
from core.base.schema import Users
from core.periods.calendar import PeriodUnit
from core.periods.over_time import AGE, BEGAN, MOST_PERIODS, PART, REST_VALUE, VALUE
from core.profiles.profile_columns import Col
from pages.ui.periods import choice, time_charts
from pages.ui.periods.panels import Told
from pages.ui.periods.panels import draw as draw_panels
from pages.ui.segments.figure import Draw
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell.text import md_text
from pages.ui.shell.written_table import Columns

SMALL, LARGE = 150, 280
FULL_COLOUR: Final = 0.95
"""Quantile of the shares from which cells of a triangle have the full colour."""
HOW: Final = (
    "Users by the {unit} of their first page view in the export, and how many of them came again so many "
    "{unit}s later. Blank: that {unit} is not over in the export, or covered only in part. Users who came "
    "before the export began are among the first ones. Users with a single page view in their first {unit} "
    "are left out: of them, only those who came again have the two page views of a user in a segment. The "
    "model has read how often users come: this describes the segments."
)
NOTHING: Final = (
    "Nobody can be followed here: there is no whole {unit} after the first. Choose days, clear the filter, "
    "or load a longer export."
)
ONCE: Final = (
    "Every user of this export has a single session, as where each visit gets an id of its own: then nobody "
    "can be known again."
)
FEW: Final = 10
"""Users below which an interval does not stretch the axis, and a share has no colour."""


def draw(live: LiveSegments) -> None:
    """Draw retention curves and triangles, of one segment or of all side by side."""
    with st.grid("auto", min_column_width=200, gap="small", key="time-choice"):
        segment = choice.whose(live)
        unit = choice.unit(live, MOST_PERIODS)
    cells, together, without = choice.retained(live, unit)
    st.caption(f"{choice.FITTED} {choice.clock(live)}")
    if together.empty:
        st.info(NOTHING.format(unit=unit), icon=":material/info:")
        return
    own = together if segment is None else time_charts.of(together, segment)
    if not own[PART].any():
        st.info(_nobody(live, segment, own, unit), icon=":material/info:")
        return
    once = sum(without.values()) if segment is None else without[segment]
    _curves(live, segment, together, unit, once)
    _triangles(live, segment, cells, unit)


def _nobody(live: LiveSegments, segment: int | None, table: pd.DataFrame, unit: PeriodUnit) -> str:
    """Sentence that nobody comes again, and why that may be so."""
    followed = int(table.loc[table[AGE] == 1, Col.N].sum())
    whom = "" if segment is None else f" of {md_text(live.names[segment], 60)}"
    said = f"Nobody{whom} comes again: of {wording.counted(followed, 'user')} who can be followed, none is "
    said += f"seen in a later {unit}."
    return f"{said} {ONCE}" if live.sources.dataset.users[Users.SESSIONS].max() == 1 else said


def _curves(
    live: LiveSegments, segment: int | None, table: pd.DataFrame, unit: PeriodUnit, without: int
) -> None:
    top = time_charts.axis_top(table, FEW, (Col.HIGH,))

    def chart(rows: pd.DataFrame, which: int) -> Draw:
        height = SMALL if segment is None else LARGE
        return partial(time_charts.retention, rows, which, choice.UNITS[unit], top * 1.05, height)

    own = table if segment is None else time_charts.of(table, segment)
    first = own[own[AGE] == 1]
    n = (
        f"{wording.counted(int(first[Col.N].sum()), 'user')} can be followed to the next {unit}, fewer for "
        f"longer. Across: {unit}s since the first. Grey: the other clustered users. "
        f"Left out: {wording.counted(without, 'user')} with a single page view in their first {unit}."
    )
    told = Told("Who come again", n, "retention", HOW.format(unit=unit), _columns(unit))
    draw_panels(live, segment, table, chart, told)


def _triangles(live: LiveSegments, segment: int | None, table: pd.DataFrame, unit: PeriodUnit) -> None:
    many = table[table[Col.N] >= FEW]
    top = time_charts.full_colour(many if len(many) else table, (VALUE,), FULL_COLOUR)

    def chart(rows: pd.DataFrame, which: int) -> Draw:
        written = segment is not None
        return partial(time_charts.triangle, rows, which, choice.UNITS[unit], top, FEW, written=written)

    n = (
        f"A row: users by their first {unit}, how many in brackets. "
        f"Full colour: {wording.percent(top)} and more; none: a row of fewer than {FEW} users."
    )
    title = f"Who come again, by their first {unit}"
    told = Told(title, n, "triangle", HOW.format(unit=unit), _columns(unit))
    draw_panels(live, segment, table, chart, told)


def _columns(unit: PeriodUnit) -> Columns:
    share = partial(st.column_config.NumberColumn, format="percent")
    return {
        BEGAN: f"First {unit} from", AGE: f"{choice.UNITS[unit]} since", PART: "Came",
        VALUE: share("Come again"), REST_VALUE: share("Others"),
    }  # fmt: skip
