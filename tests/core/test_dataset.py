from pathlib import Path

import pyarrow.parquet as pq

from core import dataset as names
from core.dataset import Dataset
from core.ingest import tables
from core.sequences import SCHEMA
from tests.core.ingest.shop import event, shop


def toy(folder: Path) -> Dataset:
    return shop(
        folder, event("u", 0, "/a"), event("u", 1, "/b"), event("v", 0, "/a"), event("v", 1, name="scroll")
    )


def test_every_table_is_there_in_its_schema(tmp_path: Path) -> None:
    folder = toy(tmp_path).path
    expected = {
        names.SEQUENCES: SCHEMA,
        names.USERS: tables.USERS,
        names.PAGES: tables.PAGES,
        names.OUTCOMES: tables.OUTCOMES,
        names.REJECTS: tables.REJECTS,
    }
    assert {name: pq.read_schema(folder / name) for name in expected} == expected
    assert sorted(path.name for path in folder.iterdir()) == sorted([*expected, names.RECEIPT])


def test_tables_agree_with_each_other(tmp_path: Path) -> None:
    dataset = toy(tmp_path)
    assert dataset.sequences.user_id.to_pylist() == dataset.users["user_id"].tolist() == ["u", "v"]
    assert dataset.users["page_views"].tolist() == dataset.sequences.lengths.tolist() == [2, 1]
    assert dataset.pages["views"].sum() == dataset.sequences.n_views == dataset.receipt.page_views_used == 3
    assert dataset.outcomes["user"].tolist() == [1]
    assert len(dataset.rejects) == 0


def test_tables_are_read_once(tmp_path: Path) -> None:
    dataset = toy(tmp_path)
    assert dataset.users is dataset.users
    assert dataset.sequences is dataset.sequences
