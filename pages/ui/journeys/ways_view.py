"""Ways: whole sessions as routes, and what single people did, strip by strip."""

from __future__ import annotations

from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from core.base import wording
from core.base.schema import Users
from core.journeys.carpet import BEGIN, PLACE, STOP, Strip, StripOrder, carpet
from core.journeys.moves import END, SESSIONS, SESSIONS_N
from core.journeys.places import OTHER_PLACES, Level, Places
from core.journeys.routes import ROUTE, SESSION_SHARE, RouteOrder, Routes
from core.profiles.profile_columns import Col
from pages.ui.journeys import ways_charts
from pages.ui.journeys.choice import Choice
from pages.ui.segments.figure import figure
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell.text import md_text
from pages.ui.shell.written_table import Columns

LISTED: Final = 15
"""Routes."""
STOPS: Final = (2, 10, 5)
"""Fewest and most that a route is told apart by, and the usual number."""
STRIPS, CELLS, COLOURS = 200, 40, 10
ORDERS: Final = {RouteOrder.MOST: "Most common", RouteOrder.APART: "Set apart"}
STRIP_KINDS: Final = {Strip.USER: "A strip a user", Strip.SESSION: "A strip a session"}
STRIP_ORDERS: Final = {StripOrder.FIRST: "Alike together", StripOrder.LENGTH: "Longest first"}
RUN_COLUMNS: Final[Columns] = {
    Users.USER_ID: "User", BEGIN: "From cell", STOP: "To cell",
}  # fmt: skip
HOW_ROUTES: Final = (
    "A route is a whole session, stop by stop; ×2+ marks several page views in a row at one stop, … a "
    "session that goes on. Bars: share of users who took it at least once. The model has read the "
    "steps (input), so a difference describes the segment and proves nothing."
)
CELL_COLOURS: Final = "A thin mark in the colour of the text is the end of a session; grey: other places."
HOW_CARPET: Final = (
    "From left to right what one user did, a cell a page view. Which ones are drawn is random, each is "
    "equally likely; another number draws others."
)


def draw(live: LiveSegments, choice: Choice) -> None:
    """The routes of these users beside the others', and a carpet of some of them."""
    if not choice.users.any():
        st.caption("Nobody is in this row.")
        return
    _routes(live, choice)
    _carpet(live, choice)


def _routes(live: LiveSegments, choice: Choice) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="routes-choice"):
        order = st.segmented_control(
            "Routes", list(ORDERS) if choice.other else [RouteOrder.MOST], default=RouteOrder.MOST,
            required=True, format_func=ORDERS.__getitem__, key="routes-order", persist_state="session",
            help="Set apart: those whose share of users differs most for sure from the others'.",
        )  # fmt: skip
        stops = st.slider(
            "Stops told apart", *STOPS, key="routes-stops", persist_state="session", width=220,
            help="Sessions that begin alike for so many stops are one route.",
        )  # fmt: skip
    routes = _of(live.tables.basis.key, choice.places.level, stops, live, choice.places)
    found = routes.listed(choice.users, choice.others, live.profiles.happened, LISTED, order)
    if found.empty:
        st.caption("No route is shown to differ.")
        return
    figure(
        "Routes of " + md_text(choice.title),
        partial(
            ways_charts.routes, found.assign(said=_said(live, found)), choice.title, choice.other_title,
        ),
        found.dropna(axis="columns", how="all"), n=_coverage(choice, found), key="routes",
        alt_text=f"Routes of {choice.title}: share of users who took each", columns=_columns(live, choice),
        help_text=HOW_ROUTES,
    )  # fmt: skip


def _said(live: LiveSegments, found: pd.DataFrame) -> list[str]:
    """What stands beside each bar: the share, and how many of these had the outcome."""
    shares = [wording.percent(share, 1, n) for share, n in zip(found[Col.SHARE], found[Col.N], strict=True)]
    if live.profiles.outcome is None:
        return shares
    rates = zip(found[Col.OUTCOME_RATE], found[Col.USERS], strict=True)
    return [
        f"{share} · {wording.percent(rate, 1, n)} of {n:,} converted"
        for share, (rate, n) in zip(shares, rates, strict=True)
    ]


def _coverage(choice: Choice, found: pd.DataFrame) -> str:
    """What was counted, and how much of it the list holds."""
    sessions, users = int(found[SESSIONS_N].iloc[0]), int(found[Col.N].iloc[0])
    held = wording.percent(found[SESSIONS].sum() / sessions, 0)
    beside = f" Grey tick: {md_text(choice.other_title)}. Pale: not shown to differ." if choice.other else ""
    listed = wording.counted(len(found), "route")
    return (
        f"{wording.counted(sessions, 'session')} of {wording.counted(users, 'user')}; the {listed} below "
        f"{'hold' if len(found) > 1 else 'holds'} {held} of the sessions.{beside}"
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


def _carpet(live: LiveSegments, choice: Choice) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="carpet-choice"):
        strip = Strip(
            st.segmented_control(
                "Strips", list(STRIP_KINDS), default=Strip.USER, required=True, key="carpet-strip",
                format_func=STRIP_KINDS.__getitem__, persist_state="session",
            )
        )  # fmt: skip
        order = StripOrder(
            st.segmented_control(
                "Order", list(STRIP_ORDERS), default=StripOrder.FIRST, required=True, key="carpet-order",
                format_func=STRIP_ORDERS.__getitem__, persist_state="session",
            )
        )  # fmt: skip
        seed = st.number_input(
            "Draw", 0, 2**31 - 1, 0, key="carpet-seed", width=130, persist_state="session",
            help="Another number (the seed) draws others at random; the same one draws the same again.",
        )  # fmt: skip
    made = carpet(
        live.sources.dataset.sequences, choice.places, choice.users, strip, order,
        most=STRIPS, width=CELLS, colours=COLOURS, seed=seed,
    )  # fmt: skip
    runs = made.runs(live.sources.dataset.sequences)
    coloured = [choice.places.names[place] for place in made.frequent.tolist()]
    own = runs[PLACE].isin([*coloured, END])
    strips = len(made.cells)
    figure(
        "What they did, one by one",
        partial(
            ways_charts.carpet, runs.assign(coloured=runs[PLACE].where(own, OTHER_PLACES)),
            tuple(coloured), strips, "Page views, and ends of sessions, in order",
        ),
        runs, n=_drawn(strip, strips, made.of, made.cut, seed), key="carpet", help_text=HOW_CARPET,
        alt_text=f"{strips} strips of {choice.title}, a cell a page view", columns=RUN_COLUMNS,
    )  # fmt: skip


def _drawn(strip: Strip, strips: int, of: int, cut: int, seed: int) -> str:
    drawn = "All" if strips == of else f"{strips:,} of"
    beyond = f" {wording.counted(cut, 'strip')} of them go on beyond {CELLS} cells." if cut else ""
    return f"{drawn} {wording.counted(of, strip.value)}, drawn with seed {seed}.{beyond} {CELL_COLOURS}"
