"""Jobs whose child also knows how to rest."""

from __future__ import annotations

import pytest

from core.runs import jobs


@pytest.fixture(autouse=True)
def resting_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "CHILD", "tests.core.runs.resting_child")
