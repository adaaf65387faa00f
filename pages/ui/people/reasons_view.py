"""The reasons why a user is in a segment: what holds them there, and what pulls them to the next one."""

from __future__ import annotations

from functools import partial
from typing import Final

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core.base.errors import Beha2VecError
from core.base.schema import OUTSIDE, SET_ASIDE, Pages
from core.base.wording import common_origin, number, short_address
from core.people.occlusion import (
    DISTANCE,
    EFFECT,
    NEXT_DISTANCE,
    PART,
    PLACED,
    VIEWS,
    FrozenSegments,
    PartKind,
    Reasons,
    reasons,
)
from core.profiles.profile_columns import Col
from core.storage.page_labels import page_names
from pages.ui.segments import cards, charts
from pages.ui.segments.figure import SIDE, figure
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.next_pages import child
from pages.ui.shell import errors, state
from pages.ui.shell.text import count

_DRAWN: Final = 12
"""Bars of a chart, at most: the largest effects; the table has all."""
LABEL, WITHOUT = "what", "without"
_HOW: Final = (
    "The user is embedded again without the page, or without the session, by the same model. What the lead "
    "loses then is what the page, or the session, did."
)
_COLOURS: Final = (
    "Blue holds the user here, orange pulls them to the next segment; in the timeline, larger dots do more."
)
BY_HAND: Final = (
    "Where the user would be without a page cannot be said: some users were chosen by hand, and the rule "
    "that places others would put this one elsewhere even with every page."
)


def draw(live: LiveSegments, user: int) -> pd.Series | None:
    """Draw a toggle for a user's reasons, and the reasons while it is on.

    Returns:
        Page index → what its views add to the user's lead: how much nearer they are to their own segment than
        to the next. None where the toggle is off, in no segment, and where there is a single page.
    """
    if live.labels[user] == OUTSIDE:
        return None
    asked = st.toggle(
        "Why is this user here?", key="why", persist_state="session",
        help="Embeds the user again without each page and each session. The first time takes some seconds, "
        "as the model is loaded.",
    )  # fmt: skip
    if not asked:
        return None
    try:
        return _explained(live, user)
    except Beha2VecError as error:
        errors.show(error)
        return None


def _explained(live: LiveSegments, user: int) -> pd.Series | None:
    with st.spinner("Embedding the user without each page"):
        found = _reasons(live.sources.embeddings, live.segmentation.partition.digest, user, live)
    _say(live, user, found)
    tables = {PartKind.PAGE: _pages(live, found), PartKind.SESSION: _sessions(live, found)}
    there = {kind: table for kind, table in tables.items() if len(table)}
    with st.grid(len(there), min_column_width=SIDE, key="reasons"):
        for kind, table in there.items():
            _figure(table, kind)
    of_pages = found.of(PartKind.PAGE)
    return of_pages.set_index(PART)[EFFECT] if len(of_pages) else None


def _say(live: LiveSegments, user: int, found: Reasons) -> None:
    own, following = (cards.heading(live.names[one]) for one in (found.own, found.following))
    aside = live.labels[user] == SET_ASIDE
    start = "Set aside by hand; the nearest segment is" if aside else "In"
    here, there, lead = (number(one, 2) for one in (found.distance, found.next_distance, found.lead))
    st.markdown(
        f"{start} **{own}**: {here} from its middle, and {there} from that of **{following}**, "
        f"a lead of **{lead}**."
    )
    st.caption(_COLOURS)
    run = state.model()
    if PLACED not in found.parts:
        st.caption(BY_HAND)
    views = int(live.sources.dataset.sequences.lengths[user])
    if run is not None and views > run.settings.max_length:
        st.caption(f"The model reads the last {run.settings.max_length} of {count(views, 'page view')}.")


def _figure(table: pd.DataFrame, kind: PartKind) -> None:
    drawn = table[table.index.isin(table[EFFECT].abs().nlargest(_DRAWN).index)]
    n = count(len(table), kind.value) + (f"; the {_DRAWN} that do most" if len(table) > _DRAWN else "")
    figure(
        f"What each {kind} does", partial(bars, drawn), table, n=n,
        key=f"why_{kind}", alt_text=f"What each {kind} does to the lead of the segment", help_text=_HOW,
        columns=_COLUMNS,
    )  # fmt: skip


_COLUMNS: Final = {
    LABEL: "Left out",
    EFFECT: st.column_config.NumberColumn("Effect", format="%+.3f", help=_HOW),
    WITHOUT: ("Without it", "The segment of the user without it."),
    DISTANCE: st.column_config.NumberColumn("Distance", format="%.3f", help="To the own middle, without it."),
    NEXT_DISTANCE: st.column_config.NumberColumn("To the next", format="%.3f"),
}


def _pages(live: LiveSegments, found: Reasons) -> pd.DataFrame:
    table = found.of(PartKind.PAGE)
    pages = live.sources.dataset.pages.iloc[table[PART].to_numpy(dtype=np.int64)]
    addresses = pages[Pages.PAGE_LOCATION].tolist()
    origin = common_origin(addresses)
    labels = [short_address(address, origin) for address in addresses]
    return _told(live, table, labels).assign(**{Col.PAGE_TITLE: pages[Pages.PAGE_TITLE].array})


def _sessions(live: LiveSegments, found: Reasons) -> pd.DataFrame:
    table = found.of(PartKind.SESSION)
    return _told(live, table, [f"Session {part + 1}" for part in table[PART]])


def _told(live: LiveSegments, table: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    names = {SET_ASIDE: "Set aside", **live.names}
    columns = {
        LABEL: labels,
        VIEWS: table[VIEWS].to_numpy(),
        EFFECT: table[EFFECT].to_numpy(),
        **({WITHOUT: [names[int(segment)] for segment in table[PLACED]]} if PLACED in table else {}),
        DISTANCE: table[DISTANCE].to_numpy(),
        NEXT_DISTANCE: table[NEXT_DISTANCE].to_numpy(),
    }
    return pd.DataFrame(columns)


def bars(table: pd.DataFrame) -> charts.Chart:
    """Chart of effects: to the right what holds the user, to the left what pulls away.

    Args:
        table: In order: ``what`` is left out, its ``effect`` on the lead, ``views`` and, where known, the
            segment ``without`` it.
    """
    told = {LABEL: ("Left out", ""), EFFECT: ("Effect on the lead", "+.3f"), VIEWS: ("Views", ",")}
    told |= {WITHOUT: ("Without it", "")} if WITHOUT in table else {}
    axis = alt.Axis(format="+.2f", labelFlush=False, tickCount=4)
    base = alt.Chart(table).encode(y=charts.rows(LABEL, table[LABEL]), tooltip=charts.tips(told))
    drawn = base.mark_bar(cornerRadiusEnd=3, height={"band": 0.6}).encode(
        x=alt.X(f"{EFFECT}:Q", title="Effect on the lead", axis=axis),
        color=alt.condition(alt.datum[EFFECT] < 0, alt.value(charts.BELOW), alt.value(charts.ABOVE)),
    )
    return charts.sized(drawn, charts.ROW * len(table) + charts.AXIS)


@st.cache_resource(max_entries=64, show_spinner=False)
def _reasons(embeddings: str, segments: str, user: int, _live: LiveSegments) -> Reasons:
    made_from = _live.sources
    names = page_names(made_from.dataset.pages, made_from.labels)
    partition = _live.segmentation.partition
    frozen = FrozenSegments(child(), made_from.model, names, _live.combined, partition)
    return reasons(user, made_from.dataset.sequences, frozen)
