"""What other tests start from is what the app would have made: it finds it, and starts nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pages.ui.segments import certificates, session_segments
from tests.pages.conftest import COMPARE_ONCE, OpenApp
from tests.pages.fake_jobs import FakeJobs, texts
from tests.pages.fixtures_segments import keep_what_jobs_make, write_run


@pytest.mark.parametrize("views", [("url",), ("url", "theme")])
def test_where_everything_is_kept_no_job_is_started(
    open_app: OpenApp, fake_jobs: FakeJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, views: tuple[str]
) -> None:
    monkeypatch.setattr(session_segments, "compare_once", COMPARE_ONCE)
    monkeypatch.setattr(certificates, "QUIET_S", 0)
    run = write_run(tmp_path / "cache", views=views)
    open_app("pages/segments/explore.py", data=run.dataset, k="3")
    assert sorted(task for task, _, _ in fake_jobs.started) == ["certify", "choose_k", "layout"]
    fake_jobs.started.clear()
    kept = keep_what_jobs_make(write_run(tmp_path / "cache", views=views, per_kind=30))
    app = open_app("pages/segments/explore.py", data=kept.dataset, k="3")
    assert "laid out by PaCMAP" in texts(app)
    assert fake_jobs.started == []
