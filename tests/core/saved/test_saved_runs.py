"""Saved runs: what is kept of them, the way back, and two beside each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from core.base.errors import ArtifactError, SettingsError
from core.base.schema import View
from core.base.settings import ClusterSettings, ViewWeights
from core.journeys.funnel import Funnel, FunnelStep, StepKind
from core.periods.filter import CountFilter
from core.profiles.names import SegmentName
from core.saved import saved_runs
from core.saved.controls import Controls, percentages
from core.saved.saved_runs import SavedRun, compare_runs
from core.saved.saved_work import Segmentation
from core.segments.partition import Partition
from core.storage.dataset import RECEIPT, Dataset
from core.storage.store import Store

WEIGHTS = ViewWeights(url=0.7, theme=0.2, type=0.1)


def a_run(**changes: object) -> SavedRun:
    told: dict[str, Any] = {
        "name": "Spring",
        "at": "2026-03-01T08:30:00+00:00",
        "dataset": "d1",
        "model": "m1",
        "embeddings": "e1",
        "title": "shop.csv",
        "users": 4,
        "page_views": 9,
        "controls": Controls(n_clusters=2, weights=WEIGHTS),
        "names": {1: SegmentName("Gift hunters")},
        "titles": {0: "Segment 0", 1: "Gift hunters"},
        "sizes": {0: 2, 1: 1},
        "digest": "d",
        "log": ("shop.csv prepared",),
    }
    return SavedRun.checked(**told | changes)


def segments(labels: list[int]) -> Segmentation:
    ids = np.arange(max(labels) + 1, dtype=np.int32)
    partition = Partition(
        labels=np.array(labels, np.int32), centroids=np.eye(len(ids), dtype=np.float32), ids=ids,
        inertia=1.0, n_iter=1, warm=False, settings=ClusterSettings(n_clusters=len(ids)),
    )  # fmt: skip
    return Segmentation("e1", WEIGHTS, partition)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / RECEIPT).write_text("{}")
    return Dataset(folder, "d1")


@pytest.fixture
def key(store: Store, dataset: Dataset) -> str:
    return saved_runs.save(store, a_run(), segments([0, 0, 1, -1]), dataset)


def test_a_run_comes_back_with_its_segments_and_receipt(store: Store, key: str) -> None:
    run, shown = saved_runs.open_run(store, key)
    assert run == a_run()
    assert shown.setting == segments([0, 0, 1, -1]).setting
    assert shown.partition.labels.tolist() == [0, 0, 1, -1]
    assert (store.root / saved_runs.STAGE / key / RECEIPT).read_text() == "{}"


def test_segments_changed_by_hand_keep_what_they_were_before(store: Store, dataset: Dataset) -> None:
    from core.segments.editing import merge

    cut = segments([0, 1, 2, -1])
    vectors = np.eye(4, 3, dtype=np.float32)
    changed = replace(cut, partition=merge(cut.partition, vectors, (0, 1)), cut=cut.partition)
    key = saved_runs.save(store, a_run(sizes={0: 3}), changed, dataset)
    _, shown = saved_runs.open_run(store, key)
    assert shown.partition.digest == changed.partition.digest
    assert shown.cut is not None
    assert shown.cut.digest == cut.partition.digest


def test_the_newest_is_first_and_a_search_looks_into_names_and_notes(
    store: Store, dataset: Dataset, key: str
) -> None:
    later = saved_runs.save(
        store, a_run(name="June", at="2026-06-01T08:30:00+00:00"), segments([0, 0, 1, -1]), dataset
    )
    (store.root / saved_runs.STAGE / "broken").mkdir()
    (store.root / saved_runs.STAGE / "broken" / saved_runs.RUN).write_text("{")
    found = saved_runs.saved_runs(store)
    assert list(found) == [later, key]
    assert "gift hunters" in found[key].found_by
    assert "shop.csv" in found[key].found_by


def test_a_run_is_renamed_copied_and_deleted(store: Store, key: str) -> None:
    saved_runs.rename_run(store, key, name="  Spring   sale ", note="With coupons")
    copy = saved_runs.duplicate(store, key, "Another")
    assert saved_runs.open_run(store, key)[0].name == "Spring sale"
    assert saved_runs.open_run(store, copy)[0].note == "With coupons"
    saved_runs.delete(store, key)
    saved_runs.delete(store, key)  # another session was first
    assert list(saved_runs.saved_runs(store)) == [copy]


@pytest.mark.parametrize("name", ["", "   ", "x" * (saved_runs.MAX_NAME_LENGTH + 1)])
def test_an_impossible_name_changes_nothing(store: Store, key: str, name: str) -> None:
    with pytest.raises(SettingsError, match="name"):
        saved_runs.rename_run(store, key, name=name, note="")
    assert saved_runs.open_run(store, key)[0] == a_run()


def test_what_is_gone_is_told_and_a_damaged_run_is_not_shown(store: Store, key: str) -> None:
    (store.root / "train" / "m1").mkdir(parents=True)
    assert saved_runs.missing_parts(store, a_run()) == ["its data set", "the vectors of its users"]
    (store.root / saved_runs.STAGE / key / "labels.npy").write_bytes(b"other")
    with pytest.raises(ArtifactError, match="damaged"):
        saved_runs.open_run(store, key)


@pytest.mark.parametrize("key", ["nowhere", "../preprocess", ""])
def test_a_key_of_elsewhere_opens_nothing(store: Store, key: str) -> None:
    with pytest.raises((ArtifactError, SettingsError), match="saved run"):
        saved_runs.open_run(store, key)


def test_two_runs_are_compared_user_by_user() -> None:
    first, second = a_run(), a_run(controls=Controls(n_clusters=2, weights=ViewWeights()), sizes={0: 1, 1: 2})
    ids = pa.array(["ann", "bob", "eve", "kim"]), pa.array(["kim", "eve", "bob", "zoe"])
    found = compare_runs(first, second, ids, (np.array([0, 0, 1, -1]), np.array([0, 1, 1, 0])))
    assert (found.both, found.in_segments) == (3, 2)  # kim is in no segment of the first
    assert found.moves.to_numpy().tolist() == [[0, 1], [0, 1]]  # bob, eve
    assert np.isnan(found.agreement)  # all of them are in one segment of the second
    told = found.settings.set_index("setting")
    assert told.index.tolist() == ["Weight of pages", "Weight of page themes", "Weight of page types"]
    assert told.loc["Weight of pages"].tolist() == [
        f"{percentages(one, tuple(View))[View.URL]} %" for one in (WEIGHTS, ViewWeights())
    ]


def test_settings_are_told_in_the_words_of_the_screen() -> None:
    funnel = Funnel(steps=tuple(FunnelStep(kind=StepKind.PAGE, any_of=(one,)) for one in ("/a", "/b")))
    other = Controls(
        n_clusters=3, outcomes=("purchase",), funnel=funnel, named_anyway=False,
        counted=CountFilter(device=("mobile",)), weights=WEIGHTS,
    )  # fmt: skip
    ids, labels = pa.array(["a"]), np.array([0])
    told = compare_runs(a_run(), a_run(controls=other), (ids, ids), (labels, labels)).settings
    assert dict(zip(told["setting"], told["second"], strict=True)) == {
        "Number of segments": "3", "Outcome": "purchase",
        "Funnel": "/a → /b", "Filter": "device mobile", "Names without support": "no",
    }  # fmt: skip
    assert told.set_index("setting").loc["Outcome", "first"] == "not chosen"


def test_a_name_that_is_taken_is_numbered(store: Store, key: str, dataset: Dataset) -> None:
    name = saved_runs.open_run(store, key)[0].name
    again = saved_runs.save(store, a_run(name=f" {name} "), segments([0, 0, 1, -1]), dataset)
    third = saved_runs.duplicate(store, key, name)
    saved_runs.rename_run(store, third, name=name, note="")
    saved_runs.rename_run(store, key, name=name, note="its own name is not taken")
    kept = saved_runs.saved_runs(store)
    assert [kept[one].name for one in (key, again, third)] == [name, f"{name} (2)", f"{name} (3)"]
    longest = "x" * saved_runs.MAX_NAME_LENGTH
    for expected in (longest, f"{longest[:-4]} (2)"):
        long = saved_runs.save(store, a_run(name=longest), segments([0, 0, 1, -1]), dataset)
        assert saved_runs.saved_runs(store)[long].name == expected


def test_runs_of_the_same_segments_agree_wholly() -> None:
    ids, labels = pa.array(["a", "b", "c"]), np.array([0, 0, 1])
    found = compare_runs(a_run(), a_run(name="Copy"), (ids, ids), (labels, labels))
    assert found.agreement == 1
    assert found.settings.empty
    other = compare_runs(a_run(), a_run(), (ids, pa.array(["x"])), (labels, np.array([0])))
    assert (other.both, other.in_segments) == (0, 0)
    assert other.moves.to_numpy().sum() == 0
