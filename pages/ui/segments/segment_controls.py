"""The controls of the segments, on every page that shows them, and how the segments were fitted.

What they show is what is set for the model on screen (``state.controls``), and a move changes that: so pages
agree, and nothing that was set for one data set is ever shown for another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.base.schema import LEARNED_VIEWS, SET_ASIDE, UNKNOWN, View
from core.base.settings import Encoder, OutcomeCount, ViewWeights
from core.profiles.outcome_prediction import prediction_change
from core.saved import controls
from core.saved.controls import MAX_SEGMENTS
from core.segments import identity
from pages.ui.segments import certificates, editing_view, session_segments, shared
from pages.ui.segments.live_segments import LiveSegments, SegmentSettings, solve
from pages.ui.segments.shared import Sources
from pages.ui.shell import state
from pages.ui.shell.links import TRUST, link
from pages.ui.shell.text import count, md_text, share

_TITLES: Final[dict[View, str]] = {
    View.URL: "Pages", View.THEME: "Page themes", View.TYPE: "Page types", View.ACTIVITY: "Activity",
}  # fmt: skip
_MEANING: Final[dict[View, str]] = {
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
_COUNTS: Final = {OutcomeCount.ANY: "All that a user did", OutcomeCount.FIRST: "The first only"}
_TRIED: Final = 30
"""Weight of activity, in percent, whose segments are compared with those on screen."""
_ASKED: Final = "activity_asked"
_CHANGE_HELP: Final = (
    "Rates of each segment are learned from half of the users and judged on the others. All visits count, "
    "also those after the outcome, and what goes together need not be the cause: who has it often views more "
    "pages, too."
)

_EFFECTIVE: Final = (
    "The share of the differences between users that comes from this view. It is about the slider's own "
    "share; less where few page views have a label, more where users differ more. They add up to 100 %."
)


_NEARLY: Final = 0.005
"""Tolerance within which a view counts as much as its slider says."""
_CELL: Final = 124
"""Width in pixels that a control needs."""


_SHAKEN: Final = 0.25
"""Share of users who change segment by a single move from which segments are called unstable."""
_UNSTABLE: Final = (
    ":material/info: More than a quarter of the users changed their segment. The fewer users and the closer "
    "the segments, the less stable they are."
)
_WARM: Final = (
    "Made from the first segments of this model, so that few users change place, whatever way the sliders "
    "went. A full re-fit may find a better fit, and gives what the command line gives."
)
_BY_HAND: Final = (
    "Clustered, and changed by hand since. Names, profiles, the report and exports follow. A slider or a "
    "full re-fit leads to new segments; these can be brought back then. The link of this page opens them on "
    "this server alone, as long as they are the latest changed ones; elsewhere it opens the segments before."
)


def ready() -> LiveSegments | None:
    """Draw the controls behind a button, and return the segments that they make.

    Returns:
        None after the page was told what is missing; the page should stop.

    Raises:
        SettingsError: If the settings do not fit the data; the page shows it as text.
    """
    made_from = session_segments.sources()
    if made_from is None:
        return None
    now = session_segments.read(made_from)
    with st.container(horizontal=True, vertical_alignment="center", key="bar"):
        summary = st.container(width="stretch")
        with st.popover("Adjust segments", icon=":material/tune:"):
            slots = draw(made_from, now)
    live = solve(session_segments.settle(made_from, now))
    show_result(slots, live)
    summary.caption(_in_a_line(live))
    editing_view.not_kept(live)
    certificates.watch(live)
    return live


@dataclass(frozen=True)
class Slots:
    """Containers beside the sliders that are filled once the result is known."""

    effective: Mapping[View, DeltaGenerator]
    change: DeltaGenerator


def show_result(slots: Slots, live: LiveSegments) -> None:
    """Write beside each slider what its view contributes, and draw what activity would change."""
    for view, effective in live.combined.effective.items():
        slots.effective[view].caption(f"counts **{effective:.0%}**", help=_EFFECTIVE)
    if not live.settings.weights.activity and live.profiles.chosen:
        mine = state.of_model(live.sources.model_key)
        slots.effective[View.ACTIVITY].button(
            "What changes?", key="try-activity", type="tertiary",
            on_click=mine.__setitem__, args=(_ASKED, live.tables.digest),
            help=f"How well segments tell the outcome now and with activity at {_TRIED} %. It moves nothing.",
        )  # fmt: skip
        if mine.get(_ASKED) == live.tables.digest:
            slots.change.markdown(md_text(_with_activity(live), 400), help=_CHANGE_HELP)


def _with_activity(live: LiveSegments) -> str:
    """Sentence on how well the segments tell the outcome, and as many segments with some activity."""
    made_from, now = live.sources, live.settings
    tried = controls.reweighted(now.weights, made_from.vectors.weighable, View.ACTIVITY, _TRIED)
    start = session_segments.first(made_from).partition
    then, before = shared.cut(made_from, tried, now.cluster, start), live.segmentation.as_cut
    found = shared.facets(made_from.dataset, made_from.labels, now.analyze.outcome)
    moved = count(identity.moved(before, identity.match(before, then).partition), "user")
    rates = prediction_change(found, before, then, f"activity at {_TRIED} %")
    return f"{rates} {moved} of {made_from.n_clustered:,} would be in another segment."


def draw(made_from: Sources, now: SegmentSettings) -> Slots:
    """Draw the controls.

    Args:
        made_from: What segments are made from.
        now: What the controls say.

    Returns:
        Where to write what comes of them.
    """
    most = min(MAX_SEGMENTS, shared.different(made_from, now.weights) - 1)
    with st.grid("auto", min_column_width=_CELL, gap="xsmall", key="controls") as grid:
        _k(made_from, now, most)
        effective = {view: _weight(made_from, now, view) for view in View}
        with grid.cell(column_span=2):
            _outcome(made_from, now)
    with st.container(horizontal=True, vertical_alignment="bottom", key="more-controls"):
        _insist(made_from, now)
        _reset(made_from, now)
    change = st.container()
    for view in LEARNED_VIEWS:
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
    noun, found = _TITLES[view].removeprefix("Page ").rstrip("s"), set(made_from.labels.of(view))
    if found == {UNKNOWN}:
        return f"{_TITLES[view]} left out: no page has a {noun}."
    if len(found) == 1:
        return f"{_TITLES[view]} left out: all pages are of one {noun} ({md_text(found.pop(), 60)})."
    return ABSENT[view]


def _k(made_from: Sources, now: SegmentSettings, most: int) -> None:
    state.display("k", now.cluster.n_clusters)
    with st.container(gap=None):
        st.slider(
            "Segments", 2, max(3, most), now.cluster.n_clusters, key="k", disabled=most < 3,
            on_change=_keep, args=(made_from.model_key, "k", "n_clusters", int),
            help="How many there are. The chart below the map shows which numbers these users support.",
        )  # fmt: skip
        if (levels := shared.levels(made_from)) and levels.levels:
            st.caption(f"Supported: {', '.join(str(level.k) for level in levels.levels)}")


def _weight(made_from: Sources, now: SegmentSettings, view: View) -> DeltaGenerator:
    present = made_from.vectors.weighable
    meaning = _MEANING[view] if view in present else absent(made_from, view)
    if view is View.URL and view in present:
        run = state.model()
        meaning += "." if run and run.settings.encoder is Encoder.BAG else ", and in what order."
    cell = st.container(gap="xsmall")
    percent = controls.percentages(now.weights, present).get(view, 0)
    state.display(f"w_{view}", percent)
    cell.slider(
        _TITLES[view], 0, 100, percent, format="%d %%", key=f"w_{view}", help=meaning,
        disabled=view not in present,
        on_change=_keep_weight, args=(made_from.model_key, present, view),
    )  # fmt: skip
    return cell.container()


def _keep_weight(model: str, present: tuple[View, ...], view: View) -> None:
    before = state.controls(model).weights
    state.set_controls(
        model, weights=controls.reweighted(before, present, view, int(st.session_state[f"w_{view}"]))
    )


def _reset(made_from: Sources, now: SegmentSettings) -> None:
    if now.weights != ViewWeights():
        st.button(
            "Reset weights", key="reset-weights", icon=":material/undo:", type="tertiary",
            on_click=state.set_controls, args=(made_from.model_key,), kwargs={"weights": ViewWeights()},
        )  # fmt: skip


def _insist(made_from: Sources, now: SegmentSettings) -> None:
    """Draw a switch to count views exactly as their sliders say, where some count more or less."""
    shares = {view: share for view, share in made_from.vectors.coverage.items() if abs(share - 1) > _NEARLY}
    if not shares:
        return
    spoken = ", ".join(f"{_TITLES[view].lower()} {share:.0%}" for view, share in shares.items())
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


def _outcome(made_from: Sources, now: SegmentSettings) -> None:
    titles, shown = shared.outcome_titles(made_from), list(now.analyze.outcome or ())
    state.display("outcome", shown)
    st.multiselect(
        "Outcome", list(titles), shown, key="outcome", placeholder="An event, or a page that was seen",
        on_change=_keep, args=(made_from.model_key, "outcome", "outcomes", tuple), select_all=False,
        format_func=titles.__getitem__,
        help="What counts as success: events, or pages that users saw. Of several, any counts, and each is "
        "shown by itself. Empty: no outcome. It does not move any segment.",
    )  # fmt: skip
    if unset := _unset(made_from):
        st.caption(f":material/info: {md_text(unset)}.")
    if len(shown) > 1:
        _counts(made_from, now.analyze.outcome_counts)


def _unset(made_from: Sources) -> str:
    """Sentence on events that may be the outcome, where none is chosen and there is no default."""
    is_chosen = state.controls(made_from.model_key).outcomes is not None
    return "" if is_chosen else shared.basis(made_from).data.outcomes.unset


def _counts(made_from: Sources, now: OutcomeCount) -> None:
    state.display("outcome_counts", now)
    st.segmented_control(
        "Rows of each count", list(OutcomeCount), default=now, key="outcome_counts", required=True,
        format_func=_COUNTS.__getitem__, on_change=_keep,
        args=(made_from.model_key, "outcome_counts", "outcome_counts", OutcomeCount),
        help="Whoever did any of them has the outcome. In the rows of each outcome, a user counts for all "
        "that they did, or only for the one that came first: then the rows add up.",
    )  # fmt: skip


def status_line(live: LiveSegments) -> None:
    """Draw how many users moved, the kind of fit, and a button to fit from scratch."""
    warm = live.segmentation.partition.warm
    with st.container(horizontal=True, vertical_alignment="center", key="status_row"):
        with st.container(width="stretch", horizontal=True, vertical_alignment="center"):
            if live.segmentation.cut is not None:
                st.badge("By hand", icon=":material/front_hand:", color="blue", help=_BY_HAND)
            elif warm:
                st.badge("Quick fit", icon=":material/fast_forward:", color="orange", help=_WARM)
            st.caption(_what_moved(live))
        editing_view.menu(live)
        if warm:
            st.button(
                "Full re-fit", icon=":material/restart_alt:", on_click=session_segments.refit, key="refit",
                type="tertiary",
                help="Fit from scratch with these settings; names stay with the users they had.",
            )  # fmt: skip
    editing_view.not_kept(live)
    editing_view.line(live)
    certificates.watch(live)
    moved = live.segmentation.moved
    if moved is not None and moved > _SHAKEN * live.sources.n_clustered:
        with st.container(horizontal=True, vertical_alignment="center", key="shaken"):
            st.caption(_UNSTABLE, width="content")
            link(TRUST, "See Trust")


def _sizes(live: LiveSegments) -> str:
    aside = int((live.labels == SET_ASIDE).sum())
    beside = f", {aside:,} set aside" if aside else ""
    return f"{count(live.profiles.n_clustered, 'user')} in {len(live.segments)} segments{beside}"


def _what_moved(live: LiveSegments) -> str:
    clustered = live.sources.n_clustered
    base = _sizes(live)
    moved = live.segmentation.moved
    if moved is None:
        return base + _what_continues(live)
    changes = _named("new", live.segmentation.new) + _named("gone", live.segmentation.gone)
    return f"{base} · the last move changed {count(moved, 'user')} ({share(moved, clustered)}){changes}"


def _what_continues(live: LiveSegments) -> str:
    same = live.segmentation.continues
    if same is None or live.segmentation.cut is not None:
        return ""
    told = ", ".join(f"{segment + 1} ({index:.0%} overlap)" for segment, index in same.items())
    return f" · as before the training: {told or 'none'}"


def _named(what: str, segments: tuple[int, ...]) -> str:
    return f" · {what}: {', '.join(str(segment + 1) for segment in segments)}" if segments else ""


def _weights(live: LiveSegments) -> str:
    parts = controls.percentages(live.settings.weights, live.sources.vectors.weighable)
    return ", ".join(f"{_TITLES[view].lower()} {part} %" for view, part in parts.items() if part)


def _in_a_line(live: LiveSegments) -> str:
    weights = "" if live.settings.weights == ViewWeights() else f" · {_weights(live)}"
    outcome = f" · outcome: {live.profiles.outcome}" if live.profiles.outcome else ""
    by_hand = " · changed by hand" if live.segmentation.cut is not None else ""
    return f"{_sizes(live)}{by_hand}{weights}{outcome}"
