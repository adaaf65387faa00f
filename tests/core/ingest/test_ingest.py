"""From files to a data set, through the readers; on the real exports where they are there."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.sites import DEV, write_site
from core.base.errors import InputError
from core.base.progress import silent
from core.base.settings import IngestSettings
from core.ingest.ingest import ingest
from core.storage.dataset import Dataset
from tests.core.ingest.raw import csv_of, write
from tests.core.ingest.shop import paths_of
from tests.real_data import real


def dataset_of(folder: Path, *files: Path, **settings: object) -> Dataset:
    for name in ("out", "work"):
        (folder / name).mkdir(parents=True)
    receipt = ingest(files, IngestSettings.checked(**settings), folder / "out", silent, folder / "work")
    dataset = Dataset(folder / "out", "toy")
    assert dataset.receipt == receipt
    return dataset


def test_daily_files_become_one_data_set(tmp_path: Path) -> None:
    first = csv_of(
        "page_view,1611210000000000,1.10,https://x.example/A/,Home",
        "page_view,oops,1.10,https://x.example/b,B",
        "scroll,1611210005000000,1.10,https://x.example/a,Home",
    )
    second = csv_of(
        "page_view,1611296400000000,1.10,https://x.example/c?gclid=5,C", "page_view,1611296400000000,1.1,/d,D"
    )
    paths = [write(tmp_path / "in" / "day1.csv", first), write(tmp_path / "in" / "day2.csv", second)]
    dataset = dataset_of(tmp_path, *paths)
    receipt = dataset.receipt
    assert dataset.users["user_id"].tolist() == ["1.1", "1.10"]
    assert paths_of(dataset) == {"1.1": ["/d"], "1.10": ["https://x.example/a", "https://x.example/c"]}
    assert [(file.records, file.read, file.rejected) for file in receipt.files] == [(3, 2, 1), (2, 2, 0)]
    assert dataset.rejects["line"].tolist() == [3]


def test_the_user_key_is_a_choice(tmp_path: Path) -> None:
    header = "event_name,event_timestamp,user_pseudo_id,user_id,page_location"
    rows = [f"page_view,161121000000{n}000,{n}.1,same,https://x.example/{n}" for n in range(3)]
    path = write(tmp_path / "in.csv", csv_of(*rows, header=header))
    dataset = dataset_of(tmp_path, path, user_key="user_id")
    assert dataset.users["user_id"].tolist() == ["same"]
    assert dataset.receipt.user_key == "user_id"


def test_a_file_without_page_views_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "in.csv", csv_of("scroll,1611210000000000,1.1,https://x.example/,Home"))
    with pytest.raises(InputError, match="scroll"):
        dataset_of(tmp_path, path)


def test_opening_a_receipt_does_not_load_the_engine() -> None:
    code = (
        "import sys, core.storage.dataset, core.ingest; sys.exit(bool({'ibis', 'duckdb'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("name", "users", "views", "pages"),
    [("eshop_2008.csv.gz", 24_026, 165_474, 217), ("wikispeedia.csv.gz", 11_485, 116_388, 4_061)],
)
def test_real_exports_keep_every_id_and_page_view(
    tmp_path: Path, name: str, users: int, views: int, pages: int
) -> None:
    path = real(name)
    dataset = dataset_of(tmp_path, path)
    with gzip.open(path) as file:
        raw = pd.read_csv(file, dtype=str)
    raw = raw[raw["event_name"] == "page_view"]
    ids = raw["user_pseudo_id"]
    assert dataset.users["user_id"].tolist() == sorted(ids.unique())
    assert (dataset.receipt.users, dataset.receipt.page_views_used, len(dataset.pages)) == (
        users,
        views,
        pages,
    )
    assert dataset.users["page_views"].tolist() == ids.value_counts().sort_index().tolist()
    assert dataset.receipt.users_by_group["bot_like"] == 0
    order = raw.assign(time=raw["event_timestamp"].astype("int64")).sort_values(
        ["user_pseudo_id", "time"], kind="stable"
    )
    urls = dataset.pages["page_location"].to_numpy()[dataset.sequences.page]
    decoded = order["page_location"].str.lower()
    same = decoded.to_numpy() == urls
    assert same[~decoded.str.contains("%").to_numpy()].all()


def test_the_real_flat_sample_has_ties_and_exact_ids(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path, real("ga4_formats/flat_events_2021.csv"))
    assert dataset.users["user_id"].tolist() == ["1605951.6059719725", "6475141.654587744"]
    assert dataset.users["engagement_msec"].iloc[0] == 13
    assert dataset.receipt.tied_page_views == 1
    assert any("spreadsheet" in text for text in dataset.receipt.warnings)


def test_the_real_nested_record_is_debug_traffic(tmp_path: Path) -> None:
    path = real("ga4_formats/nested_page_view.json")
    with pytest.raises(InputError, match="exclude_debug"):
        dataset_of(tmp_path / "without", path)
    dataset = dataset_of(tmp_path / "with", path, exclude_debug=False)
    assert dataset.users["user_id"].tolist() == ["1146540.1921992520"]
    assert dataset.users["country"].tolist() == ["United States"]
    assert dataset.pages["page_location"].tolist() == ["https://shop.googlemerchandisestore.com/payment.html"]


@pytest.mark.parametrize("site", DEV)
def test_everybody_who_did_an_event_in_the_file_is_in_the_receipt(site: str, tmp_path: Path) -> None:
    """Counted by pandas, on sites made up by another author; users without a page view are told apart."""
    file = write_site(site, tmp_path / "site", users=250).csv
    events = pd.read_csv(file, dtype=str, usecols=["event_name", "user_pseudo_id"]).dropna()
    viewers = set(events.loc[events["event_name"] == "page_view", "user_pseudo_id"])
    done = events[events["event_name"] != "page_view"].groupby("event_name")["user_pseudo_id"].agg(set)
    told = dataset_of(tmp_path, file).receipt.outcome_users
    assert {name: counted.users for name, counted in told.items()} == done.map(len).to_dict()
    assert {name: counted.without_page_view for name, counted in told.items()} == {
        name: len(users - viewers) for name, users in done.items()
    }
