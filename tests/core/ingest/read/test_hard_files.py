"""Files that were made to break a reader, or broke on their way: read in bounds, counted, or refused."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.base.errors import InputError
from core.base.progress import silent
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.ingest import ingest
from core.ingest.read import parquet
from core.ingest.read.inspection import inspect
from tests.core.ingest.raw import HEADER, csv_of, read_paths, read_text, write
from tests.core.ingest.read.test_ndjson import event, lines
from tests.core.ingest.read.unnested import as_csv

WIDE = [f"event_params.{'x' * 120}_{number}" for number in range(10_000)]


def flat(*users: str) -> dict[str, list[Any]]:
    return {
        "event_timestamp": list(range(1, len(users) + 1)),
        "user_pseudo_id": list(users),
        "page_location": ["/a"] * len(users),
    }


def save(path: Path, columns: dict[str, Any], **how: Any) -> Path:  # noqa: ANN401 - what Arrow takes
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), path, **how)
    return path


class TestTenThousandColumns:
    def wide(self, kind: str, tmp_path: Path) -> Path:
        path = tmp_path / "in" / f"wide.{kind}"
        if kind == "parquet":
            return save(path, flat("u1", "u2") | {name: ["1", "2"] for name in WIDE})
        if kind == "json":
            return write(path, lines(*(event(user) | dict.fromkeys(WIDE, "1") for user in ("u1", "u2"))))
        empty = "," * len(WIDE)
        rows = [f"page_view,{number},u{number},/a,A{empty}" for number in (1, 2)]
        return write(path, csv_of(*rows, header=",".join([HEADER, *WIDE])))

    @pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
    def test_those_that_count_are_read_and_all_are_shown(self, kind: str, tmp_path: Path) -> None:
        path = self.wide(kind, tmp_path)
        assert read_paths([path], tmp_path).column(Raw.USER_KEY) == ["u1", "u2"]
        [file] = inspect([path], IngestSettings()).files
        assert set(WIDE) <= set(file.columns)
        assert file.sample_rows

    def test_a_line_of_names_that_does_not_end_is_no_header(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", HEADER + "," + "x" * (9 << 20) + "\n")
        for look in (lambda: inspect([path], IngestSettings()), lambda: read_paths([path], tmp_path)):
            with pytest.raises(InputError, match=r"a\.csv, line 1 should hold the names.* up to 8,388,608"):
                look()


class TestLongCells:
    def test_a_first_record_beyond_what_is_looked_at_first(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.json", lines(event("u1", note="x" * (2 << 20)), event("u2")))
        [file] = inspect([path], IngestSettings()).files
        assert "user_pseudo_id" in file.columns

    def test_one_text_in_many_rows_is_unpacked_a_few_rows_at_a_time(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(parquet, "BATCH_BYTES", 1 << 20)
        titles = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000, pa.int32()), ["z" * 10_000])
        table = {**flat(*map(str, range(1_000))), "page_title": titles}
        path = save(tmp_path / "bomb.parquet", table)
        assert path.stat().st_size < 100_000
        read = read_paths([path], tmp_path)
        rows = [pq.read_metadata(part).num_rows for _, part in read.raw.parts]
        assert (sum(rows), max(rows)) == (1_000, 104)  # ten thousand bytes a row in a MiB
        assert read.column(Raw.USER_KEY) == [str(number) for number in range(1_000)]

    @pytest.mark.parametrize("nested", [False, True])
    def test_one_long_text_among_usual_ones_costs_the_others_nothing(
        self, nested: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(parquet, "BATCH_BYTES", 1 << 20)
        titles = [f"T{number % 50}" for number in range(5_000)]
        titles[700] = "z" * 500_000
        columns: dict[str, Any] = flat(*map(str, range(5_000)))
        if nested:
            del columns["page_location"]
            pairs = [{"page_location": "/a", "page_title": title} for title in titles]
            columns["event_params"] = [
                [{"key": key, "value": {"string_value": text}} for key, text in pair.items()]
                for pair in pairs
            ]
        else:
            columns["page_title"] = titles
        path = save(tmp_path / "a.parquet", columns, row_group_size=1_000, dictionary_pagesize_limit=1 << 10)
        read = read_paths([path], tmp_path)
        assert len(read.raw.parts) <= 5
        assert read.column(Raw.USER_KEY) == columns["user_pseudo_id"]
        assert read.column(Raw.PAGE_TITLE) == titles

    def test_only_the_parameters_of_the_first_rows_are_looked_for(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked: list[int] = []
        measured = parquet._rows_at_once
        monkeypatch.setattr(
            parquet, "_rows_at_once", lambda *args: (looked.append(args[1]), measured(*args))[1]
        )
        path = save(tmp_path / "a.parquet", flat("a", "b", "c"), row_group_size=1)
        assert inspect([path], IngestSettings()).files[0].columns
        assert looked == []

    def test_usual_rows_are_read_as_many_at_once_as_ever(self, tmp_path: Path) -> None:
        path = save(tmp_path / "a.parquet", flat(*map(str, range(70_000))))
        read = read_paths([path], tmp_path)
        rows = [pq.read_metadata(part).num_rows for _, part in read.raw.parts]
        assert rows == [parquet.BATCH_ROWS, 70_000 - parquet.BATCH_ROWS]

    def test_a_row_that_would_be_too_long_a_line_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(parquet, "MAX_LINE_BYTES", 10_000)
        titles = ["Home", "x" * 10_001, "Home"]
        plain = save(tmp_path / "a.parquet", flat("a", "b", "c") | {"page_title": titles})
        with pytest.raises(InputError, match=r"a\.parquet, row 2 is longer than 10,000 bytes"):
            read_paths([plain], tmp_path)
        many = flat(*["a"] * 4_001) | {"page_title": [*["Home"] * 4_000, "x" * 10_001]}
        halves = save(tmp_path / "c.parquet", many, use_dictionary=False)
        with pytest.raises(InputError, match=r"c\.parquet, row 4001 is longer than 10,000 bytes"):
            read_paths([halves], tmp_path)
        unread = save(tmp_path / "b.parquet", flat("a", "b", "c") | {"junk": titles})
        assert read_paths([unread], tmp_path).column(Raw.USER_KEY) == ["a", "b", "c"]

    def test_rows_that_are_far_too_long_are_refused_before_they_are_unpacked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(parquet, "GROUP_BYTES", 1 << 17)
        titles = ["Home", "x" * (1 << 18)]
        path = save(tmp_path / "a.parquet", flat("a", "b") | {"page_title": titles}, use_dictionary=False)
        with pytest.raises(InputError, match=r"a\.parquet has rows of 131,\d+ bytes.* up to 65,536 bytes"):
            read_paths([path], tmp_path)


class TestCutOff:
    def test_a_last_line_of_json_is_one_reject(self, tmp_path: Path) -> None:
        whole = lines(event("u1"), event("u2"), event("u3"))
        read = read_text(whole[:-40], tmp_path, "a.ndjson")
        assert read.column(Raw.USER_KEY) == ["u1", "u2"]
        assert [(line, reason[:8]) for line, reason in read.reasons] == [(3, "not JSON")]
        packed = read_paths([write(tmp_path / "b.ndjson.gz", gzip.compress(whole[:-40].encode()))], tmp_path)
        assert packed.reasons == read.reasons

    def test_packed_json_that_is_cut_gives_nothing(self, tmp_path: Path) -> None:
        data = gzip.compress(lines(*(event(f"u{number}") for number in range(500))).encode())
        with pytest.raises(InputError, match=r"a\.ndjson\.gz is cut off or damaged.* Download or export"):
            read_text(data[:-30], tmp_path, "a.ndjson.gz")


class TestContradictingTypes:
    def test_numbers_in_one_file_and_text_in_the_other(self, tmp_path: Path) -> None:
        numbers = save(tmp_path / "in" / "a.parquet", flat("7", "8") | {"ga_session_id": [1, None]})
        texts = flat("7", "x9") | {"ga_session_id": ["1", "s2"]}
        texts["event_timestamp"] = ["3", "tomorrow"]
        read = read_paths([numbers, save(tmp_path / "in" / "b.parquet", texts)], tmp_path)
        assert read.column(Raw.USER_KEY) == ["7", "8", "7", "x9"]
        assert read.column(Raw.GA_SESSION_ID) == ["1", None, "1", "s2"]

    def test_words_where_numbers_should_be_are_counted(self, tmp_path: Path) -> None:
        header = f"{HEADER},engagement_time_msec,purchase_revenue"
        view = "page_view,{at},u{at},https://x.example/a,A"
        usual = [view.format(at=at) + ",1200,13.5" for at in (1611210000000001, 1611210000000002)]
        words = [view.format(at=at) + ",long,free" for at in (1611210000000003, 1611210000000004)]
        untimed = view.format(at="yesterday") + ",,(not set)"
        write(tmp_path / "in" / "a.csv", csv_of(*usual, header=header))
        write(tmp_path / "in" / "b.csv", csv_of(*words, untimed, header=header))
        (out := tmp_path / "out").mkdir()
        receipt = ingest([tmp_path / "in"], IngestSettings(), out, silent, tmp_path)
        assert (receipt.records, receipt.users) == (5, 4)
        assert receipt.rejects_by_reason == {"Not a time": 1}
        assert receipt.placeholders == {
            "engagement_time_msec that cannot be": 2,
            "purchase_revenue that cannot be": 2,
        }

    def test_an_object_in_one_file_and_text_in_the_other(self, tmp_path: Path) -> None:
        good = write(tmp_path / "in" / "a.json", lines(event("u1"), event("u2")))
        strange = event("u4", user_pseudo_id={"id": "u4"}), event("u5", event_timestamp=["1"])
        bad = write(tmp_path / "in" / "b.json", lines(event("u3"), *strange))
        read = read_paths([good, bad], tmp_path)
        assert read.column(Raw.USER_KEY) == ["u1", "u2", "u3"]
        assert [(row["file"], row["line"], row["reason"], row["value"]) for row in read.rejects] == [
            ("b.json", 2, "user_key is not a plain value", json.dumps({"id": "u4"}, separators=(",", ":"))),
            ("b.json", 3, "event_timestamp is not a plain value", '["1"]'),
        ]

    @pytest.mark.parametrize("shape", ["an item", "a parameter", "an item beside a list", "cells"])
    def test_an_object_after_null_in_a_column_that_is_no_field_is_text(
        self, tmp_path: Path, shape: str
    ) -> None:
        """Where events are in several rows such columns are read too, to tell what belongs together."""
        plain = {"event_name": "purchase", "event_timestamp": "1611798022695757", "page_location": "/a"}
        params = [{"key": "page_location", "value": {"string_value": "/a"}}]
        more: list[dict[str, Any]] = {
            "an item": [{**plain, "item_id": item} for item in "xy"],
            "a parameter": [
                {**plain, "event_params_key": key, "event_params_value": "1"} for key in ("a", "b")
            ],
        }.get(shape, [{**plain, "event_params": params, "item_id": item} for item in "xy"])
        rows = [
            {"user_pseudo_id": f"u{number}", "geo": {"country": "DE"} if number else None, **row}
            for number in range(3)
            for row in more
        ]
        if shape == "cells":
            cells = [
                {**row, "geo": json.dumps(row["geo"]), "event_params": json.dumps(params)} for row in rows
            ]
            read = read_text(as_csv(cells), tmp_path, "a.csv")
        else:
            read = read_text(lines(*rows), tmp_path, "a.json")
        assert read.reasons == []
        assert read.column(Raw.USER_KEY) == ["u0", "u1", "u2"]
        assert read.raw.files[0].collapsed == 3

    def test_an_object_where_a_field_may_be_empty_is_nothing(self, tmp_path: Path) -> None:
        row = {"user_pseudo_id": "u", "event_timestamp": "1611798022695757", "page_location": "/a"}
        strange = {"utm_medium": [], "utm_source": {}, "page_title": {"a": 1}, "engagement_time_msec": {}}
        usual = row | {"utm_medium": "y", "utm_source": "x", "page_title": "A", "engagement_time_msec": 1}
        write(tmp_path / "in" / "a.json", lines(usual, row | strange, row | strange))
        read = read_paths([tmp_path / "in"], tmp_path)
        assert read.reasons == []
        for field in (Raw.TRAFFIC_MEDIUM, Raw.TRAFFIC_SOURCE, Raw.PAGE_TITLE):
            assert read.column(field)[1:] == [None, None]
        (out := tmp_path / "out").mkdir()
        receipt = ingest([tmp_path / "in"], IngestSettings(), out, silent, tmp_path)
        assert receipt.page_views_used == 3
        assert receipt.placeholders == {"engagement_time_msec that cannot be": 2}

    def test_a_first_look_shows_records_whatever_they_hold(self, tmp_path: Path) -> None:
        rows = [event("u1", ecommerce=None), event("u2", ecommerce={"purchase_revenue": 5.5})]
        rows.append(event("u3", event_timestamp={"at": 1}))
        [file] = inspect([write(tmp_path / "a.json", lines(*rows))], IngestSettings()).files
        shown = [dict(zip(file.columns, row, strict=True)) for row in file.sample_rows]
        assert [row["user_pseudo_id"] for row in shown] == ["u1", "u2", "u3"]
        assert shown[1]["ecommerce.purchase_revenue"] == "5.5"
