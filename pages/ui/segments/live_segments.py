"""The live segments: what the controls say → combine → cluster → same identity → profiles.

Nothing that did not change is computed again: combined vectors, layouts and profiles are shared by
content key between all sessions (``shared.py``); the segments themselves belong to a session
(``session_segments.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from core.base.settings import AnalyzeSettings, ClusterSettings, ViewWeights
from core.facts.context import Tables
from core.naming import fitting
from core.naming.fitting import HeldName
from core.naming.names import name_segments
from core.profiles.metrics import Profiles
from core.saved import controls as kept_controls
from core.saved import saved_work
from core.saved.saved_work import Segmentation
from core.segments import levels as numbers
from core.segments.certificate import Certificate, marked, verdict_text
from core.segments.combination import Combined
from core.segments.levels import SegmentLevels, unsupported
from pages.ui.segments import background, session_segments, shared
from pages.ui.segments.made_from import Sources
from pages.ui.segments.outcome_choice import analyze
from pages.ui.shell import state


@dataclass(frozen=True)
class Steering:
    """The settings of the segments, within what the data allow."""

    weights: ViewWeights
    cluster: ClusterSettings
    analyze: AnalyzeSettings


@dataclass(frozen=True)
class LiveSegments:
    """The segments on screen, with everything that pages draw of them.

    Args:
        sources: What it is made from.
        steering: The settings that made it.
        combined: The vectors that were clustered, and how much each view counts in them.
        segmentation: The segments.
        tables: What was counted of them.
        held: Segment → what it is called, and why.
        levels: Numbers of segments that users support; None until users have been compared.
        certificates: Segment → how sure it is; empty until that was measured.
        withheld: Whether names are kept back.
    """

    sources: Sources
    steering: Steering
    combined: Combined
    segmentation: Segmentation
    tables: Tables
    held: Mapping[int, HeldName]
    levels: SegmentLevels | None = None
    certificates: Mapping[int, Certificate] = field(default_factory=dict)
    withheld: bool = False

    @property
    def profiles(self) -> Profiles:
        """The profiles of the segments."""
        return self.tables.profiles

    @property
    def own_names(self) -> dict[int, str]:
        """Segment → the analyst's name, where one was given."""
        return {segment: name.text for segment, name in self.held.items() if name.is_given}

    @property
    def labels(self) -> np.ndarray:
        """The segment of each user, int32 of shape (n_users,); -1 outside clustering."""
        return self.segmentation.partition.labels

    @property
    def segments(self) -> list[int]:
        """Ids of the segments, ascending."""
        return sorted(int(segment) for segment in self.segmentation.partition.ids)

    @property
    def names(self) -> dict[int, str]:
        """Segment → its title for readers, with its number and mark."""
        return marked(self.plain_names, self.certificates)

    @property
    def plain_names(self) -> dict[int, str]:
        """Segment → its name and number without the mark, for files to be joined."""
        return {segment: self.held[segment].title(segment) for segment in self.segments}

    @property
    def verdict(self) -> str:
        """Sentence on whether there are segments, and how many are doubtful."""
        return verdict_text(self.levels, self.certificates)

    @property
    def unsupported(self) -> bool:
        """Whether the users support no number of segments."""
        return unsupported(self.levels)


def steering(made_from: Sources) -> Steering:
    """Settings from the controls of the model, within what its data allow."""
    held, present = state.controls(made_from.model_key), made_from.vectors.weighable
    weights = kept_controls.effective(held.weights, present)
    n_clusters = held.n_within(shared.different(made_from, weights), _start(made_from))
    return Steering(
        weights,
        ClusterSettings.checked(n_clusters=n_clusters),
        analyze(held, made_from),
    )


def _start(made_from: Sources) -> int:
    """Number of segments that this session began with; levels found later do not change it."""
    mine = state.of_model(made_from.model_key)
    if state.START not in mine:
        levels = background.levels(made_from)
        mine[state.START] = levels.described_k if levels else kept_controls.USUAL_SEGMENTS
    start: int = mine[state.START]
    return start


def withheld(made_from: Sources, levels: SegmentLevels | None) -> bool:
    """Whether names are kept back, as no number of segments is supported."""
    return numbers.withheld(levels, named_anyway=state.controls(made_from.model_key).named_anyway)


def solve(made_from: Sources) -> LiveSegments:
    """Make the segments for the current settings, with their profiles.

    Raises:
        InputError: If fewer than two different users can be clustered.
    """
    now = steering(made_from)
    k, chosen = now.cluster.n_clusters, state.controls(made_from.model_key).n_clusters
    if chosen is not None and chosen != k:  # more than the data allow
        state.hold_controls(made_from.model_key, n_clusters=k)
    state.of_model(made_from.model_key)[state.START] = k
    state.sync_link()
    combined = shared.combined(made_from, now.weights)
    segmentation = session_segments.current(made_from, now, combined)
    link = {
        session_segments.HAND: [segmentation.partition.digest] if segmentation.cut else [],
        session_segments.FIT: [] if segmentation.as_cut.warm else [session_segments.FULL],
    }
    state.put_in_link(made_from.model_key, **link)
    made = shared.tables(made_from, segmentation.weights, segmentation.partition, now.analyze)
    levels = background.levels(made_from)
    if levels is None:
        background.compare_once(made_from)
    kept_back = withheld(made_from, levels)
    sure = shared.certificates(made_from, now.weights, segmentation.partition)
    held = held_names(made_from, made, kept_back=kept_back)
    return LiveSegments(made_from, now, combined, segmentation, made, held, levels, sure, kept_back)


def held_names(made_from: Sources, made: Tables, *, kept_back: bool) -> Mapping[int, HeldName]:
    """Segment → its name: the analyst's, checked against what sets it apart now, or the app's."""
    given = saved_work.given_names(made_from.store, made_from.model_key)
    held = shared.called(made, given)
    return fitting.only_given(held) if kept_back else held


def with_number(live: LiveSegments, k: int) -> LiveSegments:
    """The segments for another number: a fit from scratch, with the app's names."""
    now = replace(live.steering, cluster=live.steering.cluster.model_copy(update={"n_clusters": k}))
    partition = session_segments.from_scratch(live.sources, now, live.combined)
    made = shared.tables(live.sources, now.weights, partition, now.analyze)
    held = shared.called(made, {})
    return replace(
        live, steering=now, segmentation=Segmentation(live.sources.embeddings, now.weights, partition),
        tables=made, held=fitting.only_given(held) if live.withheld else held,
        certificates=shared.certificates(live.sources, now.weights, partition),
    )  # fmt: skip


def rename(live: LiveSegments, changes: Mapping[int, str]) -> None:
    """Set the analyst's names of segments; an empty one removes a name. This fixes the number of segments.

    Raises:
        ResourceError: If the disk is full.
    """
    if state.controls(live.sources.model_key).n_clusters is None:
        state.set_controls(live.sources.model_key, n_clusters=live.steering.cluster.n_clusters)
    own = name_segments(live.tables.differences, live.tables.basis.site)
    evidence = {segment: own[segment].evidence for segment in changes if segment in own}
    saved_work.rename(live.sources.store, live.sources.model_key, changes, evidence)
