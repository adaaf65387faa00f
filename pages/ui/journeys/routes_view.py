"""The part Ways of the page Journeys: sessions as routes, and single users strip by strip, with charts."""

from __future__ import annotations

from functools import partial
from typing import Final

import altair as alt
import pandas as pd
import streamlit as st

from core.base import wording
from core.base.schema import Users
from core.journeys.flow import ROUTE, SESSION_SHARE, RouteOrder, Routes
from core.journeys.index_plot import BEGIN, PLACE, STOP, STRIP, Strip, StripOrder, index_plot
from core.journeys.moves import END, OTHER_PLACES, SESSIONS, SESSIONS_N, Level, Places
from core.journeys.survival import HAVE_HAD
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col
from pages.ui.journeys.choice import Choice
from pages.ui.segments.charts import AXIS, INK, NEUTRAL, Chart, sized, tips
from pages.ui.segments.figure import figure
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell.text import md_text
from pages.ui.shell.written_table import Columns

_ROUTE_ROW: Final = 46
"""Pixels of a route: its text, and its bar below."""
_SAID_ROOM: Final = 170
"""Pixels beside the longest bar for its text."""
_SAID: Final = "said"
_COLOURED: Final = "coloured"
"""Column with the place whose colour a cell of the index plot has."""
_TALLEST: Final = 600
"""Pixels of all strips together, about."""
_LEGEND_ITEM: Final = 165
_END_WIDTH: Final = 0.4
"""Width of a session's end, as part of a cell."""
_LEGEND_ROW: Final = 25
"""Pixels of two places of the legend, which share a row on a phone."""
_SURE, _UNSURE = 0.85, 0.3
"""Opacity of a bar, and of one that is not shown to differ."""
MOMENT, ROW_TITLE = "moment", "row"


def _routes_chart(table: pd.DataFrame, here: str, there: str) -> Chart:
    """Chart with a bar a route: its share of users, its name above, a grey tick at the others' share.

    Args:
        table: Of :meth:`core.journeys.flow.Routes.listed`, and ``said``, what stands beside the bar.
        here: Title of the row that the bars show.
        there: Title of the row that the ticks show; empty without ticks.
    """
    told = {ROUTE: ("Route", ""), Col.SHARE: (here, ".1%"), Col.REST_SHARE: (there or "Others", ".1%")}
    told |= {
        Col.OUTCOME_RATE: ("Converted", ".1%"), Col.OUTCOME_LOW: ("From", ".1%"),
        Col.OUTCOME_HIGH: ("To", ".1%"),
    }  # fmt: skip
    widest = float(table[[Col.SHARE, Col.REST_SHARE]].max().max())
    base = alt.Chart(table).encode(
        y=alt.Y(f"{Col.RANK}:O", axis=None, scale=alt.Scale(padding=0)), tooltip=tips(told)
    )
    room = alt.Scale(domain=[0, widest], range=[0, alt.expr(f"max(60, width - {_SAID_ROOM})")], nice=False)
    x = alt.X(f"{Col.SHARE}:Q", scale=room, axis=None)
    text = base.mark_text(align="left", dy=-8, color=INK, fontSize=13, limit=alt.expr("width")).encode(
        x=alt.value(0), text=alt.Text(f"{ROUTE}:N")
    )
    sure = f"datum.{Diff.DIFFERS} || !isValid(datum.{Col.REST_SHARE})"
    bars = base.mark_bar(height=10, yOffset=9, cornerRadiusEnd=2, color=INK).encode(
        x=x, opacity=alt.condition(sure, alt.value(_SURE), alt.value(_UNSURE))
    )
    said = base.mark_text(align="left", dx=8, dy=9, color=INK, opacity=0.75).encode(
        x=x, text=alt.Text(f"{_SAID}:N")
    )
    others = base.transform_filter(f"isValid(datum.{Col.REST_SHARE})").mark_tick(
        thickness=3, height=9, yOffset=19, color=NEUTRAL  # below what is said of the bar
    ).encode(x=alt.X(f"{Col.REST_SHARE}:Q", scale=room, axis=None))  # fmt: skip
    return sized(bars + others + text + said, _ROUTE_ROW * len(table) + 8)


def _index_plot_chart(runs: pd.DataFrame, places: tuple[str, ...], strips: int, title: str) -> Chart:
    """Chart of strips one below the other, in cells of the colour of their place.

    Args:
        runs: Rows of :meth:`core.journeys.index_plot.IndexPlot.runs`, and ``coloured``: the place, if it is
            one of ``places``, else the other places or the end of a session.
        places: Places that have a colour of their own, in order; every other is grey.
        strips: Number of strips.
        title: What a cell is.
    """
    told = {PLACE: ("", ""), STRIP: ("Strip", ","), BEGIN: ("After page views and ends", ",")}
    whole = alt.expr(f"floor(height / {strips}) * {strips}")  # whole pixels: no seams between strips
    cells = alt.Axis(format="d", tickMinStep=1, grid=False, orient="top")
    base = alt.Chart(runs).encode(
        x=alt.X(f"{BEGIN}:Q", title=title, axis=cells),
        x2=alt.X2(f"{STOP}:Q"),
        y=alt.Y("top:Q", axis=None, scale=alt.Scale(domain=[0, strips], range=[0, whole], nice=False)),
        y2=alt.Y2(f"{STRIP}:Q"),
        tooltip=tips(told),
    ).transform_calculate(top=f"datum.{STRIP} - 1")  # fmt: skip
    legend = alt.Legend(
        title=None, orient="top", columns=alt.expr(f"max(1, floor(width / {_LEGEND_ITEM}))"),
        labelLimit=_LEGEND_ITEM - 27, symbolType="square",
    )  # fmt: skip
    own = base.transform_filter(alt.FieldOneOfPredicate(_COLOURED, list(places))).mark_rect()
    other = base.transform_filter(alt.datum[_COLOURED] == OTHER_PLACES).mark_rect(color=NEUTRAL, opacity=0.45)
    ended = base.transform_filter(alt.datum[_COLOURED] == END).transform_calculate(
        slim=f"datum.{BEGIN} + {_END_WIDTH}", top=f"datum.{STRIP} - 1"
    )
    ends = ended.mark_rect(color=INK, opacity=0.7).encode(x2=alt.X2("slim:Q"))
    coloured = own.encode(
        color=alt.Color(f"{_COLOURED}:N", scale=alt.Scale(domain=list(places)), legend=legend)
    )
    height = strips * max(2, min(14, _TALLEST // max(strips, 1)))
    return sized(other + coloured + ends, height + AXIS + _LEGEND_ROW * -(-len(places) // 2))


def curves(table: pd.DataFrame, titles: tuple[str, ...], unit: str) -> Chart:
    """Chart of the share who have had the outcome by each time, with the interval as a band.

    Args:
        table: ``row`` (a title), ``moment`` in units, ``have_had``, ``low`` and ``high``.
        titles: The rows, the first one and, in grey, the other.
        unit: What a moment is counted in.
    """
    drawn = [
        _curve(table[table[ROW_TITLE] == title], colour, unit)
        for title, colour in zip(titles, (INK, NEUTRAL), strict=False)
    ]
    return sized(drawn[1] + drawn[0] if len(drawn) > 1 else drawn[0], 280)


def _curve(table: pd.DataFrame, colour: str, unit: str) -> alt.LayerChart:
    percent = alt.Axis(format="%", tickCount=5)
    told = {ROW_TITLE: ("", ""), MOMENT: (unit, ",.2f"), HAVE_HAD: ("Have had it", ".2%")}
    told |= {Col.LOW: ("From", ".2%"), Col.HIGH: ("To", ".2%")}
    base = alt.Chart(table).encode(
        x=alt.X(f"{MOMENT}:Q", title=f"{unit} since the first page view", scale=alt.Scale(nice=False)),
        tooltip=tips(told), color=alt.value(colour),
    )  # fmt: skip
    band = base.mark_area(interpolate="step-after", opacity=0.13).encode(
        y=alt.Y(f"{Col.LOW}:Q", title=None, axis=percent), y2=alt.Y2(f"{Col.HIGH}:Q")
    )
    line = base.mark_line(interpolate="step-after", strokeWidth=2.5).encode(y=alt.Y(f"{HAVE_HAD}:Q"))
    both: alt.LayerChart = band + line
    return both


_LISTED: Final = 15
"""Routes in the list, at most."""
_STOPS: Final = (2, 10, 5)
"""Fewest and most stops by which routes are told apart, and the default."""
_STRIPS, _CELLS, _COLOURS = 200, 40, 10
_ORDERS: Final = {RouteOrder.MOST: "Most common", RouteOrder.APART: "Set apart"}
_STRIP_KINDS: Final = {Strip.USER: "A strip a user", Strip.SESSION: "A strip a session"}
_STRIP_ORDERS: Final = {StripOrder.FIRST: "Alike together", StripOrder.LENGTH: "Longest first"}
_RUN_COLUMNS: Final[Columns] = {
    Users.USER_ID: "User", BEGIN: "From cell", STOP: "To cell",
}  # fmt: skip
_HOW_ROUTES: Final = (
    "A route is a whole session, stop by stop; ×2+ marks several page views in a row at one stop, … a "
    "session that goes on. Bars: share of users who took it at least once. The model has read the "
    "steps (input), so a difference describes the segment and proves nothing."
)
_CELL_COLOURS: Final = "A thin mark in the colour of the text is the end of a session; grey: other places."
_HOW_INDEX_PLOT: Final = (
    "From left to right what one user did, a cell a page view. Which ones are drawn is random, each is "
    "equally likely; another number draws others."
)


def draw(live: LiveSegments, choice: Choice) -> None:
    """Draw the routes of these users beside the others', and an index plot of some of them."""
    if not choice.users.any():
        st.caption("Nobody is in this row.")
        return
    _routes(live, choice)
    _index_plot(live, choice)


def _routes(live: LiveSegments, choice: Choice) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="routes-choice"):
        order = st.segmented_control(
            "Routes", list(_ORDERS) if choice.other else [RouteOrder.MOST], default=RouteOrder.MOST,
            required=True, format_func=_ORDERS.__getitem__, key="routes-order", persist_state="session",
            help="Set apart: those whose share of users differs most for sure from the others'.",
        )  # fmt: skip
        stops = st.slider(
            "Stops told apart", *_STOPS, key="routes-stops", persist_state="session", width=220,
            help="Sessions that begin alike for so many stops are one route.",
        )  # fmt: skip
    routes = _of(live.tables.basis.key, choice.places.level, stops, live, choice.places)
    found = routes.listed(choice.users, choice.others, live.profiles.conversions, _LISTED, order)
    if found.empty:
        st.caption("No route is shown to differ.")
        return
    figure(
        "Routes of " + md_text(choice.title),
        partial(
            _routes_chart, found.assign(said=_said(live, found)), choice.title, choice.other_title,
        ),
        found.dropna(axis="columns", how="all"), n=_coverage(choice, found), key="routes",
        alt_text=f"Routes of {choice.title}: share of users who took each", columns=_columns(live, choice),
        help_text=_HOW_ROUTES,
    )  # fmt: skip


def _said(live: LiveSegments, found: pd.DataFrame) -> list[str]:
    """Text beside each bar: the share, and how many of these users had the outcome."""
    shares = [wording.percent(share, 1, n) for share, n in zip(found[Col.SHARE], found[Col.N], strict=True)]
    if live.profiles.outcome is None:
        return shares
    rates = zip(found[Col.OUTCOME_RATE], found[Col.USERS], strict=True)
    return [
        f"{share} · {wording.percent(rate, 1, n)} of {n:,} converted"
        for share, (rate, n) in zip(shares, rates, strict=True)
    ]


def _coverage(choice: Choice, found: pd.DataFrame) -> str:
    """Sentence on what was counted, and how much of it the list holds."""
    sessions, users = int(found[SESSIONS_N].iloc[0]), int(found[Col.N].iloc[0])
    share = wording.percent(found[SESSIONS].sum() / sessions, 0)
    beside = f" Grey tick: {md_text(choice.other_title)}. Pale: not shown to differ." if choice.other else ""
    listed = wording.pluralise(len(found), "route")
    return (
        f"{wording.pluralise(sessions, 'session')} of {wording.pluralise(users, 'user')}; the {listed} below "
        f"{'hold' if len(found) > 1 else 'holds'} {share} of the sessions.{beside}"
    )


def _columns(live: LiveSegments, choice: Choice) -> Columns:
    had = md_text(live.profiles.outcome or "")
    return {
        ROUTE: st.column_config.Column("Route", width="large"), SESSION_SHARE: "Share of sessions",
        SESSIONS_N: None, Col.SHARE: "Share of users", Col.N: "Of users", Col.REST_USERS: "Others",
        Col.REST_SHARE: "Their share", Col.OUTCOME_USERS: ("Converted", f"Of its users: with {had}."),
        Col.OUTCOME_RATE: "Outcome rate", Col.OUTCOME_LOW: "Rate from", Col.OUTCOME_HIGH: "Rate to",
    }  # fmt: skip


@st.cache_resource(max_entries=4, show_spinner="Laying out whole sessions …")
def _of(basis: str, level: Level, stops: int, _live: LiveSegments, _places: Places) -> Routes:
    return Routes.of(_live.sources.dataset.sequences, _places, stops)


def _index_plot(live: LiveSegments, choice: Choice) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="carpet-choice"):
        strip = Strip(
            st.segmented_control(
                "Strips", list(_STRIP_KINDS), default=Strip.USER, required=True, key="carpet-strip",
                format_func=_STRIP_KINDS.__getitem__, persist_state="session",
            )
        )  # fmt: skip
        order = StripOrder(
            st.segmented_control(
                "Order", list(_STRIP_ORDERS), default=StripOrder.FIRST, required=True, key="carpet-order",
                format_func=_STRIP_ORDERS.__getitem__, persist_state="session",
            )
        )  # fmt: skip
        seed = st.number_input(
            "Draw", 0, 2**31 - 1, 0, key="carpet-seed", width=130, persist_state="session",
            help="Another number (the seed) draws others at random; the same one draws the same again.",
        )  # fmt: skip
    made = index_plot(
        live.sources.dataset.sequences, choice.places, choice.users, strip, order,
        most=_STRIPS, width=_CELLS, colours=_COLOURS, seed=seed,
    )  # fmt: skip
    runs = made.runs(live.sources.dataset.sequences)
    coloured = [choice.places.names[place] for place in made.frequent.tolist()]
    own = runs[PLACE].isin([*coloured, END])
    strips = len(made.cells)
    figure(
        "What they did, one by one",
        partial(
            _index_plot_chart, runs.assign(coloured=runs[PLACE].where(own, OTHER_PLACES)),
            tuple(coloured), strips, "Page views, and ends of sessions, in order",
        ),
        runs, n=_drawn(strip, strips, made.of, made.cut, seed), key="carpet", help_text=_HOW_INDEX_PLOT,
        alt_text=f"{strips} strips of {choice.title}, a cell a page view", columns=_RUN_COLUMNS,
    )  # fmt: skip


def _drawn(strip: Strip, strips: int, of: int, cut: int, seed: int) -> str:
    drawn = "All" if strips == of else f"{strips:,} of"
    beyond = f" {wording.pluralise(cut, 'strip')} of them go on beyond {_CELLS} cells." if cut else ""
    return f"{drawn} {wording.pluralise(of, strip.value)}, drawn with seed {seed}.{beyond} {_CELL_COLOURS}"
