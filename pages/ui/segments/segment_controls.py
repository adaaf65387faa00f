"""The controls and the status of the segments, shared by every page that shows them."""

from __future__ import annotations

import streamlit as st

from core.base.schema import SET_ASIDE, View
from pages.ui.segments import (
    by_hand_view,
    certificates,
    live_segments,
    session_segments,
    steering,
)
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.made_from import sources
from pages.ui.segments.steering import TITLES
from pages.ui.shell import state
from pages.ui.shell.links import TRUST, link
from pages.ui.shell.text import count, share


def ready() -> LiveSegments | None:
    """Draw the controls behind a button, and return the segments that they make.

    Returns:
        None after the page was told what is missing; the page should stop.

    Raises:
        SettingsError: If the settings do not fit the data; the page shows it as text.
    """
    if not state.need():
        return None
    made_from = sources()
    if made_from is None:
        return None
    with st.container(horizontal=True, vertical_alignment="center", key="bar"):
        summary = st.container(width="stretch")
        with st.popover("Adjust segments", icon=":material/tune:"):
            slots = steering.draw(made_from)
    live = live_segments.solve(made_from)
    steering.show_result(slots, live)
    summary.caption(_in_a_line(live))
    by_hand_view.not_kept(live)
    certificates.watch(live)
    return live


def status_line(live: LiveSegments) -> None:
    """Draw how many users moved, the kind of fit, and a button to fit from scratch."""
    warm = live.segmentation.partition.warm
    with st.container(horizontal=True, vertical_alignment="center", key="status_row"):
        with st.container(width="stretch", horizontal=True, vertical_alignment="center"):
            if live.segmentation.cut is not None:
                st.badge("By hand", icon=":material/front_hand:", color="blue", help=BY_HAND)
            elif warm:
                st.badge("Quick fit", icon=":material/fast_forward:", color="orange", help=WARM)
            else:
                st.badge("Full fit", icon=":material/check:", color="green", help=FULL)
            st.caption(_what_moved(live))
        by_hand_view.menu(live)
        st.button(
            "Full re-fit", icon=":material/restart_alt:", on_click=session_segments.refit, key="refit",
            type="tertiary", disabled=not warm,
            help="Fit from scratch with these settings; names stay with the users they had.",
        )  # fmt: skip
    by_hand_view.not_kept(live)
    by_hand_view.line(live)
    certificates.watch(live)
    moved = live.segmentation.moved
    if moved is not None and moved > SHAKEN * live.sources.n_clustered:
        with st.container(horizontal=True, vertical_alignment="center", key="shaken"):
            st.caption(UNSTABLE, width="content")
            link(TRUST, "See Trust")


SHAKEN = 0.25
"""Share of users who change segment by a single move from which segments are called unstable."""
UNSTABLE = (
    ":material/info: More than a quarter of the users changed their segment. The fewer users and the closer "
    "the segments, the less stable they are."
)
WARM = (
    "Made from the first segments of this model, so that few users change place, whatever way the sliders "
    "went. A full re-fit may find a better fit, and gives what the command line gives."
)
BY_HAND = (
    "Clustered, and changed by hand since. Names, profiles, the report and exports follow. A slider or a "
    "full re-fit leads to new segments; these can be brought back then. The link of this page opens them on "
    "this server alone, as long as they are the latest changed ones; elsewhere it opens the segments before."
)
FULL = "Made from scratch: the same settings give the same segments again."


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


def _in_a_line(live: LiveSegments) -> str:
    weights = ", ".join(
        f"{TITLES[View(view)].lower()} {share:.0%}" for view, share in live.combined.effective.items()
    )
    outcome = f" · outcome: {live.profiles.outcome}" if live.profiles.outcome else ""
    by_hand = " · changed by hand" if live.segmentation.cut is not None else ""
    return f"{_sizes(live)}{by_hand} · {weights}{outcome}"
