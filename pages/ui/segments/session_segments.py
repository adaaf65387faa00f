"""The segments that a session has on screen: controls are read, then settled, once a run of a page.

The same settings give the same segments, whatever came before. A model has first segments: a full fit with
the usual weights and number, kept on disk. Those of any other settings are a quick fit that goes on from
these, never from the move before, and take their numbers; so a small move changes little, and the way that a
slider went changes nothing. Who asks for the same settings finds the same segments, which are then cut once.

:func:`read` changes nothing. :func:`settle` does all that a move of a control leads to: it holds controls,
remembers and keeps the segments, writes them into the link and starts the comparison of users.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import streamlit as st

from core.base.errors import ResourceError
from core.base.settings import AnalyzeSettings, ClusterSettings, OutcomeCount
from core.runs.stages import LEVELS
from core.saved import saved_work
from core.saved.controls import USUAL_SEGMENTS, Controls, effective
from core.saved.saved_work import Segmentation
from core.segments import identity
from core.segments import levels as numbers
from core.segments.levels import SegmentLevels
from core.segments.partition import Partition
from core.storage.page_labels import LabelledPages
from core.storage.store import Store
from pages.ui.data import catalog
from pages.ui.segments import shared
from pages.ui.segments.live_segments import SegmentSettings, Settled
from pages.ui.segments.shared import Sources
from pages.ui.shell import errors, job_panel, state

KEY: Final = "session_segments"
_REFIT: Final = "refit_segments"
_HAND: Final = "hand"
"""Parameter of a link: the digest of segments that were changed by hand."""
_FIT: Final = "fit"
_FULL: Final = "full"
"""Parameter of a link, and its value where the segments were fitted from scratch."""
NOT_KEPT: Final = "by_hand_not_kept"
"""Session key: whether a link named segments changed by hand that are not kept here."""
_REMEMBERED: Final = 8
"""Settings whose segments a session keeps, at most; 1 MB each at 270,000 users."""
_COMPARED: Final = "comparisons_asked_for"
MIN_USERS: Final = 4


@dataclass(frozen=True)
class Session:
    """The segments of a model that a session has had on screen.

    Args:
        history: The latest segmentation by each combination of vectors, weights and number, newest first; at
            most :data:`_REMEMBERED`.
        by_hand: Those that were changed by hand last, to be brought back after a move of a slider.
    """

    history: tuple[Segmentation, ...] = ()
    by_hand: Segmentation | None = None

    def after(self, segmentation: Segmentation) -> Session:
        """A session with another segmentation as the newest, in place of any by the same settings."""
        others = (old for old in self.history if old.setting != segmentation.setting)
        return replace(self, history=(segmentation, *others)[:_REMEMBERED])


def sources() -> Sources | None:
    """The sources of the current model; None after a message on why there is nothing to cluster."""
    found = found_sources()
    if found is None:
        state.need()
        return None
    if found.n_clustered < MIN_USERS:
        errors.show(
            f"Only {found.n_clustered} users have two page views or more, and {MIN_USERS} are needed to "
            "make segments. Load an export with more users or a longer period."
        )
        return None
    return found


def found_sources() -> Sources | None:
    """The sources of the current model; None where there is no model."""
    opened = state.opened()
    if opened is None:
        return None
    data, run, vectors = opened
    root, latest = str(state.store().root), catalog.latest_labels(state.store(), data.key)
    labels = _labels(root, data.key, run.embeddings, latest.key if latest else "")
    return Sources(root, data, run.key, run.path, vectors, labels)


@st.cache_resource(max_entries=4, show_spinner=False)
def _labels(root: str, dataset: str, embeddings: str, latest: str) -> LabelledPages | None:
    return catalog.labels_of(Store(Path(root)), dataset, embeddings)


def read(made_from: Sources) -> SegmentSettings:
    """Settings from the controls of the model, within what its data allow."""
    controls = state.controls(made_from.model_key)
    weights = effective(controls.weights, made_from.vectors.weighable)
    n_clusters = controls.n_within(shared.different(made_from, weights), _start(made_from))
    outcome = shared.usual_or_chosen(made_from, controls.outcomes)
    counts = controls.outcome_counts if len(outcome) > 1 else OutcomeCount.ANY
    return SegmentSettings(
        weights,
        ClusterSettings.checked(n_clusters=n_clusters),
        AnalyzeSettings.checked(outcome=outcome, outcome_counts=counts),
    )


def _start(made_from: Sources) -> int:
    """Number of segments that this session began with; levels found later do not change it."""
    begun: int | None = state.of_model(made_from.model_key).get(state.START)
    if begun is not None:
        return begun
    levels = shared.levels(made_from)
    return levels.described_k if levels else USUAL_SEGMENTS


def settle(made_from: Sources, now: SegmentSettings) -> Settled:
    """Put the segments for some settings on screen; keep them, write the link, start comparing users once.

    Returns:
        What is on screen now.

    Raises:
        SettingsError: If there are more segments than different users.
    """
    k, chosen = now.cluster.n_clusters, state.controls(made_from.model_key).n_clusters
    if chosen is not None and chosen != k:  # more than the data allow
        state.hold_controls(made_from.model_key, n_clusters=k)
    segmentation = current(made_from, now)
    link = {
        _HAND: [segmentation.partition.digest] if segmentation.cut else [],
        _FIT: [] if segmentation.as_cut.warm else [_FULL],
    }
    state.put_in_link(made_from.model_key, **link)
    levels = shared.levels(made_from)
    if levels is None:
        compare_once(made_from)
    return _settled(made_from, now, segmentation, levels)


def shown(made_from: Sources) -> Settled:
    """What is on screen now, whatever was moved since; settled first where nothing was on screen yet."""
    history, now = session(made_from).history, read(made_from)
    if not history:
        return settle(made_from, now)
    return _settled(made_from, now, history[0], shared.levels(made_from))


def _settled(
    made_from: Sources, now: SegmentSettings, segmentation: Segmentation, levels: SegmentLevels | None
) -> Settled:
    named_anyway = state.controls(made_from.model_key).named_anyway
    given = saved_work.given_names(made_from.store, made_from.model_key)
    withheld = numbers.withheld(levels, named_anyway=named_anyway)
    return Settled(made_from, now, segmentation, given, levels, withheld)


def compare(made_from: Sources) -> None:
    """Start the job that finds supported numbers of segments, or join it (a button's callback)."""
    job_panel.start(LEVELS.name, made_from.levels_request, made_from.dataset.key)


def compare_once(made_from: Sources) -> None:
    """Start comparing users when a session first comes here with this data set and its labels."""
    asked = st.session_state.setdefault(_COMPARED, set())
    subject = made_from.dataset.key, made_from.label_key
    if subject not in asked:
        asked.add(subject)
        compare(made_from)


def refit() -> None:
    """Ask for a fit from scratch at the next run (a button's callback)."""
    st.session_state[_REFIT] = True


def current(made_from: Sources, now: SegmentSettings) -> Segmentation:
    """The segments for these settings: the ones on screen, those of an earlier visit, or a new segmentation.

    They become the newest of the session, and are kept on disk.

    Raises:
        SettingsError: If there are more segments than different users.
    """
    mine, setting = state.of_model(made_from.model_key), (made_from.embeddings, now.weights, now.cluster)
    mine[state.START] = now.cluster.n_clusters
    known, again = session(made_from), bool(st.session_state.pop(_REFIT, False))
    if known.history and known.history[0].setting == setting and not again:
        return known.history[0]
    if not known.history:
        n_users = len(made_from.vectors.inside)
        kept = saved_work.load_edited(made_from.store, made_from.model_key, n_users)
        known = _linked(made_from, replace(known, by_hand=kept), setting)
    seen = next((old for old in known.history if old.setting == setting), None)
    before = known.history[0] if known.history else None
    if seen is None or again:
        segmentation = _new_segmentation(made_from, now, before, cold=again)
    else:  # back to earlier settings: the very same segments as then
        moved = identity.moved(before.as_cut, seen.as_cut) if before else None
        segmentation = replace(seen, moved=moved, new=(), gone=())
    if not known.history or known.history[0].embeddings != made_from.embeddings:
        segmentation = replace(segmentation, moved=None)  # nobody moved anything: they are new here
    mine[KEY] = known.after(segmentation)
    _keep(made_from, segmentation)
    return segmentation


def _linked(made_from: Sources, shown: Session, setting: tuple[object, ...]) -> Session:
    """The session with the segments changed by hand that the link names, where they are kept here."""
    named, kept = state.linked(_HAND), shown.by_hand
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
    """Segments changed by hand that a move of a slider replaced; None where they are on screen, or gone."""
    current = session(made_from)
    return None if current.history[0].cut else current.by_hand


def let_go(made_from: Sources, changed: Segmentation) -> None:
    """Drop segments that were changed by hand, so that they are no longer offered."""
    mine = state.of_model(made_from.model_key)
    mine[KEY] = replace(session(made_from), by_hand=None)
    with errors.shown():
        unchanged = replace(changed, partition=changed.as_cut, cut=None)
        saved_work.save_edited(made_from.store, made_from.model_key, unchanged)


def show(made_from: Sources, changed: Segmentation) -> None:
    """Put segments changed by hand back on screen, with the settings that they were cut by."""
    state.set_controls(
        made_from.model_key, weights=changed.weights, n_clusters=changed.partition.settings.n_clusters
    )
    shown = replace(changed, moved=None, new=(), gone=())
    _put(made_from, shown, shown if shown.cut else None)
    with errors.shown():
        saved_work.save_edited(made_from.store, made_from.model_key, shown)


def reopen(made_from: Sources, saved: Segmentation) -> None:
    """Put saved segments on screen; others that were changed by hand stay kept."""
    waiting = session(made_from).by_hand or saved_work.load_edited(
        made_from.store, made_from.model_key, len(saved.partition.labels)
    )
    _put(made_from, saved, saved if saved.cut else waiting)
    if saved.cut:
        with errors.shown():
            saved_work.save_edited(made_from.store, made_from.model_key, saved)


def _put(made_from: Sources, shown: Segmentation, by_hand: Segmentation | None) -> None:
    state.of_model(made_from.model_key)[KEY] = replace(session(made_from).after(shown), by_hand=by_hand)
    _keep(made_from, shown)


def _new_segmentation(
    made_from: Sources, now: SegmentSettings, before: Segmentation | None, *, cold: bool
) -> Segmentation:
    setting = made_from.embeddings, now.weights, now.cluster
    if before is None:
        before = saved_work.load_segments(made_from.store, made_from.model_key, len(made_from.vectors.inside))
        linked = _is_linked(made_from)
        cold = cold or (linked and state.linked(_FIT) == _FULL)
        same = before is not None and before.setting == setting
        if before and same and not (linked and (before.cut or before.partition.warm == cold)):
            return before
    start = first(made_from)
    if start.setting == setting and not cold:
        found = start
    else:
        cut = shared.cut(made_from, now.weights, now.cluster, None if cold else start.partition)
        numbered = identity.match(start.partition, cut).partition
        found = Segmentation(made_from.embeddings, now.weights, numbered)
    if before is None:
        return found
    old, new = (set(one.ids.tolist()) for one in (before.as_cut, found.partition))
    return replace(
        found, moved=identity.moved(before.as_cut, found.partition), new=tuple(sorted(new - old)),
        gone=tuple(sorted(old - new)), continues=None,
    )  # fmt: skip


def first(made_from: Sources) -> Segmentation:
    """The first segments of a model, which all others are fitted from and numbered by.

    An earlier release kept none: then they are those on screen last, whose numbers the names have.
    """
    store, model, n_users = made_from.store, made_from.model_key, len(made_from.vectors.inside)
    kept = saved_work.load_first(store, model, n_users)
    if kept is not None:
        return kept
    earlier = saved_work.load_segments(store, model, n_users)
    first = replace(earlier, partition=earlier.as_cut, cut=None) if earlier else _full_fit(made_from)
    with errors.shown():
        return saved_work.save_first(store, model, first)


def _full_fit(made_from: Sources) -> Segmentation:
    """A full fit with default weights and number; the same segments keep their number of the model before."""
    usual = Controls()
    weights = effective(usual.weights, made_from.vectors.weighable)
    levels = shared.levels(made_from)
    start = levels.described_k if levels else USUAL_SEGMENTS
    cluster = ClusterSettings.checked(n_clusters=usual.n_within(shared.different(made_from, weights), start))
    cut = shared.cut(made_from, weights, cluster)
    return _after_training(made_from, Segmentation(made_from.embeddings, weights, cut))


def _after_training(made_from: Sources, first: Segmentation) -> Segmentation:
    """Give the first segments of a model number, colour and name of the same ones of the model before."""
    store, n_users = made_from.store, len(made_from.vectors.inside)
    newest_first = [card.key for card in catalog.models(store, made_from.dataset.key)]
    for earlier in newest_first[newest_first.index(made_from.model_key) + 1 :]:
        kept = saved_work.load_segments(store, earlier, n_users)
        if kept is not None:
            found = identity.continued(kept.partition, first.partition)
            saved_work.carry_over_names(store, made_from.model_key, earlier, found.quality)
            return replace(first, partition=found.partition, continues=found.quality)
    return first


def _forget_names(made_from: Sources, new: tuple[int, ...]) -> None:
    """Remove the names of numbers that are taken by new segments."""
    names = saved_work.names(made_from.store, made_from.model_key)
    stale = {segment: "" for segment in new if segment in names}
    if stale:
        saved_work.rename(made_from.store, made_from.model_key, stale)


def previous(made_from: Sources) -> Partition | None:
    """The segments to compare those on screen with: those of the settings before, else None.

    After changes by hand, they are what clustering made, before all such changes.
    """
    history = session(made_from).history
    if not history:
        return None
    return history[0].cut or (history[1].partition if len(history) > 1 else None)


def session(made_from: Sources) -> Session:
    """The state of this session for the segments of a model."""
    found: Session = state.of_model(made_from.model_key).get(KEY, Session())
    return found


def _keep(made_from: Sources, segmentation: Segmentation) -> None:
    try:
        saved_work.save_segments(made_from.store, made_from.model_key, segmentation)
    except ResourceError as error:  # the segments are still on screen; only F5 would lose them
        errors.show(error)
