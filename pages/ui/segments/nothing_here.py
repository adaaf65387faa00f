"""What an analyst reads where users support no number of segments: first that, then what can be said."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from core.differences.in_words import FAMILIES
from core.differences.table import Diff, leading
from core.differences.user_items import Family
from core.facts.context import WITH, WITHOUT
from core.profiles.profile_columns import Col
from core.segments.certificate import KEPT_BACK
from core.segments.levels import Structure
from pages.ui.segments import differences_view
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import state
from pages.ui.shell.links import FACETS, TRAINING, TRUST, link
from pages.ui.shell.text import md_text

TELLING: Final = (Family.SOURCE, Family.DEVICE, Family.PAGE)
NO_OUTCOME: Final = (
    "With an outcome chosen, the sources, devices and pages that go with it are told here, without segments."
)
ABSENT: Final = "Not in the data, or of too few users"
SMALL: Final = "Different, but by little, or by the same users as above"
UNSHOWN: Final = "Not shown to differ"
NAMED: Final = "Read the names as a description of these very users: the borders could lie elsewhere."


def draw(live: LiveSegments) -> None:
    """The verdict, whether names are told, and what these users do show; nothing where there are segments."""
    if live.levels is None or not live.unsupported:
        return
    short, _, why = live.verdict.partition(". ")
    if live.levels.verdict is Structure.GRADIENT:
        st.info(f"{short}.", icon=":material/gradient:")
    else:
        st.warning(f"{short}.", icon=":material/warning:")
    link(FACETS, "How these users differ all the same, by rules in words")
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
    """What goes with the outcome, whatever the segment: clustered users with it beside those without."""
    outcome, happened, tables = live.profiles.outcome, live.profiles.happened, live.tables.by_outcome
    if outcome is None or happened is None:
        st.caption(NO_OUTCOME)
        return
    called = md_text(outcome, 60)
    if tables is None:
        st.caption(f"No clustered user has {called}, or all have: nothing can be told to go with it.")
        return
    here, there = (tables.records[key][Col.USERS] for key in (WITH, WITHOUT))
    st.markdown(f"**How users with {called} differ from the others**")
    table = tables.differences[tables.differences[Diff.FAMILY].isin(TELLING)]
    differences_view.lead(table, WITH)
    st.caption(_not_led(table))
    st.caption(
        f"{here:,} clustered users with {called}, held against {there:,} clustered users without. "
        f"{len(happened.user) - here:,} more have it and are in no segment: they stand on neither side."
    )


def _not_led(table: pd.DataFrame) -> str:
    """What is not among the leading differences, and why: each kind for a reason of its own."""
    led, own = leading(table, WITH)[Diff.FAMILY], table[table[Col.KEY] == WITH]
    why: dict[str, list[str]] = {}
    for family in (family for family in TELLING if family not in set(led)):
        rows = own[own[Diff.FAMILY] == family]
        reason = ABSENT if rows.empty else SMALL if rows[Diff.DIFFERS].any() else UNSHOWN
        why.setdefault(reason, []).append(FAMILIES[family].lower())
    return " ".join(f"{reason}: {', '.join(kinds)}." for reason, kinds in why.items())
