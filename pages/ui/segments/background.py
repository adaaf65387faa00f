"""What background jobs computed for these vectors: scores over K, and the neighbour-preserving map."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from core.base.settings import ViewWeights
from core.runs import tasks
from core.runs.tasks import VectorsRequest
from core.segments.layout import Layout
from pages.ui.segments.live_segments import Sources
from pages.ui.shell import job_panel

CHOOSE_K: Final = tasks.CHOOSE_K
LAYOUT: Final = tasks.LAYOUT
SEED: Final = 0
TASKS: Final = (CHOOSE_K, LAYOUT)


def start(task: str, made_from: Sources, weights: ViewWeights) -> None:
    """Start a job for these vectors (a button's callback); joins the one that already runs."""
    job_panel.start(task, _request(made_from, weights), made_from.embeddings)


def settle() -> None:
    """Let go of this session's jobs that have ended; what they made lies in the store."""
    for task in TASKS:
        job_panel.result(task)


def k_scores(made_from: Sources, weights: ViewWeights) -> pd.DataFrame | None:
    """Columns ``k``, ``silhouette`` and ``inertia``; None until the job has run."""
    artifact = tasks.find(made_from.store, CHOOSE_K, _request(made_from, weights))
    if artifact is None:
        return None
    return pd.DataFrame(json.loads((artifact.path / "scores.json").read_text()))


def neighbour_map(made_from: Sources, weights: ViewWeights) -> Layout | None:
    """The neighbour-preserving layout; None until the job has run."""
    artifact = tasks.find(made_from.store, LAYOUT, _request(made_from, weights))
    return None if artifact is None else _open_layout(str(artifact.path))


def _request(made_from: Sources, weights: ViewWeights) -> VectorsRequest:
    return VectorsRequest(
        dataset=made_from.dataset.key, embeddings=made_from.embeddings, weights=weights, seed=SEED
    )


@st.cache_resource(max_entries=4, show_spinner=False)
def _open_layout(path: str) -> Layout:
    xy_file, facts_file = (Path(path) / name for name in tasks.LAYOUT_FILES)
    facts = json.loads(facts_file.read_text(encoding="utf-8"))
    return Layout(np.load(xy_file, allow_pickle=False), facts["method"], facts["fidelity"])
