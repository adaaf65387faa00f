"""The part of the page Time about a later export: choice, job, figures, words."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.base.progress import silent
from core.base.settings import IngestSettings, Preset, TrainSettings
from core.ingest.sample import write_sample
from core.runs import artifacts, pipeline
from core.runs.jobs import State
from core.runs.later_export import Trained
from core.saved import saved_work
from core.storage import store as storing
from core.storage.store import Store, file_checksum
from tests.core.runs.test_later_export import embedded
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import FakeJobs, texts

PAGE = "pages/segments/time.py"


@dataclass(frozen=True)
class TwoMonths:
    """Keys of a demo shop cut in two, and of the later part under other ids; the first two have a model."""

    root: Path
    before: str
    after: str
    other_key: str
    model: str
    later_model: str


@pytest.fixture(scope="session")
def written_months(tmp_path_factory: pytest.TempPathFactory) -> TwoMonths:
    folder = tmp_path_factory.mktemp("months")
    write_sample(folder / "all.csv", 500, 1, silent)
    table = pd.read_csv(folder / "all.csv", dtype=str, keep_default_na=False)
    late = table[table["event_date"] >= "20251216"]
    store, keys = Store(folder / "cache"), {}
    files = {
        "before": table[table["event_date"] < "20251216"], "after": late,
        "other_key": late.assign(user_pseudo_id="x" + late["user_pseudo_id"]),
    }  # fmt: skip
    for name, rows in files.items():
        rows.to_csv(folder / f"{name}.csv", index=False)
        keys[name] = pipeline.preprocess(store, [folder / f"{name}.csv"], IngestSettings(), silent)
    bag = TrainSettings.preset(Preset.BAG)
    models = [pipeline.train(store, keys[name], None, bag, silent) for name in ("before", "after")]
    for name, model in zip(("before", "after"), models, strict=True):
        pipeline.embed(store, keys[name], None, model, silent)
    for name in ("after", "other_key"):
        embedded(store, Trained(keys["before"], None, models[0]), keys[name])
    found = {name: dataset.key for name, dataset in keys.items()}
    return TwoMonths(store.root, **found, model=models[0].key, later_model=models[1].key)


@pytest.fixture
def months(written_months: TwoMonths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TwoMonths:
    root = shutil.copytree(written_months.root, tmp_path / "cache", dirs_exist_ok=True)
    monkeypatch.setenv("BEHA2VEC_CACHE", str(root))
    return replace(written_months, root=root)


def opened(open_app: OpenApp, months: TwoMonths, later: str | None = None) -> AppTest:
    app = open_app(PAGE, data=months.before, model=months.model, k="4")
    app.segmented_control(key="time-part").set_value("A later export").run()
    assert not app.exception
    if later:
        app.selectbox(key="later_export").set_value(later).run()
        assert not app.exception
    return app


def test_it_offers_the_other_data_sets_and_places_none_by_itself(
    open_app: OpenApp, months: TwoMonths
) -> None:
    app = opened(open_app, months)
    assert len(app.selectbox(key="later_export").options) == 2
    assert app.selectbox(key="later_export").value is None
    assert "placed by this model as it is" in texts(app)


def test_of_a_later_export_everything_is_told(open_app: OpenApp, months: TwoMonths) -> None:
    app = opened(open_app, months, months.after)
    told = texts(app)
    assert "users of 1 Nov 2025 to 15 Dec 2025. Later export:" in told
    assert "are in both" in told
    assert "about one in 20 later exports of as many days raises this alarm" in told
    assert "The model still fits these users: no need to train again" in [one.value for one in app.subheader]
    assert "Had nobody changed" in told
    assert "as it was prepared" in told  # its file is not in the input folder
    assert len(app.get("vega_lite_chart")) >= 2
    app.segmented_control(key="migration-as").set_value("Matrix").run()
    assert not app.exception
    assert "coloured: blue where more move" in texts(app)


def test_what_is_on_disk_is_checked_once(
    open_app: OpenApp, months: TwoMonths, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(open_app, months, months.after)
    checked: list[Path] = []

    def checksum(path: Path) -> str:
        checked.append(path)
        return file_checksum(path)

    monkeypatch.setattr(storing, "file_checksum", checksum)
    app.segmented_control(key="migration-as").set_value("Matrix").run()
    assert not app.exception
    assert not [path for path in checked if {"train", "later_export"} & set(path.parts)]


def test_ids_under_another_key_are_said_in_words(open_app: OpenApp, months: TwoMonths) -> None:
    app = opened(open_app, months, months.other_key)
    assert "None of the ids of the first export is in the later one" in texts(app)
    assert not app.error


def test_the_job_is_started_and_its_refusal_is_shown(
    open_app: OpenApp, months: TwoMonths, fake_jobs: FakeJobs
) -> None:
    shutil.rmtree(months.root / "later_export")
    app = opened(open_app, months, months.after)
    app.button(key="place-later").click().run()
    (task, request, subject), *_ = [one for one in fake_jobs.started if one[0] == "later_export"]
    assert (task, request["later"], request["paths"]) == ("later_export", months.after, [])
    assert subject == f"{months.model} {months.after}"
    fake_jobs.end("later_export", State.FAILED, error="Too few pages are known.")
    app.run()
    assert not app.exception
    assert "Too few pages" in app.error[0].value


def test_segments_of_another_training_take_the_numbers_of_the_same_ones(
    open_app: OpenApp, months: TwoMonths
) -> None:
    store = Store(months.root)
    app = opened(open_app, months, months.after)
    saved_work.rename(store, months.model, {0: "Campers"})
    same = next(table.value for table in app.dataframe if "overlap" in table.value)
    kept = same[same["so"] == "same"]
    assert len(kept) > 0
    app.button(key="keep-identity").click().run()
    assert not app.exception
    later = artifacts.open_dataset(store, months.after)
    found = saved_work.load_segments(store, months.later_model, len(later.users))
    assert found is not None
    assert sorted(found.continues or {}) == sorted(kept["kept_as"] - 1)
    assert set(found.partition.ids.tolist()) >= set(kept["kept_as"] - 1)


def test_the_address_says_which_export_is_on_screen_and_opens_it(
    open_app: OpenApp, months: TwoMonths
) -> None:
    app = opened(open_app, months, months.after)
    assert app.query_params["later"] == months.after
    again = open_app(PAGE, data=months.before, model=months.model, k="4", later=months.after)
    again.segmented_control(key="time-part").set_value("A later export").run()
    assert again.selectbox(key="later_export").value == months.after
    assert "are in both" in texts(again)


def test_exports_of_the_same_site_come_first(open_app: OpenApp, months: TwoMonths, tmp_path: Path) -> None:
    write_sample(tmp_path / "other.csv", 60, 2, silent)
    table = pd.read_csv(tmp_path / "other.csv", dtype=str, keep_default_na=False)
    table["page_location"] = "https://elsewhere.example/" + table["page_location"].str[8:]
    table.to_csv(tmp_path / "other.csv", index=False)
    pipeline.preprocess(Store(months.root), [tmp_path / "other.csv"], IngestSettings(), silent)
    app = opened(open_app, months)
    options = app.selectbox(key="later_export").options
    assert len(options) == 3
    assert options[-1].endswith("too few to compare")
    assert all(option.endswith("pages in common") for option in options[:2])


def test_data_places_an_export_without_a_model_in_earlier_segments_with_one_click(
    open_app: OpenApp, months: TwoMonths
) -> None:
    app = open_app(data=months.other_key)
    app.button(key="place-in-earlier").click().run()
    assert not app.exception
    assert app.title[0].value == "Time"
    assert app.segmented_control(key="time-part").value == "A later export"
    assert app.selectbox(key="later_export").value == months.other_key
    assert app.query_params["data"] in (months.before, months.after)
