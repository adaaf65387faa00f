"""The controls and the state of the segments, as every page shows them."""

from __future__ import annotations

import streamlit as st

from core.base.schema import View
from pages.ui import fits, state, steering, workbench
from pages.ui.links import TRUST, link
from pages.ui.steering import TITLES, Slots, Steering
from pages.ui.text import count, share
from pages.ui.workbench import Bench, Sources


def controls(made_from: Sources) -> tuple[Steering, Slots]:
    """Draw the controls for what the current model has.

    Raises:
        SettingsError: If every present view has the weight 0.
    """
    return steering.draw(tuple(made_from.views), made_from.n_clustered, workbench.outcomes(made_from))


def ready() -> Bench | None:
    """For a page that shows the segments: its controls behind a button, and what they made.

    Returns:
        None after the page was told what is missing; the page should stop.

    Raises:
        SettingsError: If the settings do not fit the data; the page shows it as text.
    """
    if not state.need():
        return None
    made_from = workbench.sources()
    if made_from is None:
        return None
    with st.container(horizontal=True, vertical_alignment="center", key="bar"):
        summary = st.container(width="stretch")
        with st.popover("Adjust segments", icon=":material/tune:"):
            set_to, slots = controls(made_from)
    bench = workbench.solve(made_from, set_to)
    steering.show_effective(slots, bench.combined.effective)
    summary.caption(_in_a_line(bench))
    return bench


def status_line(bench: Bench) -> None:
    """How many users moved, which kind of fit is shown, and a way to start from scratch."""
    warm = bench.fit.partition.warm
    with st.container(horizontal=True, vertical_alignment="center", key="status_row"):
        with st.container(width="stretch", horizontal=True, vertical_alignment="center"):
            if warm:
                st.badge("Warm fit", icon=":material/fast_forward:", color="orange", help=WARM)
            else:
                st.badge("Full fit", icon=":material/check:", color="green", help=FULL)
            st.caption(_what_moved(bench))
        st.button(
            "Full re-fit", icon=":material/restart_alt:", on_click=fits.refit, key="refit",
            type="tertiary", disabled=not warm,
            help="Fit from scratch with these settings; names stay with the users they had.",
        )  # fmt: skip
    moved = bench.fit.moved
    if moved is not None and moved > SHAKEN * bench.sources.n_clustered:
        with st.container(horizontal=True, vertical_alignment="center", key="shaken"):
            st.caption(UNSTABLE, width="content")
            link(TRUST, "See Trust")


SHAKEN = 0.25
"""Share of users that change with one move from which the segments are called unstable."""
UNSTABLE = (
    ":material/info: More than a quarter of the users changed their segment. The fewer users and the closer "
    "the segments, the less stable they are."
)
WARM = (
    "Made from the segments before the last move, so that few users change place. A full re-fit may find "
    "a better fit, and gives what the command line gives."
)
FULL = "Made from scratch: the same settings give the same segments again."


def _what_moved(bench: Bench) -> str:
    clustered = bench.sources.n_clustered
    base = f"{count(clustered, 'user')} in {len(bench.segments)} segments"
    moved = bench.fit.moved
    if moved is None:
        return base
    changes = _named("new", bench.fit.new) + _named("gone", bench.fit.gone)
    return f"{base} · the last move changed {count(moved, 'user')} ({share(moved, clustered)}){changes}"


def _named(what: str, segments: tuple[int, ...]) -> str:
    return f" · {what}: {', '.join(str(segment + 1) for segment in segments)}" if segments else ""


def _in_a_line(bench: Bench) -> str:
    weights = ", ".join(
        f"{TITLES[View(view)].lower()} {share:.0%}" for view, share in bench.combined.effective.items()
    )
    outcome = f" · outcome: {bench.profiles.outcome}" if bench.profiles.outcome else ""
    return (
        f"{len(bench.segments)} segments of {count(bench.sources.n_clustered, 'user')} · {weights}{outcome}"
    )
