"""Certificates, how sure each segment is: measured by a job after a quiet moment, and drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final

import numpy as np
import streamlit as st

from core.base.errors import Beha2VecError
from core.profiles.top_pages import small_kind_sentence
from core.runs import jobs
from core.runs.jobs import JobView, State
from core.runs.stages import CERTIFICATES, CertifyRequest, store_segments
from core.segments import certificate
from core.segments.certificate import GIVEN, Certificate
from core.segments.edits import chosen_segments, made_segments
from core.segments.identity import RECOVERED
from core.segments.levels import SmallKind
from pages.ui.segments import editing_view
from pages.ui.segments.figure import download_csv
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, state, written_table
from pages.ui.shell.shared_cache import cached
from pages.ui.shell.text import count, md_text

_ASKED: Final = "certificates_asked_for"
QUIET_S: Final = 1.5
"""Seconds without a move of a slider after which segments are measured."""
_POLL_S: Final = 1.0
_CHOSEN: Final = (
    "Stability says whether other users would have led to the same segment. This one, or a part of it, was "
    "chosen by hand."
)
_SAME_WAY: Final = " Segments of the other users were changed in the way that you changed these by hand."


@dataclass(frozen=True)
class _Asked:
    """What a session waits for: a partition's digest, since when, its job, and what failed."""

    digest: str
    since: float
    job: str = ""
    problem: str = ""


def watch(live: LiveSegments) -> None:
    """Start the job that certifies the segments once they stayed a moment on screen, and draw its state.

    A session has one at a time: the job for earlier segments is stopped.
    """
    partition = live.segmentation.partition
    if live.certificates or set(live.segments) <= chosen_segments(partition.edits):
        return
    mine, digest = state.of_model(live.sources.model_key), partition.digest
    asked: _Asked | None = mine.get(_ASKED)
    if asked is None or asked.digest != digest:
        if asked is not None and asked.job:
            jobs.cancel(live.sources.store.root, asked.job)
        mine[_ASKED] = _Asked(digest, monotonic())
    elif asked.problem:
        st.caption(f"How stable each segment is could not be measured: {md_text(asked.problem, 300)}")
        return
    _wait(live)


@st.fragment(run_every=_POLL_S)
def _wait(live: LiveSegments) -> None:
    st.caption(":material/hourglass_empty: Measuring how stable each segment is.")
    mine = state.of_model(live.sources.model_key)
    asked: _Asked = mine[_ASKED]
    if not asked.job:
        if monotonic() - asked.since >= QUIET_S:
            with errors.shown():
                mine[_ASKED] = replace(asked, job=_start(live))
        return
    try:
        view = jobs.view(live.sources.store.root, asked.job)
    except Beha2VecError:  # its folder was cleaned away
        mine[_ASKED] = replace(asked, job="")
        return
    if view.active:
        return
    if view.state not in (State.DONE, State.FAILED):  # another session that it was shared with has moved on
        mine[_ASKED] = replace(asked, job="")
        return
    mine[_ASKED] = replace(asked, problem=_problem(view))  # said only where nothing was found
    st.rerun()


def _problem(view: JobView) -> str:
    if view.state is State.DONE:
        return "what was measured is missing or damaged"
    return "a fault of the program" if view.is_bug else view.error


def _start(live: LiveSegments) -> str:
    made_from, shown = live.sources, live.segmentation
    request = CertifyRequest(
        dataset=made_from.dataset.key, embeddings=shown.embeddings, weights=shown.weights,
        digest=shown.partition.digest,
    )  # fmt: skip
    store_segments(made_from.store, request, shown.partition)
    return jobs.start(made_from.store.root, CERTIFICATES.name, request, CERTIFICATES.key(request))


def line(live: LiveSegments, segment: int) -> None:
    """Draw a line on how sure a segment is; nothing until it was measured."""
    found, edits = live.certificates.get(segment), live.segmentation.partition.edits
    if segment in chosen_segments(edits):
        st.caption("Users chosen by hand: stability is not measured", help=_CHOSEN)
    if found is not None:
        st.caption(
            md_text(found.line(live.names), 200),
            help=f"{md_text(found.sentence(live.names), 400)} It does not say how many users return. "
            f"Jaccard index: users in both, by users in either. Halves of the users: {found.halves:.2f}; "
            f"other starts: {found.seeds:.2f}."
            f"{_SAME_WAY if segment in made_segments(edits) else ''}",
        )  # fmt: skip


def really_one(live: LiveSegments) -> None:
    """Draw each pair of segments that are really the same, with a button that merges them."""
    for one, other in certificate.same_pairs(live.certificates):
        both = (one.segment, other.segment)
        with st.container(
            horizontal=True, vertical_alignment="center", key=f"really-one-{both[0]}-{both[1]}"
        ):
            st.caption(
                md_text(certificate.pair_sentence(one, other, live.plain_names), 300), width="stretch",
                help="Jaccard index of the two as one, and of each alone, among segments of other users.",
            )  # fmt: skip
            st.button(
                "Merge", key=f"merge-{both[0]}-{both[1]}", icon=":material/merge:",
                on_click=editing_view.merge, args=(live, both),
            )  # fmt: skip


def small_kinds(live: LiveSegments) -> None:
    """Draw each small kind of users that no segment shows, with a button that makes it a segment."""
    for number, kind in enumerate(live.levels.not_shown(live.labels) if live.levels else ()):
        with st.container(horizontal=True, vertical_alignment="center", key=f"small-kind-{number}"):
            st.caption(
                f"{md_text(_small_kind(live, kind), 400)}.", width="stretch",
                help="Jaccard index: users in both, by users in either, of those whom two halves of the "
                f"users put in it. It predicts half of their page views {kind.gain:.1f} nats better.",
            )  # fmt: skip
            users = np.isin(np.arange(len(live.labels)), kind.users)
            st.button(
                "Make it a segment", key=f"make-small-{number}", icon=":material/group_add:",
                on_click=editing_view.gather, args=(live, users, "a small kind"),
            )  # fmt: skip


@cached(lambda live, kind: (live.sources.counted, hash(kind)), max_entries=16)
def _small_kind(live: LiveSegments, kind: SmallKind) -> str:
    return small_kind_sentence(live.tables.basis.data, kind)


def draw(
    titles: Mapping[int, str], found: Mapping[int, Certificate], again: Mapping[int, float], *, none: bool
) -> None:
    """Draw the table of certificates: how stable each segment is, and where its other users go.

    Args:
        titles: Segment → its title.
        found: Segment → how sure it is.
        again: Segment → Jaccard index with its best match in another training; empty where there was none.
        none: Whether no number of segments is supported.
    """
    table = certificate.table(found)
    table["again"] = table["segment"].map(again)
    table["segment"] = table["segment"].map(titles)
    for other in ("rival", "same_as"):
        table[other] = table[other].map(titles)
    with st.container(border=True, key="certificates", gap="xsmall"):
        st.markdown(
            "**How stable is each segment?**",
            help="The share of users in both by users in either, of the segment and the one most like it "
            "among segments of other users (Jaccard index, Hennig 2007).",
        )
        st.caption(
            f"How much of each segment forms again, {GIVEN}, with another sample of users (from–to: in 95 of "
            "100 cases), with halves of them, from other starts, and after another training; 1 is all of it."
        )
        no_pair = not certificate.same_pairs(found)
        hidden = {"again": not again, "word": none, "same_as": no_pair, "together": no_pair}
        table = table.drop(columns=[name for name, is_hidden in hidden.items() if is_hidden])
        shown = table[[name for name in _CERTIFIED if name in table]].rename(columns=_CERTIFIED)
        written_table.draw_in_full(shown, "How stable each segment is")
        if again:
            same = sum(index >= RECOVERED for index in again.values())
            st.caption(
                f"Another training finds {same} of {count(len(again), 'segment')} again, with "
                f"{RECOVERED:.0%} or more of its users and theirs in common."
            )
        download_csv(table, "certificates")  # with its condition


_CERTIFIED: Final = {
    "segment": "Segment", "word": "So", "jaccard": "Stability", "low": "From", "high": "To",
    "halves": "Halves", "seeds": "Other starts", "again": "Another training", "rival": "Nearest segment",
    "moves": "Move there", "same_as": "Really one with", "together": "Together", "users": "Users",
}  # fmt: skip
"""Column of the table of certificates → its heading, in the order shown."""
