"""What holds for every test."""

import pytest
from hypothesis import HealthCheck, settings

from tests.real_data import ABSENT

# no timing assertions: a busy machine is no failure; and the same examples every time
settings.register_profile(
    "repeatable", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was not tried on real exports, and that nothing was left out where nothing was."""
    skipped = terminalreporter.stats.get("skipped", [])
    on_real = sum(ABSENT in str(report.longrepr) for report in skipped)
    terminalreporter.write_line(
        f"skipped: {on_real} tests for want of real exports, {len(skipped) - on_real} others"
    )
