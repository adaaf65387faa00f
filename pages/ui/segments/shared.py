"""What all sessions share by content key: vectors, counts, names and certificates, each made once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import numpy as np

from core.base.settings import AnalyzeSettings, ViewWeights
from core.differences.other_sessions import OtherSessions
from core.facts.context import Basis, Tables
from core.naming import fitting
from core.naming.fitting import HeldName
from core.naming.names import SegmentName
from core.runs import pipeline
from core.runs.stages import CERTIFICATES, CertifyRequest
from core.saved.controls import MOST_SEGMENTS
from core.segments.certificate import Certificate, with_verdict
from core.segments.combination import Combined
from core.segments.edits import chosen
from core.segments.geometry import count_different
from core.segments.layout import Layout, pca_layout
from core.segments.one_page import OnePageSegments
from core.segments.partition import Partition
from core.storage.store import Artifact
from pages.ui.segments import background
from pages.ui.segments.made_from import Sources
from pages.ui.shell.kept import kept

SESSIONS: Final = 24
"""Sessions for which everything on screen is kept; with more, some is made again."""


@kept(lambda made_from, weights: (made_from.embeddings, weights), max_entries=6)
def combined(made_from: Sources, weights: ViewWeights) -> Combined:
    """The combined vectors by some weights."""
    return pipeline.combine(made_from.vectors, weights)


@kept(lambda made_from, weights: (made_from.embeddings, weights), max_entries=64)
def different(made_from: Sources, weights: ViewWeights) -> int:
    """Number of different users who can be clustered, counted up to one above the most segments."""
    vectors = combined(made_from, weights).vectors
    return count_different(vectors[made_from.vectors.inside], enough=MOST_SEGMENTS + 1)


@kept(lambda made_from, weights: (made_from.embeddings, weights), max_entries=6)
def pca_map(made_from: Sources, weights: ViewWeights) -> Layout:
    """The quick map of the vectors combined by some weights."""
    return pca_layout(combined(made_from, weights).vectors)


@kept(lambda made_from: made_from.counted, max_entries=2)
def basis(made_from: Sources) -> Basis:
    """The basis of all counts, laid out once a data set and its labels."""
    return Basis.from_dataset(made_from.dataset, made_from.labels)


@kept(
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


@kept(lambda made_from: (made_from.counted, made_from.embeddings), max_entries=2)
def _other_sessions(made_from: Sources) -> OtherSessions | None:
    return pipeline.other_sessions(made_from.vectors, made_from.labels)


@kept(lambda made_from: made_from.counted, max_entries=8)
def _one_page(made_from: Sources) -> OnePageSegments:
    """The segments of one-page users, made once for the labels: no slider and no outcome changes them."""
    return pipeline.one_page_segments(made_from.dataset, made_from.labels)


@kept(lambda made, given: (made.digest, tuple(sorted(given.items()))), max_entries=4 * SESSIONS)
def called(made: Tables, given: Mapping[int, SegmentName]) -> Mapping[int, HeldName]:
    """Segment → its name: a given one, checked against what sets the segment apart, or the app's."""
    return fitting.held_names(made.differences, made.basis.site, given, chosen(made.partition.edits))


def certificates(made_from: Sources, weights: ViewWeights, partition: Partition) -> Mapping[int, Certificate]:
    """Segment → its certificate; empty until the job has run."""
    request = CertifyRequest(
        dataset=made_from.dataset.key, embeddings=made_from.embeddings, weights=weights,
        digest=partition.digest,
    )  # fmt: skip
    found = CERTIFICATES.artifact(made_from.store, request)
    made = {} if found is None else _certificates(found)
    return with_verdict(made, background.levels(made_from))


@kept(lambda found: found.key, max_entries=4 * SESSIONS)
def _certificates(found: Artifact) -> Mapping[int, Certificate]:
    return CERTIFICATES.read(found.path)


def token(array: np.ndarray) -> str:
    """A content key of an array, such as a partition's labels."""
    return hashlib.blake2b(np.ascontiguousarray(array).tobytes(), digest_size=12).hexdigest()
