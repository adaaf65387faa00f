"""What every page test starts from: the app on a cache and an input folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from functools import cache
from inspect import signature
from pathlib import Path
from unittest import mock

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.caching import cache_resource_api
from streamlit.testing.v1 import AppTest, local_script_runner

from core.llm.llm_settings import VARIABLES
from core.runs import jobs
from pages.ui.segments import certificates, figure, session_segments, shared
from tests.pages.fake_jobs import FakeJobs
from tests.pages.fixtures_segments import finished_run as finished_run
from tests.pages.fixtures_segments import written_run as written_run

ROOT = Path(__file__).resolve().parents[2]
OpenApp = Callable[..., AppTest]
COMPARE_ONCE = session_segments.compare_once
"""As it is outside of tests."""
KEPT = {
    f"{made.__module__}.{made.__qualname__}"
    for made in (
        figure._picture, figure._table, shared.combined, shared.different, shared.cut, shared.pca_map,
        shared.coarser_that_holds, shared.basis, shared.tables, shared._other_sessions, shared._one_page,
        shared.called, shared.facets,
    )
}  # fmt: skip
"""What is kept under all that it is made of, whatever the store: tests share it, as sessions do."""


@pytest.fixture(autouse=True, scope="session")
def packages_looked_through_once() -> Iterator[None]:
    """Streamlit looks for components in every installed package each time a test starts the app."""
    scan = cache(manifest_scanner.scan_component_manifests)
    with mock.patch.object(manifest_scanner, "scan_component_manifests", scan):
        yield


@pytest.fixture(autouse=True, scope="session")
def waiting_costs_nothing() -> Iterator[None]:
    """Streamlit's own wait asks every millisecond, and takes turns with the app that it waits for."""

    def wait(runner: local_script_runner.LocalScriptRunner, timeout: float) -> None:
        assert runner._script_thread
        runner._script_thread.join(timeout)
        assert not runner._script_thread.is_alive(), f"the app took more than {timeout} s"

    with mock.patch.object(local_script_runner, "require_widgets_deltas", wait):
        yield


def forget(but: Set[str] = frozenset()) -> None:
    """Everything that the app keeps but what functions of these names made."""
    made = cache_resource_api._resource_caches._function_caches.get(None, {})
    kept = {key: made.pop(key) for key, cache in [*made.items()] if cache.display_name in but}
    st.cache_data.clear()
    st.cache_resource.clear()
    cache_resource_api._resource_caches._function_caches[None] = kept


@pytest.fixture
def nothing_kept() -> Iterator[None]:
    """For tests that write other data under the same key."""
    forget()
    yield
    forget()


@pytest.fixture(autouse=True)
def nothing_kept_of_what_is_patched(request: pytest.FixtureRequest) -> None:
    """A test that patches something neither finds nor leaves what others made."""
    if "monkeypatch" in signature(request.function).parameters:
        request.getfixturevalue("nothing_kept")


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of the project's own folders, and no language model of the developer's, is seen or touched."""
    monkeypatch.setenv("BEHA2VEC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BEHA2VEC_INPUT", str(tmp_path / "input"))
    monkeypatch.setenv("BEHA2VEC_CONFIG", str(tmp_path / "config"))
    monkeypatch.setattr(certificates, "QUIET_S", float("inf"))  # no job that nobody asks for
    monkeypatch.setattr(session_segments, "compare_once", lambda *_: None)
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    yield
    forget(but=KEPT)


@pytest.fixture
def open_app() -> OpenApp:
    """Run the app, at a page and with a link's parameters."""

    def open_page(page: str = "pages/prepare/data.py", **link: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in link.items():
            app.query_params[name] = value
        app.switch_page(page)
        return app.run()

    return open_page


@pytest.fixture(autouse=True)
def fake_jobs(monkeypatch: pytest.MonkeyPatch) -> FakeJobs:
    """Jobs that end as a test says: a page starts a few by itself, which take longer than the test."""
    fake = FakeJobs()
    for name in ("start", "view", "recent", "active", "figures"):
        monkeypatch.setattr(jobs, name, getattr(fake, name))
    return fake
