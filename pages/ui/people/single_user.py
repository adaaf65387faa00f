"""Single users: found by id, listed with their membership, and shown session by session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import altair as alt
import numpy as np
import pandas as pd
import pyarrow.compute as pc
import streamlit as st

from core.base.schema import SET_ASIDE, Users
from core.base.wording import duration
from core.people.look_alikes import SCORE
from core.people.occlusion import EFFECT
from core.profiles.profile_columns import Col
from core.profiles.samples import SECONDS_TO_NEXT, TIME, VIEW, timeline
from core.runs.export import MEMBERSHIP, SEGMENT
from core.segments.membership import Memberships, memberships
from core.storage.dataset import Dataset
from core.storage.sequences import SESSION
from pages.ui.segments import cards, charts
from pages.ui.segments.figure import download_csv
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.profile_tables import named
from pages.ui.shell import errors, state, written_table
from pages.ui.shell.text import count

_WANTED: Final = "wanted_user"
_LISTED: Final = (
    Users.USER_ID,
    Users.PAGE_VIEWS,
    Users.DEVICE,
    Users.COUNTRY,
    Users.SESSIONS,
    Users.SOURCE,
)
"""Columns of a list of users, in an order that shows the country whole in a narrow list."""
_BELONGS: Final = (
    "How much the user belongs to the segment: how near its middle is beside the next one's, where 50 % is "
    "the border."
)
_NEARNESS: Final = "How like the seeds: 0.5 is as near to them as to the others."
_MAX_SESSIONS: Final = 40
"""Sessions drawn, at most; the table below the chart has all."""
_ELAPSED, WHEN = "elapsed_s", "when"


def chosen(live: LiveSegments) -> int | None:
    """Draw the field for a user id, and return the user's index; None where it is empty or nobody has it."""
    model, ids = live.sources.model_key, live.sources.dataset.sequences.user_id
    mine, linked = state.of_model(model), state.controls(model).user
    if _WANTED not in mine:
        mine[_WANTED] = "" if linked is None or linked >= len(ids) else ids[linked].as_py()
    state.display(_WANTED, mine[_WANTED])
    wanted = st.text_input(
        "Find a user by id", mine[_WANTED], key=_WANTED, type="search",
        placeholder="Paste an id, or tick a user below",
        on_change=lambda: _want(live, st.session_state[_WANTED]),
        help="Exactly as in the file. Ids are text: nothing is rounded or cut.",
    )  # fmt: skip
    if not wanted:
        return None
    found = _index_of(live.sources.dataset, wanted)
    if found is None:
        errors.show(f"No user has the id {wanted!r}. Ids must match exactly, with every digit and dot.")
    return found


def _want(live: LiveSegments, user_id: str) -> None:
    """Choose a user; a link names the user's index, as ids stay in the file."""
    model = live.sources.model_key
    state.of_model(model)[_WANTED] = user_id
    state.hold_controls(model, user=_index_of(live.sources.dataset, user_id))


def show_list(live: LiveSegments, table: pd.DataFrame, key: str, title: str, meaning: str) -> None:
    """Draw a list of users; ticking a row chooses the user.

    Args:
        live: The segments.
        table: Rows of :func:`listed`.
        key: Key of the widget.
        title: What the list is called.
        meaning: Sentence on who is in the list.
    """

    def choose() -> None:
        rows = st.session_state[key].selection.rows
        if rows:
            _want(live, table[Users.USER_ID].iloc[rows[0]])

    with st.container():
        st.markdown(f"**{title}**")
        st.caption(meaning)
        _draw_users(table, key, choose, f"Users, {key}")
        st.caption(
            f"{count(len(table), 'user')}. Tick one to read what they did." if len(table) else "Nobody."
        )


def belongs(live: LiveSegments, user: int) -> str:
    """Markdown on where a user belongs: segment and membership, and the next one; or why in none."""
    segment = int(live.labels[user])
    if segment in live.names:
        found = _belonging(live, np.array([user]))
        following = cards.heading(live.names[int(found.next_segment[0])])
        return f"{cards.heading(live.names[segment])} · belongs {found.share[0]:.0%}, next: {following}"
    row = live.profiles.parts.iloc[live.profiles.rows.place[user]]
    return cards.heading(row[Col.LABEL]) + ("" if segment == SET_ASIDE else ", not clustered")


def _index_of(dataset: Dataset, user_id: str) -> int | None:
    """The index of the user with exactly this id."""
    place = pc.index(dataset.sequences.user_id, user_id.strip()).as_py()
    return None if place < 0 else int(place)


def listed(live: LiveSegments, users: np.ndarray, *, segments: bool = False) -> pd.DataFrame:
    """One row a user, in the given order, with how much they belong to their segment.

    Args:
        live: The segments.
        users: User indices.
        segments: Whether to say which segment or group that is: for lists of several.
    """
    table = live.sources.dataset.users.iloc[users][list(_LISTED)].reset_index(drop=True)
    table.insert(1, MEMBERSHIP, _belonging(live, users).share)
    if segments:
        called = np.array(list(row_titles(live).values()), dtype=object)
        table.insert(1, SEGMENT, called[live.profiles.rows.place[users]])
    return table


def row_titles(live: LiveSegments) -> dict[str, str]:
    """Key → title of all rows without common users: segments, groups, one-page segments."""
    table = named(live.profiles.parts, live.names)
    return dict(zip(table[Col.KEY], table[Col.LABEL], strict=True))


def _belonging(live: LiveSegments, users: np.ndarray) -> Memberships:
    """Memberships of users in their segment, and the next segment."""
    vectors = live.combined.vectors[users]
    return memberships(vectors, live.labels[users], live.segmentation.partition)


def _draw_users(table: pd.DataFrame, key: str, choose: Callable[[], None], alt_text: str) -> None:
    """Draw a table of users; a click on a row calls ``choose``, which reads the row from the session."""
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    written_table.draw(
        table, key=key, alt_text=alt_text, on_select=choose, selection_mode="single-row",
        columns={
            Users.USER_ID: text("User", pinned=True, width=148), SCORE: ("Score", _NEARNESS),
            SEGMENT: "Segment",
            MEMBERSHIP: number("Belongs", help=_BELONGS, width=62),
            Users.PAGE_VIEWS: number("Views", width=46), Users.DEVICE: text("Device", width=62),
            Users.COUNTRY: text("Country", width=108), Users.SOURCE: "First source",
        },
    )  # fmt: skip


def show_timeline(
    dataset: Dataset, user: int, segment: str, why: Callable[[], pd.Series | None] = lambda: None
) -> None:
    """Draw what one user did: the facts, a chart with a row for each of the last sessions, every page view.

    Args:
        dataset: The users.
        user: Index of the user.
        segment: Where they belong, in Markdown.
        why: Draws why they are there; what it returns, page index → effect, colours the chart.
    """
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
        effect = why()
        if effect is not None:
            pages = dataset.sequences.page[slice(*dataset.sequences.offsets[user : user + 2])]
            views[EFFECT] = effect.reindex(pages).to_numpy()
        last = views[SESSION].max()
        drawn = views[views[SESSION] > last - _MAX_SESSIONS]
        if last > _MAX_SESSIONS:
            st.caption(f"The last {_MAX_SESSIONS} of {last:,} sessions are drawn; the table has all.")
        st.altair_chart(strip(drawn), key="timeline_chart", alt=f"Page views of one user in {last} sessions")
        _table(views)
        download_csv(views, "timeline")


def strip(views: pd.DataFrame) -> charts.Chart:
    """Chart of a user: a row a session, a dot a page view, by time since the session began.

    Args:
        views: Rows of :func:`core.profiles.samples.timeline`, with ``effect`` where that is known.
    """
    began = views.groupby(SESSION)[TIME].transform("min")
    when = [f"{n} · {start:%d %b %Y %H:%M}" for n, start in zip(views[SESSION], began, strict=True)]
    table = views.copy()
    table[_ELAPSED], table[WHEN] = (views[TIME] - began).dt.total_seconds(), when
    clock = "floor(datum.value / 60) + ':' + format(datum.value % 60, '02.0f')"
    elapsed = alt.X(
        f"{_ELAPSED}:Q",
        title="Minutes and seconds since the session began",
        axis=alt.Axis(labelExpr=clock, tickCount=8, tickMinStep=1, labelFlush=False),
    )
    base = alt.Chart(table).encode(y=charts.rows(WHEN, table[WHEN]), x=elapsed)
    told = {
        VIEW: ("Page view", ""), Col.PAGE_TITLE: ("Title", ""), Col.PAGE_LOCATION: ("Page", ""),
        SECONDS_TO_NEXT: ("Seconds to the next", ",.0f"),
    }  # fmt: skip
    line = base.mark_line(color=charts.NEUTRAL, opacity=0.5).encode(detail=alt.Detail(f"{WHEN}:N"))
    dots = base.mark_point(filled=True, size=70, opacity=0.9)
    if EFFECT in table:
        told[EFFECT] = ("Effect of the page on the lead", "+.3f")
        dots = _by_effect(dots, table[EFFECT])
    dots = dots.encode(tooltip=charts.tips(told))
    return charts.sized(line + dots, 28 * table[WHEN].nunique() + charts.AXIS)


def _by_effect(dots: alt.Chart, effect: pd.Series) -> alt.Chart:
    """Colour dots by effect: blue holds the user in the segment, orange pulls away; size is strength."""
    most = float(np.nanmax(effect.abs().to_numpy(), initial=1e-9))
    size = alt.Size("strength:Q", scale=alt.Scale(domain=[0, most], range=[30, 420]), legend=None)
    coloured: alt.Chart = dots.transform_calculate(strength=f"abs(datum.{EFFECT})").encode(
        size=size,
        color=alt.when(alt.datum[EFFECT] < 0)
        .then(alt.value(charts.BELOW))
        .when(alt.datum[EFFECT] > 0)
        .then(alt.value(charts.ABOVE))
        .otherwise(alt.value(charts.NEUTRAL)),
    )
    return coloured


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
    written_table.draw(
        views[[SESSION, VIEW, TIME, Col.PAGE_TITLE, Col.PAGE_LOCATION, SECONDS_TO_NEXT]],
        key="timeline_table", alt_text="Every page view of the user",
        columns={
            TIME: st.column_config.DatetimeColumn("Time (UTC)", format="YYYY-MM-DD HH:mm:ss"),
            SECONDS_TO_NEXT: st.column_config.NumberColumn(
                "Seconds", format="%.0f", help="Until the next page view of the session"
            ),
        },
    )  # fmt: skip
