"""The choice of the number of segments: the numbers that users support, and a preview of each.

Where users support no number, the page says so first, and then what these users do show.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from core.base.schema import Users
from core.facts.context import WITH, WITHOUT
from core.profiles.difference_words import family_titles
from core.profiles.differences import Diff, top_differences
from core.profiles.profile_columns import Col
from core.profiles.user_items import Family
from core.runs.stages import LEVELS
from core.segments.certificate import NAMES_WITHHELD
from core.segments.levels import SegmentLevels, Structure
from pages.ui.segments import charts, differences_view, session_segments, shared
from pages.ui.segments.figure import behind, picture
from pages.ui.segments.live_segments import LiveSegments, with_number
from pages.ui.shell import job_panel, state, written_table
from pages.ui.shell.links import DATA, EXPLORE, TRAINING, TRUST, link
from pages.ui.shell.text import count, md_text

_LOOKED_AT: Final = "looked_at_k"
_LOOKED_UP_TO: Final = 15
_WHAT: Final = "**How well the segment predicts half of a user's page views**: higher is better"
_HOW: Final = (
    "Segments are learned from half of the users; of each of the others, one half of the page views is "
    "predicted from the other. Nats (log-likelihood) beyond what is true of everybody. Grey line: users who "
    "differ by degree only. Diamonds: supported numbers. Dashed: yours."
)
_COLUMNS: Final = {
    "k": "Segments", "gain": "Nats beyond everybody", "supported": "Supported",
    "agreement": "Halves of the users agree", "error_rate": "Error rate",
}  # fmt: skip


def draw(live: LiveSegments) -> None:
    """Draw the comparison of numbers of segments, or its progress."""
    with st.container(border=True, key="choose_k", gap="xsmall"):
        st.markdown("**How many segments?**", help="Numbers of segments that these users support.")
        if live.levels is None:
            offer(live)
        else:
            _compared(live, live.levels)


def offer(live: LiveSegments) -> None:
    """Draw the button that starts the comparison, or its job."""
    if job_panel.panels([LEVELS.name], live.sources.dataset.key):
        st.caption("It takes about a minute. The segments stay as they are until you choose.")
        return
    st.caption("Not compared yet. It runs in the background, in about a minute.")
    st.button(
        "Find the numbers they support", key="compare_k", icon=":material/play_arrow:",
        on_click=session_segments.compare, args=(live.sources,),
    )  # fmt: skip


def _compared(live: LiveSegments, levels: SegmentLevels) -> None:
    current = len(live.segmentation.as_cut.ids)
    by_hand = f", changed by hand to {len(live.segments)}" if live.segmentation.cut else ""
    verdict = f"{live.verdict} " if levels.levels else ""  # else it is said first on the page
    st.caption(f"{verdict}You are at {current}{by_hand}.")
    others = [level.k for level in levels.levels if level.k != current]
    if others:
        with st.container(horizontal=True, key="levels"):
            for k in others:
                _use(live, k, f"use_level_{k}")
    if levels.aspects:
        st.caption(levels.by_aspect)
    if not levels.gains:
        return
    drawn(levels, current)
    _look_at(live, levels)


def drawn(levels: SegmentLevels, current: int) -> None:
    """Draw how well each number of kinds predicts users, beside the best gradient, with its table."""
    table = levels.table()
    st.caption(_WHAT, help=_HOW)
    picture(
        partial(charts.gain_over_k, table, levels.gradient_gain, current), key="chart-k",
        alt_text="How well each number of kinds predicts users, beside the best gradient",
    )  # fmt: skip
    behind(table, key="number_of_segments", columns=_COLUMNS)


def _look_at(live: LiveSegments, levels: SegmentLevels) -> None:
    """Draw names and sizes for another number of segments, before it is chosen."""
    finest = max(_LOOKED_UP_TO, levels.described_k)
    most = min(finest, shared.different(live.sources, live.settings.weights))
    current = len(live.segmentation.as_cut.ids)
    numbers = [k for k in range(2, most + 1) if k != current]
    k = st.pills(
        "Look at another number before you choose it", numbers, key=f"{_LOOKED_AT}-{live.sources.model_key}"
    )
    if k is None:
        return
    other = with_number(live, k)
    sizes = other.segmentation.partition.sizes
    table = pd.DataFrame(
        {Col.LABEL: other.names[segment], Col.USERS: users, Col.SHARE: users / live.sources.n_clustered}
        for segment, users in sizes.items()
    )
    of_all = st.column_config.ProgressColumn("Of the clustered users", format="percent", max_value=1.0)
    written_table.draw(
        table, key=f"looked-at-{k}", alt_text=f"Names and sizes of {k} segments", height="content",
        columns={Col.SHARE: of_all},
    )  # fmt: skip
    st.caption("These users support it." if levels.of(k) else "These users do not support it.")
    _use(live, k, "use_looked_at")


def _use(live: LiveSegments, k: int, key: str) -> None:
    st.button(
        f"Use {k}", key=key, icon=":material/check:", on_click=_choose, args=(live, k),
        help=f"{count(k, 'segment')} fitted from scratch; those that go on keep their number and name.",
    )  # fmt: skip


def _choose(live: LiveSegments, k: int) -> None:
    state.set_controls(live.sources.model_key, n_clusters=k)
    session_segments.refit()  # what was read is what comes
    st.session_state.pop(f"{_LOOKED_AT}-{live.sources.model_key}", None)


_TELLING: Final = (Users.SOURCE, Users.DEVICE, Family.PAGE)
_NO_OUTCOME: Final = "With an outcome chosen, the sources, devices and pages that go with it are listed here."
_ABSENT: Final = "Not in the data, or of too few users"
_SMALL: Final = "Different, but by little, or by the same users as above"
_UNSHOWN: Final = "Not shown to differ"
NAMED: Final = "Read the names as a description of these users: the borders could lie elsewhere."


def remind(live: LiveSegments) -> None:
    """Draw in a line each that users support no segments, and that pages give the outcome away."""
    if live.levels is not None and live.unsupported:
        short, _, _ = live.verdict.partition(". ")
        with st.container(horizontal=True, vertical_alignment="center", key="no-kinds"):
            st.caption(f"{md_text(short, 200)}. Read the segments as a description.", width="content")
            link(EXPLORE, "Why?")
    given_away(live)


def given_away(live: LiveSegments) -> None:
    """Draw in a line that the model read pages that give the outcome away, and the way to leave them out."""
    if warning := live.tables.basis.data.outcomes.warning(live.profiles.chosen):
        with st.container(horizontal=True, vertical_alignment="center", key="given-away"):
            st.caption(f":material/visibility: {md_text(warning, 400)}", width="content")
            if shared.leaks(live.sources, live.profiles.chosen):
                link(DATA, "Leave them out")


def draw_verdict(live: LiveSegments) -> None:
    """Draw whether users support segments, with the way to the evidence, or what users show instead."""
    if live.levels is None:
        return
    if not live.unsupported:
        st.markdown(f"#### {md_text(live.verdict, 400)}")
        link(TRUST, "How sure is that?")
        return
    short, _, why = live.verdict.partition(". ")
    if live.levels.verdict is Structure.GRADIENT:
        st.info(f"{short}.", icon=":material/gradient:")
    else:
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
        st.caption(NAMES_WITHHELD if live.withheld else NAMED, width="stretch")
        st.button(
            "Name them anyway" if live.withheld else "Hide the names", key="name_anyway",
            on_click=state.set_controls, args=(live.sources.model_key,),
            kwargs={"named_anyway": live.withheld}, type="secondary" if live.withheld else "tertiary",
        )  # fmt: skip


def _of_outcome(live: LiveSegments) -> None:
    """Draw what goes with the outcome: clustered users with it beside those without."""
    outcome, conversions, tables = live.profiles.outcome, live.profiles.conversions, live.tables.by_outcome
    if outcome is None or conversions is None:
        st.caption(_NO_OUTCOME)
        return
    called = md_text(outcome, 60)
    if tables is None:
        st.caption(f"No clustered user has {called}, or all have: so nothing can be shown to go with it.")
        return
    here, there = (tables.records[key][Col.USERS] for key in (WITH, WITHOUT))
    st.markdown(f"**How users with {called} differ from the others**")
    table = tables.differences[tables.differences[Diff.FAMILY].isin(_TELLING)]
    differences_view.lead(table, WITH)
    st.caption(_not_led(table))
    st.caption(
        f"{here:,} clustered users with {called}, compared with {there:,} clustered users without. "
        f"{len(conversions.user) - here:,} more have it and are in no segment: they are on neither side."
    )


def _not_led(table: pd.DataFrame) -> str:
    """Sentence on kinds that are not among the leading differences, with the reason of each."""
    led, own = top_differences(table, WITH)[Diff.FAMILY], table[table[Col.KEY] == WITH]
    why: dict[str, list[str]] = {}
    for family in (family for family in _TELLING if family not in set(led)):
        rows = own[own[Diff.FAMILY] == family]
        reason = _ABSENT if rows.empty else _SMALL if rows[Diff.DIFFERS].any() else _UNSHOWN
        why.setdefault(reason, []).append(family_titles([family])[family].lower())
    return " ".join(f"{reason}: {', '.join(kinds)}." for reason, kinds in why.items())
