"""The page Compare: segments in words, each number a figure that can be looked up."""

from __future__ import annotations

from functools import partial
from typing import Final

import streamlit as st

from core.facts.context import Context
from core.facts.segment_tools import compare, compare_all, paragraph
from core.saved import descriptions
from pages.ui.chat import chat_message, describe_view, topic
from pages.ui.segments import cards, differences_view, k_view, segment_controls
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, state
from pages.ui.shell.links import COMPARE, PROFILES, heading, link

_NARROW: Final = 340
"""Least width in pixels of the leading differences, and of the chart beside them."""


def page() -> None:
    """Draw the page Compare, or what to do first."""
    heading(COMPARE)
    live = segment_controls.ready()
    if live is None:
        return
    about = topic.context(live)
    k_view.draw_nothing_here(live)
    _two(live, about)
    _each(live, about)
    with st.container(border=True, key="all-compared"):
        st.subheader("All segments")
        describe_view.draw(live, about, (), lambda: topic.told(about, "all", compare_all), "all")
    link(PROFILES, "The same in charts")


def _two(live: LiveSegments, about: Context) -> None:
    with st.container(border=True, key="two-compared"):
        keys = [key for key in about.keys if key != "all"]
        model = live.sources.model_key
        chosen = [key for key in state.controls(model).segments or () if key in keys] or keys
        titles = topic.titles(live, about)
        called = {key: title.full for key, title in titles.items()}.__getitem__
        pickers = st.grid(2, min_column_width=160, gap="small")
        state.display("compare-first", chosen[0])
        first = pickers.selectbox(
            "This one", keys, keys.index(chosen[0]), format_func=called, key="compare-first",
            on_change=_keep, args=(model,),
        )  # fmt: skip
        others = [key for key in keys if key != first]
        if not others:
            st.caption("There is only one group to look at.")
            return
        other = next(key for key in (*chosen, *keys) if key != first)
        state.display("compare-second", other)
        second = pickers.selectbox(
            "with", others, others.index(other), format_func=called, key="compare-second",
            on_change=_keep, args=(model,),
        )  # fmt: skip
        table = about.tables.pair(first, second)
        with st.grid(2, min_column_width=_NARROW, gap="medium"):
            with st.container():
                differences_view.side_by_side(live, table, (first, second))
            with st.container():
                differences_view.spread(live, about, [first, second], "two")
        describe_view.draw(
            live, about, (first, second),
            lambda: topic.told(about, f"{first} {second}", partial(compare, a=first, b=second)), "two",
        )  # fmt: skip
        short = [titles[key].short for key in (first, second)]
        differences_view.whole(table, first, short[0], short[1], "two")


def _keep(model: str) -> None:
    pair = (st.session_state["compare-first"], st.session_state["compare-second"])
    state.set_controls(model, segments=tuple(dict.fromkeys(pair)))


def _each(live: LiveSegments, about: Context) -> None:
    st.subheader("One by one")
    made_from = live.sources
    described = descriptions.saved_descriptions(made_from.store, made_from.model_key, about.tables.digest)
    told, titles = described.load(), topic.titles(live, about)
    with st.container(horizontal=True, vertical_alignment="center", key="names-actions"):
        cards.use_all(live, about.suggested)
        cards.undo(live)
        if not about.withheld:
            describe_view.actions(live, about, described)
    describe_view.progress(live, about)
    for key, segment in zip(about.segment_keys, live.segments, strict=True):
        with st.container(border=True, key=f"described-{segment}", gap="xsmall"):
            sure = live.certificates.get(segment)
            cards.swatch(segment, mark=sure.mark if sure else "")
            st.markdown(f"#### {cards.heading(live.names[segment])}")
            cards.unfit(live, segment)
            offered = about.suggested.get(segment, live.current_names[segment].text)
            if live.current_names[segment].better is None and live.current_names[segment].text != offered:
                cards.offer(live, segment, offered)
            own = topic.told(about, key, partial(paragraph, segment=key))
            summary = told[segment].summary if segment in told and not about.withheld else own
            chat_message.draw(summary, f"segment-{segment}", titles)


with errors.shown():
    page()
