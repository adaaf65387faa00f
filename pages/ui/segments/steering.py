"""The controls: how much each view counts, how many segments, which outcome; on every page.

What they show is what is set for the model on screen (``state.controls``), and a move changes that: so pages
agree, and nothing that was set for one data set is ever shown for another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.base.schema import LEARNED, View
from core.base.settings import Encoder, OutcomeCount, ViewWeights
from core.facets.beside_segments import two_cuts
from core.labels.label_settings import UNKNOWN
from core.profiles.outcomes import label_of
from core.saved import controls
from core.saved.controls import MOST_SEGMENTS
from core.segments import identity
from pages.ui.segments import background, live_segments, outcome_choice, session_segments, shared
from pages.ui.segments.made_from import Sources
from pages.ui.shell import state
from pages.ui.shell.text import count, md_text

if TYPE_CHECKING:
    from pages.ui.segments.live_segments import LiveSegments, Steering

TITLES: Final[dict[View, str]] = {
    View.URL: "Pages", View.THEME: "Page themes", View.TYPE: "Page types", View.ACTIVITY: "Activity",
}  # fmt: skip
MEANING: Final[dict[View, str]] = {
    View.URL: "How much it counts WHICH pages a user looked at",
    View.THEME: "How much it counts what the pages are ABOUT.",
    View.TYPE: "How much it counts what the pages are FOR: product, list, article, checkout.",
    View.ACTIVITY: "How much it counts how MANY pages a user viewed, in how many visits, over how many days: "
    "counted, not learned. At 0 % segments are about what users look at.",
}
ABSENT: Final[dict[View, str]] = {
    View.URL: "No page vectors: this model has none.",
    View.THEME: "No page themes: the model was made without them, or the pages have no theme labels.",
    View.TYPE: "No page types: the model was made without them, or the pages have no type labels.",
}
COUNTS: Final = {OutcomeCount.ANY: "All that a user did", OutcomeCount.FIRST: "The first only"}
TRIED: Final = 30
"""Weight of activity, in percent, whose segments are compared with those on screen."""
ASKED: Final = "activity_asked"
CHANGE_HELP: Final = (
    "Rates of each segment are learned from half of the users and judged on the others. All visits count, "
    "also those after the outcome, and what goes together need not be the cause: who has it often views more "
    "pages, too."
)

EFFECTIVE: Final = (
    "The share of the differences between users that comes from this view. It is about the slider's own "
    "share; less where few page views have a label, more where users differ more. They add up to 100 %."
)


NEARLY: Final = 0.005
"""Tolerance within which a view counts as much as its slider says."""
CELL: Final = 124
"""Width in pixels that a control needs."""


@dataclass(frozen=True)
class Slots:
    """Containers beside the sliders that are filled once the result is known."""

    effective: Mapping[View, DeltaGenerator]
    change: DeltaGenerator


def show_result(slots: Slots, live: LiveSegments) -> None:
    """Write beside each slider what its view contributes, and draw what activity would change."""
    for view, share in live.combined.effective.items():
        slots.effective[view].caption(f"counts **{share:.0%}**", help=EFFECTIVE)
    if not live.steering.weights.activity and live.profiles.chosen:
        mine = state.of_model(live.sources.model_key)
        slots.effective[View.ACTIVITY].button(
            "What changes?", key="try-activity", type="tertiary",
            on_click=mine.__setitem__, args=(ASKED, live.tables.digest),
            help=f"How well segments tell the outcome now and with activity at {TRIED} %. It moves nothing.",
        )  # fmt: skip
        if mine.get(ASKED) == live.tables.digest:
            slots.change.markdown(md_text(_with_activity(live), 400), help=CHANGE_HELP)


def _with_activity(live: LiveSegments) -> str:
    """Sentence on how well the segments tell the outcome, and as many segments with some activity."""
    made_from, now = live.sources, live.steering
    tried = controls.reweighted(now.weights, made_from.vectors.weighable, View.ACTIVITY, TRIED)
    combined = shared.combined(made_from, tried)
    then = session_segments.going_on(made_from, replace(now, weights=tried), combined)
    found, before = outcome_choice.of_sources(made_from), live.segmentation.as_cut
    moved = count(identity.moved(before, identity.match(before, then).partition), "user")
    rates = two_cuts(found, before, then, f"activity at {TRIED} %")
    return f"{rates} {moved} of {made_from.n_clustered:,} would be in another segment."


def draw(made_from: Sources) -> Slots:
    """Draw the controls.

    Returns:
        Where to write what comes of them.
    """
    now = live_segments.steering(made_from)
    most = min(MOST_SEGMENTS, shared.different(made_from, now.weights) - 1)
    with st.grid("auto", min_column_width=CELL, gap="xsmall", key="controls") as grid:
        _k(made_from, now, most)
        effective = {view: _weight(made_from, now, view) for view in View}
        with grid.cell(column_span=2):
            _outcome(made_from, now)
    with st.container(horizontal=True, vertical_alignment="bottom", key="more-controls"):
        _insist(made_from, now)
        _reset(made_from, now)
    change = st.container()
    for view in LEARNED:
        if view not in made_from.vectors.views:
            st.caption(absent(made_from, view))
    return Slots(effective, change)


def _keep(model: str, widget: str, control: str, read: Callable[[Any], object]) -> None:
    """Set a control to the value of a widget (the widget's callback)."""
    state.set_controls(model, **{control: read(st.session_state[widget])})


def absent(made_from: Sources, view: View) -> str:
    """Sentence on why the model lacks a view."""
    if made_from.labels is None or view is View.URL:
        return ABSENT[view]
    noun, found = TITLES[view].removeprefix("Page ").rstrip("s"), set(made_from.labels.of(view))
    if found == {UNKNOWN}:
        return f"{TITLES[view]} left out: no page has a {noun}."
    if len(found) == 1:
        return f"{TITLES[view]} left out: all pages are of one {noun} ({md_text(found.pop(), 60)})."
    return ABSENT[view]


def _k(made_from: Sources, now: Steering, most: int) -> None:
    state.display("k", now.cluster.n_clusters)
    with st.container(gap=None):
        st.slider(
            "Segments", 2, max(3, most), now.cluster.n_clusters, key="k", disabled=most < 3,
            on_change=_keep, args=(made_from.model_key, "k", "n_clusters", int),
            help="How many there are. The chart below the map shows which numbers these users support.",
        )  # fmt: skip
        if (levels := background.levels(made_from)) and levels.levels:
            st.caption(f"Supported: {', '.join(str(level.k) for level in levels.levels)}")


def _weight(made_from: Sources, now: Steering, view: View) -> DeltaGenerator:
    present = made_from.vectors.weighable
    meaning = MEANING[view] if view in present else absent(made_from, view)
    if view is View.URL and view in present:
        run = state.model()
        meaning += "." if run and run.settings.encoder is Encoder.BAG else ", and in what order."
    cell = st.container(gap="xsmall")
    percent = controls.percentages(now.weights, present).get(view, 0)
    state.display(f"w_{view}", percent)
    cell.slider(
        TITLES[view], 0, 100, percent, format="%d %%", key=f"w_{view}", help=meaning,
        disabled=view not in present,
        on_change=_keep_weight, args=(made_from.model_key, present, view),
    )  # fmt: skip
    return cell.container()


def _keep_weight(model: str, present: tuple[View, ...], view: View) -> None:
    before = state.controls(model).weights
    state.set_controls(
        model, weights=controls.reweighted(before, present, view, int(st.session_state[f"w_{view}"]))
    )


def _reset(made_from: Sources, now: Steering) -> None:
    if now.weights != ViewWeights():
        st.button(
            "Reset weights", key="reset-weights", icon=":material/undo:", type="tertiary",
            on_click=state.set_controls, args=(made_from.model_key,), kwargs={"weights": ViewWeights()},
        )  # fmt: skip


def _insist(made_from: Sources, now: Steering) -> None:
    """Draw a switch to count views exactly as their sliders say, where some count more or less."""
    shares = {view: share for view, share in made_from.vectors.coverage.items() if abs(share - 1) > NEARLY}
    if not shares:
        return
    spoken = ", ".join(f"{TITLES[view].lower()} {share:.0%}" for view, share in shares.items())
    state.display("insist", now.weights.insist)
    st.checkbox(
        "Count as the sliders say", key="insist", on_change=_keep_insist, args=(made_from.model_key,),
        help="A weight counts by the share of the page views that have a label. Themes count a fifth of "
        f"that, types half as much again, as segments came out best so: {spoken}. "
        "Ticked, a weight counts as much as the slider says.",
    )  # fmt: skip


def _keep_insist(model: str) -> None:
    weights = state.controls(model).weights
    insist = bool(st.session_state["insist"])
    state.set_controls(model, weights=weights.model_copy(update={"insist": insist}))


def _outcome(made_from: Sources, now: Steering) -> None:
    outcomes, shown = outcome_choice.outcomes(made_from), list(now.analyze.outcome or ())
    state.display("outcome", shown)
    st.multiselect(
        "Outcome", list(outcomes), shown, key="outcome", placeholder="An event, or a page that was seen",
        on_change=_keep, args=(made_from.model_key, "outcome", "outcomes", tuple), select_all=False,
        format_func=lambda outcome: f"{label_of([outcome])} ({outcomes[outcome]:,} users)",
        help="What counts as success: events, or pages that users saw. Of several, any counts, and each is "
        "shown by itself. Empty: no outcome. It does not move any segment.",
    )  # fmt: skip
    if unset := outcome_choice.unset(made_from):
        st.caption(f":material/info: {md_text(unset)}.")
    if len(shown) > 1:
        _counts(made_from, now.analyze.outcome_counts)


def _counts(made_from: Sources, now: OutcomeCount) -> None:
    state.display("outcome_counts", now)
    st.segmented_control(
        "Rows of each count", list(OutcomeCount), default=now, key="outcome_counts", required=True,
        format_func=COUNTS.__getitem__, on_change=_keep,
        args=(made_from.model_key, "outcome_counts", "outcome_counts", OutcomeCount),
        help="Whoever did any of them has the outcome. In the rows of each outcome, a user counts for all "
        "that they did, or only for the one that came first: then the rows add up.",
    )  # fmt: skip
