"""The files that shapes are measured on hold the same events, whoever reads them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from benchmarks.shapes import SHAPES, by_duckdb, by_pandas, ours, write_shapes
from core.base.settings import IngestSettings
from core.ingest.read.read_file import read_file
from core.ingest.sample import write_sample
from core.ingest.sources.input_files import resolve_inputs

Events = list[tuple[str, ...]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("shapes")
    write_sample(made / "shop.csv", 30, 1)
    write_shapes(made / "shop.csv", made)
    return made


def events_of(folder: Path, name: str, out: Path) -> Events:
    (source,) = resolve_inputs([folder / SHAPES[name].file])
    read = read_file(source, IngestSettings(), out, lambda _: None)
    rows = duckdb.read_parquet([str(part.path) for part in read.parts])
    fields = (
        "user_key, event_timestamp, event_name, page_location, page_title, ga_session_id, "
        "engagement_time_msec, device_browser, geo_country, traffic_source_source, transaction_id"
    )
    return sorted(rows.select(fields).fetchall(), key=str)


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_gives_the_events_of_the_flat_file(name: str, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "flat").mkdir()
    (tmp_path / "other").mkdir()
    flat = events_of(folder, "flat, CSV", tmp_path / "flat")
    assert len(flat) > 100
    assert events_of(folder, name, tmp_path / "other") == flat


@pytest.mark.parametrize("name", SHAPES)
def test_the_others_find_them_too(name: str, folder: Path, tmp_path: Path) -> None:
    path, sql = folder / SHAPES[name].file, SHAPES[name].read
    records, events = ours(path, tmp_path)
    assert records >= events
    different = len(set(duckdb.execute(SHAPES["flat, CSV"].read.format(path=folder / "flat.csv")).fetchall()))
    assert by_pandas(path) in (events, different)
    assert not sql or by_duckdb(path, sql) in (events, different)
