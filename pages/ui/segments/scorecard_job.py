"""The scorecard of the vectors on screen: what is in the store, and the job that measures it."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.desk.controls import effective
from core.runs.stages import SCORECARD, ScorecardRequest
from core.trust.result import Scorecard
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import job_panel

ASKED: Final = "scorecard_asked"


def find(live: LiveSegments) -> Scorecard | None:
    """The scorecard for this model, weights and outcome; None until it was measured."""
    return SCORECARD.find(live.sources.store, _request(live))


def key(live: LiveSegments) -> str:
    """Names the scorecard in the store, and its job."""
    return SCORECARD.key(_request(live))


def start(live: LiveSegments) -> None:
    """Start measuring (also a button's callback); joins a job that measures the same."""
    job_panel.start(SCORECARD.name, _request(live), key(live))


def start_once(live: LiveSegments) -> None:
    """Start measuring when a session comes here for the first time with these vectors."""
    asked = st.session_state.setdefault(ASKED, set())
    if live.sources.embeddings not in asked:
        asked.add(live.sources.embeddings)
        start(live)


def _request(live: LiveSegments) -> ScorecardRequest:
    made_from = live.sources
    return ScorecardRequest(
        dataset=made_from.dataset.key,
        labels=made_from.label_key,
        model=made_from.model_key,
        embeddings=made_from.embeddings,
        weights=effective(live.steering.weights, tuple(made_from.vectors.views)),
        outcomes=live.profiles.chosen,
    )
