import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.base.errors import ArtifactError
from core.base.progress import silent
from core.base.settings import IngestSettings
from core.ingest import output_tables
from core.runs import pipeline
from core.storage import dataset as names
from core.storage.dataset import Dataset
from core.storage.sequences import SCHEMA
from core.storage.store import MANIFEST, Store, file_checksum
from tests.core.ingest.shop import event, shop


def toy(folder: Path) -> Dataset:
    return shop(
        folder, event("u", 0, "/a"), event("u", 1, "/b"), event("v", 0, "/a"), event("v", 1, name="scroll")
    )


def test_every_table_is_there_in_its_schema(tmp_path: Path) -> None:
    folder = toy(tmp_path).path
    expected = {
        names.SEQUENCES: SCHEMA,
        names.USERS: output_tables.USERS,
        names.PAGES: output_tables.PAGES,
        names.PAGE_EVENTS: output_tables.PAGE_EVENTS,
        names.OUTCOMES: output_tables.OUTCOMES,
        names.EVENTS: output_tables.EVENTS,
        names.REJECTS: output_tables.REJECTS,
    }
    assert {name: pq.read_schema(folder / name) for name in expected} == expected
    assert sorted(path.name for path in folder.iterdir()) == sorted([*expected, names.RECEIPT])


def test_tables_agree_with_each_other(tmp_path: Path) -> None:
    dataset = toy(tmp_path)
    assert dataset.sequences.user_id.to_pylist() == dataset.users["user_id"].tolist() == ["u", "v"]
    assert dataset.users["page_views"].tolist() == dataset.sequences.lengths.tolist() == [2, 1]
    assert dataset.pages["views"].sum() == dataset.sequences.n_views == dataset.receipt.page_views_used == 3
    assert dataset.outcomes["user"].tolist() == dataset.events.user.tolist() == [1]
    assert len(dataset.rejects) == 0


def test_a_data_set_of_an_earlier_release_says_what_it_lacks(tmp_path: Path) -> None:
    dataset = toy(tmp_path)
    (dataset.path / names.EVENTS).unlink()
    with pytest.raises(ArtifactError, match=r"no times of events.*Load the export again"):
        _ = dataset.events


def test_what_an_earlier_release_left_out_is_made_when_the_export_is_loaded_again(tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    file.write_text(
        "event_name,event_timestamp,user_pseudo_id,page_location\n"
        "page_view,1700000001,u,https://a.example/a\nlike,1700000002,u,https://a.example/a\n"
    )
    store = Store(tmp_path / "cache")
    data = pipeline.preprocess(store, [file], IngestSettings(), silent)
    outcomes = data.path / names.OUTCOMES
    pq.write_table(pq.read_table(outcomes).drop_columns(["items"]), outcomes)
    manifest = json.loads((data.path / MANIFEST).read_text())
    manifest["files"][names.OUTCOMES] = file_checksum(outcomes)
    (data.path / MANIFEST).write_text(json.dumps(manifest))
    again = pipeline.preprocess(store, [file], IngestSettings(), silent)
    assert again.key == data.key and "items" in pq.read_schema(outcomes).names


def test_tables_are_read_once(tmp_path: Path) -> None:
    dataset = toy(tmp_path)
    assert dataset.users is dataset.users
    assert dataset.sequences is dataset.sequences


def test_a_session_id_written_as_a_float_is_the_same_session(tmp_path: Path) -> None:
    header = "event_name,event_timestamp,user_pseudo_id,ga_session_id,page_location\n"
    (tmp_path / "day1.csv").write_text(header + "page_view,1700000001,1.10,1700000000,https://a.example/a\n")
    (tmp_path / "day2.csv").write_text(
        header
        + "page_view,1700000002,1.10,1700000000.0,https://a.example/b\n"
        + "page_view,1700000003,1.1,1700000000.0,https://a.example/b\n"
    )
    paths = [tmp_path / "day1.csv", tmp_path / "day2.csv"]
    data = pipeline.preprocess(Store(tmp_path / "cache"), paths, IngestSettings(), silent)
    assert data.users["user_id"].tolist() == ["1.1", "1.10"]  # ids stay text
    assert data.users["sessions"].tolist() == [1, 1]
