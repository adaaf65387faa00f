"""What all sessions share by content key: vectors, counts, names, certificates; made once, whoever asks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import streamlit as st

from core.base.settings import AnalyzeSettings, ViewWeights
from core.desk.controls import MOST_SEGMENTS
from core.facts.basis import Basis
from core.facts.context import Tables
from core.naming import fitting
from core.naming.fitting import HeldName
from core.naming.names import SegmentName
from core.one_page.segments import OnePageSegments
from core.runs import kept_certificates, pipeline
from core.segments.certificate import Certificate
from core.segments.combination import Combined
from core.segments.geometry import count_different
from core.segments.layout import Layout, pca_layout
from core.segments.partition import Partition
from core.storage.store import Artifact
from pages.ui.segments.made_from import Sources

if TYPE_CHECKING:
    from pages.ui.segments.live_segments import LiveSegments

SESSIONS: Final = 24
"""People at once for whom everything that they look at is kept; with more, some of it is made again."""


def combined(made_from: Sources, weights: ViewWeights) -> Combined:
    """The vectors that some weights make."""
    return _combined(made_from.embeddings, weights, made_from)


def different(made_from: Sources, weights: ViewWeights) -> int:
    """Users who can be clustered and differ from each other, or more than the most segments."""
    return _different(made_from.embeddings, weights, made_from)


def pca_map(live: LiveSegments, weights: ViewWeights) -> Layout:
    """The quick map of the vectors that some weights make."""
    return _pca(live.sources.embeddings, weights, live.sources)


def basis(made_from: Sources) -> Basis:
    """What everything is counted from, laid out once a data set and its labels."""
    return _basis(made_from.counted, made_from)


def tables(made_from: Sources, partition: Partition, settings: AnalyzeSettings) -> Tables:
    """What segments are like, counted once for all sessions that have the same ones.

    Raises:
        SettingsError: If the outcome is not in the data.
    """
    return _tables(made_from.counted, partition.digest, settings, made_from, partition)


def called(made: Tables, given: Mapping[int, SegmentName]) -> Mapping[int, HeldName]:
    """What each segment is called: a given name, held against what sets it apart, or the app's."""
    return _called(made.digest, tuple(sorted(given.items())), made)


def certificates(made_from: Sources, weights: ViewWeights, partition: Partition) -> Mapping[int, Certificate]:
    """Segment → how sure it is; empty until the job has run."""
    key = kept_certificates.key_of(made_from.embeddings, weights, partition.digest)
    found = kept_certificates.find(made_from.store, key)
    return {} if found is None else _certificates(key, found)


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
def _basis(counted: str, _sources: Sources) -> Basis:
    return Basis.from_dataset(_sources.dataset, _sources.labels)


@st.cache_resource(max_entries=SESSIONS, show_spinner=False)
def _tables(
    counted: str, segments: str, settings: AnalyzeSettings, _sources: Sources, _partition: Partition
) -> Tables:
    made = basis(_sources)
    one_page = _one_page(counted, settings, _sources)
    return Tables(made, pipeline.analyze(made.data, _partition, settings, one_page), _partition)


@st.cache_resource(max_entries=8, show_spinner=False)
def _one_page(counted: str, settings: AnalyzeSettings, _sources: Sources) -> OnePageSegments:
    """Made once for the labels and the outcome: no slider changes them."""
    return pipeline.one_page_segments(_sources.dataset, _sources.labels, basis(_sources).data, settings)


@st.cache_resource(max_entries=4 * SESSIONS, show_spinner=False)
def _called(
    segments: str, given: tuple[tuple[int, SegmentName], ...], _tables: Tables
) -> Mapping[int, HeldName]:
    return fitting.held_names(_tables.differences, _tables.basis.site, dict(given))


@st.cache_resource(max_entries=4 * SESSIONS, show_spinner=False)
def _certificates(key: str, _found: Artifact) -> Mapping[int, Certificate]:
    return kept_certificates.read(_found)
