"""Segments, view Trust: whether the segments come out again, and what their vectors are worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from core.model.trust.result import Method, Scorecard, Topic
from core.model.trust.verdict import Action, TrustVerdict, verdict
from core.runs.stages import LAYOUT, LEVELS, SCORECARD
from core.segments.certificate import mostly_doubtful
from pages.ui.segments import (
    certificates,
    editing_view,
    k_view,
    scorecard_view,
    segment_controls,
    shared,
)
from pages.ui.segments.figure import SIDE
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, job_panel, state
from pages.ui.shell.links import DATA, PROFILES, TRAINING, TRUST, heading, link
from pages.ui.shell.text import count, md_text

_ICONS: Final = {
    Action.KEEP: ":material/check_circle:",
    Action.USE: ":material/tune:",
    Action.BAG: ":material/bolt:",
    Action.COMPARE: ":material/search:",
    Action.DESCRIBE: ":material/warning:",
    Action.OPEN: ":material/help:",
}
_BY_HAND: Final = (
    "The advice on the number of segments is about the {} as they were cut, before your changes by hand. "
    "How sure each segment is, is about those that you made."
)
_NOT_LEARNED: Final = (
    "Activity is counted, not learned: these questions are about the other views without it."
)
_NOT_SHOWN: Final = (
    "Whether the segments mean anything to your business. Segments that repeat can still be of no use; look "
    "at their profiles.",
    "That one thing causes another. Vectors that predict who converts need not show why.",
    "Anything about users with one page view, or who look automated: they are not clustered and not "
    "judged here.",
    "How the vectors do on another site or another season. New users may behave like none seen before.",
)


def page() -> None:
    """Draw the verdict and its evidence, or what to do first."""
    heading(TRUST)
    live = segment_controls.ready()
    if live is None:
        return
    for stage in (SCORECARD, LEVELS, LAYOUT):
        job_panel.result(stage.name)  # what it made lies in the store
    card = scorecard_view.find(live)
    if card is None:
        _measure(live)
    else:
        _show(live, card)


def _measure(live: LiveSegments) -> None:
    scorecard_view.start_once(live)
    if job_panel.panels([SCORECARD.name], scorecard_view.key(live)):
        st.caption(
            "The model is compared with simple ways, and with itself before training, on your own data. "
            "It takes about 10 seconds on a free machine."
        )
        return
    failed = job_panel.has_failed(SCORECARD.name)
    if not failed:
        st.caption("Not measured yet for these weights and this outcome.")
    st.button(
        "Try again" if failed else "Measure", key="measure", icon=":material/play_arrow:",
        type="primary", on_click=scorecard_view.start, args=(live,),
    )  # fmt: skip


def _show(live: LiveSegments, card: Scorecard) -> None:
    levels, n_clusters = live.levels, len(live.segmentation.as_cut.ids)
    found = verdict(card, n_clusters, levels, live.certificates, _coarser(live))
    _verdict(live, found, card)
    if live.segmentation.cut is not None:
        st.info(_BY_HAND.format(n_clusters), icon=":material/front_hand:")
        editing_view.line(live)
    st.subheader(
        "Are there segments, and would they come out again?",
        help="Segments that change with every draw of users are not worth a name.",
    )
    if levels and levels.gains:
        with st.container(border=True, key="numbers", gap="small"):
            st.markdown("**Which numbers of segments do the users support?**")
            k_view.drawn(levels, n_clusters)
    elif found.action is Action.BAG:  # else to compare them is what the verdict asks for
        k_view.offer(live)
    _each_segment(live, card)
    st.subheader("Is the model better than simple ways?", help="Measured on your own data.")
    if live.settings.weights.activity:
        st.caption(_NOT_LEARNED)
    topics = tuple(Topic)
    if card.own is Method.BAG:
        topics = (Topic.LENGTH,)
        st.caption(card.of(Topic.RETRIEVAL).absent)
        link(TRAINING, "Train a model")
    asked = [card.of(topic) for topic in topics]
    with st.grid(2, min_column_width=SIDE, key="questions"):
        for question in asked:
            if not question.absent:
                scorecard_view.question(question, card.steps_between)
    for question in asked:
        scorecard_view.not_measured(question)
    _limits()


def _coarser(live: LiveSegments) -> int | None:
    """The coarser level to offer where most segments on screen are doubtful."""
    if live.levels is None or not mostly_doubtful(live.certificates):
        return None
    settings = live.settings
    return shared.coarser_that_holds(live.sources, settings.weights, settings.cluster, live.levels)


def _each_segment(live: LiveSegments, card: Scorecard) -> None:
    """Draw how sure each segment is, also by another training if one was run; a bag of pages has none."""
    again: Mapping[int, float] = {}
    if card.own is Method.LEARNED:
        with errors.shown():
            again = scorecard_view.overlap(live)
    certificates.watch(live)
    if live.certificates:
        certificates.draw(live.plain_names, live.certificates, again, none=live.unsupported)
        certificates.really_one(live)
    if card.own is Method.LEARNED and not again:
        scorecard_view.offer(live)


def _verdict(live: LiveSegments, found: TrustVerdict, card: Scorecard) -> None:
    with st.container(border=True, key="verdict"):
        st.subheader(found.todo, icon=_ICONS[found.action])
        scorecard_view.bullets((found.why, f"{found.title.rstrip('.')}."))
        outcome = f" · outcome: {md_text(card.outcome, 60)}" if card.outcome else ""
        learned = f", the model learned from {card.learned_from:,} of them"
        st.caption(
            f"{count(card.users, 'user')} clustered{learned if card.own is Method.LEARNED else ''} · "
            f"{len(live.segments)} segments{outcome}"
        )
        _act(live, found)


def _act(live: LiveSegments, found: TrustVerdict) -> None:
    """Draw the button or link that does what the verdict says."""
    if found.action is Action.USE:
        st.button(
            f"Use {found.n_clusters}", key="use-number", icon=":material/check:", type="primary",
            on_click=state.set_controls, args=(live.sources.model_key,),
            kwargs={"n_clusters": found.n_clusters},
        )  # fmt: skip
    elif found.action is Action.COMPARE:
        k_view.offer(live)
    elif found.action is Action.BAG:
        link(TRAINING, "Make segments with a bag of pages")
    elif found.action is Action.OPEN:
        link(DATA, "Read more data")
    else:
        link(PROFILES, "Read their profiles")


def _limits() -> None:
    with st.container(border=True, key="limits"):
        st.markdown("**What this does not show**")
        scorecard_view.bullets(_NOT_SHOWN)


with errors.shown():
    page()
