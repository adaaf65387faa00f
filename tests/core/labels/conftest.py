"""What the tests of several rungs need."""

from __future__ import annotations

import pytest

from core.labels.cache import LabelCache


@pytest.fixture
def kept(tmp_path_factory: pytest.TempPathFactory) -> LabelCache:
    """Decisions of models, none so far."""
    return LabelCache(tmp_path_factory.mktemp("kept"))
