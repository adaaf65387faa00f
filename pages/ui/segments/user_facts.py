"""Single users: found by id, listed, and what one of them did, session by session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import altair as alt
import numpy as np
import pandas as pd
import pyarrow.compute as pc
import streamlit as st

from core.base.schema import Users
from core.base.wording import duration
from core.data.dataset import Dataset
from core.data.sequences import SESSION
from core.profiles.profile_columns import Col
from core.profiles.samples import SECONDS_TO_NEXT, TIME, VIEW, timeline
from core.runs.export import MEMBERSHIP
from core.segments.membership import Memberships, memberships
from pages.ui.segments import charts
from pages.ui.segments.figure import download_csv
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell.text import count

LISTED: Final = (
    Users.USER_ID,
    Users.PAGE_VIEWS,
    Users.SESSIONS,
    Users.DEVICE,
    Users.COUNTRY,
    Users.SOURCE,
)
BELONGS: Final = (
    "How much the user belongs to the segment: of a mixture, its probability; else how near its middle is "
    "beside the next one's, where 50 % is the border."
)
MOST_SESSIONS: Final = 40
"""Sessions drawn; the table below the picture has all of them."""
ELAPSED, WHEN = "elapsed_s", "when"


def find(dataset: Dataset, user_id: str) -> int | None:
    """The index of the user with exactly this id."""
    place = pc.index(dataset.sequences.user_id, user_id.strip()).as_py()
    return None if place < 0 else int(place)


def listed(live: LiveSegments, users: np.ndarray) -> pd.DataFrame:
    """One row a user, in the given order, with how much they belong to their segment."""
    table = live.sources.dataset.users.iloc[users][list(LISTED)].reset_index(drop=True)
    table.insert(1, MEMBERSHIP, belonging(live, users).share)
    return table


def belonging(live: LiveSegments, users: np.ndarray) -> Memberships:
    """How much some users belong to their segment, and which one is next."""
    vectors = live.combined.vectors[users]
    return memberships(vectors, live.labels[users], live.segmentation.partition)


def show_list(table: pd.DataFrame, key: str, choose: Callable[[], None], alt_text: str) -> None:
    """Draw a table of users; a click on a row calls ``choose``, which reads the row from the session."""
    st.dataframe(
        table, hide_index=True, key=key, on_select=choose, selection_mode="single-row", alt=alt_text,
        placeholder="–",
        column_config={
            Users.USER_ID: st.column_config.TextColumn("User", pinned=True),
            MEMBERSHIP: st.column_config.NumberColumn("Belongs", format="percent", help=BELONGS),
            Users.PAGE_VIEWS: st.column_config.NumberColumn("Views", format="localized"),
            Users.SESSIONS: st.column_config.NumberColumn("Sessions", format="localized"),
            Users.DEVICE: "Device",
            Users.COUNTRY: "Country",
            Users.SOURCE: "First source",
        },
    )  # fmt: skip


def show_timeline(dataset: Dataset, user: int, segment: str) -> None:
    """Draw what one user did: the facts, a picture with a row a session, and every page view."""
    row = dataset.users.iloc[user]
    views = timeline(dataset, user)
    with st.container(border=True, key="timeline"):
        st.caption("User")
        st.text(row[Users.USER_ID])  # an id is text from a file: never Markdown
        st.caption(
            f"{segment} · {count(int(row[Users.PAGE_VIEWS]), 'page view')} in "
            f"{count(int(row[Users.SESSIONS]), 'session')}"
        )
        _facts(row)
        last = views[SESSION].max()
        drawn = views[views[SESSION] > last - MOST_SESSIONS]
        if last > MOST_SESSIONS:
            st.caption(f"The last {MOST_SESSIONS} of {last:,} sessions are drawn; the table has all.")
        st.altair_chart(strip(drawn), key="timeline_chart", alt=f"Page views of one user in {last} sessions")
        _table(views)
        download_csv(views, "timeline")


def strip(views: pd.DataFrame) -> charts.Chart:
    """A row a session, a dot a page view, time since the session began.

    Args:
        views: Rows of :func:`core.profiles.samples.timeline`.
    """
    began = views.groupby(SESSION)[TIME].transform("min")
    when = [f"{n} · {start:%d %b %Y %H:%M}" for n, start in zip(views[SESSION], began, strict=True)]
    table = views.copy()
    table[ELAPSED], table[WHEN] = (views[TIME] - began).dt.total_seconds(), when
    clock = "floor(datum.value / 60) + ':' + format(datum.value % 60, '02.0f')"
    elapsed = alt.X(
        f"{ELAPSED}:Q",
        title="Minutes and seconds since the session began",
        axis=alt.Axis(labelExpr=clock, tickCount=8, tickMinStep=1, labelFlush=False),
    )
    base = alt.Chart(table).encode(y=charts.rows(WHEN, table[WHEN]), x=elapsed)
    told = {
        VIEW: ("Page view", ""), Col.PAGE_TITLE: ("Title", ""), Col.PAGE_LOCATION: ("Page", ""),
        SECONDS_TO_NEXT: ("Seconds to the next", ",.0f"),
    }  # fmt: skip
    line = base.mark_line(color=charts.NEUTRAL, opacity=0.5)
    dots = base.mark_point(filled=True, size=70, opacity=0.9).encode(tooltip=charts.tips(told))
    return charts.sized(line + dots, 28 * table[WHEN].nunique() + charts.AXIS)


def _facts(row: pd.Series) -> None:
    names = {
        Users.BROWSER: "Browser",
        Users.DEVICE: "Device",
        Users.COUNTRY: "Country",
        Users.SOURCE: "First source",
    }
    known = {title: str(row[name]) for name, title in names.items() if not pd.isna(row[name])}
    if not pd.isna(row[Users.ENGAGEMENT_MSEC]):
        known["Engaged"] = duration(row[Users.ENGAGEMENT_MSEC] / 1000)
    with st.container(horizontal=True, gap="medium"):
        for title, value in known.items():
            with st.container(width="content", gap=None):
                st.caption(title)
                st.text(value)


def _table(views: pd.DataFrame) -> None:
    st.dataframe(
        views[[SESSION, VIEW, TIME, Col.PAGE_TITLE, Col.PAGE_LOCATION, SECONDS_TO_NEXT]],
        hide_index=True, key="timeline_table", placeholder="–", alt="Every page view of the user",
        column_config={
            SESSION: st.column_config.NumberColumn("Session", width="small"),
            VIEW: st.column_config.NumberColumn("View", width="small"),
            TIME: st.column_config.DatetimeColumn("Time (UTC)", format="YYYY-MM-DD HH:mm:ss"),
            Col.PAGE_TITLE: st.column_config.TextColumn("Title"),
            Col.PAGE_LOCATION: st.column_config.TextColumn("Page"),
            SECONDS_TO_NEXT: st.column_config.NumberColumn(
                "Seconds", format="%.0f", help="Until the next page view of the session"
            ),
        },
    )  # fmt: skip
