"""What is computed of the sources and settings of segments, each once for all sessions by content key.

Nothing here knows a session: the same sources and settings give the same result to everybody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import streamlit as st

from core.base.schema import PAGE_OUTCOME, page_outcome
from core.base.settings import AnalyzeSettings, ClusterSettings, ViewWeights
from core.facts.context import Basis, Tables
from core.profiles import name_fitting
from core.profiles.facets import Facets, find_facets
from core.profiles.name_fitting import CurrentName
from core.profiles.names import SegmentName
from core.profiles.other_sessions import OtherSessions
from core.profiles.outcomes import OutcomeIndex, label_of
from core.runs import pipeline
from core.runs.artifacts import Embeddings
from core.runs.report.living import Living, LivingMaker
from core.runs.stages import (
    CERTIFICATES,
    LAYOUT,
    LEVELS,
    CertifyRequest,
    LevelsRequest,
    VectorsRequest,
)
from core.saved.controls import MAX_SEGMENTS
from core.segments import certificate
from core.segments.certificate import Certificate, with_verdict
from core.segments.combination import Combined
from core.segments.edits import chosen_segments
from core.segments.geometry import count_different
from core.segments.layout import Layout, pca_layout
from core.segments.levels import SegmentLevels
from core.segments.one_page import OnePageSegments
from core.segments.partition import Partition
from core.storage.dataset import Dataset
from core.storage.page_labels import LabelledPages, counts_key
from core.storage.store import Artifact, Store
from pages.ui.shell.shared_cache import cached

SESSIONS: Final = 24
"""Sessions for which everything on screen is kept; with more, some is made again."""
_CUTS: Final = 64
"""Partitions that are kept; 1 MB each at 270,000 users."""
_OFFERED: Final = 1_000
"""Pages that can be chosen as the outcome, at most: the most viewed; the command line takes any."""


@dataclass(frozen=True)
class Sources:
    """The data set, model, vectors and labels that segments are made from.

    Args:
        root: The store's folder.
        dataset: The users.
        model_key: Content key of the trained model.
        model: Folder of the trained model.
        vectors: What the model made of the users.
        labels: Themes and types that the vectors were made by; None where they were made without.
    """

    root: str
    dataset: Dataset
    model_key: str
    model: Path
    vectors: Embeddings
    labels: LabelledPages | None = None

    @cached_property
    def store(self) -> Store:
        """The store of artifacts."""
        return Store(Path(self.root))

    @cached_property
    def embeddings(self) -> str:
        """Content key of the vectors."""
        return self.vectors.artifact.key

    @cached_property
    def counted(self) -> str:
        """Content key of the data set with its labels, from which counts are made."""
        return counts_key(self.dataset.key, self.labels)

    @cached_property
    def label_key(self) -> str:
        """Content key of the labels; empty where there are none."""
        return self.labels.key if self.labels else ""

    @cached_property
    def n_clustered(self) -> int:
        """Number of users that take part in clustering."""
        return int(self.vectors.inside.sum())

    @property
    def levels_request(self) -> LevelsRequest:
        """Request of the job that finds supported numbers of segments."""
        return LevelsRequest(dataset=self.dataset.key, labels=self.label_key)

    def layout_request(self, weights: ViewWeights) -> VectorsRequest:
        """Request of the job that lays out the map of the vectors by some weights."""
        return VectorsRequest(dataset=self.dataset.key, embeddings=self.embeddings, weights=weights)


@cached(lambda made_from, weights: (made_from.embeddings, weights), max_entries=6)
def combined(made_from: Sources, weights: ViewWeights) -> Combined:
    """The vectors of all users, their views combined by some weights."""
    return pipeline.combine(made_from.vectors, weights)


@cached(lambda made_from, weights: (made_from.embeddings, weights), max_entries=64)
def different(made_from: Sources, weights: ViewWeights) -> int:
    """Number of different users who can be clustered, counted up to one above the most segments."""
    vectors = combined(made_from, weights).vectors
    return count_different(vectors[made_from.vectors.inside], enough=MAX_SEGMENTS + 1)


@cached(
    lambda made_from, weights, cluster, start=None: (
        made_from.embeddings, weights, cluster, start.digest if start else ""
    ),
    max_entries=_CUTS,
)  # fmt: skip
def cut(
    made_from: Sources, weights: ViewWeights, cluster: ClusterSettings, start: Partition | None = None
) -> Partition:
    """Cluster the users, from scratch or starting from given segments, whose ids are not matched yet.

    Raises:
        SettingsError: If there are more segments than different users.
    """
    return pipeline.cluster(combined(made_from, weights), made_from.vectors.inside, cluster, start)


@cached(lambda made_from, weights: (made_from.embeddings, weights), max_entries=6)
def pca_map(made_from: Sources, weights: ViewWeights) -> Layout:
    """The quick map (principal components) of the vectors combined by some weights."""
    return pca_layout(combined(made_from, weights).vectors)


def neighbour_map(made_from: Sources, weights: ViewWeights) -> Layout | None:
    """The neighbour-preserving layout of the map; None until the job has run."""
    artifact = LAYOUT.artifact(made_from.store, made_from.layout_request(weights))
    return None if artifact is None else _read_layout(artifact)


@cached(lambda artifact: artifact.key, max_entries=4)
def _read_layout(artifact: Artifact) -> Layout:
    return LAYOUT.read(artifact.path)


def levels(made_from: Sources) -> SegmentLevels | None:
    """Numbers of segments that users support; None until the job has run."""
    artifact = LEVELS.artifact(made_from.store, made_from.levels_request)
    return None if artifact is None else _read_levels(artifact)


@cached(lambda artifact: artifact.key, max_entries=4)
def _read_levels(artifact: Artifact) -> SegmentLevels:
    return LEVELS.read(artifact.path)


def certificates(
    made_from: Sources, weights: ViewWeights, partition: Partition, found: SegmentLevels | None
) -> Mapping[int, Certificate]:
    """Segment → its certificate, with the verdict of the levels in it; empty until the job has run."""
    request = CertifyRequest(
        dataset=made_from.dataset.key, embeddings=made_from.embeddings, weights=weights,
        digest=partition.digest,
    )  # fmt: skip
    artifact = CERTIFICATES.artifact(made_from.store, request)
    return with_verdict({} if artifact is None else _read_certificates(artifact), found)


@cached(lambda artifact: artifact.key, max_entries=4 * SESSIONS)
def _read_certificates(artifact: Artifact) -> Mapping[int, Certificate]:
    return CERTIFICATES.read(artifact.path)


@cached(
    lambda made_from, weights, cluster, found: (made_from.embeddings, weights, cluster, found.to_json()),
    max_entries=16, show_spinner="Looking for a coarser level that comes again …",
)  # fmt: skip
def coarser_that_holds(
    made_from: Sources, weights: ViewWeights, cluster: ClusterSettings, found: SegmentLevels
) -> int | None:
    """The finest supported level coarser than ``cluster`` at which most segments are not doubtful, if any."""

    def cut_into(k: int) -> Partition:
        return cut(made_from, weights, cluster.model_copy(update={"n_clusters": k}))

    vectors = combined(made_from, weights).vectors
    return certificate.coarser_that_holds(found, cluster.n_clusters, cut_into, vectors)


@cached(lambda made_from: made_from.counted, max_entries=2)
def basis(made_from: Sources) -> Basis:
    """The basis of all counts, laid out once a data set and its labels."""
    return Basis.from_dataset(made_from.dataset, made_from.labels)


@cached(
    lambda made_from, weights, partition, settings: (
        made_from.counted, made_from.embeddings, weights, partition.digest, settings
    ),
    SESSIONS,
)  # fmt: skip
def tables(
    made_from: Sources, weights: ViewWeights, partition: Partition, settings: AnalyzeSettings
) -> Tables:
    """The tables of segments, counted once for all sessions that have the same segments.

    Raises:
        SettingsError: If the outcome is not in the data.
    """
    made, others = basis(made_from), _other_sessions(made_from)
    again = others.scores(combined(made_from, weights), partition) if others else {}
    profiles = pipeline.analyze(made.data, partition, settings, _one_page(made_from))
    return Tables(made, profiles, partition, again)


@cached(lambda made_from: (made_from.counted, made_from.embeddings), max_entries=2)
def _other_sessions(made_from: Sources) -> OtherSessions | None:
    return pipeline.other_sessions(made_from.vectors, made_from.labels)


@cached(
    lambda made_from, weights, first, shown, settings, given, withheld: (
        made_from.counted, made_from.embeddings, weights, first.digest, shown.digest, settings,
        tuple(sorted(given.items())), withheld,
    ),
    max_entries=2,
)  # fmt: skip
def living(
    made_from: Sources, weights: ViewWeights, first: Partition, shown: Partition, settings: AnalyzeSettings,
    given: Mapping[int, SegmentName], *, withheld: bool,
) -> Living | None:  # fmt: skip
    """The segments by other numbers and weights, for the report to be moved; None where it cannot be."""
    return LivingMaker(
        made_from.vectors, basis(made_from), weights, first, shown, settings, _other_sessions(made_from),
        given, withheld,
    ).make()  # fmt: skip


@cached(lambda made_from: made_from.counted, max_entries=8)
def _one_page(made_from: Sources) -> OnePageSegments:
    """The segments of one-page users, made once for the labels: no slider and no outcome changes them."""
    return pipeline.one_page_segments(made_from.dataset, made_from.labels)


@cached(lambda made, given: (made.digest, tuple(sorted(given.items()))), max_entries=4 * SESSIONS)
def called(made: Tables, given: Mapping[int, SegmentName]) -> Mapping[int, CurrentName]:
    """Segment → its name: a given one, checked against what sets the segment apart, or the app's."""
    return name_fitting.current_names(
        made.differences, made.basis.site, given, chosen_segments(made.partition.edits)
    )


@cached(lambda made_from: made_from.counted, max_entries=8, cache=st.cache_data)
def outcomes(made_from: Sources) -> dict[str, int]:
    """Possible outcome → its users: events, then templates and pages, most users first."""
    return basis(made_from).data.outcomes.offered(_OFFERED)


@cached(lambda made_from: made_from.counted, max_entries=8)
def outcome_titles(made_from: Sources) -> Mapping[str, str]:
    """Possible outcome → what it is called where it is chosen, with its users."""
    return {
        outcome: f"{label_of([outcome])} ({users:,} users)" for outcome, users in outcomes(made_from).items()
    }


def usual_or_chosen(made_from: Sources, chosen: Sequence[str] | None) -> tuple[str, ...]:
    """The chosen outcomes that the data have; without a choice the usual one.

    Complete pages may be named without their host, as links and the command line do.
    """
    index = basis(made_from).data.outcomes
    if not chosen:
        return index.usual if chosen is None else ()
    pages = [index.pages_of(outcome) if outcome.startswith(PAGE_OUTCOME) else () for outcome in chosen]
    named = (
        page_outcome(index.pages[of[0]]) if len(of) == 1 else outcome
        for outcome, of in zip(chosen, pages, strict=True)
    )
    known = outcomes(made_from)
    return tuple(outcome for outcome in named if outcome in known) or index.usual


@cached(lambda made_from, outcome: (made_from.counted, outcome), max_entries=16)
def leaks(made_from: Sources, outcome: tuple[str, ...]) -> tuple[str, ...]:
    """Addresses of pages that the model has read although they give the outcome away."""
    return basis(made_from).data.outcomes.leaks(outcome)


@cached(
    lambda dataset, labels, outcome: (counts_key(dataset.key, labels), outcome), max_entries=4,
    show_spinner="Looking at how users differ …",
)  # fmt: skip
def facets(dataset: Dataset, labels: LabelledPages | None, outcome: tuple[str, ...] | None) -> Facets:
    """Find the facets of a data set: ways in which users differ, each with its levels.

    Args:
        dataset: The users.
        labels: Themes and types of its pages.
        outcome: What counts as the outcome; None for what is usual.
    """
    settings = AnalyzeSettings.checked(outcome=outcome)
    index = OutcomeIndex.of(dataset, labels)
    given_away = index.is_read(index.chosen(settings))
    return find_facets(dataset, labels, index.inside(settings), given_away=given_away)


def token(array: np.ndarray) -> str:
    """A content key of an array, such as a partition's labels."""
    return hashlib.blake2b(np.ascontiguousarray(array).tobytes(), digest_size=12).hexdigest()
