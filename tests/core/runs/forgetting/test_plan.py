"""Whose the records of a file are is told by the data sets that were made of it, before they go."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.base.progress import Progress, silent
from core.base.settings import IngestSettings
from core.ingest.read.read_cache import ReadCache
from core.ingest.sources.input_files import resolve_inputs
from core.runs import app_watches, pipeline
from core.runs.forgetting.forget import forget, ids_of, preview
from core.runs.forgetting.places import SearchedPlaces
from core.runs.forgetting.plan import PurgeFate
from core.runs.watch import KEPT_FOLDER
from core.storage.store import Store

GONE, OTHER = "shop-1000", "shop-1001"
HEADER = "shopper,user_pseudo_id,account_manager,event_timestamp,event_name,page_location\n"


def row(shopper: str, second: int, manager: str = "m") -> str:
    return f"{shopper},device {second},{manager},17000000000000{second:02},page_view,https://x.example/{second}\n"


THEIRS = [row(GONE, n) for n in range(3)]
REST = [row(OTHER, n) for n in range(10, 13)]


def prepared(root: Path, settings: IngestSettings) -> SearchedPlaces:
    """A file with three records of who is forgotten; of four of another user, one names them as manager."""
    (root / "a.csv").write_text(HEADER + "".join([*THEIRS, *REST, row(OTHER, 20, GONE)]))
    pipeline.preprocess(Store(root / "cache"), [root / "a.csv"], settings, silent)
    return SearchedPlaces(root / "cache", inputs=(root / "a.csv",))


def lines_of(places: SearchedPlaces) -> list[str]:
    return places.inputs[0].read_text().splitlines(keepends=True)[1:]


@pytest.mark.parametrize(
    "settings", [IngestSettings(user_key="shopper"), IngestSettings(mapping={"user_key": "shopper"})]
)
def test_a_record_goes_by_the_key_of_its_data_set_and_no_other_does(
    tmp_path: Path, settings: IngestSettings
) -> None:
    places = prepared(tmp_path, settings)
    [told] = [one["fate"] for one in preview(places, ids_of(GONE), silent).steps if "input" in one["what"]]
    assert told.startswith("3 records go")
    done = forget(places, ids_of(GONE), silent)
    assert (done.records, done.is_clean) == (3, True)
    assert lines_of(places) == [*REST, row(OTHER, 20, "[forgotten]")]


def test_what_a_watch_of_the_app_has_read_says_it_too(tmp_path: Path) -> None:
    settings = IngestSettings(user_key="shopper")
    places = prepared(tmp_path, settings)
    shutil.rmtree(tmp_path / "cache" / "preprocess")
    live = Store(tmp_path / "cache" / app_watches.FOLDER / "0" / app_watches.LIVE / KEPT_FOLDER)
    sources = resolve_inputs(places.inputs)
    ReadCache(live, settings, pipeline.checksums(sources)).read(sources[0], lambda _: None)
    assert forget(places, ids_of(GONE), silent).records == 3
    assert lines_of(places) == [*REST, row(OTHER, 20, "[forgotten]")]


def test_without_a_data_set_a_likely_name_says_it(tmp_path: Path) -> None:
    """Whoever forgot in the app alone has none any more."""
    places = prepared(tmp_path, IngestSettings(user_key="shopper"))
    forget(SearchedPlaces(places.store), ids_of(GONE), silent)
    assert forget(places, ids_of(GONE), silent).records == 1
    assert lines_of(places) == [*(one.replace(GONE, "[forgotten]") for one in THEIRS), *REST]


def test_a_damaged_file_stops_nobody_and_the_preview_says_what_becomes_of_it(tmp_path: Path) -> None:
    table = pa.table({"user_id": [GONE] * 9})
    pq.write_table(table, tmp_path / "a.parquet", compression="none", use_dictionary=False)
    (tmp_path / "a.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-8])
    places = SearchedPlaces(inputs=(tmp_path,))
    assert [one["fate"] for one in preview(places, ids_of(GONE), silent).steps] == [PurgeFate.LEFT]
    assert [Path(one.file).name for one in forget(places, ids_of(GONE), silent).left] == ["a.parquet"]


def test_a_damaged_page_of_a_file_stops_nobody(tmp_path: Path) -> None:
    places = prepared(tmp_path, IngestSettings(user_key="shopper"))
    pq.write_table(pa.table({"user_id": [GONE] * 9}), bad := tmp_path / "b.parquet", compression="none")
    data = bytearray(bad.read_bytes())
    data[4:16] = b"\xff" * 12  # the header of its first page
    bad.write_bytes(data)
    places = replace(places, inputs=(tmp_path / "a.csv", bad))
    assert PurgeFate.LEFT in [one["fate"] for one in preview(places, ids_of(GONE), silent).steps]
    assert [Path(one.file).name for one in forget(places, ids_of(GONE), silent).left] == ["b.parquet"]
    assert lines_of(places) == [*REST, row(OTHER, 20, "[forgotten]")]
    assert not list((tmp_path / "cache" / "preprocess").glob("[!.]*"))


class Stopped(BaseException):
    """As a kill: nothing of ours catches it."""


def stopping(after: int) -> Progress:
    left = iter(range(after))

    def stop(stage: str, *_: object, **__: object) -> None:
        if stage == "forget" and next(left, None) is None:
            raise Stopped

    return stop


def test_whoever_is_stopped_knows_the_keys_when_starting_again(tmp_path: Path) -> None:
    """Data sets with an id go after the files whose records they tell."""
    for after in range(
        len(preview(prepared(tmp_path, IngestSettings(user_key="shopper")), ids_of(GONE), silent).steps)
    ):
        places = prepared(tmp_path, IngestSettings(user_key="shopper"))
        with suppress(Stopped):
            forget(places, ids_of(GONE), stopping(after))
        assert forget(places, ids_of(GONE), silent).is_clean
        assert lines_of(places) == [*REST, row(OTHER, 20, "[forgotten]")]
        assert not list(tmp_path.glob("cache/preprocess/[!.]*"))
