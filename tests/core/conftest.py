"""What several rooms of the core test with."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from benchmarks.words.smollm import RealServer, running


@pytest.fixture(scope="session")
def smollm() -> Iterator[RealServer]:
    """One server of a real model for all tests."""
    with ExitStack() as opened:
        try:
            server = opened.enter_context(running())
        except FileNotFoundError as absent:
            pytest.skip(str(absent))
        yield server
