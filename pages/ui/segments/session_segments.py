"""The segments of one session: warm-started while sliders move, the same again on the way back.

They belong to a session, as a warm start follows the way the analyst went there; who goes the same way finds
the same segments, which are then cut once. What is on screen is kept on disk, so that a new session goes on
with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import streamlit as st

from core.base.errors import ResourceError
from core.base.settings import ClusterSettings, ViewWeights
from core.desk import saved_work
from core.desk.saved_work import Kept
from core.segments import clustering, identity
from core.segments.combination import Combined
from core.segments.partition import Partition
from pages.ui.segments.steering import Steering
from pages.ui.shell import errors

if TYPE_CHECKING:
    from pages.ui.segments.live_segments import Sources

KEY: Final = "session_segments"
REFIT: Final = "refit_segments"
REMEMBERED: Final = 8
"""Settings whose segments a session can go back to; 1 MB each at 270,000 users."""
KEPT: Final = 64
"""Segmentations that all sessions share, as large."""


@dataclass(frozen=True)
class Segmentation:
    """The segments of one setting.

    Args:
        embeddings: Content key of the vectors they were cut from.
        weights: The weights they were made with.
        partition: The segments, with the ids they keep.
        moved: Users whose segment changed with the last move; None for the first segments of a session.
        new: Segments that were not there before.
        gone: Segments that are no longer there.
    """

    embeddings: str
    weights: ViewWeights
    partition: Partition
    moved: int | None = None
    new: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()

    def answers(self, embeddings: str, steering: Steering) -> bool:
        """Whether it was made from these vectors with these settings."""
        made_with = (self.embeddings, self.weights, self.partition.settings)
        return made_with == (embeddings, steering.weights, steering.cluster)


@dataclass(frozen=True)
class Session:
    """What one session has done with one model's segments, newest first."""

    model: str
    history: tuple[Segmentation, ...] = ()

    def after(self, segmentation: Segmentation, steering: Steering) -> Session:
        """The same with another segmentation on top."""
        others = (old for old in self.history if not old.answers(segmentation.embeddings, steering))
        return replace(self, history=(segmentation, *others)[:REMEMBERED])


def refit() -> None:
    """Ask for a fit from scratch at the next run (a button's callback)."""
    st.session_state[REFIT] = True


def current(made_from: Sources, steering: Steering, combined: Combined) -> Segmentation:
    """The segments for these settings: the ones on screen, those of an earlier visit, or a new segmentation.

    Raises:
        SettingsError: If there are more segments than different users.
    """
    session, vectors = _session(made_from), made_from.embeddings
    again = bool(st.session_state.pop(REFIT, False))
    if session.history and session.history[0].answers(vectors, steering) and not again:
        return session.history[0]
    seen = next((old for old in session.history if old.answers(vectors, steering)), None)
    before = session.history[0].partition if session.history else None
    if seen is None or again:
        segmentation = _new_segmentation(made_from, steering, combined, before, cold=again)
    else:  # back to earlier settings: the very same segments as then
        moved = identity.moved(before, seen.partition) if before else None
        segmentation = replace(seen, moved=moved, new=(), gone=())
    st.session_state[KEY] = session.after(segmentation, steering)
    _keep(made_from, segmentation)
    return segmentation


def _new_segmentation(
    made_from: Sources, steering: Steering, combined: Combined, before: Partition | None, *, cold: bool
) -> Segmentation:
    first = before is None
    if first:
        kept = saved_work.recall(made_from.store, made_from.model_key, len(made_from.inside))
        segmentation = Segmentation(kept.embeddings, kept.weights, kept.partition) if kept else None
        if segmentation and segmentation.answers(made_from.embeddings, steering):
            return segmentation
        before = kept.partition if kept else None
    start = None if cold or first else before
    found = _cut(
        made_from.embeddings, steering.weights, steering.cluster, start.digest if start else "",
        combined, made_from.inside, start,
    )  # fmt: skip
    if before is None:
        return Segmentation(made_from.embeddings, steering.weights, found)
    match = identity.match(before, found)
    _forget_names(made_from, match.new)
    moved = None if first else match.moved
    return Segmentation(made_from.embeddings, steering.weights, match.partition, moved, match.new, match.gone)


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _cut(
    embeddings: str, weights: ViewWeights, cluster: ClusterSettings, start: str,
    _combined: Combined, _inside: np.ndarray, _start: Partition | None,
) -> Partition:  # fmt: skip
    """A fit from scratch, or the same move from the same segments, is made once, whoever asks for it."""
    init = _warm_start(_start, _combined, cluster.n_clusters) if _start else None
    return clustering.fit(_combined.vectors, _inside, cluster, init)


def _warm_start(before: Partition, combined: Combined, wanted: int) -> np.ndarray | None:
    start = clustering.warm_start(before, combined.vectors, wanted)
    return start if len(start) == wanted else None  # too few different users to go on from


def _forget_names(made_from: Sources, new: tuple[int, ...]) -> None:
    """A number that is taken by another segment loses the name it had."""
    names = saved_work.names(made_from.store, made_from.model_key)
    stale = {segment: "" for segment in new if segment in names}
    if stale:
        saved_work.rename(made_from.store, made_from.model_key, stale)


def _session(made_from: Sources) -> Session:
    found = st.session_state.get(KEY)
    if isinstance(found, Session) and found.model == made_from.model_key:
        return found
    return Session(made_from.model_key)


def _keep(made_from: Sources, segmentation: Segmentation) -> None:
    try:
        kept = Kept(segmentation.embeddings, segmentation.weights, segmentation.partition)
        saved_work.keep(made_from.store, made_from.model_key, kept)
    except ResourceError as error:  # the segments are still on screen; only F5 would lose them
        errors.show(error)
