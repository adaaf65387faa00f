"""Segments, view How users differ: a card a facet, with its levels, and whether users keep to them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from core.base import wording
from core.base.errors import InputError
from core.profiles.facet_definitions import FacetKind, question_of
from core.profiles.facets import MIN_OUTCOMES, Facet, Facets, learning_half
from core.profiles.outcome_prediction import predict_outcome
from pages.ui.data import catalog
from pages.ui.segments import session_segments, shared
from pages.ui.segments.figure import SIDE
from pages.ui.segments.session_segments import MIN_USERS, found_sources
from pages.ui.shell import errors, state, written_table
from pages.ui.shell.links import EXPLORE, FACETS, TRAINING, heading, link
from pages.ui.shell.text import count, md_text

_HELP: Final = (
    "The days on which a user came are split in two parts, every other one: is the user on the same level in "
    "both? By chance: the share if parts of different users were paired."
)
_STAGE_HELP: Final = f"{_HELP} Who views more comes farther, and how much users view comes again by itself."
_LOYALTY_HELP: Final = (
    "Of the users who came before the middle of all visits: who came twice or more until then should come "
    "after it, and the others should not. By chance: the share if halves of different users were paired."
)
_RECENCY_HELP: Final = (
    "Of the users who came before the middle of all visits: who came in the last days until then should come "
    "after it, and the others should not. By chance: the share if halves of different users were paired."
)
_HELPS: Final[Mapping[str, str]] = {
    FacetKind.LOYALTY: _LOYALTY_HELP, FacetKind.RECENCY: _RECENCY_HELP, FacetKind.STAGE: _STAGE_HELP,
}  # fmt: skip
_OUTCOME_HELP: Final = (
    "Of that half no limit or name of a level was learned; the chat counts all users. "
    "What goes together need not be the cause: who buys views more pages, too."
)
_CROSSED: Final = (
    "Counted on half of the users, of whom no limit or name of a level was learned. "
    f"Cells with fewer than {MIN_OUTCOMES} of them show {wording.ABSENT}."
)
_BESIDE_HELP: Final = (
    "The segments on screen and the facets, on the same clustered users (two page views or more), of whom no "
    "rate was learned; 0.5 is chance, 1 always right. Facets that the outcome is a part of are left out."
)


def page() -> None:
    """Draw a card a facet, or what to do first."""
    heading(FACETS)
    if not state.need(model=False):
        return
    found = _found()
    facets = found.in_order
    st.markdown(f"#### {md_text(found.sentence, 400)}")
    _beside_segments(found)
    if found.outcome:
        st.caption(
            f"Rates of {md_text(found.outcome, 60)} are counted on half of the users, with 95 % intervals.",
            help=_OUTCOME_HELP,
            width="content",
        )
    if found.given_away:
        st.caption(
            f"Pages give {md_text(found.outcome, 60)} away: what is made of pages is not judged by how well "
            "it predicts it."
        )
    kept = [facet for facet in facets if facet.comes_again and facet.comes_again.is_kept_to] or facets[:2]
    _cards(kept, found, "facets")
    if others := [facet for facet in facets if facet not in kept]:
        with st.expander(f"{count(len(others), 'more way')} in which users differ", key="other-facets"):
            st.caption("These are not shown to last from visit to visit, or it is not known.")
            _cards(others, found, "more-facets")
    _left_out(found)
    if not _labelled():
        st.caption(
            ":material/info: Pages are not labelled yet. With themes and types the levels will change."
        )
    if len(facets) > 1:
        _two(found, facets)
    _next()


def _cards(facets: list[Facet], found: Facets, key: str) -> None:
    with st.grid(2, min_column_width=SIDE, gap="medium", key=key):
        for facet in facets:
            with st.container(border=True, key=f"facet-{facet.kind}"):
                _card(facet, found)


def _beside_segments(found: Facets) -> None:
    """Draw whether the segments on screen tell the outcome better than a facet."""
    made_from = found_sources()
    if made_from is None or made_from.n_clustered < MIN_USERS:
        return
    with suppress(InputError):  # all users alike: the map says so
        segmentation = session_segments.current(made_from, session_segments.read(made_from))
        if told := predict_outcome(found, segmentation.partition):
            st.markdown(md_text(told.sentence, 600), help=_BESIDE_HELP)


def _labelled() -> bool:
    dataset = state.dataset()
    return dataset is not None and catalog.latest_labels(state.store(), dataset.key) is not None


def _found() -> Facets:
    made_from = found_sources()
    if made_from is not None:
        chosen = state.controls(made_from.model_key).outcomes
        return shared.facets(made_from.dataset, made_from.labels, shared.usual_or_chosen(made_from, chosen))
    dataset = state.dataset()
    assert dataset is not None  # state.need has looked
    return shared.facets(dataset, catalog.latest_labels(state.store(), dataset.key), None)


def _card(facet: Facet, found: Facets) -> None:
    outcome = found.outcome
    rules = "\n".join(f"- **{md_text(one.name)}**: users {md_text(one.rule)}" for one in facet.levels)
    st.markdown(f"**{facet.question}**", help=rules)
    _comes_again(facet)
    users = np.append(facet.users, facet.not_known) if facet.not_known else facet.users
    names = [one.name for one in facet.levels] + ["Not known"] * bool(facet.not_known)
    shares = [f"{share:.0%}" for share in users / users.sum()]
    table = pd.DataFrame({"Level": names, "Users": users, "Share": shares})
    if any(facet.outcome):
        rates = [*facet.outcome, *[None] * bool(facet.not_known)]
        table[f"{outcome} rate"] = [rate.text if rate else wording.ABSENT for rate in rates]
    written_table.draw_in_full(table, f"{facet.question}: users by level")
    if outcome and facet.kind is FacetKind.STAGE:
        st.caption(
            f"Stages are the way to {md_text(outcome, 60)}: they have no rate of it, and whether they last "
            "is counted without it."
        )
    if facet.kind is FacetKind.RHYTHM:
        st.caption(f"By the clock of the export: {md_text(found.time_zone)}.")
    if tells := facet.tells_outcome:
        interval = f"[{tells.low:.2f}–{tells.high:.2f}]"
        st.caption(
            f"Predicts {md_text(outcome, 60)}: AUC {tells.value:.2f} {interval} on "
            f"{count(tells.users, 'other user')} (0.5 is chance, 1 always right)."
        )


def _two(found: Facets, facets: list[Facet]) -> None:
    """Draw users on each pair of levels of two facets, or how many of them had the outcome."""
    with st.expander("Two of them crossed", icon=":material/grid_on:", key="two-facets"):
        with st.grid(2, min_column_width=SIDE // 2, gap="small"):
            kinds = {facet.question: facet for facet in facets}
            down = st.selectbox("Down", list(kinds), 0, key="facet-down", label_visibility="collapsed")
            across = st.selectbox("Across", list(kinds), 1, key="facet-across", label_visibility="collapsed")
        first, second = kinds[down], kinds[across]
        both = (first.level >= 0) & (second.level >= 0)
        cells = _cells(first, second, both)
        not_known = int((~both & (np.maximum(first.level, second.level) >= 0)).sum())
        if found.outcome:
            shown = st.segmented_control(
                "Show", ["Users", found.outcome], default="Users", required=True, key="facet-cells",
                label_visibility="collapsed", format_func=md_text,
            )  # fmt: skip
            if shown != "Users":
                judged = both & ~learning_half(len(both))
                cells = _cells(first, second, judged)
                rates = _cells(first, second, judged & found.had) / cells
                cells = rates.where(cells >= MIN_OUTCOMES).map(wording.percent)
                st.caption(_CROSSED)
        written_table.draw(
            cells.rename_axis("level").reset_index(), key="two-table", columns={"level": down},
            alt_text=f"Users by {down} and {across}", height="content",
        )  # fmt: skip
        if not_known:
            st.caption(f"{count(not_known, 'user')} of whom one of the two is not known are left out.")


def _comes_again(facet: Facet) -> None:
    again = facet.comes_again
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if again is None:
            st.badge("Not known", icon=":material/help:", color="gray")
        elif again.beyond_chance and not again.is_kept_to:
            st.badge("Hardly lasting", icon=":material/remove:", color="gray")
        elif not again.is_kept_to:
            st.badge("Not shown to last", icon=":material/shuffle:", color="orange")
        told = _HELPS.get(facet.kind, _HELP)
        st.caption(facet.sentence, help=told, width="content")


def _cells(first: Facet, second: Facet, users: np.ndarray) -> pd.DataFrame:
    return pd.crosstab(first.names[users], second.names[users]).reindex(
        [one.name for one in first.levels], columns=[one.name for one in second.levels], fill_value=0
    )


def _left_out(found: Facets) -> None:
    for kind, why in found.left_out.items():
        st.caption(f":material/info: {question_of(kind)}: left out. {md_text(why)}")


def _next() -> None:
    if state.model() is None:
        link(TRAINING, "Train a model to find segments by all of it together")
    else:
        link(EXPLORE, "Make the levels your segments: on the map, Change by hand, By a facet")


with errors.shown():
    page()
