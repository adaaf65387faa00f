"""What the tests of several rungs need."""

from __future__ import annotations

import pytest

from core.labels.label_cache import SIZE_LIMIT
from core.storage.json_cache import JsonCache


@pytest.fixture
def kept(tmp_path_factory: pytest.TempPathFactory) -> JsonCache:
    """Decisions of models, none so far."""
    return JsonCache(tmp_path_factory.mktemp("kept"), SIZE_LIMIT)
