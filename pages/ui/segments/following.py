"""The model of next pages, learned once for all sessions by model and weights; a child process embeds."""

from __future__ import annotations

from typing import Final

import altair as alt
import pandas as pd
import streamlit as st

from core.base.schema import HARDLY, Pages
from core.base.settings import ViewWeights
from core.base.wording import common_origin, short_address
from core.profiles.profile_columns import Col
from core.recommend.candidates import Head, Reach, Source
from core.recommend.next_pages import CALLED, NextPages, in_percent, in_points, next_pages_of_segments
from core.recommend.page_tables import MEANING, SeenPages
from core.runs.embedding_child import EmbeddingChild
from core.runs.what_next import what_next
from pages.ui.segments import charts
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell.kept import kept
from pages.ui.shell.written_table import Columns

LEFT_OUT: Final = (
    f"{MEANING} So are pages that fewer than {HARDLY} users saw, and those that the user has seen."
)
REACHES: Final = {Reach.NEW.value: "New to them", Reach.ANY.value: "Any page"}
WAITING: Final = "Weighing what tells the next page; once for these weights, some seconds"
COLOURS: Final = {
    Source.BIGRAM: charts.ABOVE, Source.LAG: "#8fb0ee", Source.NEIGHBOURS: "#4b9494",
    Source.HISTORY: charts.BELOW, Source.POPULARITY: charts.NEUTRAL,
}  # fmt: skip
LEGEND: Final = 90
"""Pixels of the legend: five lines on a phone."""
WORTH: Final[Columns] = {
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
    return live.sources.embeddings, live.steering.weights


@kept(_key, max_entries=6, show_spinner=WAITING)
def following(live: LiveSegments) -> NextPages:
    """The model that suggests next pages to the users on screen.

    Raises:
        ArtifactError: If the model is missing or damaged.
    """
    made_from, inside = live.sources, live.sources.vectors.inside
    return what_next(made_from.dataset, made_from.labels, made_from.model, live.combined, inside, child())


@kept(_key, max_entries=6)
def seen_pages(live: LiveSegments) -> SeenPages:
    """Pages that all users saw, in the form that the model of next pages takes."""
    dataset = live.sources.dataset
    return following(live).seen(dataset.sequences, dataset.pages[Pages.PAGE_LOCATION].tolist())


@kept(lambda live: (*_key(live), live.segmentation.partition.digest), max_entries=24, show_spinner=WAITING)
def of_segments(live: LiveSegments) -> pd.DataFrame:
    """Next pages of every segment (:func:`core.recommend.next_pages.next_pages_of_segments`)."""
    return next_pages_of_segments(following(live), seen_pages(live), live.combined.vectors, live.labels)


def worth(head: Head) -> pd.DataFrame:
    """Table of the sources: weight and gain of each, with intervals; empty where nothing was measured."""
    if head.judged is None:
        return pd.DataFrame(columns=list(WORTH))
    parts = head.judged.parts
    return pd.DataFrame({
        "source": [CALLED[part.source] for part in parts],
        "weight": [in_percent(part.weight) for part in parts],
        "gain": [in_points(part.gain) for part in parts],
    })  # fmt: skip


def titled(live: LiveSegments, table: pd.DataFrame) -> pd.DataFrame:
    """Add each page's title, and ``short``, its label on an axis."""
    pages = live.sources.dataset.pages
    titles = pages.drop_duplicates(Pages.PAGE_LOCATION).set_index(Pages.PAGE_LOCATION)[Pages.PAGE_TITLE]
    addresses = table[Col.PAGE_LOCATION]
    origin = common_origin(pages[Pages.PAGE_LOCATION].tolist())
    named = table.assign(short=[short_address(address, origin) for address in addresses])
    named.insert(0, Col.PAGE_TITLE, titles.reindex(addresses).to_numpy())
    return named


def stacked(table: pd.DataFrame, sources: tuple[Source, ...], title: str) -> charts.Chart:
    """Chart with a bar a page, its parts coloured by source.

    Args:
        table: Columns ``short``, ``score`` and a part for each source, in order.
        sources: Sources with a weight.
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
        scale=alt.Scale(domain=[CALLED[one] for one in sources], range=[COLOURS[one] for one in sources]),
        legend=alt.Legend(
            orient="top", columns=alt.expr("containerSize()[0] < 560 ? 1 : 3"), labelLimit=240
        ),
    )  # fmt: skip
    axis = alt.Axis(format="%", labelFlush=False, tickCount=5)
    drawn = alt.Chart(parts).mark_bar(height={"band": 0.6}).encode(
        y=charts.rows("short", table["short"]), x=alt.X("value:Q", title=title, axis=axis, stack="zero"),
        color=colour, order=alt.Order("order:Q"), tooltip=charts.tips(told),
    )  # fmt: skip
    return charts.sized(drawn, charts.ROW * len(table) + charts.AXIS + LEGEND)
