"""The look at a server while something comes: it ends, and there is at least one look."""

from typing import cast

import psutil
import pytest
from playwright.sync_api import Page

from benchmarks import upload
from benchmarks.company.server import Server


class Fake:
    """A page that waits for nothing, and a server that is this process."""

    process = psutil.Process()

    def memory_mb(self) -> float:
        return 7.0

    def wait_for_timeout(self, _: float) -> None:
        pass


FAKES = cast("Page", Fake()), cast("Server", Fake())


def test_what_is_done_at_once_is_looked_at_once() -> None:
    own, whole = upload.watched(*FAKES, lambda: True)
    assert own == 7.0
    assert whole > 1.0


def test_what_is_never_done_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "PATIENCE_MS", 20)
    with pytest.raises(TimeoutError, match="Not done within"):
        upload.watched(*FAKES, lambda: False)
