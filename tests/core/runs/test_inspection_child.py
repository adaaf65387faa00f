"""The child that looks into files: a real one, and what it must not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from core.base.settings import IngestSettings
from core.runs import jobs
from core.runs.file_requests import FilesRequest
from core.runs.inspection_child import LOOK
from core.runs.jobs import State
from tests.core.runs.test_jobs import ended, wait_for

HEAVY = ("ibis", "pandas", "scipy", "duckdb", "core.runs.pipeline", "core.runs.tasks")


def look(root: Path, path: Path) -> jobs.JobView:
    asked = FilesRequest(paths=(path,), settings=IngestSettings())
    return wait_for(root, jobs.start(root, LOOK, asked, path.name, child=jobs.LOOKS), ended)


def test_it_says_what_a_file_holds_or_why_it_cannot(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ts,clientId,url\n1700000000000000,u,/a\n")
    view = look(tmp_path, path)
    assert view.state is State.DONE
    assert view.result["inspection"]["mapping"]["user_key"] == "clientId"
    refused = look(tmp_path, tmp_path / "no.csv")
    assert (refused.state, refused.is_bug) == (State.FAILED, False)
    assert "no.csv" in refused.error


def test_it_loads_none_of_the_stages() -> None:
    """They take four times as long to load as the look takes."""
    loading = f"import sys; import {jobs.LOOKS}, core.ingest.read.inspection; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", loading], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(loaded.stdout.split())
