"""The scorecard of these segments: what is in the store, and the job that measures it."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from core.storage.store import content_key
from core.trust import result
from core.trust.result import Scorecard
from pages.ui import job_panel
from pages.ui.workbench import Bench

TASK: Final = "scorecard"
ASKED: Final = "scorecard_asked"


def find(bench: Bench) -> Scorecard | None:
    """The scorecard for this model, number of segments and outcome; None until it was measured."""
    artifact = bench.sources.store.find(result.STAGE, key(bench))
    return None if artifact is None else Scorecard.from_json((artifact.path / result.FILE).read_bytes())


def key(bench: Bench) -> str:
    """Names the scorecard in the store, and its job."""
    return content_key(result.STAGE, *result.made_of(bench.sources.embeddings, *_asked(bench)))


def start(bench: Bench) -> None:
    """Start measuring (also a button's callback); joins a job that measures the same."""
    made_from = bench.sources
    n_clusters, outcome = _asked(bench)
    request: dict[str, Any] = {
        "dataset": made_from.dataset.key,
        "labels": made_from.labels.key if made_from.labels else "",
        "model": made_from.model_key,
        "embeddings": made_from.embeddings,
        "n_clusters": n_clusters,
        "outcome": outcome,
    }
    job_panel.start(TASK, request, key(bench))


def start_once(bench: Bench) -> None:
    """Start measuring when a session comes here for the first time with these vectors."""
    asked = st.session_state.setdefault(ASKED, set())
    if bench.sources.embeddings not in asked:
        asked.add(bench.sources.embeddings)
        start(bench)


def _asked(bench: Bench) -> tuple[int, str]:
    return bench.steering.cluster.n_clusters, bench.profiles.outcome or ""
