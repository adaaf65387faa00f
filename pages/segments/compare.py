"""Compare: segments in words, each number a figure that can be looked up."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.facts import arguments
from core.facts.compare_segments import compare, compare_all
from core.facts.context import Context
from core.facts.describe import paragraph
from pages.ui import (
    bench_view,
    cards,
    chat_message,
    compare_view,
    describe_view,
    descriptions,
    errors,
    naming,
    topic,
)
from pages.ui.links import COMPARE, PROFILES, heading, link
from pages.ui.workbench import Bench


def page() -> None:
    """Draw the page, or what to do first."""
    heading(COMPARE)
    bench = bench_view.ready()
    about = topic.context() if bench is not None else None
    if bench is None or about is None:
        return
    _two(bench, about)
    _each(bench, about)
    with st.container(border=True, key="all-compared"):
        st.subheader("All segments")
        compare_view.draw(bench, about, (), lambda: topic.told(about, "all", compare_all), "all")
    link(PROFILES, "The same in charts")


def _two(bench: Bench, about: Context) -> None:
    with st.container(border=True, key="two-compared"):
        st.subheader("Two side by side")
        keys = [key for key in about.keys if key != "all"]
        left, right = st.columns(2)
        first = left.selectbox("This one", keys, 0, format_func=about.title, key="compare-first")
        others = [key for key in keys if key != first]
        if not others:
            st.caption("There is only one group to look at.")
            return
        second = right.selectbox("with", others, 0, format_func=about.title, key="compare-second")
        asked = arguments.Compare(a=first, b=second)
        compare_view.draw(
            bench, about, (first, second),
            lambda: topic.told(about, f"{first} {second}", lambda figures: compare(figures, asked)), "two",
        )  # fmt: skip


def _each(bench: Bench, about: Context) -> None:
    st.subheader("One by one")
    made_from = bench.sources
    told = descriptions.load(made_from.store, made_from.model_key, about.tables.digest)
    with st.container(horizontal=True, vertical_alignment="center", key="names-actions"):
        naming.use_all(bench, about.suggested)
        naming.undo(bench)
        describe_view.actions(bench, about, told)
    describe_view.progress(bench, about)
    for key, segment in zip(about.segment_keys, bench.segments, strict=True):
        with st.container(border=True, key=f"described-{segment}", gap="xsmall"):
            cards.swatch(segment)
            st.markdown(f"#### {cards.heading(bench.names[segment])}")
            if bench.own_names.get(segment) != about.suggested[segment]:
                naming.offer(bench, segment, about.suggested[segment])
            if segment in told:
                describe_view.draw(told[segment], f"segment-{segment}", about.names)
            else:
                found = topic.told(about, key, partial(paragraph, key=key))
                chat_message.draw(compare_view.as_message(found), f"segment-{segment}")


with errors.shown():
    page()
