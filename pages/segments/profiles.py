"""The page Profiles: what sets each segment apart, in numbers that can be checked."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any, Final

import pandas as pd
import streamlit as st

from core.base import wording
from core.base.attributes import titles_of
from core.base.schema import Users, View
from core.facts.context import Context
from core.facts.contrasting import rest_figure
from core.facts.fact_maker import Figures
from core.facts.items import ItemCol, label_table
from core.periods.filtering import NOT_BY_DAY
from core.profiles import profile_columns
from core.profiles.metrics import outside_note, records
from core.profiles.name_fitting import reason
from core.profiles.profile_columns import Col, PageRanking, RowKind
from pages.ui.chat import topic
from pages.ui.chat.fact_sources import pages_chart
from pages.ui.data import personal_view
from pages.ui.periods import count_filter
from pages.ui.segments import (
    cards,
    certificates,
    charts,
    differences_view,
    k_view,
    next_pages,
    segment_controls,
    shared,
    spotlight,
)
from pages.ui.segments import profile_tables as tables
from pages.ui.segments.figure import SIDE, figure
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, state, written_table
from pages.ui.shell.links import PROFILES, heading
from pages.ui.shell.text import count, md_text
from pages.ui.shell.written_table import Columns

_RANKINGS: Final = {
    PageRanking.OVER.value: "More than others",
    PageRanking.UNDER.value: "Less than others",
    PageRanking.MOST_VIEWED.value: "Most viewed",
}
_LABELS: Final = {View.THEME: "Page themes", View.TYPE: "Page types"}
_ACTIVITY: Final = (Col.PAGE_VIEWS_MEAN, Col.PAGE_VIEWS_MEDIAN, Col.SESSIONS_MEAN, Col.PAGES_PER_SESSION)
"""Columns that are 1 for all one-page users."""
_PAGE_COLUMNS: Final = (
    Col.RANK, Col.PAGE_TITLE, Col.SHARE, Col.REST_SHARE, Col.LIFT, Col.USERS, Col.VIEWS, Col.PAGE_LOCATION,
)  # fmt: skip
_PAGES_DRAWN: Final = 10
_SAW: Final = "Share of users who saw the page"
_NO_OUTCOME: Final = (
    "No outcome is chosen. Choose an event or a page, such as /thank-you, under Adjust segments to compare "
    "how segments convert."
)
_BASELINE: Final = (
    "Every row is compared with **the others**: all users in segments but its own. Users of one page are not "
    "among them."
)
_GREY: Final = "Grey ticks: the others."

_PICKER_STAYS: Final = (
    "<style>.st-key-profiled { position: sticky; top: 0; z-index: 9; padding: .7rem 0 .4rem;"
    " max-height: 8.4rem; overflow-y: auto; background: light-dark(#ffffff, #10141b) }"
    " @media (max-width: 768px) { .st-key-profiled { top: 3.5rem } }</style>"
)
"""Style that keeps the choice of rows in sight; on a phone, below the header."""
_PAGE_SEEN: Final = "The model saw it, so a difference is how the segments were made, and no finding."


def page() -> None:
    """Draw the page Profiles, or what to do first."""
    heading(PROFILES)
    personal_view.take_result()
    live = segment_controls.ready()
    if live is None:
        return
    k_view.draw_nothing_here(live)
    count_filter.draw(live)
    part = count_filter.counted(live)
    with spotlight.raised(PROFILES):
        _all_segments(part, live)
        _one_by_one(part, live, replace(topic.context(live), tables=part.tables))


def _all_segments(live: LiveSegments, whole: LiveSegments) -> None:
    st.subheader("All segments side by side")
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
    personal_view.offer(whole.sources.dataset, shared.leaks(whole.sources, whole.profiles.chosen))


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
        min_width=min(640, 112 + 62 * len(columns)),
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


def _one_by_one(live: LiveSegments, whole: LiveSegments, about: Context) -> None:
    rows = tables.named(live.profiles.parts, live.names)
    called = dict(zip(rows[Col.KEY], rows[Col.LABEL], strict=True))
    st.subheader("Segments in detail")
    _follow_link(live, list(called))
    model = live.sources.model_key
    wanted = state.controls(model).segments
    preselected = [key for key in called if key in (wanted or ())]
    if wanted is None or (wanted and not preselected):  # those that were chosen may be gone
        preselected = list(called)[:1]
    state.display("profiled", preselected)
    st.html(_PICKER_STAYS)
    chosen = st.pills(
        "Which ones", list(called), selection_mode="multi", default=preselected, key="profiled",
        format_func=lambda key: cards.heading(called[key]), on_change=_keep_chosen, args=(model,),
        label_visibility="collapsed",
    )  # fmt: skip
    if not chosen:
        st.caption("Choose one segment to read it, or several to set them side by side.")
        return
    for row in records(rows[rows[Col.KEY].isin(chosen)]):
        _segment(live, row, whole, about)
    keys = [key for key in called if key in chosen]
    _differences(live, about, keys, called)
    _labels(live, about, keys)
    _attributes(live, keys)


def _keep_chosen(model: str) -> None:
    state.set_controls(model, segments=tuple(st.session_state["profiled"]))


def _differences(live: LiveSegments, about: Context, keys: list[str], called: dict[str, str]) -> None:
    """Draw the spread behind the means, and everything that sets a row apart."""
    differences_view.spread(live, about, keys, "profiled")
    for key in keys:
        with st.expander(f"All differences of {cards.heading(called[key])}"):
            name = key.replace(":", "-")
            differences_view.whole(about.tables.differences, key, "Here", "The other clustered users", name)


def _follow_link(live: LiveSegments, keys: list[str]) -> None:
    """Choose the rows that show the chart that the link names."""
    chart, rows = spotlight.asked()
    wanted = [key for key in keys if key in rows]
    if not spotlight.arrived() or not wanted:
        return
    state.set_controls(live.sources.model_key, segments=tuple(wanted))
    for key, ranking in product(wanted, PageRanking):
        if chart == pages_chart(key, ranking):
            st.session_state[_ranking_field(live, key)] = ranking.value


def _ranking_field(live: LiveSegments, key: str) -> str:
    return f"ranking-{key}-{live.sources.model_key}"


def _segment(live: LiveSegments, row: dict[str, Any], whole: LiveSegments, about: Context) -> None:
    with st.container(border=True, key=f"profile-{row[Col.KEY]}".replace(":", "-")):
        sure = live.certificates.get(row[Col.SEGMENT])
        cards.swatch(row[Col.SEGMENT], mark=sure.mark if sure else "")
        st.markdown(f"#### {cards.heading(row[Col.LABEL])}")
        certificates.line(live, row[Col.SEGMENT])
        if row[Col.SEGMENT] in live.current_names:
            cards.unfit(live, row[Col.SEGMENT])
            if why := reason(live.current_names[row[Col.SEGMENT]]):
                st.caption(md_text(why, 400))
        users, share = (profile_columns.figure(name, row[name]) for name in (Col.USERS, Col.SHARE))
        st.caption(f"{users} users, {share} of all")
        differences_view.lead(live.tables.differences, row[Col.KEY])
        _metrics(live, row, about)
        if row[Col.KIND] == RowKind.ONE_PAGE:
            st.caption(cards.second_pages(live.profiles, row[Col.KEY]))
        _pages(live, row[Col.KEY], row[Col.LABEL])
        if live is whole:  # it is asked of the model, whatever is counted
            next_pages.draw_of_segment(live, row)


def _of_others(about: Context, key: str, name: str) -> str:
    fact = Figures(about).measure(key, name)
    if fact is None:
        return wording.ABSENT
    found = rest_figure(about, fact)
    return wording.ABSENT if found is None else profile_columns.figure(name, found.value, found.written_n)


def _metrics(live: LiveSegments, row: dict[str, Any], about: Context) -> None:
    everybody, meaning = tables.everybody(live.profiles), tables.definitions(live.profiles)
    with st.grid("auto", min_column_width=160, gap="small"):  # room for "14 min 25 s"
        for name, called in tables.CARD_METRICS.items():
            if not pd.isna(everybody[name]) and (row[Col.KIND] != RowKind.ONE_PAGE or name not in _ACTIVITY):
                st.metric(
                    called, profile_columns.of_row(row, name), border=True,
                    delta=f"others {_of_others(about, row[Col.KEY], name)}", delta_color="off",
                    delta_arrow="off", help=meaning[name],
                )  # fmt: skip
    rule = live.sources.dataset.receipt.engagement_rule
    known = not pd.isna(everybody[Col.ENGAGEMENT_MEAN])
    days = state.controls(live.sources.model_key).counted.within != (None, None)
    unknown = f"{NOT_BY_DAY}." if days else "Engaged time: not computable from this file."
    means = "Numbers are per user unless they say otherwise. "
    st.caption(means + (f"Engaged time: {rule}." if known else unknown))


def _pages(live: LiveSegments, key: str, name: str) -> None:
    ranking = st.segmented_control(
        "Pages", list(_RANKINGS), default=PageRanking.OVER.value, required=True,
        format_func=_RANKINGS.__getitem__,
        key=_ranking_field(live, key), persist_state="session",
        help="The model saw the pages, so they describe a segment. Whether they show in its users' other "
        "sessions, too, stands under All differences.",
    )  # fmt: skip
    found = tables.pages_of(live.profiles, key, ranking, live.profiles.settings.top_pages)
    if not len(found):
        st.caption("No page stands out by more than chance.")
        return
    first = found.head(_PAGES_DRAWN)
    drawn = tables.named(first, live.names).assign(page_label=_short(first))
    figure(
        f"Pages of {cards.heading(name)}: {_RANKINGS[ranking].lower()}",
        partial(charts.dumbbell, drawn, "page_label", Col.SHARE, Col.REST_SHARE, _SAW),
        found[list(_PAGE_COLUMNS)],
        n=f"{found[Col.N].iloc[0]:,} users here (coloured), {found[Col.REST_N].iloc[0]:,.0f} others (grey).",
        key=pages_chart(key, ranking), alt_text=f"Pages of {name} beside the others", border=False,
        columns={
            Col.SHARE: ("Share", "Share of these users who saw it"),
            Col.REST_SHARE: ("Others", "The same of the others"),
        },
    )  # fmt: skip


def _short(pages: pd.DataFrame) -> list[str]:
    """Different axis labels of pages: the title without its shared ending, or the address."""
    addresses = pages[Col.PAGE_LOCATION].tolist()
    titles = pages[Col.PAGE_TITLE].fillna("").tolist()
    origin = wording.common_origin(addresses)
    ending = wording.common_suffix([title for title in titles if title])
    texts = [
        (title.removesuffix(ending) or wording.short_address(address, origin))[:60]
        for title, address in zip(titles, addresses, strict=True)
    ]
    return [text if texts.count(text) == 1 else wording.short_address(address, origin)
            for text, address in zip(texts, addresses, strict=True)]  # fmt: skip


def _labels(live: LiveSegments, about: Context, keys: list[str]) -> None:
    """Draw what the rows' pages are about and for, where pages are labelled."""
    looked_at = label_table(about)
    if looked_at.empty:
        return
    made = {view: tables.labels_of(looked_at, live.names, view, keys) for view in _LABELS}
    drawn = {view: found for view, found in made.items() if found["value"].nunique() > 1}
    if not drawn:  # one label for all says nothing
        return
    st.markdown(
        "#### What they look at", help="The model saw these labels: they describe, and prove nothing."
    )
    with st.grid(2, min_column_width=SIDE):
        for view, found in drawn.items():
            figure(
                _LABELS[view],
                partial(charts.shares, tables.most_frequent(found), live.names, "Share of page views"),
                found, n=f"{_page_views(found):,} page views. {_GREY}", key=f"labels-{view}",
                alt_text=f"{_LABELS[view]}: shares of page views",
            )  # fmt: skip


def _page_views(found: pd.DataFrame) -> int:
    return int(found.drop_duplicates(Col.LABEL)[ItemCol.VIEWS_N].sum())


def _attributes(live: LiveSegments, keys: list[str]) -> None:
    st.markdown("#### Who they are", help="The model never saw any of these: a difference is a finding.")
    titles = titles_of(live.profiles.shares[Col.ATTRIBUTE])
    drawn = {
        title: (attribute, found)
        for attribute, title in titles.items()
        if len(found := tables.shares_of(live.profiles, live.names, attribute, keys))
    }
    if silent := [title.lower() for title in titles.values() if title not in drawn]:
        st.caption(f"This file does not say: {', '.join(silent)}.")
    basis = {Users.SOURCE: f"{md_text(live.tables.basis.data.source_basis)} "}
    with st.grid(2, min_column_width=SIDE):
        for title, (attribute, found) in drawn.items():
            figure(
                title, partial(charts.shares, tables.most_frequent(found), live.names), found,
                n=basis.get(attribute, "") + _known(found), key=f"shares-{attribute}",
                alt_text=f"{title}: shares of users",
            )  # fmt: skip


def _known(found: pd.DataFrame) -> str:
    first = found.drop_duplicates(Col.LABEL)
    known, absent = int(first[Col.N].sum()), int(first[Col.ABSENT].sum())
    return f"{known:,} users with a value; {absent:,} without one are left out. {_GREY}"


with errors.shown():
    page()
