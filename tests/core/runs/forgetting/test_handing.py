"""Lists of ids between a page and its job: nobody else's is taken, none is left."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from core.runs import jobs
from core.runs.forgetting.id_files import clear_away, write_ids
from core.runs.jobs import JobView, State
from core.storage.store import Store


def test_a_list_of_a_job_that_ended_goes_and_that_of_another_session_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    own, other = write_ids(store, "u-123456"), write_ids(store, "u-234567")
    clear_away(store, own)
    assert (own.exists(), other.exists()) == (False, True)


def test_an_old_list_goes_unless_a_job_waits_to_take_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    waits, left = write_ids(store, "u-123456"), write_ids(store, "u-234567")
    for path in (waits, left):
        os.utime(path, (time.time() - 999,) * 2)
    (tmp_path / "jobs" / "1").mkdir(parents=True)
    asked = {"task": "forget", "subject": "x", "started": 1.0, "request": {"ids": str(waits)}}
    (tmp_path / "jobs" / "1" / "request.json").write_text(json.dumps(asked))
    monkeypatch.setattr(jobs, "active", lambda *_: [JobView("1", "forget", "x", State.STARTING)])
    clear_away(store, None)
    assert (waits.exists(), left.exists()) == (True, False)
