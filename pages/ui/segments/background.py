"""Background jobs on a data set and its vectors: supported numbers of segments, and the map."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.base.settings import ViewWeights
from core.runs.stages import LAYOUT, LEVELS, LevelsRequest, VectorsRequest
from core.segments.layout import Layout
from core.segments.levels import SegmentLevels
from core.storage.store import Artifact
from pages.ui.segments.made_from import Sources
from pages.ui.shell import job_panel
from pages.ui.shell.kept import kept

ASKED: Final = "comparisons_asked_for"


def compare(made_from: Sources) -> None:
    """Start the job that finds supported numbers of segments, or join it (a button's callback)."""
    job_panel.start(LEVELS.name, _levels_request(made_from), made_from.dataset.key)


def draw_map(made_from: Sources, weights: ViewWeights) -> None:
    """Start the job that lays out the map, or join it (a button's callback)."""
    job_panel.start(LAYOUT.name, _layout_request(made_from, weights), made_from.embeddings)


def settle() -> None:
    """Take the results of this session's finished jobs; what they made lies in the store."""
    for stage in (LEVELS, LAYOUT):
        job_panel.result(stage.name)


def compare_once(made_from: Sources) -> None:
    """Start comparing users when a session first comes here with this data set and its labels."""
    asked, subject = st.session_state.setdefault(ASKED, set()), (made_from.dataset.key, made_from.label_key)
    if subject not in asked:
        asked.add(subject)
        compare(made_from)


def levels(made_from: Sources) -> SegmentLevels | None:
    """Numbers of segments that users support; None until the job has run."""
    artifact = LEVELS.artifact(made_from.store, _levels_request(made_from))
    return None if artifact is None else _open_levels(artifact)


def neighbour_map(made_from: Sources, weights: ViewWeights) -> Layout | None:
    """The neighbour-preserving layout of the map; None until the job has run."""
    artifact = LAYOUT.artifact(made_from.store, _layout_request(made_from, weights))
    return None if artifact is None else _open_layout(artifact)


def _levels_request(made_from: Sources) -> LevelsRequest:
    return LevelsRequest(dataset=made_from.dataset.key, labels=made_from.label_key)


def _layout_request(made_from: Sources, weights: ViewWeights) -> VectorsRequest:
    return VectorsRequest(dataset=made_from.dataset.key, embeddings=made_from.embeddings, weights=weights)


@kept(lambda artifact: artifact.key, max_entries=4)
def _open_levels(artifact: Artifact) -> SegmentLevels:
    return LEVELS.read(artifact.path)


@kept(lambda artifact: artifact.key, max_entries=4)
def _open_layout(artifact: Artifact) -> Layout:
    return LAYOUT.read(artifact.path)
