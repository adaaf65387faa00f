"""The controls: how much each view counts, how many segments, which outcome. The same on every page.

Each control lives in the link (``?k=8&w_url=0.7``) and in the session, so that pages agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.base.schema import View
from core.base.settings import AnalyzeSettings, ClusterSettings, ViewWeights

MOST_SEGMENTS: Final = 20
"""More than that nobody tells apart on a map; the command line goes up to 50."""
DEFAULT_OUTCOME: Final = "purchase"
KEYS: Final = ("k", *(f"w_{view}" for view in View), "outcome")
"""The controls, as the session and the link call them."""
CARRIED: Final = "steering_carried"

TITLES: Final[dict[View, str]] = {View.URL: "Pages", View.THEME: "Page themes", View.TYPE: "Page types"}
MEANING: Final[dict[View, str]] = {
    View.URL: "How much it counts WHICH pages a user looked at, and in what order.",
    View.THEME: "How much it counts what the pages are ABOUT.",
    View.TYPE: "How much it counts what the pages are FOR: product, list, article, checkout.",
}
ABSENT: Final[dict[View, str]] = {
    View.URL: "No page vectors: this model has none.",
    View.THEME: "No page themes: the model was made without them, or the pages have no theme labels.",
    View.TYPE: "No page types: the model was made without them, or the pages have no type labels.",
}
ALONE: Final = "It is the only view so far, so its weight cannot matter."

EFFECTIVE: Final = (
    "The share of the differences between users that comes from this view. It is about the slider's own "
    "share; more where the view agrees with the others."
)


@dataclass(frozen=True)
class Steering:
    """What the analyst has set."""

    weights: ViewWeights
    cluster: ClusterSettings
    analyze: AnalyzeSettings


@dataclass(frozen=True)
class Slots:
    """Places beside the sliders that are filled once the result is known."""

    effective: Mapping[View, DeltaGenerator]


def standard(n_clustered: int) -> Steering:
    """What the controls say before anybody has touched them."""
    cluster = ClusterSettings.checked(n_clusters=max(2, min(6, n_clustered - 1)))
    return Steering(ViewWeights(), cluster, AnalyzeSettings())


def show_effective(slots: Slots, effective: Mapping[View, float]) -> None:
    """Write beside each slider what its view really contributes."""
    for view, share in effective.items():
        slots.effective[view].caption(f"counts **{share:.0%}**", help=EFFECTIVE)


def draw(present: tuple[View, ...], n_clustered: int, outcomes: Mapping[str, int]) -> tuple[Steering, Slots]:
    """Draw the controls.

    Args:
        present: Views that the model has.
        n_clustered: Users that take part in clustering.
        outcomes: Event name → users with it, most first.

    Returns:
        What is set, and where to write the effective shares.

    Raises:
        SettingsError: If every present view has the weight 0.
    """
    again = _carry_over()
    n_clusters = st.slider(
        "Number of segments", 2, min(MOST_SEGMENTS, n_clustered - 1), min(6, n_clustered - 1), key="k",
        bind="query-params", persist_state="session",
        help="K of K-Means. The chart beside the map shows how well each number fits.",
    )  # fmt: skip
    values, places = {}, {}
    for view in View:
        values[view], places[view] = _weight(view, present)
    for view in View:
        if view not in present:
            st.caption(ABSENT[view])
    outcome = _outcome(outcomes)
    if again:
        st.rerun()
    weights = _used(values, present)
    steering = Steering(
        weights, ClusterSettings.checked(n_clusters=n_clusters), AnalyzeSettings.checked(outcome=outcome)
    )
    return steering, Slots(places)


def _carry_over() -> bool:
    """Bring another page's settings here; call it before the widgets.

    Streamlit gives a page that shows a kept widget for the first time its default, and the kept value only
    at the end of that run; and it writes a value into the link only where the widget was there before
    (1.67, ``SessionState.register_widget``). So the values are set by hand, and in two runs.

    Returns:
        Whether the page must run once more, after the widgets are drawn.
    """
    context = get_script_run_ctx(suppress_warning=True)
    page = context.page_script_hash if context else ""
    last_page, runs_left = st.session_state.get(CARRIED, (page, 0))
    runs_left = 2 if last_page != page else runs_left
    if runs_left:
        for key in KEYS:
            if key in st.session_state:
                st.session_state[key] = st.session_state[key]
    st.session_state[CARRIED] = (page, max(0, runs_left - 1))
    return bool(runs_left > 1)


def _weight(view: View, present: tuple[View, ...]) -> tuple[float, DeltaGenerator]:
    meaning = MEANING[view] if view in present else ABSENT[view]
    if present == (view,):
        meaning += " " + ALONE
    slider, place = st.columns([5, 2], vertical_alignment="bottom", wrap=False)
    value = slider.slider(
        TITLES[view], 0.0, 1.0, ViewWeights().of(view), 0.05, key=f"w_{view}",
        disabled=view not in present,
        bind="query-params", persist_state="session", help=meaning,
    )  # fmt: skip
    return value, place.container()


def _used(values: Mapping[View, float], present: tuple[View, ...]) -> ViewWeights:
    """Weights that differ only in what cannot matter become equal, so that nothing is computed twice."""
    standard = ViewWeights()
    if len(present) == 1:  # whatever its slider or the link says, it counts alone
        return standard
    if _shares(values, present) == _shares({view: standard.of(view) for view in View}, present):
        return standard
    return ViewWeights.checked(**_shares(values, present))


def _shares(values: Mapping[View, float], present: tuple[View, ...]) -> dict[str, float]:
    total = sum(values[view] for view in present)
    return {str(view): round(values[view] / total, 4) if view in present and total else 0.0 for view in View}


def _outcome(outcomes: Mapping[str, int]) -> str | None:
    if not outcomes:
        st.selectbox(
            "Outcome", ["No events but page views"], key="no_outcome", disabled=True,
            help="An outcome is an event such as purchase. This file holds page views only.",
        )  # fmt: skip
        return None
    names = list(outcomes)
    chosen = st.selectbox(
        "Outcome", names, names.index(DEFAULT_OUTCOME) if DEFAULT_OUTCOME in names else 0, key="outcome",
        format_func=lambda name: f"{name} ({outcomes[name]:,} users)", bind="query-params",
        persist_state="session",
        help="The event whose users count as converted. It does not move any segment.",
    )  # fmt: skip
    return chosen if chosen in outcomes else None
