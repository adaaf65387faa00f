"""Profiles, view All segments: what sets them apart, in numbers that can be checked."""

from __future__ import annotations

from functools import partial
from typing import Final

import streamlit as st

from core.facts.segment_tools import compare_all
from core.profiles.metrics import outside_note
from core.profiles.profile_columns import Col
from pages.ui.chat import describe_view, topic
from pages.ui.periods import count_filter
from pages.ui.segments import (
    charts,
    k_view,
    segment_controls,
    spotlight,
)
from pages.ui.segments import profile_tables as tables
from pages.ui.segments.figure import SIDE, figure
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, written_table
from pages.ui.shell.links import COMPARE, PROFILES, button, heading
from pages.ui.shell.text import count, md_text
from pages.ui.shell.written_table import Columns

_NO_OUTCOME: Final = (
    "No outcome is chosen. Choose an event or a page, such as /thank-you, under Adjust segments to compare "
    "how segments convert."
)
_BASELINE: Final = (
    "Every row is compared with **the others**: all users in segments but its own. Users of one page are not "
    "among them."
)
_PAGE_SEEN: Final = "The model saw it, so a difference is how the segments were made, and no finding."


def page() -> None:
    """Draw all segments side by side, or what to do first."""
    heading(PROFILES)
    live = segment_controls.ready()
    if live is None:
        return
    k_view.remind(live)
    count_filter.draw(live)
    part = count_filter.counted(live)
    with spotlight.raised(PROFILES):
        _all_segments(part)
        if part is live:
            _in_words(live)
    button(COMPARE, "Look at one, or compare two")


def _all_segments(live: LiveSegments) -> None:
    st.caption(_BASELINE)
    if note := outside_note(live.profiles):
        st.info(note, icon=":material/info:")
    _heat_map(live)
    if live.profiles.outcome is None:
        st.caption(_NO_OUTCOME)
        _sizes(live)
        return
    with st.grid(2, min_column_width=SIDE, key="outcome-and-sizes"):
        with st.container():
            _outcome(live)
        _sizes(live)
    _each_outcome(live)


def _heat_map(live: LiveSegments) -> None:
    cells = tables.heat_cells(live.profiles, live.names)
    rows, columns = cells[Col.LABEL].unique().tolist(), cells[Col.METRIC].unique().tolist()
    figure(
        "How segments differ",
        partial(charts.heat, cells, rows, columns),
        tables.named(live.profiles.segments, live.names).drop(columns=[Col.KEY, Col.KIND, Col.SEGMENT]),
        n=f"{count(live.profiles.n_users, 'user')}, {live.profiles.n_clustered:,} of them clustered. "
        "Blue is above the others, orange below; full colour is 1.5 standard deviations.",
        key="segments", alt_text="Heat-map of segments and metrics with the values written in",
        columns=_segment_columns(live),
        help_text="A colour compares the number written in with the others', but counts a user up to three "
        "times the 99th percentile, so that one robot turns no colour. Point at the column heads of the "
        "table for definitions.",
        min_width=112 + 78 * len(columns),
    )  # fmt: skip


def _segment_columns(live: LiveSegments) -> Columns:
    called, meaning = tables.labels(live.profiles), tables.definitions(live.profiles)
    columns: Columns = {name: (called[name], meaning[name]) for name in called}
    return {**columns, Col.LABEL: st.column_config.Column("Segment", pinned=True)}


def _outcome(live: LiveSegments) -> None:
    rates = tables.rates(live.profiles, live.names)
    converted, users = int(rates["converted"].sum()), int(rates["users"].sum())
    figure(
        "How segments convert", partial(charts.forest, rates, live.names, "Users with the outcome"), rates,
        n=f"{converted:,} of {count(users, 'clustered user')} converted. Bars are 95 % intervals; grey ticks "
        "are the others.",
        key="outcome", alt_text="Outcome rate of each segment with its interval",
        help_text="Outcome: what is chosen under Adjust segments. "
        + (_PAGE_SEEN if tables.is_input(live.profiles, Col.OUTCOME_RATE) else "The model never saw it."),
    )  # fmt: skip


def _each_outcome(live: LiveSegments) -> None:
    overall = tables.everybody(live.profiles)
    st.caption(
        f"{count(int(overall[Col.OUTCOME_USERS]), 'user')} of all {live.profiles.n_users:,} converted"
        f"{tables.without_page_view(live.profiles, live.tables.basis.data.outcomes)}."
        f"{tables.of_nobody(live.profiles, live.sources.dataset.receipt.no_user_id)}"
    )
    for note in live.profiles.notes:
        st.caption(f":material/info: {md_text(note)}.")
    with st.expander("Each outcome, with revenue and with who is in no segment", key="each-outcome"):
        written_table.draw(
            tables.each_outcome(live.profiles, live.names), key="table-each-outcome",
            alt_text="Users with each outcome and their revenue, by segment",
            columns={"Rate": st.column_config.NumberColumn("Rate", format="percent")},
        )  # fmt: skip


def _sizes(live: LiveSegments) -> None:
    sizes = tables.named(live.profiles.parts, live.names)[[Col.LABEL, Col.KIND, Col.USERS, Col.SHARE]]
    figure(
        "How large they are", partial(charts.sizes, sizes, live.names), sizes,
        n=f"{count(live.profiles.n_users, 'user')}; grey ones are made by rule and not clustered.",
        key="sizes", alt_text="Users of each segment and of the groups made by rule",
    )  # fmt: skip


def _in_words(live: LiveSegments) -> None:
    """Draw all segments compared, in the app's or a language model's words."""
    about = topic.context(live)
    with st.expander("All segments compared, in words", icon=":material/notes:", key="all-compared"):
        describe_view.draw(live, about, (), lambda: topic.told(about, "all", compare_all), "all")


with errors.shown():
    page()
