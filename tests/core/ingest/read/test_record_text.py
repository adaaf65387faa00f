"""A column of JSON is no column of addresses: told by its cells, in the look and in the reading."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.base.errors import InputError
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.read.inspection import inspect
from core.ingest.read.record_text import inner_names
from tests.core.ingest.raw import csv_of, write
from tests.core.ingest.test_ingest import dataset_of

CELL = json.dumps({"$current_url": "https://a.example/joe@mail.example", "$browser": "Firefox"})


def test_names_inside_of_cells() -> None:
    assert inner_names([CELL, None, CELL]) == ("$current_url", "$browser")
    assert inner_names(['[{"key": "page_location", "value": {"string_value": "/"}}]']) == ("page_location",)
    assert inner_names([CELL, "/a", "/b"]) == ()  # most are plain
    assert inner_names(["/a", "{broken", "[1, 2]", "7", '"/a"']) == ()
    assert inner_names([]) == inner_names([None, ""]) == ()


def test_such_a_column_is_refused_as_the_page_and_only_as_that(tmp_path: Path) -> None:
    quoted = '"' + CELL.replace('"', '""') + '"'
    path = write(
        tmp_path / "a.csv", csv_of(f"1700000000000000,u,{quoted},/a", header="ts,clientId,properties,url")
    )
    assert dataset_of(tmp_path / "plain", path).receipt.page_views_used == 1
    with pytest.raises(InputError) as refused:
        dataset_of(tmp_path / "chosen", path, mapping={Raw.PAGE_LOCATION: "properties"})
    said = str(refused.value)
    assert said.startswith("a.csv: 'properties' holds no addresses of pages")
    assert "$current_url, $browser" in said
    assert "joe@" not in said
    assert inspect([path], IngestSettings()).files[0].inner == {"properties": ("$current_url", "$browser")}
