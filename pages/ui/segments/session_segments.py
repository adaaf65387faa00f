"""The segments that a session has on screen: the same settings give the same ones, whatever came before.

A model has first segments: a full fit with the usual weights and number, kept on disk. Those of any other
settings are a quick fit that goes on from these, never from the move before, and take their numbers; so a
small move changes little, and the way that a slider went changes nothing. Who asks for the same settings
finds the same segments, which are then cut once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import streamlit as st

from core.base.errors import ResourceError
from core.base.settings import ClusterSettings, ViewWeights
from core.runs import pipeline
from core.saved import saved_work
from core.saved.controls import USUAL_SEGMENTS, Controls, effective
from core.saved.saved_work import Segmentation
from core.segments import identity
from core.segments.combination import Combined
from core.segments.partition import Partition
from pages.ui.data import catalog
from pages.ui.segments import background, shared
from pages.ui.segments.made_from import Sources
from pages.ui.shell import errors, state

if TYPE_CHECKING:
    from pages.ui.segments.live_segments import Steering

KEY: Final = "session_segments"
REFIT: Final = "refit_segments"
HAND: Final = "hand"
"""Parameter of a link: the digest of segments that were changed by hand."""
FIT: Final = "fit"
FULL: Final = "full"
"""Parameter of a link, and its value where the segments were fitted from scratch."""
NOT_KEPT: Final = "by_hand_not_kept"
"""Session key: whether a link named segments changed by hand that are not kept here."""
REMEMBERED: Final = 8
"""Settings whose segments a session keeps, at most; 1 MB each at 270,000 users."""
KEPT: Final = 64
"""Segmentations that all sessions share, at most; 1 MB each at 270,000 users."""


@dataclass(frozen=True)
class Session:
    """The segments of a model that a session has had on screen, newest first.

    Args:
        history: The segments of each setting.
        by_hand: Those that were changed by hand last, to be brought back where a move has led to others.
    """

    history: tuple[Segmentation, ...] = ()
    by_hand: Segmentation | None = None

    def after(self, segmentation: Segmentation) -> Session:
        """The session with another segmentation as the newest."""
        others = (old for old in self.history if old.setting != segmentation.setting)
        return replace(self, history=(segmentation, *others)[:REMEMBERED])


def refit() -> None:
    """Ask for a fit from scratch at the next run (a button's callback)."""
    st.session_state[REFIT] = True


def current(made_from: Sources, steering: Steering, combined: Combined) -> Segmentation:
    """The segments for these settings: the ones on screen, those of an earlier visit, or a new segmentation.

    Raises:
        SettingsError: If there are more segments than different users.
    """
    shown = session(made_from)
    setting = made_from.embeddings, steering.weights, steering.cluster
    again = bool(st.session_state.pop(REFIT, False))
    if shown.history and shown.history[0].setting == setting and not again:
        return shown.history[0]
    if not shown.history:
        n_users = len(made_from.vectors.inside)
        kept = saved_work.recall_by_hand(made_from.store, made_from.model_key, n_users)
        shown = replace(shown, by_hand=kept)
        shown = _linked(made_from, shown, setting)
    seen = next((old for old in shown.history if old.setting == setting), None)
    before = shown.history[0] if shown.history else None
    if seen is None or again:
        segmentation = _new_segmentation(made_from, steering, combined, before, cold=again)
    else:  # back to earlier settings: the very same segments as then
        moved = identity.moved(before.as_cut, seen.as_cut) if before else None
        segmentation = replace(seen, moved=moved, new=(), gone=())
    if not shown.history or shown.history[0].embeddings != made_from.embeddings:
        segmentation = replace(segmentation, moved=None)  # nobody moved anything: they are new here
    state.of_model(made_from.model_key)[KEY] = shown.after(segmentation)
    _keep(made_from, segmentation)
    return segmentation


def _linked(made_from: Sources, shown: Session, setting: tuple[object, ...]) -> Session:
    """The session with the segments changed by hand that the link names, where they are kept here."""
    named, kept = state.linked(HAND), shown.by_hand
    if not named or not _is_linked(made_from):
        return shown
    if kept is not None and kept.partition.digest == named and kept.setting == setting:
        return shown.after(kept)
    state.of_model(made_from.model_key)[NOT_KEPT] = True
    return shown


def _is_linked(made_from: Sources) -> bool:
    """Whether the session began with a link to segments of this model."""
    return bool(state.linked("k")) and state.linked("model") in (made_from.model_key, "")


def change(made_from: Sources, shown: Segmentation, partition: Partition) -> None:
    """Put segments on screen after a change by hand or its undoing.

    Args:
        made_from: The users.
        shown: The segments on screen.
        partition: Segments after the change.
    """
    store, model, before = made_from.store, made_from.model_key, shown.partition
    if len(partition.edits) > len(before.edits):
        saved_work.note_names(store, model, len(before.edits))
        _forget_names(made_from, tuple(set(partition.ids.tolist()) - set(before.ids.tolist())))
    else:
        other = [s for s in partition.ids.tolist() if ((partition.labels == s) != (before.labels == s)).any()]
        saved_work.restore_names(store, model, len(partition.edits), other)
    cut = shown.as_cut if partition.edits else None
    show(made_from, replace(shown, partition=partition, cut=cut))


def waiting(made_from: Sources) -> Segmentation | None:
    """Segments changed by hand that a move has left; None where they are on screen, or gone."""
    held = session(made_from)
    return None if held.history[0].cut else held.by_hand


def let_go(made_from: Sources, changed: Segmentation) -> None:
    """Drop segments that were changed by hand, so that they are no longer offered."""
    mine = state.of_model(made_from.model_key)
    mine[KEY] = replace(session(made_from), by_hand=None)
    with errors.shown():
        unchanged = replace(changed, partition=changed.as_cut, cut=None)
        saved_work.keep_by_hand(made_from.store, made_from.model_key, unchanged)


def show(made_from: Sources, changed: Segmentation) -> None:
    """Put segments changed by hand back on screen, with the settings that they were cut by."""
    state.set_controls(
        made_from.model_key, weights=changed.weights, n_clusters=changed.partition.settings.n_clusters
    )
    shown = replace(changed, moved=None, new=(), gone=())
    _put(made_from, shown, shown if shown.cut else None)
    with errors.shown():
        saved_work.keep_by_hand(made_from.store, made_from.model_key, shown)


def reopen(made_from: Sources, saved: Segmentation) -> None:
    """Put saved segments on screen; others that were changed by hand stay kept."""
    waiting = session(made_from).by_hand or saved_work.recall_by_hand(
        made_from.store, made_from.model_key, len(saved.partition.labels)
    )
    _put(made_from, saved, saved if saved.cut else waiting)
    if saved.cut:
        with errors.shown():
            saved_work.keep_by_hand(made_from.store, made_from.model_key, saved)


def _put(made_from: Sources, shown: Segmentation, by_hand: Segmentation | None) -> None:
    state.of_model(made_from.model_key)[KEY] = replace(session(made_from).after(shown), by_hand=by_hand)
    _keep(made_from, shown)


def from_scratch(made_from: Sources, steering: Steering, combined: Combined) -> Partition:
    """The partition of a full fit with these settings, before identities are matched.

    Raises:
        SettingsError: If there are more segments than different users.
    """
    vectors, weights = made_from.vectors, steering.weights
    return _cut(made_from.embeddings, weights, steering.cluster, "", combined, vectors.inside, None)


def going_on(made_from: Sources, steering: Steering, combined: Combined) -> Partition:
    """The partition of a move from the first segments to these settings, before identities are matched.

    Raises:
        SettingsError: If there are more segments than different users.
    """
    inside, start = made_from.vectors.inside, _first(made_from).partition
    setting = made_from.embeddings, steering.weights, steering.cluster
    return _cut(*setting, start.digest, combined, inside, start)


def _new_segmentation(
    made_from: Sources, steering: Steering, combined: Combined, before: Segmentation | None, *, cold: bool
) -> Segmentation:
    setting = made_from.embeddings, steering.weights, steering.cluster
    if before is None:
        before = saved_work.recall(made_from.store, made_from.model_key, len(made_from.vectors.inside))
        linked = _is_linked(made_from)
        cold = cold or (linked and state.linked(FIT) == FULL)
        same = before is not None and before.setting == setting
        if before and same and not (linked and (before.cut or before.partition.warm == cold)):
            return before
    start = _first(made_from)
    if start.setting == setting and not cold:
        found = start
    else:
        cut = (from_scratch if cold else going_on)(made_from, steering, combined)
        numbered = identity.match(start.partition, cut).partition
        found = Segmentation(made_from.embeddings, steering.weights, numbered)
    if before is None:
        return found
    old, now = (set(one.ids.tolist()) for one in (before.as_cut, found.partition))
    return replace(
        found, moved=identity.moved(before.as_cut, found.partition), new=tuple(sorted(now - old)),
        gone=tuple(sorted(old - now)), continues=None,
    )  # fmt: skip


def _first(made_from: Sources) -> Segmentation:
    """The first segments of a model, which all others are fitted from and numbered by.

    An earlier release kept none: then they are those on screen last, whose numbers the names have.
    """
    store, model, n_users = made_from.store, made_from.model_key, len(made_from.vectors.inside)
    kept = saved_work.recall_first(store, model, n_users)
    if kept is not None:
        return kept
    earlier = saved_work.recall(store, model, n_users)
    first = replace(earlier, partition=earlier.as_cut, cut=None) if earlier else _full_fit(made_from)
    with errors.shown():
        return saved_work.keep_first(store, model, first)


def _full_fit(made_from: Sources) -> Segmentation:
    """A full fit with default weights and number; the same segments keep their number of the model before."""
    usual = Controls()
    weights = effective(usual.weights, made_from.vectors.weighable)
    levels = background.levels(made_from)
    start = levels.described_k if levels else USUAL_SEGMENTS
    cluster = ClusterSettings.checked(n_clusters=usual.n_within(shared.different(made_from, weights), start))
    combined = shared.combined(made_from, weights)
    cut = _cut(made_from.embeddings, weights, cluster, "", combined, made_from.vectors.inside, None)
    return _after_training(made_from, Segmentation(made_from.embeddings, weights, cut))


def _after_training(made_from: Sources, first: Segmentation) -> Segmentation:
    """Give the first segments of a model number, colour and name of the same ones of the model before."""
    store, n_users = made_from.store, len(made_from.vectors.inside)
    newest_first = [card.key for card in catalog.models(store, made_from.dataset.key)]
    for earlier in newest_first[newest_first.index(made_from.model_key) + 1 :]:
        kept = saved_work.recall(store, earlier, n_users)
        if kept is not None:
            found = identity.continued(kept.partition, first.partition)
            saved_work.take_over(store, made_from.model_key, earlier, found.quality)
            return replace(first, partition=found.partition, continues=found.quality)
    return first


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _cut(
    embeddings: str, weights: ViewWeights, cluster: ClusterSettings, start: str,
    _combined: Combined, _inside: np.ndarray, _start: Partition | None,
) -> Partition:  # fmt: skip
    """Cluster, from scratch or from given segments; cached for all sessions."""
    return pipeline.cluster(_combined, _inside, cluster, _start)


def _forget_names(made_from: Sources, new: tuple[int, ...]) -> None:
    """Remove the names of numbers that are taken by new segments."""
    names = saved_work.names(made_from.store, made_from.model_key)
    stale = {segment: "" for segment in new if segment in names}
    if stale:
        saved_work.rename(made_from.store, made_from.model_key, stale)


def session(made_from: Sources) -> Session:
    """The state of this session for the segments of a model."""
    found: Session = state.of_model(made_from.model_key).get(KEY, Session())
    return found


def _keep(made_from: Sources, segmentation: Segmentation) -> None:
    try:
        saved_work.keep(made_from.store, made_from.model_key, segmentation)
    except ResourceError as error:  # the segments are still on screen; only F5 would lose them
        errors.show(error)
