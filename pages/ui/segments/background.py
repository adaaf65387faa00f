"""What background jobs made of a data set and its vectors: supported numbers of segments, and the map."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np
import streamlit as st

from core.base.settings import ViewWeights
from core.runs import tasks
from core.runs.kept_levels import find_levels
from core.runs.tasks import LevelsRequest, VectorsRequest
from core.segments.layout import Layout
from core.segments.levels import SegmentLevels
from pages.ui.segments.made_from import Sources
from pages.ui.shell import job_panel

CHOOSE_K: Final = tasks.CHOOSE_K
LAYOUT: Final = tasks.LAYOUT
SEED: Final = 0
TASKS: Final = (CHOOSE_K, LAYOUT)
ASKED: Final = "comparisons_asked_for"


def compare(made_from: Sources) -> None:
    """Find supported numbers of segments (a button's callback); joins the job that already runs."""
    request = LevelsRequest(dataset=made_from.dataset.key, labels=made_from.label_key)
    job_panel.start(CHOOSE_K, request, made_from.dataset.key)


def draw_map(made_from: Sources, weights: ViewWeights) -> None:
    """Lay out these vectors (a button's callback); joins the job that already runs."""
    job_panel.start(LAYOUT, _layout_request(made_from, weights), made_from.embeddings)


def settle() -> None:
    """Let go of this session's jobs that have ended; what they made lies in the store."""
    for task in TASKS:
        job_panel.result(task)


def compare_once(made_from: Sources) -> None:
    """Start comparing users when a session first comes here with this data set and its labels."""
    asked, subject = st.session_state.setdefault(ASKED, set()), (made_from.dataset.key, made_from.label_key)
    if subject not in asked:
        asked.add(subject)
        compare(made_from)


def levels(made_from: Sources) -> SegmentLevels | None:
    """Numbers of segments that users support; None until the job has run."""
    return find_levels(made_from.store, made_from.dataset.key, made_from.label_key)


def neighbour_map(made_from: Sources, weights: ViewWeights) -> Layout | None:
    """The neighbour-preserving layout; None until the job has run."""
    artifact = tasks.find_layout(made_from.store, _layout_request(made_from, weights))
    return None if artifact is None else _open_layout(str(artifact.path))


def _layout_request(made_from: Sources, weights: ViewWeights) -> VectorsRequest:
    return VectorsRequest(
        dataset=made_from.dataset.key, embeddings=made_from.embeddings, weights=weights, seed=SEED
    )


@st.cache_resource(max_entries=4, show_spinner=False)
def _open_layout(path: str) -> Layout:
    xy_file, facts_file = (Path(path) / name for name in tasks.LAYOUT_FILES)
    facts = json.loads(facts_file.read_text(encoding="utf-8"))
    return Layout(np.load(xy_file, allow_pickle=False), facts["method"], facts["fidelity"])
