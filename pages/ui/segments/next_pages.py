"""The next pages suggested to the users of a segment, or to one user, and where each suggestion comes from.

The model of next pages is learned once for all sessions by model and weights; a child process embeds.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core.base.schema import RARE_BELOW_USERS, Pages
from core.base.settings import ViewWeights
from core.base.wording import common_origin, short_address
from core.people.next_page_candidates import Head, Reach, Source
from core.people.next_page_tables import MEANING, SeenPages
from core.people.next_pages import (
    CALLED,
    FIRST,
    NO_PAGE,
    NextPage,
    NextPages,
    hit_rate_sentence,
    in_percent,
    in_points,
    next_pages_of_segments,
    why,
)
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col, RowKind
from core.runs.embedding_child import EmbeddingChild
from core.runs.learn_next_pages import learn_next_pages
from pages.ui.segments import charts
from pages.ui.segments.cards import heading
from pages.ui.segments.figure import figure
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, written_table
from pages.ui.shell.shared_cache import cached
from pages.ui.shell.written_table import Columns

_LEFT_OUT: Final = (
    f"{MEANING} So are pages that fewer than {RARE_BELOW_USERS} users saw, and those that the user has seen."
)
_REACHES: Final = {Reach.NEW.value: "New to them", Reach.ANY.value: "Any page"}
_WAITING: Final = "Weighing what tells the next page; once for these weights, some seconds"
_LEGEND: Final = 90
"""Pixels of the legend: five lines on a phone."""
_WORTH: Final[Columns] = {
    "source": "Suggested as it",
    "weight": ("Weight", "Its share of the blend, with a 95 % interval."),
    "gain": (
        "Adds", "Points by which the next page is found more often than by the other sources alone, "
        "weighed again; with a 95 % interval over users.",
    ),
}  # fmt: skip


@st.cache_resource(show_spinner=False)
def child() -> EmbeddingChild:
    """The child process that embeds, shared by all sessions for the server's lifetime."""
    return EmbeddingChild()


def _key(live: LiveSegments) -> tuple[str, ViewWeights]:
    return live.sources.embeddings, live.settings.weights


@cached(_key, max_entries=6, show_spinner=_WAITING)
def _next_page_model(live: LiveSegments) -> NextPages:
    """The model that suggests next pages to the users on screen.

    Raises:
        ArtifactError: If the model is missing or damaged.
    """
    made_from, inside = live.sources, live.sources.vectors.inside
    return learn_next_pages(
        made_from.dataset, made_from.labels, made_from.model, live.combined, inside, child()
    )


@cached(_key, max_entries=6)
def _seen_pages(live: LiveSegments) -> SeenPages:
    """Pages that all users saw, in the form that the model of next pages takes."""
    dataset = live.sources.dataset
    return _next_page_model(live).seen(dataset.sequences, dataset.pages[Pages.PAGE_LOCATION].tolist())


@cached(lambda live: (*_key(live), live.segmentation.partition.digest), max_entries=24, show_spinner=_WAITING)
def _of_segments(live: LiveSegments) -> pd.DataFrame:
    """Next pages of every segment (:func:`core.people.next_pages.next_pages_of_segments`)."""
    return next_pages_of_segments(
        _next_page_model(live), _seen_pages(live), live.combined.vectors, live.labels
    )


def _worth(head: Head) -> pd.DataFrame:
    """Table of the sources: weight and gain of each, as text; empty where nothing was measured."""
    if head.judged is None:
        return pd.DataFrame(columns=list(_WORTH))
    parts = head.judged.parts
    return pd.DataFrame({
        "source": [CALLED[part.source] for part in parts],
        "weight": [in_percent(part.weight) for part in parts],
        "gain": [in_points(part.gain) for part in parts],
    })  # fmt: skip


def _titled(live: LiveSegments, table: pd.DataFrame) -> pd.DataFrame:
    """Add to a table with page addresses each page's title, and ``short``, its label on an axis."""
    pages = live.sources.dataset.pages
    titles = pages.drop_duplicates(Pages.PAGE_LOCATION).set_index(Pages.PAGE_LOCATION)[Pages.PAGE_TITLE]
    addresses = table[Col.PAGE_LOCATION]
    origin = common_origin(pages[Pages.PAGE_LOCATION].tolist())
    named = table.assign(short=[short_address(address, origin) for address in addresses])
    named.insert(0, Col.PAGE_TITLE, titles.reindex(addresses).to_numpy())
    return named


def _stacked(table: pd.DataFrame, sources: tuple[Source, ...], title: str) -> charts.Chart:
    """Chart with a bar a page, as long as its score, in parts coloured by source.

    Args:
        table: Columns ``short``, ``score`` and, named by each source's value, the fraction of the score that
            comes from it (they sum to 1); in order.
        sources: The sources to draw.
        title: What the whole bar is.
    """
    parts = table.melt(
        ["short", Col.SCORE], [source.value for source in sources], "source", "part", ignore_index=False
    )
    parts = parts.assign(
        value=parts["part"] * parts[Col.SCORE],
        order=parts["source"].map({source.value: place for place, source in enumerate(sources)}),
        source=parts["source"].map({source.value: CALLED[source] for source in sources}),
    )
    told = {"short": ("Page", ""), "source": ("Suggested as it", ""), "part": ("Part of the score", ".0%")}
    colour = alt.Color(
        "source:N", title=None,
        scale=alt.Scale(domain=[CALLED[one] for one in sources]),
        legend=alt.Legend(
            orient="top", columns=alt.expr("containerSize()[0] < 560 ? 1 : 3"), labelLimit=240
        ),
    )  # fmt: skip
    axis = alt.Axis(format="%", labelFlush=False, tickCount=5)
    drawn = alt.Chart(parts).mark_bar(height={"band": 0.6}).encode(
        y=charts.rows("short", table["short"]), x=alt.X("value:Q", title=title, axis=axis, stack="zero"),
        color=colour, order=alt.Order("order:Q"), tooltip=charts.tips(told),
    )  # fmt: skip
    return charts.sized(drawn, charts.ROW * len(table) + charts.AXIS + _LEGEND)


_WHY: Final = "why"
_SUGGESTED: Final = f"Share of users with the page among their first {FIRST} suggestions"
_IN_FIRST: Final = f"Users with it in their first {FIRST}"
_COLUMNS_SHOWN: Final = (
    Col.PAGE_TITLE, Col.PAGE_LOCATION, Col.USERS, Col.N, Col.SHARE, Col.LOW, Col.HIGH,
    Col.REST_SHARE, Diff.DIFFERS, _WHY,
)  # fmt: skip


def draw_of_segment(live: LiveSegments, row: dict[str, Any]) -> None:
    """Draw a toggle for a segment's next pages, and the pages while it is on.

    Args:
        live: The segments.
        row: Its row of the segments table; of users in no segment nothing is drawn.
    """
    if row[Col.KIND] != RowKind.SEGMENT:
        return
    asked = st.toggle(
        "What next?", key=f"next-{row[Col.KEY]}-{live.sources.model_key}", persist_state="session",
        help=f"Pages that these users are likely to view next. {_LEFT_OUT}",
    )  # fmt: skip
    if asked:
        with errors.shown():
            _listed(live, row)


def _listed(live: LiveSegments, row: dict[str, Any]) -> None:
    found = _of_segments(live)
    found = found[found[Col.SEGMENT] == row[Col.SEGMENT]]
    if not len(found):
        st.caption(NO_PAGE)
        return
    sources = [source for source in Source if found[source.value].any()]
    said = found[[source.value for source in sources]].to_dict("records")
    told = _titled(live, found)
    told[_WHY] = [why({Source(str(name)): share for name, share in one.items()}) for one in said]
    drawn = told.assign(**{name: row[name] for name in (Col.KIND, Col.LABEL)})
    columns = {
        Col.SHARE: ("Share", _SUGGESTED), Col.REST_SHARE: ("Others", "The same of the others"),
        Col.N: ("Of", "Users of the segment who were asked for."),
        Diff.DIFFERS: (
            "Differs", "The interval of the difference to the others leaves out 0. The model has read these "
            "pages, so it is a description.",
        ),
        _WHY: st.column_config.Column("Why", width="large"),
    }  # fmt: skip
    right = hit_rate_sentence(_next_page_model(live).heads[Reach.NEW], Reach.NEW)
    figure(
        f"What next: {heading(row[Col.LABEL])}",
        partial(charts.dumbbell, drawn, "short", Col.SHARE, Col.REST_SHARE, _IN_FIRST),
        told[list(_COLUMNS_SHOWN)], n=f"{found[Col.N].iloc[0]:,} users here (coloured), "
        f"{found[Col.REST_N].iloc[0]:,} others (grey). {right}",
        key=f"next-{row[Col.KEY]}".replace(":", "-"),
        alt_text=f"Next pages of {row[Col.LABEL]} beside the others", columns=columns, border=False,
    )  # fmt: skip


_MAX_SHOWN: Final = 10
_COLUMNS: Final[Columns] = {
    Col.SCORE: st.column_config.NumberColumn(
        "Probability", format="percent", help="That the next page, of those that may come, is this one."
    ),
    _WHY: st.column_config.TextColumn("Why", width="large"),
}


def draw_of_user(live: LiveSegments, user: int) -> None:
    """Draw a toggle for a user's next pages, and the pages while it is on.

    Args:
        live: The segments.
        user: Index of the user.
    """
    with st.container(border=True, key="what-next"):
        asked = st.toggle(
            "What next?", key="next_pages", persist_state="session",
            help="Pages that this user is likely to view next. The first time takes some seconds, as the "
            "sources are weighed on users that the model never saw.",
        )  # fmt: skip
        if asked:
            with errors.shown():
                _suggested(live, user)


def _suggested(live: LiveSegments, user: int) -> None:
    chosen = st.segmented_control(
        "Pages that may come", list(_REACHES), default=Reach.NEW.value, key="next_reach",
        format_func=_REACHES.__getitem__, required=True, persist_state="session",
        help=_LEFT_OUT,
    )  # fmt: skip
    reach = Reach(chosen)
    made = _next_page_model(live)
    one = np.array([user])
    found = made.suggest(_seen_pages(live).some(one), live.combined.vectors[one], _MAX_SHOWN, reach)
    pages = found.of(0)
    if not pages:
        st.caption(NO_PAGE)
        return
    table = _titled(live, _of_user(pages, found.sources))
    shown = [Col.PAGE_TITLE, Col.PAGE_LOCATION, Col.SCORE, _WHY, *(source.value for source in found.sources)]
    figure(
        "What this user is likely to view next",
        partial(_stacked, table, found.sources, "Probability of being the next page"),
        table[shown], n=hit_rate_sentence(made.heads[reach], reach), key="next_pages",
        alt_text="Suggested pages with the part of each source",
        columns={**_COLUMNS, **_parts(found.sources)},
        help_text="A score is a blend of what each source says; the colours are the parts.", border=False,
    )  # fmt: skip
    if len(weights := _worth(made.heads[reach])):
        with st.expander("What each source adds", icon=":material/balance:", type="compact"):
            written_table.draw(
                weights, key="next_worth", alt_text="Weight of each source, and what it adds",
                columns=_WORTH,
            )  # fmt: skip


def _of_user(pages: list[NextPage], sources: tuple[Source, ...]) -> pd.DataFrame:
    return pd.DataFrame([
        {Col.PAGE_LOCATION: page.page, Col.SCORE: page.score, _WHY: why(page.parts)}
        | {source.value: page.parts[source] for source in sources}
        for page in pages
    ])  # fmt: skip


def _parts(sources: tuple[Source, ...]) -> Columns:
    return {
        source.value: st.column_config.NumberColumn(source.value.capitalize(), format="percent")
        for source in sources
    }
