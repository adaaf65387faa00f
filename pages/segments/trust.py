"""Trust: does order matter on these data, and would the segments come out the same again?"""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.trust.result import Method, Scorecard, Topic
from core.trust.verdict import Action, TrustVerdict, verdict
from pages.ui.segments import background, scorecard_job, scorecard_view, segment_controls
from pages.ui.segments.figure import SIDE
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, job_panel, state
from pages.ui.shell.links import TRAINING, TRUST, heading, link
from pages.ui.shell.text import count, md_text

ICONS: Final = {
    Action.KEEP: ":material/check_circle:",
    Action.USE: ":material/tune:",
    Action.BAG: ":material/bolt:",
    Action.CAREFUL: ":material/check:",
    Action.DESCRIBE: ":material/warning:",
    Action.OPEN: ":material/help:",
}
NOT_SHOWN: Final = (
    "Whether the model would come out the same if it was trained again with another seed: that costs a "
    "training. Segments of two trainings agree less than those of two halves of the users.",
    "Whether the segments mean anything to your business. Segments that repeat can still be of no use; look "
    "at their profiles.",
    "That one thing causes another. Vectors that tell who converts need not show why.",
    "Anything about users with one page view, or who look automated: they are not clustered and not "
    "judged here.",
    "How the vectors do on another site or another season. New users may behave like none seen before.",
)


def page() -> None:
    """Draw the page, or what to do first."""
    heading(TRUST)
    live = segment_controls.ready()
    if live is None:
        return
    job_panel.result(scorecard_job.TASK)  # what it made lies in the store
    card = scorecard_job.find(live)
    if card is None:
        _measure(live)
    else:
        _show(live, card)


def _measure(live: LiveSegments) -> None:
    scorecard_job.start_once(live)
    if job_panel.panels([scorecard_job.TASK], scorecard_job.key(live)):
        st.caption(
            "The model is compared with two simple ways on your own data. "
            "It takes about 20 seconds on a free machine."
        )
        return
    failed = job_panel.has_failed(scorecard_job.TASK)
    if not failed:
        st.caption("Not measured yet for these weights, this number of segments and this outcome.")
    st.button(
        "Try again" if failed else "Measure", key="measure", icon=":material/play_arrow:",
        type="primary", on_click=scorecard_job.start, args=(live,),
    )  # fmt: skip


def _show(live: LiveSegments, card: Scorecard) -> None:
    evidence = background.k_evidence(live.sources, live.steering.weights)
    _verdict(live, verdict(card, evidence), card)
    st.subheader(
        "Would they come out the same again?",
        help="Segments that change with every draw of users are not worth a name.",
    )
    with st.grid(2, min_column_width=SIDE, key="repeated"):
        scorecard_view.question(card.of(Topic.STABILITY), card.steps_between)
        if card.repeats:
            scorecard_view.numbers(card)
    _side_by_side(card, (Topic.SEEDS, Topic.LENGTH))
    if card.own is Method.LEARNED:
        st.subheader("Is it worth it?", help="The learned vectors beside two simple ways, on your own data.")
        _side_by_side(card, (Topic.RETRIEVAL, Topic.OUTCOME))
    _limits()


def _verdict(live: LiveSegments, found: TrustVerdict, card: Scorecard) -> None:
    with st.container(border=True, key="verdict"):
        st.subheader(found.todo, icon=ICONS[found.action])
        scorecard_view.bullets((found.why, found.title, *found.text))
        outcome = f" · outcome: {md_text(card.outcome, 60)}" if card.outcome else ""
        st.caption(
            f"{count(card.users, 'user')} clustered, {card.held_out:,} of them never seen by the model · "
            f"{card.n_clusters} segments{outcome}"
        )
        if found.action is Action.USE:
            st.button(
                f"Use {found.n_clusters}", key="use-number", icon=":material/check:", type="primary",
                on_click=state.set_controls, args=(live.sources.model_key,),
                kwargs={"n_clusters": found.n_clusters},
            )  # fmt: skip
        elif found.action is Action.BAG or card.own is Method.BAG:
            link(TRAINING, "Train a model" if card.own is Method.BAG else "Make segments with a bag of pages")


def _side_by_side(card: Scorecard, topics: tuple[Topic, ...]) -> None:
    with st.grid(2, min_column_width=SIDE, key=f"about-{topics[0]}"):
        for topic in topics:
            scorecard_view.question(card.of(topic), card.steps_between)


def _limits() -> None:
    with st.container(border=True, key="limits"):
        st.markdown("**What this does not show**")
        scorecard_view.bullets(NOT_SHOWN)


with errors.shown():
    page()
