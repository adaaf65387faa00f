"""A column of JSON is no column of addresses: told by its cells, in the look and in the reading."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.base.errors import InputError
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.read.inspection import inspect
from core.ingest.read.read_file import inner_names, no_plain_page
from tests.core.ingest.raw import csv_of, write
from tests.core.ingest.test_ingest import dataset_of

CELL = json.dumps({"$current_url": "https://a.example/joe@mail.example", "$browser": "Firefox"})


def test_names_inside_of_cells() -> None:
    assert inner_names([CELL, None, CELL]) == ("$current_url", "$browser")
    assert inner_names(['[{"key": "page_location", "value": {"string_value": "/"}}]']) == ("page_location",)
    assert inner_names(['[{"key": "sk-SECRET", "email": "a@b.example"}]']) == ("key", "email")
    assert inner_names(['{"key": "sk-SECRET", "value": 1}']) == ("key", "value")
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
    assert "with '$current_url', '$browser' in them" in said
    assert "joe@" not in said
    assert inspect([path], IngestSettings()).files[0].inner == {"properties": ("$current_url", "$browser")}


def test_names_in_a_message_are_short_and_hold_no_controls() -> None:
    said = str(no_plain_page("p", ["\x1b[31m" + 100_000 * "x"]))
    assert "\x1b" not in said
    assert len(said) < 400


def test_what_other_events_have_as_a_page_does_not_count(tmp_path: Path) -> None:
    record = '"{""x"": 1}"'
    clicks = [f"170000000000000{n % 10},u,click,{record}" for n in range(150)]
    path = write(
        tmp_path / "a.csv",
        csv_of(*clicks, "1700000000000000,u,page_view,/a", header="ts,clientId,event_name,url"),
    )
    assert dataset_of(tmp_path / "out", path).receipt.page_views_used == 1
    assert inspect([path], IngestSettings()).files[0].inner == {}
    with pytest.raises(InputError, match="holds no addresses"):
        dataset_of(tmp_path / "chosen", path, page_view="click")
