"""Profiles, view One or two: a segment beside all others, or two side by side, in figures and words."""

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
from core.facts.segment_tools import compare, paragraph
from core.periods.filtering import NOT_BY_DAY
from core.profiles import profile_columns
from core.profiles.metrics import records
from core.profiles.name_fitting import reason
from core.profiles.profile_columns import Col, PageRanking, RowKind
from core.questions import advice
from core.saved import descriptions
from pages.ui.chat import chat_message, describe_view, topic
from pages.ui.chat.fact_sources import pages_chart
from pages.ui.periods import count_filter
from pages.ui.segments import (
    cards,
    certificates,
    charts,
    differences_view,
    k_view,
    next_pages,
    segment_controls,
    spotlight,
)
from pages.ui.segments import profile_tables as tables
from pages.ui.segments.figure import SIDE, figure
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, state
from pages.ui.shell.links import COMPARE, heading
from pages.ui.shell.text import md_text

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
_PAGES_DRAWN: Final = 8
_SAW: Final = "Share of users who saw the page"
_GREY: Final = "Grey ticks: the others."

_PICKER_STAYS: Final = (
    "<style>.st-key-profiled { position: sticky; top: 0; z-index: 9; padding: .7rem 0 .4rem;"
    " background: light-dark(#ffffff, #10141b) }"
    " @media (max-width: 768px) { .st-key-profiled { top: 3.5rem } }</style>"
)
"""Style that keeps the choice of rows in sight; on a phone, below the header."""
_OTHERS: Final = "all others"
"""The choice that sets a segment beside all clustered users but its own."""
_NARROW: Final = 340
"""Least width in pixels of the leading differences, and of the chart beside them."""


def page() -> None:
    """Draw the chosen segment or the chosen two, or what to do first."""
    heading(COMPARE)
    live = segment_controls.ready()
    if live is None:
        return
    k_view.remind(live)
    count_filter.draw(live)
    part = count_filter.counted(live)
    with spotlight.raised(COMPARE):
        _chosen(part, live)


def _chosen(live: LiveSegments, whole: LiveSegments) -> None:
    """Draw the choice of one row or two, and what is known of them.

    Args:
        live: The segments, counted on the users and days that are counted.
        whole: The segments, counted on everybody.
    """
    about = replace(topic.context(whole), tables=live.tables)
    rows = tables.named(live.profiles.parts, live.names).set_index(Col.KEY, drop=False)
    called = dict(zip(rows.index, rows[Col.LABEL], strict=True))
    _follow_link(live, list(called))
    st.html(_PICKER_STAYS)
    with st.container(key="profiled"):
        first, second = _choice(live.sources.model_key, called)
    keys = [first] if second == _OTHERS else [first, second]
    with st.container(border=True, key="chosen"):
        if second == _OTHERS:
            _alone(live, records(rows.loc[[first]])[0], whole, about)
        else:
            _two(live, whole, about, (first, second))
    _look_at(live, about, keys, called)
    if live is whole and second == _OTHERS:  # it is asked of the model, whatever is counted
        next_pages.draw_of_segment(live, records(rows.loc[[first]])[0])
    _attributes(live, keys)
    with st.expander("What lies behind the means", icon=":material/candlestick_chart:", key="spread"):
        differences_view.spread(live, about, keys, "profiled")
    _all_differences(about, keys, called)


def _choice(model: str, called: dict[str, str]) -> tuple[str, str]:
    """Draw two lists, of rows and of what to set the row beside, and return the keys that are chosen."""
    wanted = [key for key in dict.fromkeys(state.controls(model).segments or ()) if key in called]
    first, second = [*wanted[:2], *[next(iter(called)), _OTHERS][len(wanted[:2]) :]]
    titles = {_OTHERS: _OTHERS, **called}
    with st.grid(2, min_column_width=_NARROW, gap="small"):
        state.display("compare-first", first)
        st.selectbox(
            "Segment", list(called), list(called).index(first), format_func=titles.__getitem__,
            key="compare-first", on_change=_keep, args=(model,),
        )  # fmt: skip
        others = [_OTHERS, *(key for key in called if key != first)]
        state.display("compare-second", second)
        st.selectbox(
            "beside", others, others.index(second), format_func=titles.__getitem__, key="compare-second",
            on_change=_keep, args=(model,),
        )  # fmt: skip
    return first, second


def _keep(model: str) -> None:
    first, second = (st.session_state[key] for key in ("compare-first", "compare-second"))
    beside = () if second in (_OTHERS, first) else (second,)
    state.set_controls(model, segments=(first, *beside))


def _follow_link(live: LiveSegments, keys: list[str]) -> None:
    """Choose the rows that show the chart that the link names."""
    chart, rows = spotlight.asked()
    wanted = [key for key in keys if key in rows]
    if not spotlight.arrived() or not wanted:
        return
    state.set_controls(live.sources.model_key, segments=tuple(wanted[:2]))
    for key, ranking in product(wanted, PageRanking):
        if chart == pages_chart(key, ranking):
            st.session_state[_ranking_field(live, key)] = ranking.value


def _ranking_field(live: LiveSegments, key: str) -> str:
    return f"ranking-{key}-{live.sources.model_key}"


def _alone(live: LiveSegments, row: dict[str, Any], whole: LiveSegments, about: Context) -> None:
    """Draw a row beside all others: how sure it is, what leads, its figures, and in words."""
    key, segment = row[Col.KEY], row[Col.SEGMENT]
    sure = live.certificates.get(segment)
    cards.swatch(segment, mark=sure.mark if sure else "")
    users, share = (profile_columns.figure(name, row[name]) for name in (Col.USERS, Col.SHARE))
    why = reason(live.current_names[segment]) if segment in live.current_names else ""
    st.markdown(f"**{users}** users, {share} of all", help=md_text(why, 400) or None)
    certificates.line(live, segment)
    if segment in live.current_names:
        cards.unfit(live, segment)
    differences_view.lead(live.tables.differences, key)
    if row[Col.KIND] == RowKind.ONE_PAGE:
        st.caption(cards.second_pages(live.profiles, key))
    _metrics(live, row, about)
    if live is whole and segment in live.segments:
        _to_try(live, about, key)
        _in_words(live, about, key, segment)


def _to_try(live: LiveSegments, about: Context, key: str) -> None:
    """Draw what the figures suggest to do about a segment, and how to test it."""
    titles = topic.titles(live, about)
    with (
        st.expander("What to try", icon=":material/lightbulb:", key="to-try"),
        st.grid(3, min_column_width=_NARROW // 2, gap="medium"),
    ):
        for title, option in advice.OPTIONS.items():
            found = topic.told(about, f"{title} {key}", partial(option, row=key))
            if found.blocks:
                with st.container(gap="xsmall"):
                    st.markdown(f"**{title}**")
                    chat_message.blocks(found.blocks, titles, f"to-try-{key.replace(':', '-')}")


def _in_words(live: LiveSegments, about: Context, key: str, segment: int) -> None:
    """Draw a segment described by the app or a language model, and a name that fits."""
    made_from = live.sources
    described = descriptions.saved_descriptions(made_from.store, made_from.model_key, about.tables.digest)
    texts = described.load()
    summary = texts[segment].summary if segment in texts and not about.withheld else None
    with st.expander("In words", icon=":material/notes:", expanded=summary is not None, key="in-words"):
        words = summary or topic.told(about, key, partial(paragraph, segment=key))
        chat_message.draw(words, f"segment-{segment}", topic.titles(live, about))
        offered = about.suggested.get(segment, live.current_names[segment].text)
        if live.current_names[segment].better is None and live.current_names[segment].text != offered:
            cards.offer(live, segment, offered)
        with st.container(horizontal=True, vertical_alignment="center", key="names-actions"):
            cards.use_all(live, about.suggested)
            cards.undo(live)
            if not about.withheld:
                describe_view.actions(live, about, described)
    describe_view.progress(live, about)


def _two(live: LiveSegments, whole: LiveSegments, about: Context, keys: tuple[str, str]) -> None:
    """Draw two rows side by side: what leads, and in words, by the app or a language model."""
    first, second = keys
    differences_view.side_by_side(live, about.tables.pair(first, second), keys)
    if live is whole:
        compared = partial(compare, a=first, b=second)
        own = partial(topic.told, about, f"{first} {second}", compared)
        describe_view.draw(live, about, keys, own, "two")


def _all_differences(about: Context, keys: list[str], called: dict[str, str]) -> None:
    first = cards.heading(called[keys[0]])
    beside = f" beside {cards.heading(called[keys[1]])}" if len(keys) > 1 else ""
    with st.expander(f"All differences of {first}{beside}"):
        if len(keys) > 1:
            short = [called[key] for key in keys]
            differences_view.whole(about.tables.pair(*keys), keys[0], short[0], short[1], "two")
        else:
            name = keys[0].replace(":", "-")
            differences_view.whole(
                about.tables.differences, keys[0], "Here", "The other clustered users", name
            )


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


def _look_at(live: LiveSegments, about: Context, keys: list[str], called: dict[str, str]) -> None:
    """Draw the pages of a row, and what the rows' pages are about and for."""
    st.markdown("#### What they look at", help="The model saw pages and labels: they describe a segment.")
    with st.grid(2, min_column_width=SIDE):
        if len(keys) > 1:
            _labels(live, about, keys)
            return
        with st.container(border=True, key="pages-of-chosen"):
            _pages(live, keys[0], called[keys[0]])
        with st.container():
            _labels(live, about, keys)


def _labels(live: LiveSegments, about: Context, keys: list[str]) -> None:
    """Draw what the rows' pages are about and for, where pages are labelled."""
    looked_at = label_table(about)
    if looked_at.empty:
        return
    made = {view: tables.labels_of(looked_at, live.names, view, keys) for view in _LABELS}
    drawn = {view: found for view, found in made.items() if found["value"].nunique() > 1}
    for view, found in drawn.items():  # one label for all says nothing
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
