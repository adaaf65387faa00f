"""The scorecard of the vectors on screen: what is in the store, and the job that measures it."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.base.settings import ViewWeights
from core.desk.controls import effective
from core.runs.tasks import ScorecardRequest
from core.storage.store import content_key
from core.trust import result
from core.trust.result import Scorecard
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import job_panel

TASK: Final = "scorecard"
ASKED: Final = "scorecard_asked"


def find(live: LiveSegments) -> Scorecard | None:
    """The scorecard for this model, weights and outcome; None until it was measured."""
    artifact = live.sources.store.find(result.STAGE, key(live))
    return None if artifact is None else Scorecard.from_json((artifact.path / result.FILE).read_bytes())


def key(live: LiveSegments) -> str:
    """Names the scorecard in the store, and its job."""
    return content_key(result.STAGE, *result.made_of(live.sources.embeddings, *_asked(live)))


def start(live: LiveSegments) -> None:
    """Start measuring (also a button's callback); joins a job that measures the same."""
    made_from = live.sources
    weights, outcomes = _asked(live)
    request = ScorecardRequest(
        dataset=made_from.dataset.key,
        labels=made_from.label_key,
        model=made_from.model_key,
        embeddings=made_from.embeddings,
        weights=weights,
        outcomes=outcomes,
    )
    job_panel.start(TASK, request, key(live))


def start_once(live: LiveSegments) -> None:
    """Start measuring when a session comes here for the first time with these vectors."""
    asked = st.session_state.setdefault(ASKED, set())
    if live.sources.embeddings not in asked:
        asked.add(live.sources.embeddings)
        start(live)


def _asked(live: LiveSegments) -> tuple[ViewWeights, tuple[str, ...]]:
    weights = effective(live.steering.weights, tuple(live.sources.vectors.views))
    return weights, live.profiles.chosen
