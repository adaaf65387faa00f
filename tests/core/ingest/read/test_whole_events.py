"""Several rows an event: what comes out is what one row an event would have given."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from core.base.errors import InputError
from core.base.progress import silent
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.ingest import ingest
from core.ingest.read import ndjson, whole_events
from core.ingest.read.inspection import inspect
from core.ingest.read.part_files import Sink
from core.ingest.read.whole_events import NO_KEY, TWO_VALUES, merge_event_rows
from core.ingest.sample.write_sample import write_sample
from core.ingest.sources.input_files import resolve_inputs
from core.runs import pipeline
from core.storage.dataset import RECEIPT
from core.storage.receipt import Receipt
from core.storage.store import Store
from tests.core.ingest.raw import Read, read_paths, read_text, write
from tests.core.ingest.read.unnested import (
    NESTED,
    PACKINGS,
    Row,
    as_csv,
    as_ndjson,
    item_rows,
    long_rows,
    nested_rows,
    read_rows,
)
from tests.random_cases import THOROUGH

LONG = "user_pseudo_id,event_timestamp,event_name,event_params_key,event_params_value"
ITEMS = "user_pseudo_id,event_timestamp,event_name,page_location,value,item_id,price"
KNOWN_TO_RECEIPT = {"files", "records", "waterfall"}


def long_csv(*rows: str, header: str = LONG) -> str:
    return "\n".join([header, *rows]) + "\n"


def event(user: str, time: int, name: str = "page_view", **params: str | None) -> Row:
    return {"user_pseudo_id": user, "event_timestamp": str(10**15 + time), "event_name": name, **params}


def test_an_event_that_two_files_hold_rows_of_is_counted(tmp_path: Path) -> None:
    rows = [
        f"u{n},100000000000000{n},page_view,{key},{n}" for n in (1, 2, 3) for key in ("page_location", "x")
    ]
    said = []
    for at in (2, 3):  # between two events, and within the second one
        folder = tmp_path / str(at)
        write(folder / "1.csv", long_csv(*rows[:at]))
        write(folder / "2.csv", long_csv())
        write(folder / "3.csv", long_csv(*rows[at:]))
        said.append(
            [text for text in read_paths([folder], tmp_path / f"raw{at}").raw.warnings if "rows at" in text]
        )
    assert said == [
        [],
        ["1 event has rows at the end of a file and at the start of the next, and counts as two: "
         "join such files before they are read"],
    ]  # fmt: skip


def places(read: Read, *fields: str) -> list[tuple[str | None, ...]]:
    return [tuple(row[field] for field in fields) for row in read.rows]


class TestLongForm:
    def test_rows_become_one_event(self, tmp_path: Path) -> None:
        read = read_text(
            long_csv(
                "u,1,page_view,page_location,/a",
                "u,1,page_view,ga_session_id,7",
                "v,1,page_view,page_location,/b",
            ),
            tmp_path,
        )
        assert places(read, Raw.LINE, Raw.USER_KEY, Raw.PAGE_LOCATION, Raw.GA_SESSION_ID) == [
            (2, "u", "/a", "7"),
            (4, "v", "/b", None),
        ]
        (file,) = read.raw.files
        assert (file.shape, file.records, file.read, file.rejected, file.collapsed) == (
            "long form csv",
            3,
            2,
            0,
            1,
        )
        assert file.columns[Raw.PAGE_LOCATION] == "event_params.page_location"
        assert Raw.PAGE_TITLE not in file.columns
        how = "one row a parameter, its key in event_params_key and its value in event_params_value"
        assert file.notes[0] == f"The file has {how}: rows that agree in all other columns are one event"

    def test_rows_of_an_event_may_lie_apart(self, tmp_path: Path) -> None:
        rows = ["u,1,page_view,page_location,/a", "v,1,scroll,page_location,/b", "u,1,page_view,page_title,A"]
        read = read_text(long_csv(*rows), tmp_path)
        assert places(read, Raw.USER_KEY, Raw.PAGE_LOCATION, Raw.PAGE_TITLE) == [
            ("u", "/a", "A"),
            ("v", "/b", None),
        ]

    def test_a_key_that_comes_again_begins_the_next_event(self, tmp_path: Path) -> None:
        rows = ["page_location,/a", "page_location,/b", "page_title,B", "page_location,/c", "page_title,C"]
        read = read_text(long_csv(*(f"u,1,page_view,{row}" for row in rows)), tmp_path)
        assert places(read, Raw.PAGE_LOCATION, Raw.PAGE_TITLE) == [("/a", None), ("/b", "B"), ("/c", "C")]
        assert any(note.startswith("3 events agree with another one") for note in read.raw.files[0].notes)

    def test_equal_events_in_rows_sorted_by_key(self, tmp_path: Path) -> None:
        rows = ["page_location,/a", "page_location,/b", "page_title,A", "page_title,B"]
        read = read_text(long_csv(*(f"u,1,page_view,{row}" for row in rows)), tmp_path)
        assert places(read, Raw.PAGE_LOCATION, Raw.PAGE_TITLE) == [("/a", "A"), ("/b", "B")]

    def test_another_column_tells_events_apart(self, tmp_path: Path) -> None:
        header = LONG + ",event_bundle_sequence_id"
        rows = [
            "u,1,page_view,page_location,/a,5",
            "u,1,page_view,page_title,B,6",
            "u,1,page_view,page_title,A,5",
        ]
        read = read_text(long_csv(*rows, header=header), tmp_path)
        assert places(read, Raw.PAGE_LOCATION, Raw.PAGE_TITLE) == [("/a", "A"), (None, "B")]

    @pytest.mark.parametrize("name", ["", "Unnamed: 0", "off"])
    def test_a_column_that_numbers_rows_tells_nothing_apart(self, tmp_path: Path, name: str) -> None:
        rows = [
            "u,1,page_view,page_location,/a",
            "u,1,page_view,page_title,A",
            "u,2,page_view,page_location,/b",
        ]
        numbered = [
            f"{row},{0 if name == 'off' and number == 2 else number}" for number, row in enumerate(rows)
        ]
        read = read_text(long_csv(*numbered, header=f"{LONG},{name}"), tmp_path)
        assert places(read, Raw.PAGE_LOCATION, Raw.PAGE_TITLE) == [("/a", "A"), ("/b", None)]
        assert f"{name} only numbers the rows" in read.raw.files[0].notes[0]

    @pytest.mark.parametrize(
        "key", ["event_params.key", "event_params_key", "Event_Param_Key", "param_key", "ep.key"]
    )
    def test_names_of_the_key(self, tmp_path: Path, key: str) -> None:
        header = f"event_timestamp,user_pseudo_id,{key},event_params_value"
        read = read_text(long_csv("1,u,page_location,/a", "1,u,page_title,A", header=header), tmp_path)
        assert places(read, Raw.PAGE_LOCATION, Raw.PAGE_TITLE) == [("/a", "A")]

    def test_a_bare_key_beside_typed_values(self, tmp_path: Path) -> None:
        header = "event_timestamp,user_pseudo_id,key,string_value,int_value,double_value"
        rows = ["1,u,page_location,/a,,", "1,u,ga_session_id,,7,", "1,u,value,,,2.5"]
        read = read_text(long_csv(*rows, header=header), tmp_path)
        assert places(read, Raw.PAGE_LOCATION, Raw.GA_SESSION_ID, Raw.PURCHASE_REVENUE) == [
            ("/a", "7", "2.5")
        ]

    @pytest.mark.parametrize(
        ("header", "row"),
        [
            ("event_timestamp,user_pseudo_id,page_location,key", "1,u,/a,x"),
            ("event_timestamp,user_pseudo_id,page_location,key,value", "1,u,/a,x,5"),
            ("event_timestamp,user_pseudo_id,ep.page_location,event_params_key,ep_value", "1,u,/a,x,5"),
        ],
    )  # fmt: skip
    def test_a_parameter_that_is_called_key_is_no_long_form(
        self, tmp_path: Path, header: str, row: str
    ) -> None:
        read = read_text(long_csv(row, row, header=header), tmp_path)
        assert (read.raw.files[0].shape, len(read.rows)) == ("flat csv", 2)

    def test_keys_without_values_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(
            InputError, match=r"events\.csv: There is a column of parameter keys \(param_key\)"
        ):
            read_text("event_timestamp,user_pseudo_id,param_key\n1,u,page_location\n", tmp_path)

    def test_an_event_without_parameters_is_one(self, tmp_path: Path) -> None:
        read = read_text(long_csv("u,1,page_view,page_location,/a", "u,2,first_visit,,"), tmp_path)
        assert places(read, Raw.EVENT_NAME, Raw.PAGE_LOCATION) == [("page_view", "/a"), ("first_visit", None)]

    def test_what_is_no_parameter_is_rejected_with_its_line(self, tmp_path: Path) -> None:
        header = "user_pseudo_id,event_timestamp,event_name,key,string_value,int_value,double_value"
        rows = [
            "u,1,page_view,page_location,/a,,",
            "u,1,page_view,,lost,,",
            "u,1,page_view,ga_session_id,7,8,",
            "u,1,page_view,engagement_time_msec,0,5,5.0",  # a data frame whose gaps were filled
            "u,2,page_view,ga_session_id,7,8,",
        ]
        read = read_text(long_csv(*rows, header=header), tmp_path)
        assert read.reasons == [(3, NO_KEY), (4, TWO_VALUES), (6, TWO_VALUES)]
        assert [reject["value"] for reject in read.rejects] == [
            "lost",
            "ga_session_id = 7",
            "ga_session_id = 7",
        ]
        assert places(read, Raw.PAGE_LOCATION, Raw.GA_SESSION_ID, Raw.ENGAGEMENT_TIME_MSEC) == [
            ("/a", None, "0")
        ]
        (file,) = read.raw.files
        assert (file.records, file.read, file.rejected, file.collapsed) == (5, 1, 3, 1)
        assert read.raw.reasons == {NO_KEY: 1, TWO_VALUES: 2}

    @pytest.mark.parametrize("bucket", [1, 100])
    def test_a_file_without_any_key_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bucket: int
    ) -> None:
        monkeypatch.setattr(whole_events, "BUCKET_ROWS", bucket)
        with pytest.raises(InputError, match=f"None of the 3 records .* line 2: {NO_KEY}"):
            read_text(long_csv(*["u,1,page_view,,/a"] * 3), tmp_path)

    def test_a_file_that_is_cut_in_an_event_loses_the_row_and_says_so(self, tmp_path: Path) -> None:
        text = long_csv("u,1,page_view,page_location,/a", "u,1,page_view,page_title,A", "u,1,page_vi").rstrip(
            "\n"
        )
        read = read_text(text, tmp_path)
        assert places(read, Raw.PAGE_LOCATION, Raw.PAGE_TITLE) == [("/a", "A")]
        assert read.reasons == [(4, "3 fields instead of 5")]

    def test_a_repeated_header_is_no_row(self, tmp_path: Path) -> None:
        rows = ["u,1,page_view,page_location,/a", LONG, "u,1,page_view,page_title,A"]
        read = read_text(long_csv(*rows), tmp_path)
        assert places(read, Raw.PAGE_LOCATION, Raw.PAGE_TITLE) == [("/a", "A")]
        assert read.reasons == [(3, "repeated header")]

    def test_another_header_may_add_a_column(self, tmp_path: Path) -> None:
        rows = ["u,1,page_view,page_location,/a", LONG + ",country", "v,1,page_view,page_location,/b,ES"]
        read = read_text(long_csv(*rows), tmp_path)
        assert places(read, Raw.PAGE_LOCATION, Raw.GEO_COUNTRY) == [("/a", None), ("/b", "ES")]

    def test_rows_that_change_their_shape_are_refused(self, tmp_path: Path) -> None:
        rows = [
            "u,1,page_view,page_location,/a",
            "user_pseudo_id,event_timestamp,event_name,page_location",
            "v,1,page_view,/b",
        ]
        with pytest.raises(InputError, match="long form csv above, flat csv below"):
            read_text(long_csv(*rows), tmp_path)

    def test_a_list_of_all_parameters_in_each_row_is_refused(self, tmp_path: Path) -> None:
        listed = '"event_params":[{"key":"page_location","value":{"string_value":"/a"}}]'
        param = '"ep":{"key":"x","value":{"int_value":1}}'
        row = f'{{"event_timestamp":1,"user_pseudo_id":"u",{listed},{param}}}\n'
        with pytest.raises(InputError, match="and the list of all parameters in each"):
            read_text(row * 2, tmp_path, "a.json")

    def test_ids_in_records_keep_their_digits(self, tmp_path: Path) -> None:
        row = '{{"event_timestamp":1,"user_pseudo_id":{},"ep":{{"key":"{}","value":{{"{}":"{}"}}}}}}\n'
        user = "1605951.6059719725"
        text = row.format(user, "page_location", "string_value", "/a") + row.format(
            user, "ga_session_id", "int_value", 7
        )
        read = read_text(text, tmp_path, "a.json")
        assert places(read, Raw.USER_KEY, Raw.PAGE_LOCATION, Raw.GA_SESSION_ID) == [(user, "/a", "7")]


class TestRowAnItem:
    def test_rows_that_differ_in_their_item_are_one_event_with_one_revenue(self, tmp_path: Path) -> None:
        rows = ["u,1,purchase,/a,20,x,10", "v,1,page_view,/b,,,", "u,1,purchase,/a,20,y,5"]
        read = read_text(long_csv(*rows, header=ITEMS), tmp_path)
        assert places(read, Raw.LINE, Raw.USER_KEY, Raw.PURCHASE_REVENUE) == [(2, "u", "20"), (3, "v", None)]
        (file,) = read.raw.files
        assert (file.shape, file.records, file.read, file.collapsed) == ("csv with a row an item", 3, 2, 1)
        assert file.notes[0].startswith("The file has one row an item (item_id): rows that agree")

    def test_what_the_first_rows_do_not_show_is_found_all_the_same(self, tmp_path: Path) -> None:
        views = [f"u,{n},page_view,/{n},,," for n in range(300)]
        rows = [*views, "u,999,purchase,/a,20,x,10", "u,999,purchase,/a,20,y,5"]
        read = read_text(long_csv(*rows, header=ITEMS), tmp_path)
        assert (len(read.rows), read.raw.files[0].shape) == (301, "csv with a row an item")

    def test_without_two_items_of_an_event_the_file_is_flat(self, tmp_path: Path) -> None:
        same = ["u,1,purchase,/a,20,x,10", "u,1,purchase,/a,20,x,5", "u,2,purchase,/a,20,y,5"]
        read = read_text(long_csv(*same, header=ITEMS), tmp_path)
        (file,) = read.raw.files
        assert (file.shape, len(read.rows), file.collapsed, file.notes) == ("flat csv", 3, 0, ())

    def test_equal_events_without_items_stay_two(self, tmp_path: Path) -> None:
        rows = [
            "u,1,page_view,/b,,,",
            "u,1,page_view,/b,,,",
            "u,2,purchase,/a,9,x,1",
            "u,2,purchase,/a,9,,",
            "u,2,purchase,/a,9,y,1",
        ]
        read = read_text(long_csv(*rows, header=ITEMS), tmp_path)
        assert places(read, Raw.EVENT_NAME) == [("page_view",), ("page_view",), ("purchase",)]

    def test_an_item_that_comes_twice_is_told(self, tmp_path: Path) -> None:
        rows = ["u,1,purchase,/a,9,x,1", "u,1,purchase,/a,9,y,1", "u,1,purchase,/a,9,x,1"]
        read = read_text(long_csv(*rows, header=ITEMS), tmp_path)
        assert len(read.rows) == 1
        assert read.raw.files[0].notes[1].startswith("1 rows are equal to another one")

    def test_an_item_that_is_mapped_to_a_field_is_that_field(self, tmp_path: Path) -> None:
        header = "user_pseudo_id,event_timestamp,item_id"
        read = read_text(
            long_csv("u,1,x", "u,1,y", header=header), tmp_path, mapping={Raw.PAGE_LOCATION: "item_id"}
        )
        assert (read.column(Raw.PAGE_LOCATION), read.raw.files[0].shape) == (["x", "y"], "flat csv")

    def test_items_beside_numbered_parameters_are_refused(self, tmp_path: Path) -> None:
        header = "user_pseudo_id,event_timestamp,event_params.0.key,event_params.0.value.string_value,item_id"
        with pytest.raises(InputError, match="and the list of all parameters in each"):
            read_text(long_csv("u,1,page_location,/a,x", "u,1,page_location,/a,y", header=header), tmp_path)

    @pytest.mark.parametrize("packing", NESTED)
    def test_another_parameter_tells_events_apart(self, tmp_path: Path, packing: str) -> None:
        """Also one that is no field, and one that only some values have."""
        clicks = [
            event("u", 1, "select_item", page_location="/a", link_url=link) for link in ("x", "x", "y", None)
        ]
        rows = [row | {"item_id": f"i{number}"} for number, row in enumerate(nested_rows(clicks))]
        read = read_paths([write(tmp_path / f"a.{packing}", NESTED[packing](rows))], tmp_path / "raw")
        assert places(read, Raw.PAGE_LOCATION) == [("/a",)] * 3
        assert read.raw.files[0].shape.endswith("with a row an item")

    @pytest.mark.parametrize("packing", NESTED)
    def test_one_item_an_event_is_nested_as_ever(self, tmp_path: Path, packing: str) -> None:
        rows = [row | {"item_id": "x"} for row in nested_rows([event("u", 1, page_location="/a")] * 2)]
        read = read_paths([write(tmp_path / f"a.{packing}", NESTED[packing](rows))], tmp_path / "raw")
        assert (len(read.rows), read.raw.files[0].collapsed) == (2, 0)
        assert re.fullmatch(r"nested (ndjson|parquet)|\w+ with json cells", read.raw.files[0].shape)

    def test_a_first_item_far_into_a_file_of_json(self, tmp_path: Path) -> None:
        """After the block that the names are taken from."""
        views = [event("u", number, page_location=f"/{number}") for number in range(300)]
        bought = event("u", 999, "purchase", page_location="/cart")
        late = [bought | {"item_id": item} for item in ("x", "y")]
        path = write(tmp_path / "a.json", as_ndjson([*views, *late]))
        sink = Sink(tmp_path / "raw", "")
        sink.folder.mkdir()
        (source,) = resolve_inputs([path])
        count = ndjson.read(source, IngestSettings(), sink, lambda _: None, chunk_bytes=4096)
        count = merge_event_rows(sink, count, "ndjson", lambda: None)
        assert (count.shape, count.records, count.collapsed, sink.read) == (
            "ndjson with a row an item", 302, 1, 301
        )  # fmt: skip


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """The demo shop's events, in the columns of the flat file."""
    file = tmp_path_factory.mktemp("demo") / "shop.csv"
    write_sample(file, 50, 7)
    return read_rows(file)


def items_of(row: Row) -> Sequence[Row]:
    """Two or three items for what is bought, none for all else."""
    if row["event_name"] not in ("purchase", "add_to_cart"):
        return []
    return [
        {"item_id": f"i{number}", "item_name": f"Item {number}", "price": f"{number}.5", "quantity": "1"}
        for number in range(2 + len(row["event_timestamp"] or "") % 2)
    ]


def data_set(folder: Path, *files: Path) -> tuple[dict[str, bytes], Receipt]:
    """Bytes of all tables but the rejects', and the receipt."""
    out, work = folder / "out", folder / "work"
    out.mkdir(parents=True)
    work.mkdir()
    receipt = ingest(files, IngestSettings(), out, silent, work)
    assert not [path for path in (work / "raw").iterdir() if path.suffix != ".parquet"]
    return {path.name: path.read_bytes() for path in out.glob("*.parquet")}, receipt


@pytest.fixture(scope="module")
def expected(flat: list[Row], tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], Receipt]:
    folder = tmp_path_factory.mktemp("flat")
    return data_set(folder, write(folder / "events.csv", as_csv(flat)))


def same_as(
    expected: tuple[dict[str, bytes], Receipt], found: tuple[dict[str, bytes], Receipt], rows: int
) -> None:
    tables, receipt = found
    assert tables == expected[0]
    assert receipt.model_dump(exclude=KNOWN_TO_RECEIPT) == expected[1].model_dump(exclude=KNOWN_TO_RECEIPT)
    first, *steps = receipt.waterfall
    assert (first.name, first.records, receipt.records) == ("collapsed", rows - expected[1].records, rows)
    assert tuple(steps) == expected[1].waterfall


@pytest.mark.parametrize("packing", PACKINGS)
def test_the_demo_shop_in_long_form_is_the_demo_shop(
    flat: list[Row], expected: tuple[dict[str, bytes], Receipt], tmp_path: Path, packing: str
) -> None:
    rows = long_rows(flat)
    file = write(tmp_path / f"events.{packing}", PACKINGS[packing](rows))
    same_as(expected, data_set(tmp_path, file), len(rows))


@pytest.mark.parametrize("packing", PACKINGS)
def test_the_demo_shop_with_a_row_an_item_is_the_demo_shop(
    flat: list[Row], expected: tuple[dict[str, bytes], Receipt], tmp_path: Path, packing: str
) -> None:
    rows = item_rows(flat, items_of)
    assert len(rows) > len(flat)
    file = write(tmp_path / f"events.{packing}", PACKINGS[packing](rows))
    same_as(expected, data_set(tmp_path, file), len(rows))


@pytest.mark.parametrize("packing", NESTED)
def test_the_demo_shop_with_a_row_an_item_beside_its_parameters(
    flat: list[Row], tmp_path: Path, packing: str
) -> None:
    rows = item_rows(flat, items_of)
    once, again = (NESTED[packing](nested_rows(events)) for events in (flat, rows))
    expected = data_set(tmp_path / "once", write(tmp_path / "once" / f"events.{packing}", once))
    found = data_set(tmp_path / "again", write(tmp_path / "again" / f"events.{packing}", again))
    same_as(expected, found, len(rows))


def test_the_result_does_not_depend_on_the_size_of_buckets(
    flat: list[Row],
    expected: tuple[dict[str, bytes], Receipt],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(whole_events, "BUCKET_ROWS", 300)
    monkeypatch.setattr(whole_events, "_ROWS_A_PART", 30)
    random.Random(3).shuffle(rows := long_rows(flat))
    tables, receipt = data_set(tmp_path / "long", write(tmp_path / "events.csv", as_csv(rows)))
    assert receipt.model_dump(exclude=KNOWN_TO_RECEIPT) == expected[1].model_dump(exclude=KNOWN_TO_RECEIPT)
    assert tables["users.parquet"] == expected[0]["users.parquet"]
    rows = item_rows(flat, items_of)
    same_as(expected, data_set(tmp_path / "item", write(tmp_path / "items.csv", as_csv(rows))), len(rows))


CELLS = st.sampled_from(["a", "b"])
KEYS = st.sampled_from(["page_location", "page_title", "ga_session_id", "percent_scrolled"])
PARAM_ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS, KEYS, st.sampled_from(["/1", "/2", "3"])), min_size=1)


@settings(max_examples=60 if THOROUGH else 15, deadline=None)
@given(rows=PARAM_ROWS)
def test_random_long_forms_against_pandas(
    rows: list[tuple[str, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Few users, names, keys and values, so that most events agree with another one."""
    table = pd.DataFrame(rows, columns=["user_pseudo_id", "event_name", "country", "key", "value"])
    table["event_timestamp"], table["string_value"] = "1", table.pop("value")
    text = table.to_csv(index=False, lineterminator="\n")
    read = read_text(text, tmp_path_factory.mktemp("random"))
    who = ["user_pseudo_id", "event_name", "country"]
    assert_frame_equal(by_identity(read), pandas_events(table, who), check_dtype=False)


def pandas_events(table: pd.DataFrame, who: list[str]) -> pd.DataFrame:
    """By loops: a key that comes again begins the next event, unless one would have a key twice."""
    found = []
    for identity, rows in table.groupby(who, sort=False):
        nth = rows.groupby("key").cumcount()
        latest = nth.cummax()
        twice = pd.DataFrame({"key": rows["key"], "event": latest}).duplicated().any()
        for _, of_event in rows.groupby(nth if twice else latest):
            values = dict(zip(of_event["key"], of_event["string_value"], strict=True))
            found.append((of_event.index[0] + 2, *identity, *(values.get(name) for name in KEPT_KEYS)))
    return pd.DataFrame(found, columns=["line", *who, *KEPT_KEYS]).sort_values("line", ignore_index=True)


KEPT_KEYS = ("page_location", "page_title", "ga_session_id")


def by_identity(read: Read) -> pd.DataFrame:
    fields = (Raw.LINE, Raw.USER_KEY, Raw.EVENT_NAME, Raw.GEO_COUNTRY, *KEPT_KEYS)
    names = ["line", "user_pseudo_id", "event_name", "country", *KEPT_KEYS]
    return pd.DataFrame([tuple(row[field] for field in fields) for row in read.rows], columns=names)


@settings(max_examples=60 if THOROUGH else 15, deadline=None)
@given(rows=st.lists(st.tuples(CELLS, CELLS, st.sampled_from(["x", "y", ""])), min_size=2))
def test_random_items_against_pandas(
    rows: list[tuple[str, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    table = pd.DataFrame(rows, columns=["user_pseudo_id", "page_location", "item_id"]).assign(
        event_timestamp="1"
    )
    who = ["user_pseudo_id", "page_location"]
    read = read_text(table.to_csv(index=False, lineterminator="\n"), tmp_path_factory.mktemp("random"))
    filled = table[table["item_id"] != ""]
    if not (filled.groupby(who)["item_id"].nunique() > 1).any():
        assert read.lines == [*(table.index + 2)]
        return
    has_items = table.set_index(who).index.isin(filled.set_index(who).index)
    first = ~table.duplicated(who)
    assert read.lines == [*(table.index[first | ~has_items] + 2)]
    assert sum(file.collapsed for file in read.raw.files) == (~(first | ~has_items)).sum()


def test_a_month_that_grows_by_a_day_in_long_form(flat: list[Row], tmp_path: Path) -> None:
    rows, store = long_rows(flat), Store(tmp_path / "store")
    days: list[Path] = []
    for number, day in enumerate(sorted({row["event_date"] or "" for row in rows})[:3]):
        text = as_csv([row for row in rows if row["event_date"] == day])
        days.append(write(tmp_path / "in" / f"day{number}.csv", text))
        last = pipeline.preprocess(store, days, IngestSettings(), silent)
    tables, receipt = data_set(tmp_path / "once", *days)
    assert receipt.records == sum(file.read + file.collapsed for file in receipt.files)
    folder = store.root / "preprocess" / last.key
    assert {name: (folder / name).read_bytes() for name in tables} == tables
    assert (folder / RECEIPT).read_bytes() == (tmp_path / "once" / "out" / RECEIPT).read_bytes()


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_look_shows_events_and_how_they_are_told(flat: list[Row], tmp_path: Path, packing: str) -> None:
    path = write(tmp_path / f"a.{packing}", PACKINGS[packing](long_rows(flat)))
    found = inspect([path], IngestSettings())
    (file,) = found.files
    assert file.shape.startswith("long form ")
    assert file.notes[0].startswith("The file has one row a parameter, its key in event_params_key")
    assert found.mapping[Raw.PAGE_LOCATION] == "event_params.page_location"
    shown = [dict(zip(file.columns, row, strict=True)) for row in file.sample_rows]
    assert len(shown) > 10
    assert [row["event_timestamp"] for row in shown] == [row["event_timestamp"] for row in flat[: len(shown)]]
    sessions = [row["ga_session_id"] for row in flat[: len(shown)]]
    assert [row["event_params.ga_session_id"] for row in shown] == sessions


def test_a_look_at_rows_of_items(tmp_path: Path) -> None:
    text = long_csv("u,1,purchase,/a,9,x,1", "u,1,purchase,/a,9,y,1", header=ITEMS)
    (file,) = inspect([write(tmp_path / "a.csv", text)], IngestSettings()).files
    assert (file.shape, len(file.sample_rows)) == ("csv with a row an item", 2)
    assert file.notes[0].startswith("The file has one row an item (item_id)")
