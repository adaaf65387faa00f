"""Small cards of what lies in the cache."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.storage.store import Store
from pages.ui.data import catalog
from tests.pages.fixtures_segments import FinishedRun


def test_an_empty_cache_has_no_cards(tmp_path: Path) -> None:
    assert catalog.datasets(Store(tmp_path)) == []
    assert catalog.models(Store(tmp_path), "abc") == []


def test_a_finished_run_is_listed(finished_run: FinishedRun) -> None:
    store = Store(finished_run.root)
    (card,) = catalog.datasets(store)
    assert (card.key, card.title, card.files) == (finished_run.dataset, "toy.csv", {"toy.csv": 1})
    assert card.line.startswith("toy.csv · ")
    (model,) = catalog.models(store, finished_run.dataset)
    assert model.key == finished_run.model
    assert "4 epochs " in model.line  # those done, of small data more than asked for
    assert catalog.models(store, "another data set") == []


def test_what_is_damaged_or_half_written_is_not_listed(finished_run: FinishedRun) -> None:
    store = Store(finished_run.root)
    folder = finished_run.root / "preprocess" / finished_run.dataset
    (folder / "receipt.json").write_text("{")
    (folder.parent / ".half.1.x").mkdir()
    (folder.parent / ".half.1.x" / "manifest.json").write_text("{}")
    catalog._dataset.clear()
    assert catalog.datasets(store) == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, ""),
        ({"of_another_version": 1}, ""),
        ({"user_key": "user_id", "exclude_bots": True}, "by user_id, other settings"),
        ({"keep_places": ["a"], "mask_places": ["b", "c"]}, "1 place kept, 2 places masked by choice"),
        ({"strip_pages": ["https://a.example/thanks"]}, "1 page left out"),
    ],
)
def test_how_a_file_was_read_tells_its_preparations_apart(
    finished_run: FinishedRun, settings: dict[str, Any], words: str
) -> None:
    (card,) = catalog.datasets(Store(finished_run.root))
    assert replace(card, settings=settings).choices == words
