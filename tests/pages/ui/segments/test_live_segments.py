"""The way of a page of segments: controls are read, what is on screen is settled, and it is computed."""

from __future__ import annotations

import pytest
import streamlit as st

from core.saved import controls, saved_work
from core.saved.controls import Controls
from core.storage.store import Store
from pages.ui.segments import session_segments
from pages.ui.segments.live_segments import solve, with_number
from pages.ui.segments.shared import Sources
from pages.ui.shell import state
from tests.pages.fixtures_segments import FinishedRun


@pytest.fixture
def made_from(finished_run: FinishedRun) -> Sources:
    st.session_state.clear()  # outside of a server it is one for the whole process
    controls.save(Store(finished_run.root), finished_run.model, Controls(n_clusters=3))
    st.session_state[state.DATASET] = finished_run.dataset
    found = session_segments.found_sources()
    assert found is not None
    return found


def test_reading_begins_no_segments(made_from: Sources) -> None:
    assert session_segments.read(made_from).cluster.n_clusters == 3
    assert state.START not in state.of_model(made_from.model_key)
    assert session_segments.session(made_from).history == ()


def test_solving_knows_no_session(made_from: Sources) -> None:
    settled = session_segments.settle(made_from, session_segments.read(made_from))
    saved_work.rename(made_from.store, made_from.model_key, {0: "Given later"})
    st.session_state.clear()
    live = solve(settled)
    other = with_number(live, 2)
    assert (live.segments, other.segments) == ([0, 1, 2], [0, 1])
    assert not any(name.is_given for name in live.current_names.values())
    assert not st.session_state.to_dict()


def test_what_is_on_screen_is_shown_without_settling_again(made_from: Sources) -> None:
    settled = session_segments.settle(made_from, session_segments.read(made_from))
    state.hold_controls(made_from.model_key, n_clusters=2)
    shown = session_segments.shown(made_from)
    assert shown.segmentation is settled.segmentation
    assert session_segments.read(made_from).cluster.n_clusters == 2
