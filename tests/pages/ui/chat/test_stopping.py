"""The background tasks of all sessions: those of one server are stopped together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st

from core.llm import LlmSettings
from pages.ui.chat import describe_view
from tests.core.saved.test_model_tasks import SERVER, Noted, made, until

OTHER = LlmSettings.checked(model="other", base_url="http://127.0.0.1:9/v1")


@pytest.fixture(autouse=True)
def _none_left() -> Iterator[None]:
    yield
    st.cache_resource.clear()


def waiting(server: LlmSettings, name: str) -> Noted:
    """One that has to be agreed to."""
    task = Noted(made, server, False)
    task.gate.set()
    describe_view.begin(name, task)
    until(lambda: task.waits)
    return task


def test_a_server_s_tasks_are_stopped_together_and_no_other() -> None:
    mine, another = waiting(SERVER, "mine"), waiting(OTHER, "another")
    describe_view.stop_all(SERVER)
    assert (mine.done, mine.waits) == (True, False)
    assert another.waits
    another.stop()
