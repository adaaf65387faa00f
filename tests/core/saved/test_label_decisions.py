"""What the analyst decided about labels: edits as a whole, in turn, and never lost."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from core.base.schema import View
from core.labels.label_settings import LabelMode, LabelSettings, Override, ThemeSource, default_taxonomy
from core.saved import label_decisions
from core.saved.label_decisions import Change
from core.storage.dataset import Dataset
from core.storage.json_cache import set_aside
from core.storage.store import Store

BLOG = Override(view=View.TYPE, target="/a", value="Blog")
PRODUCT = Override(view=View.TYPE, target="/a", value="Product")
TRAVEL = Override(view=View.THEME, target="/a", value="Travel")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def overrides(store: Store) -> tuple[Override, ...]:
    return label_decisions.load(store).overrides


def test_an_edit_that_is_told_twice_is_one_correction_and_one_undo(store: Store) -> None:
    assert label_decisions.correct(store, [BLOG])
    assert not label_decisions.correct(store, [BLOG])
    assert overrides(store) == (BLOG,)
    assert label_decisions.undo(store)
    assert overrides(store) == ()
    assert not label_decisions.undo(store)


def test_an_edit_of_several_cells_is_taken_back_as_a_whole(store: Store) -> None:
    label_decisions.correct(store, [PRODUCT])
    label_decisions.correct(store, [BLOG, TRAVEL])
    assert label_decisions.latest(store) == (
        Change(view=View.TYPE, target="/a", before="Product", after="Blog"),
        Change(view=View.THEME, target="/a", before=None, after="Travel"),
    )
    label_decisions.undo(store)
    assert overrides(store) == (PRODUCT,)


def test_a_correction_takes_the_place_of_the_one_before_it(store: Store) -> None:
    label_decisions.correct(store, [BLOG, TRAVEL])
    label_decisions.correct(store, [PRODUCT])
    assert overrides(store) == (PRODUCT, TRAVEL)


def test_corrections_can_be_deleted_and_brought_back(store: Store) -> None:
    label_decisions.correct(store, [BLOG, TRAVEL])
    assert label_decisions.remove(store, [(View.TYPE, "/a")])
    assert overrides(store) == (TRAVEL,)
    label_decisions.undo(store)
    assert set(overrides(store)) == {BLOG, TRAVEL}


def test_corrections_of_many_sessions_at_once_are_all_kept(store: Store) -> None:
    def one(number: int) -> bool:
        return label_decisions.correct(store, [Override(view=View.TYPE, target=f"/{number}", value="Blog")])

    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(one, range(20)))
    assert {one.target for one in overrides(store)} == {f"/{number}" for number in range(20)}


def of_site(host: str) -> Dataset:
    return cast(Dataset, SimpleNamespace(pages=pd.DataFrame({"page_location": [f"https://{host}/a"]})))


def test_a_taxonomy_is_of_one_site_in_all_its_exports(store: Store) -> None:
    mine = default_taxonomy().model_copy(update={"themes": default_taxonomy().themes[:2]})
    before = label_decisions.version(store)
    label_decisions.change(store, mode=LabelMode.RULES)
    label_decisions.choose(store, of_site("a.example"), mine, ThemeSource.TAXONOMY)
    now = label_decisions.load(store, of_site("a.example"))
    assert (now.taxonomy, now.themes, now.mode) == (mine, ThemeSource.TAXONOMY, LabelMode.RULES)
    for other in (of_site("b.example"), None):
        assert label_decisions.load(store, other) == LabelSettings(mode=LabelMode.RULES)
    assert label_decisions.version(store) != before


def test_a_file_that_cannot_be_read_is_kept_aside(store: Store) -> None:
    label_decisions.change(store, mode=LabelMode.RULES, overrides=(BLOG,))
    path = store.root / label_decisions.FILE
    damaged = path.read_text()[:-3]
    path.write_text(damaged)
    assert label_decisions.load(store) == LabelSettings()
    label_decisions.correct(store, [TRAVEL])
    assert overrides(store) == (TRAVEL,)
    (kept,) = set_aside(store.root)
    assert kept.read_text() == damaged


def test_a_damaged_history_costs_only_the_way_back(store: Store) -> None:
    label_decisions.correct(store, [BLOG])
    (store.root / label_decisions.EDITS).write_text("[")
    assert label_decisions.latest(store) == ()
    assert overrides(store) == (BLOG,)
