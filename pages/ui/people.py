"""Single users: found by id, listed, and what one of them did, session by session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import altair as alt
import numpy as np
import pandas as pd
import pyarrow.compute as pc
import streamlit as st

from core.dataset import Dataset
from core.profiles.columns import Col
from core.profiles.samples import SECONDS_TO_NEXT, TIME, VIEW, timeline
from core.schema import Users
from core.sequences import SESSION
from pages.ui import charts
from pages.ui.charts import LABEL_LIMIT
from pages.ui.figure import download_csv
from pages.ui.text import count

LISTED: Final = (
    Users.USER_ID,
    Users.PAGE_VIEWS,
    Users.SESSIONS,
    Users.DEVICE,
    Users.COUNTRY,
    Users.SOURCE,
)
MOST_SESSIONS: Final = 40
"""Sessions drawn; the table below the picture has all of them."""
MINUTES: Final = "minutes"


def find(dataset: Dataset, user_id: str) -> int | None:
    """The index of the user with exactly this id."""
    place = pc.index(dataset.sequences.user_id, user_id.strip()).as_py()
    return None if place < 0 else int(place)


def listed(dataset: Dataset, users: np.ndarray) -> pd.DataFrame:
    """One row a user, in the given order."""
    return dataset.users.iloc[users][list(LISTED)].reset_index(drop=True)


def show_list(table: pd.DataFrame, key: str, choose: Callable[[], None], alt_text: str) -> None:
    """Draw a table of users; a click on a row calls ``choose``, which reads the row from the session."""
    st.dataframe(
        table, hide_index=True, key=key, on_select=choose, selection_mode="single-row", alt=alt_text,
        column_config={
            Users.USER_ID: st.column_config.TextColumn("User", pinned=True),
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


def strip(views: pd.DataFrame) -> alt.LayerChart:
    """A row a session, a dot a page view, minutes since the session began."""
    began = views.groupby(SESSION)[TIME].transform("min")
    table = views.assign(
        **{
            MINUTES: (views[TIME] - began).dt.total_seconds() / 60,
            "when": [
                f"{number} · {start:%d %b %Y %H:%M}"
                for number, start in zip(views[SESSION], began, strict=True)
            ],
        }
    )
    rows = alt.Y(
        "when:N", title=None, sort=list(dict.fromkeys(table["when"])), axis=alt.Axis(labelLimit=LABEL_LIMIT)
    )
    x = alt.X(f"{MINUTES}:Q", title="Minutes since the session began")
    line = alt.Chart(table).mark_line(color=charts.NEUTRAL, opacity=0.5).encode(y=rows, x=x)
    dots = (
        alt.Chart(table)
        .mark_point(filled=True, size=70, opacity=0.9)
        .encode(
            y=rows,
            x=x,
            tooltip=[
                alt.Tooltip(f"{VIEW}:Q", title="Page view"),
                alt.Tooltip(f"{Col.PAGE_TITLE}:N", title="Title"),
                alt.Tooltip(f"{Col.PAGE_LOCATION}:N", title="Page"),
                alt.Tooltip(f"{SECONDS_TO_NEXT}:Q", title="Seconds to the next", format=",.0f"),
            ],
        )
    )
    return (line + dots).properties(height=28 * table["when"].nunique() + charts.AXIS, padding=charts.PADDING)


def _facts(row: pd.Series) -> None:
    names = {
        Users.BROWSER: "Browser",
        Users.DEVICE: "Device",
        Users.COUNTRY: "Country",
        Users.SOURCE: "First source",
    }
    known = {title: str(row[name]) for name, title in names.items() if not pd.isna(row[name])}
    if not pd.isna(row[Users.ENGAGEMENT_MSEC]):
        known["Engaged"] = f"{row[Users.ENGAGEMENT_MSEC] / 1000:,.0f} s"
    with st.container(horizontal=True, gap="medium"):
        for title, value in known.items():
            with st.container(width="content", gap=None):
                st.caption(title)
                st.text(value)


def _table(views: pd.DataFrame) -> None:
    st.dataframe(
        views, hide_index=True, key="timeline_table", alt="Every page view of the user",
        column_config={
            SESSION: st.column_config.NumberColumn("Session", width="small"),
            VIEW: st.column_config.NumberColumn("View", width="small"),
            TIME: st.column_config.DatetimeColumn("Time (UTC)", format="YYYY-MM-DD HH:mm:ss"),
            Col.PAGE_TITLE: st.column_config.TextColumn("Title"),
            Col.PAGE_LOCATION: st.column_config.TextColumn("Page"),
            SECONDS_TO_NEXT: st.column_config.NumberColumn("Seconds to the next", format="%.0f"),
        },
    )  # fmt: skip
