"""What holds for every test."""

import gc
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from tests.random_cases import THOROUGH
from tests.real_data import ABSENT

# no timing assertions: a busy machine is no failure; and the same examples every time
settings.register_profile(
    "repeatable",
    deadline=None,
    derandomize=True,
    max_examples=200 if THOROUGH else 60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")

# loading modules makes nothing but what stays: to look for garbage every 700 objects took a third of the time
gc.set_threshold(100_000, 50, 100)

HERE: Final = Path(__file__).parent
INTEGRATION: Final = (
    *(
        "pages",
        "benchmarks",
        "docs",
        "core/cli",
        "core/scoring/serving/test_server.py",
        "core/mcp/test_server.py",
        "core/runs/test_watch.py",
    ),
    *("core/runs/test_jobs.py", "core/runs/test_jobs_not_answering.py", "core/runs/test_embedding_child.py"),
    *("test_wheel.py", "core/llm/test_real.py", "core/sql/test_sandbox.py", "core/scoring/test_on_spark.py"),
)
"""Where tests run whole pages, programs or servers; the others are the unit part."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by place, so that no test can be forgotten."""
    parts = [HERE / part for part in INTEGRATION]
    paths = {item.path for item in items}  # of few files
    marked = {path for path in paths if any(path.is_relative_to(part) for part in parts)}
    for item in items:
        if item.path in marked:
            item.add_marker(pytest.mark.integration)


def pytest_collection_finish() -> None:
    """No later collection looks again at what is loaded for good."""
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was not tried on real exports, and that nothing was left out where nothing was."""
    skipped = terminalreporter.stats.get("skipped", [])
    on_real = sum(ABSENT in str(report.longrepr) for report in skipped)
    terminalreporter.write_line(
        f"skipped: {on_real} tests for want of real exports, {len(skipped) - on_real} others"
    )
