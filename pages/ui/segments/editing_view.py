"""The menu to change segments by hand: a preview of each change, what was changed, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

import numpy as np
import streamlit as st

from core.base.errors import Beha2VecError
from core.base.schema import OUTSIDE, SET_ASIDE
from core.profiles.facet_definitions import FacetKind, question_of
from core.profiles.facets import Facet, cross_facets
from core.saved import saved_work
from core.segments import editing
from core.segments.partition import Partition
from pages.ui.segments import session_segments, shared
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, state
from pages.ui.shell.text import count, md_text

_TOLD: Final = 3
"""Changes that the line lists, at most; the latest first."""
_MEASURED: Final = "Names follow, and how sure each segment is will be measured again."


_NOT_KEPT: Final = (
    "This link is of segments that were changed by hand, and these changes are no longer kept here. "
    "On screen are the segments of the same settings before anything was changed by hand."
)
_STAY: Final = {
    OUTSIDE: "are outside clustering and stay there", SET_ASIDE: "were set aside and stay so",
}  # fmt: skip
"""Segment code → text on chosen users who do not join a segment made by hand."""


class Change(StrEnum):
    """A kind of change by hand."""

    MERGE = "Merge"
    SPLIT = "Split"
    ASIDE = "Set aside"
    FACET = "By a facet"


_MEANING: Final = {
    Change.MERGE: "Two or more segments become one. It keeps the number and name of the largest.",
    Change.SPLIT: "K-Means cuts the users of one segment apart. The largest part keeps number and name.",
    Change.ASIDE: "Users leave the segments, and no segment is compared with them. They stay counted, as a "
    "group of their own; new users like them go there, too.",
    Change.FACET: "The levels of a facet become the segments, in place of all others, and name them.",
}


def menu(live: LiveSegments) -> None:
    """Draw the button that opens the changes by hand."""
    digest = live.segmentation.partition.digest  # what was chosen is over with the segments it was chosen of
    with st.popover("Change by hand", icon=":material/front_hand:", type="tertiary", key=f"by-hand-{digest}"):
        change = st.segmented_control(
            "Change", list(Change), default=Change.MERGE, required=True, key="by-hand-change",
            label_visibility="collapsed",
        )  # fmt: skip
        st.caption(_MEANING[change])
        if change is Change.FACET:
            _by_facet(live, digest)
            return
        segments, into = _chosen(live, change, digest)
        if not segments or (change is Change.MERGE and len(segments) < 2):
            return
        try:
            after = _planned(digest, change, segments, into, live)
        except Beha2VecError as error:
            errors.show(error)
            return
        st.markdown(_would(live, after))
        st.button(
            change, key="by-hand-do", type="primary", on_click=session_segments.change,
            args=(live.sources, live.segmentation, after),
        )  # fmt: skip


def _by_facet(live: LiveSegments, digest: str) -> None:
    """Draw the choice of one or two facets, whose levels become the segments."""
    made_from, outcome = live.sources, live.settings.analyze.outcome
    found = shared.facets(made_from.dataset, made_from.labels, outcome).facets
    kinds = st.multiselect(
        "One facet, or two crossed", list(found), key=f"facet-{digest}", format_func=question_of,
        placeholder="Choose one or two", max_selections=2, select_all=False,
    )  # fmt: skip
    if not kinds:
        return
    chosen = [found[kind] for kind in kinds]
    names, level = cross_facets(chosen)
    users = np.bincount(level[live.labels != OUTSIDE], minlength=len(names)).tolist()
    sizes = ", ".join(
        f"**{md_text(name, 60)}** with {count(n, 'user')}" for name, n in zip(names, users, strict=True) if n
    )
    st.markdown(f"Of the clustered users, it gives {sizes}.")
    if FacetKind.STAGE in kinds and live.profiles.outcome:
        st.caption(
            "Stages are the way to the outcome: how often these segments have it, they say themselves."
        )
    st.button(
        "Make them the segments", key="by-facet-do", type="primary", on_click=_regroup, args=(live, chosen)
    )


def _regroup(live: LiveSegments, facets: list[Facet]) -> None:
    shown, made_from = live.segmentation, live.sources
    names, level = cross_facets(facets)
    with errors.shown():
        why = " × ".join(facet.question for facet in facets)
        after = editing.regroup(shown.partition, live.combined.vectors, level, why)
        session_segments.change(made_from, shown, after)
        of_segment = {segment: names[level[after.labels == segment][0]] for segment in after.ids.tolist()}
        saved_work.rename(made_from.store, made_from.model_key, of_segment)


def not_kept(live: LiveSegments) -> None:
    """Draw a note where the link names segments changed by hand that this machine does not have."""
    if state.of_model(live.sources.model_key).get(session_segments.NOT_KEPT):
        st.info(_NOT_KEPT, icon=":material/link_off:")


def line(live: LiveSegments) -> None:
    """Draw the changes by hand with an undo; or, after a slider moved, a way back to the changed segments."""
    edits = live.segmentation.partition.edits
    waiting = session_segments.waiting(live.sources)
    if not edits and waiting is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="by-hand-line"):
        if waiting is not None:
            here = waiting.embeddings == live.sources.embeddings
            ended = "A move" if here else "Other labels, which make other vectors,"
            st.caption(
                f"{ended} ended your {count(len(waiting.partition.edits), 'change')} by hand: these segments "
                "are as they were cut.", width="content",
            )  # fmt: skip
            if here:
                _way("Bring them back", "bring-back", session_segments.show, live.sources, waiting)
            _way("Let them go", "let-go", session_segments.let_go, live.sources, waiting, icon="close")
            return
        told = " · ".join(md_text(edit.text, 120) for edit in reversed(edits[-_TOLD:]))
        earlier = f" · and {len(edits) - _TOLD} before" if len(edits) > _TOLD else ""
        st.caption(f":material/front_hand: {told}{earlier}", width="content")
        _way("Undo", "undo-by-hand", _undo, live)


def _way(label: str, key: str, go: Callable[..., None], *args: object, icon: str = "undo") -> None:
    st.button(label, key=key, type="tertiary", icon=f":material/{icon}:", on_click=go, args=args)


def merge(live: LiveSegments, segments: Sequence[int]) -> None:
    """Make one segment of several (ids); a button's callback, which draws an error."""
    with errors.shown():
        after = editing.merge(live.segmentation.partition, live.combined.vectors, segments)
        session_segments.change(live.sources, live.segmentation, after)


def gather(live: LiveSegments, users: np.ndarray, why: str) -> None:
    """Make a segment of chosen users, bool of shape (n_users,); a button's callback, which draws an error."""
    with errors.shown():
        _make(live, users, why)


def _undo(live: LiveSegments) -> None:
    """Take the last change by hand back."""
    shown = live.segmentation
    with errors.shown():
        before = editing.first_changes(
            shown.as_cut, shown.partition, live.combined.vectors, len(shown.partition.edits) - 1
        )
        session_segments.change(live.sources, shown, before)


def offer(live: LiveSegments, users: np.ndarray, why: str, then: Callable[[], object] = lambda: None) -> None:
    """Draw what a segment of chosen users would be, with a button to make it; nothing if it exists.

    Args:
        live: The segments.
        users: bool of shape (n_users,).
        why: How they were chosen, as the segment's card says.
        then: What to do once it is made.
    """
    joins = editing.would_join(live.segmentation.partition, users)
    from_where = np.unique(live.labels[joins])
    whole = (
        len(from_where) == 1 and from_where[0] > OUTSIDE and joins.sum() == (live.labels == from_where).sum()
    )
    if not joins.any() or whole:
        return
    left = "".join(
        f" {stay:,} more {told}."
        for label, told in _STAY.items()
        if (stay := int((users & ~joins & (live.labels == label)).sum()))
    )
    with st.container(horizontal=True, vertical_alignment="center", key="offer-segment"):
        st.caption(f"As a segment: {count(int(joins.sum()), 'user')}, now in {_origins(from_where)}.{left}")
        if st.button("Make it a segment", key="make-segment", icon=":material/group_add:"):
            with errors.shown():
                _make(live, users, why)
                then()
                st.rerun()  # this may be a fragment: the rest of the page is of the segments before


def _make(live: LiveSegments, users: np.ndarray, why: str) -> None:
    after = editing.from_users(live.segmentation.partition, live.combined.vectors, users, why)
    session_segments.change(live.sources, live.segmentation, after)


def _chosen(live: LiveSegments, change: Change, digest: str) -> tuple[tuple[int, ...], int]:
    """Draw the choice of segments to change, and of the number of parts for a split."""
    if change is not Change.SPLIT:
        found = st.multiselect(
            "Segments", live.segments, key=f"{change}-{digest}", format_func=live.names.__getitem__,
            placeholder="Choose two or more" if change is Change.MERGE else "Choose one or more",
            select_all=False,
        )  # fmt: skip
        return tuple(found), 0
    segment = st.selectbox(
        "Segment", live.segments, None, key=f"split-{digest}", format_func=live.names.__getitem__,
        placeholder="Choose one",
    )  # fmt: skip
    into = st.number_input("Parts", 2, editing.MAX_PARTS, 2, key="by-hand-parts")
    return () if segment is None else (segment,), into


@st.cache_resource(max_entries=16, show_spinner=False)
def _planned(
    digest: str, change: Change, segments: tuple[int, ...], into: int, _live: LiveSegments
) -> Partition:
    now, vectors = _live.segmentation.partition, _live.combined.vectors
    if change is Change.MERGE:
        return editing.merge(now, vectors, segments)
    if change is Change.SPLIT:
        return editing.split(now, vectors, segments[0], into)
    return editing.set_aside(now, vectors, segments)


def _would(live: LiveSegments, after: Partition) -> str:
    """Sentence on the segments after a change, before it is made."""
    now = live.segmentation.partition
    changed = [s for s, users in after.sizes.items() if now.sizes.get(s) != users]
    sizes = ", ".join(f"**{s + 1}** with {count(after.sizes[s], 'user')}" for s in changed)
    aside = int((after.labels == SET_ASIDE).sum() - (now.labels == SET_ASIDE).sum())
    gone = f"{count(aside, 'user')} leave" if aside else f"It gives {sizes}"
    return f"{gone}; {len(after.ids)} segments in all. {_MEASURED}"


def _origins(where: np.ndarray) -> str:
    """Origins of users in words: ``2, 5 or no segment``."""
    told = [str(segment + 1) for segment in where[where > OUTSIDE]]
    told += ["no segment"] if (where < OUTSIDE).any() else []
    return " or ".join(part for part in (", ".join(told[:-1]), told[-1]) if part)
