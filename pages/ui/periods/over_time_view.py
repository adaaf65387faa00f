"""The parts of the page Time on the segments of this export: day by day, who comes back, and when they come.

Each is a chart of one segment, or of every segment side by side, with one table behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from core.base import wording
from core.base.schema import Users
from core.periods.calendar import PeriodUnit
from core.periods.over_time import (
    AGE,
    BEGAN,
    CLOCK,
    IN_PART,
    MAX_PERIODS,
    PART,
    PERIOD,
    REST_PART,
    REST_VALUE,
    SHARES,
    VALUE,
    PeriodMeasure,
)
from core.profiles.profile_columns import Col
from pages.ui.periods import choice, time_charts
from pages.ui.periods.time_charts import of
from pages.ui.segments.cards import heading
from pages.ui.segments.figure import SIDE, Draw, behind, figure, picture
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell.text import count, md_text
from pages.ui.shell.written_table import Columns

_DrawOne = Callable[[pd.DataFrame, int], Draw]
"""Function that makes the chart of a segment from its rows and its id."""
_UNSHOWN = (Col.KEY, Col.KIND)
_PANEL_COLUMNS: Final[Columns] = {
    Col.LABEL: st.column_config.Column("Segment", pinned=True), REST_PART: None, Col.REST_N: None,
}  # fmt: skip


@dataclass(frozen=True)
class _ChartTexts:
    """The texts of charts that are drawn together.

    Args:
        title: What they say.
        n: What is counted, in words.
        key: A unique key, also the name of the file.
        how: How to read them.
        columns: Column → heading in the table behind, where it is not the usual one.
    """

    title: str
    n: str
    key: str
    how: str
    columns: Columns


def _draw_panels(
    live: LiveSegments, segment: int | None, table: pd.DataFrame, chart: _DrawOne, told: _ChartTexts
) -> None:
    """Draw the chart of a segment; of each segment, side by side, where it is None.

    Args:
        live: The segments.
        segment: Id of the segment; None for all.
        table: Rows of all segments.
        chart: Makes the chart of one.
        told: What is said of them.
    """
    shown = table[[name for name in table if name not in _UNSHOWN]]
    if segment is not None:
        _single(live, segment, of(shown, segment), chart, told)
        return
    with st.container(border=True, key=f"figure-{told.key}", gap="xsmall"):
        st.markdown(f"**{told.title}**", help=told.how)
        st.caption(told.n)
        with st.grid("auto", min_column_width=SIDE, gap="small"):
            for which in live.segments:
                with st.container(gap="xsmall"):
                    st.markdown(f":small[**{heading(live.names[which])}**]")
                    _panel(live, which, of(shown, which), chart, told)
        behind(shown, key=told.key, columns={**_PANEL_COLUMNS, **told.columns})


def _panel(live: LiveSegments, segment: int, rows: pd.DataFrame, chart: _DrawOne, told: _ChartTexts) -> None:
    if rows.empty:
        st.caption("Nobody of this segment is counted here.")
        return
    said = f"{told.title}: {live.names[segment]}"
    picture(chart(rows, segment), key=f"chart-{told.key}-{segment}", alt_text=said)


def _single(live: LiveSegments, segment: int, rows: pd.DataFrame, chart: _DrawOne, told: _ChartTexts) -> None:
    if rows.empty:
        st.caption(f"{told.title}: nobody of this segment is counted here.")
        return
    figure(
        told.title, chart(rows, segment), rows, n=told.n, key=f"{told.key}-{segment + 1}", help_text=told.how,
        alt_text=f"{told.title}: {live.names[segment]}", columns={**_PANEL_COLUMNS, **told.columns},
    )  # fmt: skip


_TITLES: Final = {
    PeriodMeasure.SHARE: "Share of users",
    PeriodMeasure.OUTCOME: "Outcome rate",
    PeriodMeasure.USERS: "Users",
    PeriodMeasure.VIEWS: "Page views a user",
    PeriodMeasure.SESSIONS: "Sessions a user",
}
_MEANS: Final = {
    PeriodMeasure.SHARE: "Share of each segment among the clustered users who came",
    PeriodMeasure.OUTCOME: "Of the users who came, how many had the outcome",
    PeriodMeasure.USERS: "How many users came",
    PeriodMeasure.VIEWS: "Page views of a user who came",
    PeriodMeasure.SESSIONS: "Sessions that a user who came began",
}
_SMALL, _LARGE = 150, 280
"""Height in pixels of a chart among others, and of a single one."""
_HOW_OVER_TIME: Final = (
    "A user counts in every {unit} with a page view of theirs. Band: 95 % interval (Wilson's of shares). Of "
    "many {unit}s some stand apart by chance: 1 of 20. An interval that reaches the end of the axis may go "
    "on."
)
_FEW_OF_PERIOD: Final = 30
"""Users of a period below which its share or mean is not drawn, as chance decides there."""


def draw_over_time(live: LiveSegments) -> None:
    """Draw a measure by period, of one segment or of all side by side."""
    offered = [one for one in _TITLES if one is not PeriodMeasure.OUTCOME or live.profiles.outcome]
    with st.grid("auto", min_column_width=200, gap="small", key="time-choice"):
        segment = choice.whose(live)
        measure = st.selectbox(
            "What", offered, format_func=_TITLES.__getitem__, key="time-measure", persist_state="session"
        )
        unit = choice.unit(live)
    table, unseen = choice.by_period(live, unit, measure)
    st.caption(f"{choice.FITTED} {choice.clock(live)}")
    is_share = measure in SHARES
    grey = f"all other {unit}s" if measure is PeriodMeasure.SHARE else "the other clustered users"
    own = table if segment is None else time_charts.of(table, segment)
    top = time_charts.axis_top(own, _FEW_OF_PERIOD, (Col.HIGH,) if is_share else ())

    def chart(rows: pd.DataFrame, which: int) -> Draw:
        style, height = "%" if is_share else "~s", _SMALL if segment is None else _LARGE
        drawn = _drawn(rows, measure)
        return partial(time_charts.over_time, drawn, which, style, _TITLES[measure], top * 1.08, height, grey)

    parts = choice.parts(choice.calendar_now(live, unit), unit)
    told = _ChartTexts(
        f"{_MEANS[measure]}, by {unit}",
        " ".join([*_counted(live, own, measure, unit), *_left_out(own, measure, unit, unseen), parts]),
        f"time-{measure}", _HOW_OVER_TIME.format(unit=unit), _period_columns(measure, unit, grey),
    )  # fmt: skip
    _draw_panels(live, segment, table, chart, told)


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


def _left_out(table: pd.DataFrame, measure: PeriodMeasure, unit: PeriodUnit, unseen: int) -> Iterator[str]:
    if measure is PeriodMeasure.OUTCOME and unseen:
        yield f"{unseen:,} {unit}s of users with the outcome and without a page view are left out."
    thin = sum(len(own) - len(_drawn(own, measure)) for _, own in table.groupby(Col.SEGMENT))
    if thin:
        yield f"{count(thin, 'point')} of fewer than {_FEW_OF_PERIOD} users: in the table, not drawn."


def _drawn(rows: pd.DataFrame, measure: PeriodMeasure) -> pd.DataFrame:
    """Periods of enough users for a share or mean; all where none has enough."""
    many = rows[rows[Col.N] >= _FEW_OF_PERIOD]
    return rows if measure is PeriodMeasure.USERS or many.empty else many


def _period_columns(measure: PeriodMeasure, unit: PeriodUnit, grey: str) -> Columns:
    number = partial(st.column_config.NumberColumn, format="percent" if measure in SHARES else "%.2f")
    return {
        PERIOD: f"{unit.capitalize()} from", IN_PART: ("In part", "Covered only in part."), PART: "Counted",
        VALUE: number(_TITLES[measure]), Col.LOW: number("From"), Col.HIGH: number("To"),
        REST_VALUE: number(grey.capitalize()),
    }  # fmt: skip


_FULL_SHARE: Final = 0.95
"""Quantile of the shares from which cells of a triangle have the full colour."""
_HOW_RETENTION: Final = (
    "Users by the {unit} of their first page view in the export, and how many of them came again so many "
    "{unit}s later. Blank: that {unit} is not over in the export, or covered only in part. Users who came "
    "before the export began are among the first ones. Users with a single page view in their first {unit} "
    "are left out: of them, only those who came again have the two page views of a user in a segment. The "
    "model has read how often users come: this describes the segments."
)
_NOTHING: Final = (
    "Nobody can be followed here: there is no whole {unit} after the first. Choose days, clear the filter, "
    "or load a longer export."
)
_ONCE: Final = (
    "Every user of this export has a single session, as where each visit gets an id of its own: then nobody "
    "can be known again."
)
_FEW_FOLLOWED: Final = 10
"""Users below which an interval does not stretch the axis, and a share has no colour."""


def draw_retention(live: LiveSegments) -> None:
    """Draw retention curves and triangles, of one segment or of all side by side."""
    with st.grid("auto", min_column_width=200, gap="small", key="time-choice"):
        segment = choice.whose(live)
        unit = choice.unit(live, MAX_PERIODS)
    cells, together, without = choice.retained(live, unit)
    st.caption(f"{choice.FITTED} {choice.clock(live)}")
    if together.empty:
        st.info(_NOTHING.format(unit=unit), icon=":material/info:")
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
    said = f"Nobody{whom} comes again: of {wording.pluralise(followed, 'user')} who can be followed, none is "
    said += f"seen in a later {unit}."
    return f"{said} {_ONCE}" if live.sources.dataset.users[Users.SESSIONS].max() == 1 else said


def _curves(
    live: LiveSegments, segment: int | None, table: pd.DataFrame, unit: PeriodUnit, without: int
) -> None:
    top = time_charts.axis_top(table, _FEW_FOLLOWED, (Col.HIGH,))

    def chart(rows: pd.DataFrame, which: int) -> Draw:
        height = _SMALL if segment is None else _LARGE
        return partial(time_charts.retention, rows, which, choice.UNITS[unit], top * 1.05, height)

    own = table if segment is None else time_charts.of(table, segment)
    first = own[own[AGE] == 1]
    n = (
        f"{wording.pluralise(int(first[Col.N].sum()), 'user')} can be followed to the next {unit}, fewer for "
        f"longer. Across: {unit}s since the first. Grey: the other clustered users. "
        f"Left out: {wording.pluralise(without, 'user')} with a single page view in their first {unit}."
    )
    told = _ChartTexts(
        "Who come again", n, "retention", _HOW_RETENTION.format(unit=unit), _retention_columns(unit)
    )
    _draw_panels(live, segment, table, chart, told)


def _triangles(live: LiveSegments, segment: int | None, table: pd.DataFrame, unit: PeriodUnit) -> None:
    many = table[table[Col.N] >= _FEW_FOLLOWED]
    top = time_charts.full_colour(many if len(many) else table, (VALUE,), _FULL_SHARE)

    def chart(rows: pd.DataFrame, which: int) -> Draw:
        written = segment is not None
        return partial(
            time_charts.triangle, rows, which, choice.UNITS[unit], top, _FEW_FOLLOWED, written=written
        )

    n = (
        f"A row: users by their first {unit}, how many in brackets. "
        f"Full colour: {wording.percent(top)} and more; none: a row of fewer than {_FEW_FOLLOWED} users."
    )
    title = f"Who come again, by their first {unit}"
    told = _ChartTexts(title, n, "triangle", _HOW_RETENTION.format(unit=unit), _retention_columns(unit))
    _draw_panels(live, segment, table, chart, told)


def _retention_columns(unit: PeriodUnit) -> Columns:
    share = partial(st.column_config.NumberColumn, format="percent")
    return {
        BEGAN: f"First {unit} from", AGE: f"{choice.UNITS[unit]} since", PART: "Came",
        VALUE: share("Come again"), REST_VALUE: share("Others"),
    }  # fmt: skip


_FULL_HOUR: Final = 0.98
"""Quantile of the hours with any users from which cells have the full colour."""
_FEW_OF_HOUR: Final = 3
"""Users below which an hour has no colour: it would show the habit of a single person."""
_COUNTED: Final = {"views": "Page views", "sessions": "Sessions"}
_HOW_RHYTHM: Final = (
    "Each cell is the share of that hour in all {what} of the segment, so that segments of any size compare; "
    "the full colour is the same in all of them. A session counts when it begins. There is no interval: "
    "{what} of one user come together. The table says how many users are behind a cell."
)

_ONE_HOUR: Final = "All times of this export are in the same hour of a day: it seems to hold days only."


def draw_rhythm(live: LiveSegments) -> None:
    """Draw the week of one segment beside the others', or of all segments side by side."""
    with st.grid("auto", min_column_width=200, gap="small", key="time-choice"):
        segment = choice.whose(live)
        what = st.segmented_control(
            "Count", list(_COUNTED), default="views", required=True, format_func=_COUNTED.__getitem__,
            key="time-rhythm", persist_state="session",
        )  # fmt: skip
    table = choice.by_hour(live, sessions=what == "sessions")
    st.caption(f"{choice.FITTED} {choice.clock(live)}")
    if live.sources.dataset.receipt.rounded_times:
        st.caption("The times of this export end in zeros, as a spreadsheet leaves them: hours may be off.")
    table, named = table[table[Col.N] > 0], _COUNTED[what].lower()
    if table.loc[table[PART] > 0, CLOCK].nunique() == 1:
        st.caption(f":material/info: {_ONE_HOUR}")
    own = table if segment is None else time_charts.of(table, segment)
    columns = (VALUE,) if segment is None else (VALUE, REST_VALUE)
    top = time_charts.full_colour(own, columns, _FULL_HOUR)

    def chart(rows: pd.DataFrame, which: int) -> Draw:
        return partial(time_charts.week, rows, which, top, _FEW_OF_HOUR)

    total = int(own.drop_duplicates(Col.SEGMENT)[Col.N].sum())
    told = _ChartTexts(
        f"When they come: {named} by weekday and hour",
        f"{total:,} {named}. Full colour: {top:.1%} and more; none: fewer than {_FEW_OF_HOUR} users.",
        f"rhythm-{what}", _HOW_RHYTHM.format(what=named), _rhythm_columns(named),
    )  # fmt: skip
    _draw_panels(live, segment, table, chart, told)
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


def _rhythm_columns(named: str) -> Columns:
    share = partial(st.column_config.NumberColumn, format="percent")
    return {PART: named.capitalize(), VALUE: share("Share"), REST_VALUE: share("Others")}
