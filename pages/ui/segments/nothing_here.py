"""What an analyst reads where no number of segments beats chance: first that, then what can be said."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.differences.in_words import FAMILIES
from core.differences.table import Diff, leading
from core.differences.user_items import Family
from core.facts.context import WITH
from pages.ui.segments import background, differences_view
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import job_panel, state
from pages.ui.shell.links import TRAINING, TRUST, link
from pages.ui.shell.text import md_text

TELLING: Final = (Family.SOURCE, Family.DEVICE, Family.PAGE)
KEPT_BACK: Final = (
    "Names are kept back: they would tell of kinds of users that other users would not show. How sure a "
    "segment is holds for these very vectors: other users would lead to other vectors."
)
NO_OUTCOME: Final = (
    "With an outcome chosen, the sources, devices and pages that go with it are told here, without segments."
)
WAITS: Final = ":material/hourglass_empty: Names wait until numbers of segments are compared: 1 to 2 minutes."
NAMED: Final = "Named because you asked for it. Read the names as a description of these very users."


def wait(live: LiveSegments) -> None:
    """That names wait for the verdict, until it is there; nothing where they do not."""
    if live.evidence is None and live.withheld:
        _wait(live)


@st.fragment(run_every=job_panel.NOTICE_S)
def _wait(live: LiveSegments) -> None:
    st.caption(WAITS)
    if not background.comparing(live.sources):
        st.rerun()


def draw(live: LiveSegments) -> None:
    """The verdict, whether names are told, and what these users do show; nothing where there are segments."""
    if live.evidence is None or not live.unsupported:
        return
    short, _, why = live.evidence.sentence.partition(". ")
    st.warning(f"{short}.", icon=":material/warning:")
    with st.expander("Why, and what these users do show", key="nothing-here"):
        st.caption(why)
        _names(live)
        _of_outcome(live)
        with st.container(horizontal=True, key="instead"):
            link(TRAINING, "Train a bag of pages: who saw what, without its order")
            link(TRUST, "See what these vectors do show")


def _names(live: LiveSegments) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="kept-back"):
        st.caption(KEPT_BACK if live.withheld else NAMED, width="stretch")
        st.button(
            "Name them anyway" if live.withheld else "Keep the names back", key="name_anyway",
            on_click=state.set_controls, args=(live.sources.model_key,),
            kwargs={"named_anyway": live.withheld}, type="secondary" if live.withheld else "tertiary",
        )  # fmt: skip


def _of_outcome(live: LiveSegments) -> None:
    """What goes with the outcome, whatever the segment."""
    tables = live.tables.by_outcome
    if tables is None:
        st.caption(NO_OUTCOME)
        return
    st.markdown(f"**How users with {md_text(live.profiles.outcome or '', 60)} differ from the others**")
    table = tables.differences[tables.differences[Diff.FAMILY].isin(TELLING)]
    differences_view.lead(table, WITH)
    told = set(leading(table, WITH)[Diff.FAMILY])
    if told and (silent := [FAMILIES[family].lower() for family in TELLING if family not in told]):
        st.caption(f"Not shown to differ: {', '.join(silent)}.")
