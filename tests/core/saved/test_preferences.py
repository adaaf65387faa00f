"""What the analyst chose: kept, checked, and not lost to a damaged file."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.base.errors import SettingsError
from core.llm.chat_types import Price
from core.saved import preferences
from core.saved.preferences import Preferences
from core.storage.store import Store


def test_what_was_chosen_is_read_again_and_the_rest_holds_by_default(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert preferences.load(store) == Preferences()
    preferences.change(store, fewest_users=50)
    preferences.change(store, prices={"m": Price(1.0, 2.0)})
    kept = preferences.load(store)
    assert (kept.fewest_users, kept.prices, kept.expert_sql) == (50, {"m": Price(1.0, 2.0)}, False)


def test_only_what_differs_is_written(tmp_path: Path) -> None:
    preferences.change(Store(tmp_path), wall_s=30.0)
    assert (tmp_path / preferences.FILE).read_text().split() == ["{", '"wall_s":', "30.0", "}"]


def test_what_is_not_possible_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    preferences.change(store, fewest_users=50)
    with pytest.raises(SettingsError, match="fewest_users"):
        preferences.change(store, fewest_users=0)
    assert preferences.load(store).fewest_users == 50


@pytest.mark.parametrize("damaged", ["{", "[]", '{"unknown": 1}', '{"wall_s": "soon"}'])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, damaged: str) -> None:
    (tmp_path / preferences.FILE).write_text(damaged)
    assert preferences.load(Store(tmp_path)) == Preferences()


@pytest.mark.parametrize("address", ["https://me:sk-secret@host/v1", "https://host/v1?api-key=sk-secret"])
def test_a_key_in_the_address_is_neither_written_nor_repeated(tmp_path: Path, address: str) -> None:
    store = Store(tmp_path)
    with pytest.raises(SettingsError) as refused:
        preferences.change(store, base_url=address)
    assert "sk-secret" not in str(refused.value)
    assert not (tmp_path / preferences.FILE).exists()
