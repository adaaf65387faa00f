"""The live segments: what the controls say → combine → cluster → same identity → profiles.

Nothing that did not change is computed again: combined vectors, layouts and profiles are shared by
content key between all sessions; the segments themselves belong to a session (``session_segments.py``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import streamlit as st

from core.base.schema import PAGE_OUTCOME, page_outcome
from core.base.settings import AnalyzeSettings, ClusterSettings, OutcomeCount, ViewWeights
from core.data.dataset import Dataset
from core.data.page_labels import LabelledPages
from core.desk import controls as kept_controls
from core.desk import saved_work
from core.desk.controls import MOST_SEGMENTS, Controls
from core.desk.saved_work import Segmentation
from core.facts.context import Basis, Tables
from core.naming import fitting
from core.naming.fitting import HeldName
from core.naming.names import SegmentName, name_segments
from core.one_page.segments import OnePageSegments
from core.profiles.metrics import Profiles
from core.runs import kept_certificates, pipeline
from core.runs.pipeline import Embeddings
from core.segments.certificate import Certificate, marked
from core.segments.combination import Combined
from core.segments.evidence import KEvidence, unsupported
from core.segments.geometry import count_different
from core.segments.layout import Layout, pca_layout
from core.segments.partition import Partition
from core.storage.store import Artifact, Store
from pages.ui.data import catalog
from pages.ui.segments import background, session_segments
from pages.ui.shell import errors, state

FEWEST_USERS: Final = 4
OFFERED: Final = 1_000
"""Pages that can be chosen as the outcome, the most viewed ones; the command line takes any."""
SESSIONS: Final = 24
"""People at once for whom everything that they look at is kept; with more, some of it is made again."""


@dataclass(frozen=True)
class Sources:
    """What the segments are made from.

    Args:
        root: The store's folder.
        dataset: The users.
        model_key: Content key of the trained model.
        model: Its folder.
        vectors: What the model made of the users.
        labels: Themes and types that the vectors were made by; None where they were made without.
    """

    root: str
    dataset: Dataset
    model_key: str
    model: Path
    vectors: Embeddings
    labels: LabelledPages | None = None

    @property
    def store(self) -> Store:
        """The artifacts."""
        return Store(Path(self.root))

    @property
    def embeddings(self) -> str:
        """Content key of the vectors."""
        return self.vectors.artifact.key

    @property
    def n_clustered(self) -> int:
        """Users that take part in clustering."""
        return int(self.vectors.inside.sum())


@dataclass(frozen=True)
class Steering:
    """What is set, within what the data allow."""

    weights: ViewWeights
    cluster: ClusterSettings
    analyze: AnalyzeSettings


@dataclass(frozen=True)
class LiveSegments:
    """Everything a page draws.

    Args:
        sources: What it is made from.
        steering: The settings that made it.
        combined: The vectors that were clustered, and how much each view counts in them.
        segmentation: The segments.
        tables: What was counted of them.
        held: Segment → what it is called, and why.
        evidence: Numbers of segments beside chance; None until they have been compared.
        certificates: Segment → how sure it is; empty until that was measured.
    """

    sources: Sources
    steering: Steering
    combined: Combined
    segmentation: Segmentation
    tables: Tables
    held: Mapping[int, HeldName]
    evidence: KEvidence | None = None
    certificates: Mapping[int, Certificate] = field(default_factory=dict)

    @property
    def profiles(self) -> Profiles:
        """Their profiles."""
        return self.tables.profiles

    @property
    def own_names(self) -> dict[int, str]:
        """The analyst's names."""
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
        """Segment → what it is called where somebody reads it, with its number."""
        return marked(self.plain_names, self.certificates)

    @property
    def plain_names(self) -> dict[int, str]:
        """The same without how sure it is: for tables that are to be joined."""
        return {segment: self.held[segment].title(segment) for segment in self.segments}

    @property
    def unsupported(self) -> bool:
        """Whether these users support no number of segments."""
        return unsupported(self.evidence)

    @property
    def withheld(self) -> bool:
        """Whether names are kept back, as there are no segments."""
        return withheld(self.sources, self.evidence)


def sources() -> Sources | None:
    """What the current model made; None after the page was told why there is nothing to cluster."""
    found = found_sources()
    if found is not None and found.n_clustered < FEWEST_USERS:
        errors.show(
            f"Only {found.n_clustered} users have two page views or more, and {FEWEST_USERS} are needed to "
            "make segments. Load an export with more users or a longer period."
        )
        return None
    return found


def found_sources() -> Sources | None:
    """What the current model made; None where there is none."""
    data, run, vectors = state.dataset(), state.model(), state.embeddings()
    if data is None or run is None or vectors is None:
        return None
    root = str(state.store().root)
    labels = _labels(root, data.key, run.embeddings)
    return Sources(root, data, run.key, run.path, vectors, labels)


def outcomes(made_from: Sources) -> dict[str, int]:
    """What can be the outcome → users who did it: events, then templates and pages, most users first."""
    return _outcomes(made_from.dataset.key, made_from.embeddings, made_from)


def leaks(live: LiveSegments) -> tuple[str, ...]:
    """Pages that give the outcome on screen away, and that the model has read."""
    return _leaks(live.sources.dataset.key, live.profiles.chosen, live.sources)


def steering(made_from: Sources) -> Steering:
    """What the controls of the model say, within what its data allow."""
    held, present = state.controls(made_from.model_key), tuple(made_from.vectors.views)
    weights = kept_controls.effective(held.weights, present)
    n_clusters = held.n_within(different(made_from, weights), _start(made_from, weights))
    return Steering(
        weights,
        ClusterSettings.checked(
            algorithm=held.algorithm, n_clusters=n_clusters, min_cluster_size=held.min_cluster_size
        ),
        _analyze(held, made_from),
    )


def _start(made_from: Sources, weights: ViewWeights) -> int:
    """Where this session began: later evidence moves no segment under the analyst's hand."""
    mine = state.of_model(made_from.model_key)
    if state.START not in mine:
        found = background.k_evidence(made_from, weights)
        mine[state.START] = found.usable_k if found else kept_controls.USUAL_SEGMENTS
    start: int = mine[state.START]
    return start


def withheld(made_from: Sources, evidence: KEvidence | None) -> bool:
    """Whether names are kept back: no number of segments is supported, and nobody asked for them."""
    return unsupported(evidence) and not state.controls(made_from.model_key).named_anyway


def certificates(made_from: Sources, weights: ViewWeights, partition: Partition) -> Mapping[int, Certificate]:
    """Segment → how sure it is; empty until the job has run."""
    key = kept_certificates.key_of(made_from.embeddings, weights, partition.digest)
    found = kept_certificates.find(made_from.store, key)
    return {} if found is None else _certificates(key, found)


def chosen_outcomes(made_from: Sources) -> tuple[str, ...]:
    """The outcomes that are set, of those that the data have, or else what is usual."""
    known, chosen = outcomes(made_from), state.controls(made_from.model_key).outcomes
    if chosen:
        chosen = tuple(one for one in _by_address(chosen, made_from) if one in known) or None
    return basis(made_from).data.outcomes.usual if chosen is None else chosen


def _analyze(held: Controls, made_from: Sources) -> AnalyzeSettings:
    chosen = chosen_outcomes(made_from)
    counts = held.outcome_counts if len(chosen) > 1 else OutcomeCount.ANY
    return AnalyzeSettings.checked(outcome=chosen, outcome_counts=counts)


def different(made_from: Sources, weights: ViewWeights) -> int:
    """Users who can be clustered and differ from each other, or more than the most segments."""
    return _different(made_from.embeddings, weights, made_from)


def solve(made_from: Sources) -> LiveSegments:
    """The segments for what is set, with their profiles.

    Raises:
        InputError: If fewer than two different users can be clustered.
    """
    now = steering(made_from)
    k, chosen = now.cluster.n_clusters, state.controls(made_from.model_key).n_clusters
    if chosen is not None and chosen != k:  # more than the data allow
        state.hold_controls(made_from.model_key, n_clusters=k)
    state.of_model(made_from.model_key)[state.START] = k
    state.sync_link()
    combined = _combined(made_from.embeddings, now.weights, made_from)
    segmentation = session_segments.current(made_from, now, combined)
    made = tables(made_from, segmentation.partition, now.analyze)
    evidence = background.k_evidence(made_from, now.weights)
    sure = certificates(made_from, now.weights, segmentation.partition)
    held = held_names(made_from, made, evidence)
    return LiveSegments(made_from, now, combined, segmentation, made, held, evidence, sure)


def held_names(made_from: Sources, made: Tables, evidence: KEvidence | None) -> Mapping[int, HeldName]:
    """What each segment is called: the analyst's name, held against what sets it apart now, or the app's."""
    given = saved_work.given_names(made_from.store, made_from.model_key)
    held = _held_names(made.digest, tuple(sorted(given.items())), made)
    return fitting.only_given(held) if withheld(made_from, evidence) else held


def with_number(live: LiveSegments, k: int) -> LiveSegments:
    """What another number of segments would be: a fit from scratch, by its own names."""
    now = replace(live.steering, cluster=live.steering.cluster.model_copy(update={"n_clusters": k}))
    partition = session_segments.from_scratch(live.sources, now, live.combined)
    made = tables(live.sources, partition, now.analyze)
    held = _held_names(made.digest, (), made)
    return replace(
        live, steering=now, segmentation=Segmentation(live.sources.embeddings, now.weights, partition),
        tables=made, held=fitting.only_given(held) if live.withheld else held,
        certificates=certificates(live.sources, now.weights, partition),
    )  # fmt: skip


def rename(live: LiveSegments, changes: Mapping[int, str]) -> None:
    """Give segments names of the analyst's own; an empty one takes it away. Their number is chosen by it.

    Raises:
        ResourceError: If the disk is full.
    """
    if state.controls(live.sources.model_key).n_clusters is None:
        state.set_controls(live.sources.model_key, n_clusters=live.steering.cluster.n_clusters)
    own = name_segments(live.tables.differences, live.tables.basis.site)
    evidence = {segment: own[segment].evidence for segment in changes if segment in own}
    saved_work.rename(live.sources.store, live.sources.model_key, changes, evidence)


def pca_map(live: LiveSegments, weights: ViewWeights) -> Layout:
    """The quick map of the vectors that some weights make."""
    return _pca(live.sources.embeddings, weights, live.sources)


def tables(made_from: Sources, partition: Partition, settings: AnalyzeSettings) -> Tables:
    """What segments are like, counted once for all sessions that have the same ones.

    Raises:
        SettingsError: If the outcome is not in the data.
    """
    return _tables(made_from.embeddings, partition.digest, settings, made_from, partition)


def basis(made_from: Sources) -> Basis:
    """What everything is counted from, laid out once a data set and its labels."""
    return _basis(made_from.embeddings, made_from)


def token(array: np.ndarray) -> str:
    """A content key of an array: who lies where."""
    return hashlib.blake2b(np.ascontiguousarray(array).tobytes(), digest_size=12).hexdigest()


@st.cache_resource(max_entries=6, show_spinner=False)
def _combined(embeddings: str, weights: ViewWeights, _sources: Sources) -> Combined:
    return pipeline.combine(_sources.vectors, weights)


@st.cache_data(max_entries=64, show_spinner=False)
def _different(embeddings: str, weights: ViewWeights, _sources: Sources) -> int:
    vectors = _combined(embeddings, weights, _sources).vectors
    return count_different(vectors[_sources.vectors.inside], enough=MOST_SEGMENTS + 1)


@st.cache_resource(max_entries=6, show_spinner=False)
def _pca(embeddings: str, weights: ViewWeights, _sources: Sources) -> Layout:
    return pca_layout(_combined(embeddings, weights, _sources).vectors)


@st.cache_resource(max_entries=2, show_spinner=False)
def _basis(embeddings: str, _sources: Sources) -> Basis:
    return Basis.from_dataset(_sources.dataset, _sources.labels)


@st.cache_resource(max_entries=4, show_spinner=False)
def _labels(root: str, dataset: str, embeddings: str) -> LabelledPages | None:
    return catalog.labels_of(Store(Path(root)), dataset, embeddings)


@st.cache_resource(max_entries=SESSIONS, show_spinner=False)
def _tables(
    embeddings: str, segments: str, settings: AnalyzeSettings, _sources: Sources, _partition: Partition
) -> Tables:
    made = basis(_sources)
    one_page = _one_page(embeddings, settings, _sources)
    return Tables(made, pipeline.analyze(made.data, _partition, settings, one_page), _partition)


@st.cache_resource(max_entries=4 * SESSIONS, show_spinner=False)
def _held_names(
    segments: str, given: tuple[tuple[int, SegmentName], ...], _tables: Tables
) -> Mapping[int, HeldName]:
    return fitting.held_names(_tables.differences, _tables.basis.site, dict(given))


@st.cache_resource(max_entries=4 * SESSIONS, show_spinner=False)
def _certificates(key: str, _found: Artifact) -> Mapping[int, Certificate]:
    return kept_certificates.read(_found)


@st.cache_resource(max_entries=8, show_spinner=False)
def _one_page(embeddings: str, settings: AnalyzeSettings, _sources: Sources) -> OnePageSegments:
    """Made once for the labels and the outcome: no slider changes them."""
    return pipeline.one_page_segments(_sources.dataset, _sources.labels, basis(_sources).data, settings)


def _by_address(chosen: tuple[str, ...], made_from: Sources) -> tuple[str, ...]:
    """A page may be named without its host, in a link as on the command line; the options have it."""
    index = basis(made_from).data.outcomes
    found = [index.pages_of(outcome) if outcome.startswith(PAGE_OUTCOME) else () for outcome in chosen]
    return tuple(
        page_outcome(index.pages[pages[0]]) if len(pages) == 1 else outcome
        for outcome, pages in zip(chosen, found, strict=True)
    )


@st.cache_data(max_entries=8, show_spinner=False)
def _outcomes(dataset: str, embeddings: str, _sources: Sources) -> dict[str, int]:
    return basis(_sources).data.outcomes.offered(OFFERED)


@st.cache_data(max_entries=16, show_spinner=False)
def _leaks(dataset: str, chosen: tuple[str, ...], _sources: Sources) -> tuple[str, ...]:
    return basis(_sources).data.outcomes.leaks(chosen)
