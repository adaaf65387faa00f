"""Files that do not fit into the memory as a whole, as the app reads them: a sample of their users."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from core.base.errors import BOUNDED_RUN, SettingsError
from core.base.progress import silent
from core.base.settings import PRESETS, IngestSettings, Preset, TrainSettings
from core.ingest.read.read_all import read_all
from core.labels.label_settings import LabelMode, LabelSettings
from core.runs import artifacts, input_paths, pipeline, tasks
from core.runs.file_requests import FilesRequest, RefitRequest
from core.scoring import bounds, sampled
from core.scoring.bounds import MEMORY, PROGRAM
from core.scoring.engine_child import TASKS
from core.scoring.sampled import prepare
from core.storage.dataset import Dataset
from core.storage.store import Store
from tests.core.scoring.conftest import bounds_of


@pytest.fixture
def little(whole: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting of the memory into which a third of the records fits."""
    monkeypatch.setattr(bounds, "FEWEST", 1)
    monkeypatch.setattr(bounds, "A_RECORD", 3 * (10**9 - PROGRAM) // whole.receipt.records)
    monkeypatch.setenv(MEMORY, "1GB")


def test_some_users_as_they_are_among_all(
    shop: Path, whole: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = prepare(Store(tmp_path), [shop], IngestSettings(), silent, bounds_of(whole, 0.4))
    users, everybody = (one.users.set_index("user_id") for one in (found, whole))
    assert 40 < len(users) < 120  # a quarter of 300
    pd.testing.assert_frame_equal(
        users, everybody.loc[users.index], check_dtype=False, check_categorical=False
    )
    of_all = f"a sample of {len(users)} of {len(everybody)} users"
    assert found.receipt.narrowed == of_all
    said = found.receipt.warnings[0]
    assert of_all in said and f"{MEMORY}=16GB" in said and BOUNDED_RUN in said
    assert not re.search(r"\d [KMG]?B", said)  # another bound may draw the same users
    counted, account = found.receipt, whole.receipt
    assert (counted.records, counted.files) == (account.records, account.files)
    outside = counted.waterfall[-1]
    assert outside.label == "Of users outside the sample"
    assert outside.left == len(found.sequences.page)
    assert [path for path in (tmp_path / "preprocess").iterdir() if path != found.path] == []
    monkeypatch.setattr(sampled, "decide_for_all", lambda *_: pytest.fail("decided on again"))
    again = prepare(Store(tmp_path), [shop], IngestSettings(), silent, bounds_of(whole, 0.45))
    assert again.key == found.key


def test_all_of_them_where_they_were_read_before(shop: Path, whole: Dataset) -> None:
    store = Store(whole.path.parents[1])
    found = prepare(store, [shop], IngestSettings(), silent, bounds_of(whole, 0.4))
    assert (found.key, found.receipt.narrowed) == (whole.key, "")


def test_a_file_is_hashed_once_before_it_is_read(
    shop: Path, whole: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "preprocess").mkdir()  # as in a store that is in use
    asked, checksums = [], pipeline.checksums
    monkeypatch.setattr(pipeline, "checksums", lambda sources: asked.append(1) or checksums(sources))
    prepare(Store(tmp_path), [shop], IngestSettings(), silent, bounds_of(whole, 0.4))
    assert asked == [1]


@pytest.mark.parametrize("share", [2, 1_000])
def test_all_of_them_where_they_fit(shop: Path, whole: Dataset, tmp_path: Path, share: float) -> None:
    found = prepare(Store(tmp_path), [shop], IngestSettings(), silent, bounds_of(whole, share))
    assert (found.key, found.receipt) == (whole.key, whole.receipt)


def test_the_jobs_of_the_app_keep_to_the_setting(shop: Path, little: None, tmp_path: Path) -> None:
    files = FilesRequest(paths=(shop,), settings=IngestSettings()).model_dump(mode="json")
    key = tasks.run("preprocess", tmp_path, files, silent, TASKS)["dataset"]
    found = artifacts.open_dataset(Store(tmp_path), key)
    assert found.receipt.narrowed.startswith("a sample of ")
    assert list(input_paths.load_paths(found.path)) == [str(shop)]
    again = RefitRequest(
        paths=(shop,), ingest=IngestSettings(exclude_debug=False), label=LabelSettings(mode=LabelMode.OFF),
        train=TrainSettings.checked(**PRESETS[Preset.BAG]),
    )  # fmt: skip
    made = tasks.run("refit", tmp_path, again.model_dump(mode="json"), silent, TASKS)
    refitted = artifacts.open_dataset(Store(tmp_path), made["dataset"])
    assert refitted.receipt.narrowed.startswith("a sample of ") and made["dataset"] != key
    assert made["embeddings"]


def test_a_setting_that_is_no_size_is_told(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = FilesRequest(paths=(shop,), settings=IngestSettings()).model_dump(mode="json")
    for memory, why in (("plenty", "'plenty' is no size"), ("500MB", "500MB is less than a part")):
        monkeypatch.setenv(MEMORY, memory)
        with pytest.raises(SettingsError, match=f"^{MEMORY}: {why}"):
            tasks.run("preprocess", tmp_path, files, silent, TASKS)


def test_where_nobody_is_drawn_each_side_names_what_can_be_changed(
    shop: Path, whole: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = read_all([shop], IngestSettings(), tmp_path / "raw", silent)
    monkeypatch.setattr(sampled.parts, "sample_of", lambda *_, **__: replace(raw, files=()))
    with pytest.raises(SettingsError, match=r"draw more users: --memory or --sample-users\.$") as told:
        sampled.draw_sample(raw, {}, 0.4, bounds_of(whole, 0.4), 0, tmp_path)
    assert MEMORY in told.value.on_screen and "--" not in told.value.on_screen
