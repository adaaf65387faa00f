"""Files of tables without the records of some users: the others byte for byte, or the file as it was."""

from __future__ import annotations

import gzip
import json
import random
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.base.errors import InputError, ResourceError
from core.base.progress import silent
from core.ingest.sample import write_sample
from core.runs.forgetting.patterns import IdPatterns
from core.runs.forgetting.search import search_file
from core.runs.forgetting.tables import is_of, is_of_users, longer_ids, records_of, rewrite

ID = "1234567890.1612345678"
PATTERNS = IdPatterns(frozenset({ID}))
HEADER = "user_pseudo_id,page,title\n"
ROWS = [
    "2.1,/a,x\n",
    f'{ID},/b,"two\nlines"\n',
    '3.1,/c,"said ""so"", he"\n',
    f"4.1,/d?u={ID},x\n",
    "5.1,/e,y\n",
]
KEPT = [ROWS[0], ROWS[2], "4.1,/d?u=[forgotten],x\n", ROWS[4]]
"""Of another user the record stays, without the id."""


def without(path: Path, patterns: IdPatterns = PATTERNS) -> int:
    return rewrite(path, patterns, lambda written: not search_file(written, patterns).hits)


def test_records_of_a_csv_go_and_the_others_stay_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes((HEADER + "".join(ROWS)).encode()[:-1])
    path.chmod(0o640)
    assert without(path) == 1
    assert path.read_bytes().decode() == (HEADER + "".join(KEPT))[:-1]
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["a.csv"]


def test_a_header_of_a_few_megabytes_is_understood(tmp_path: Path) -> None:
    names = "".join(f",c{number}_{'x' * 2_000}" for number in range(1_000))
    rows = [f"{user},/d?u={ID}{',' * 1_000}\n" for user in ("2.1", ID)]
    (path := tmp_path / "a.csv").write_text(f"user_pseudo_id,page{names}\n" + "".join(rows))
    assert without(path) == 1
    assert path.read_text().splitlines()[1:] == [f"2.1,/d?u=[forgotten]{',' * 1_000}"]


def test_packed_ones_stay_packed(tmp_path: Path) -> None:
    whole, rest = (HEADER + "".join(ROWS)).encode(), (HEADER + "".join(KEPT)).encode()
    with gzip.open(tmp_path / "a.csv.gz", "wb") as file:
        file.write(whole)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.csv", whole)
        archive.writestr("sub/two.csv", whole)
    assert without(tmp_path / "a.csv.gz") == 1
    assert without(tmp_path / "a.zip") == 2
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()) == rest
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "one.csv": rest,
            "sub/two.csv": rest,
        }


@pytest.mark.parametrize(
    ("key", "browser"), [("crm_id", "device_id"), ("amplitude_id", "user_id"), ("my_number", "device_id")]
)
def test_a_key_of_ones_own_beside_another_id_says_whose_a_record_is(
    tmp_path: Path, key: str, browser: str
) -> None:
    path, patterns = tmp_path / "a.csv", IdPatterns(frozenset({"9007199"}))
    header, other = f"{key},{browser},event_timestamp,page_location\n", "9007200,d-78,2,/a\n"
    path.write_text(f"{header}9007199,d-77,1,/a\n{other}")
    assert without(path, patterns) == 1
    assert path.read_text() == header + other


def test_the_keys_of_data_sets_say_whose_a_record_is_and_no_likely_name_does(tmp_path: Path) -> None:
    """Of two ids forgotten: whose own key it is goes, whose manager it is stays."""
    path, patterns = tmp_path / "a.csv", IdPatterns(frozenset({"9007199"}), keys=frozenset({"shopper"}))
    header = "Shopper,device_id,account_manager,page_location\n"
    other = "9007200,d-78,{0},/of/{0}\n,d-79,,/of/{0}\n"
    path.write_text(f"{header}9007199,d-77,,/a\n{other.format(9007199)}")
    assert records_of(path, patterns) == without(path, patterns) == 1
    assert path.read_text() == header + "9007200,d-78,,/of/[forgotten]\n,d-79,,/of/[forgotten]\n"


@pytest.mark.parametrize("key", ["user_properties.crm", "properties.crm"])
@pytest.mark.parametrize("suffix", [".json", ".parquet"])
def test_a_key_within_a_record_or_among_parameters_says_it_too(tmp_path: Path, key: str, suffix: str) -> None:
    def row(user: str, page: str) -> dict[str, Any]:
        root, name = key.split(".")
        listed = [{"key": name, "value": {"string_value": user}}]
        inside = listed if root == "user_properties" else {name: user}
        return {"user_pseudo_id": f"of {user}", root: inside, "page": page}

    path = tmp_path / f"a{suffix}"
    rows = [row(user, page) for user, page in (("crm-1000", "/a"), ("crm-1001", "/of/crm-1000"))]
    if suffix == ".json":
        path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    patterns = IdPatterns(frozenset({"crm-1000"}), keys=frozenset({key.replace(".", "_")}))
    assert records_of(path, patterns) == without(path, patterns) == 1
    left = pq.read_table(path).to_pylist() if suffix == ".parquet" else [json.loads(path.read_text())]
    assert left == [row("crm-1001", "/of/[forgotten]")]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "cp1252", "utf-8"])
def test_the_encoding_and_the_line_ends_stay(tmp_path: Path, encoding: str, line_end: str) -> None:
    path, more = tmp_path / "a.csv", "6.1,/é,€ 5\n"
    path.write_text(HEADER + "".join([*ROWS, more]), encoding=encoding, newline=line_end)
    assert without(path) == 1
    kept = (HEADER + "".join([*KEPT, more])).replace("\n", line_end)
    assert path.read_bytes() == kept.encode(encoding)


def test_lines_of_json_go_where_the_id_is_theirs_or_nobody_can_tell(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        {"user_id": "2.1"},
        {"user_id": ID},
        {"params": [{"v": f"%2F{ID}"}]},
        {"user_id": "3.1", "x": "\u00e9"},
        {"user_id": "4.1", "params": [{"v": f"of {ID}", "n": 7}]},
    ]
    path = tmp_path / "a.json"
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    assert without(path) == 2
    blacked = {"user_id": "4.1", "params": [{"v": "of [forgotten]", "n": 7}]}
    left = [json.loads(line) for line in path.read_text().splitlines()]
    assert left == [records[0], records[3], blacked]


def test_rows_of_parquet_go(tmp_path: Path) -> None:
    table = pa.table(
        {
            "user_pseudo_id": pa.array([ID, "2.1", "3.1", None]).dictionary_encode(),
            "params": [[{"k": "a", "v": "b"}], [], [{"k": "a", "v": "b"}, {"k": "u", "v": f"x {ID}"}], None],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet", compression="gzip")
    assert without(tmp_path / "a.parquet") == 1
    left = pq.read_table(tmp_path / "a.parquet")
    assert left["user_pseudo_id"].to_pylist() == ["2.1", "3.1", None]
    shown = [{"k": "a", "v": "b"}, {"k": "u", "v": "x [forgotten]"}]
    assert left["params"].to_pylist() == [[], shown, None]
    assert left.schema.equals(table.schema)
    assert pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0).column(0).compression == "GZIP"


@pytest.mark.parametrize("cells", ['5" pipe', '"5 pipe', '5"'])
def test_a_stray_quote_costs_no_other_record(tmp_path: Path, cells: str) -> None:
    """A quote that opens or closes nothing hides no line ends."""
    rows = [f"{n}.1,/a,x\n" for n in range(3_000)]
    rows[1_200], rows[1_500] = f"1200.1,/a,{cells}\n", f"{ID},/a,x\n"
    path = tmp_path / "a.csv"
    path.write_text(HEADER + "".join(rows))
    assert without(path) == 1
    assert path.read_text() == HEADER + "".join(rows[:1_500] + rows[1_501:])


def test_a_quoted_cell_over_a_cut_is_one_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.runs.forgetting.tables.CHUNK_BYTES", 100)
    rows = [f'{n}.1,/a,"two\nlines, {n}"\n' for n in range(200)]
    rows[20], rows[150] = '20.1,/a,5" pipe\n', f'{ID},/a,"two\nlines"\n'
    path = tmp_path / "a.csv"
    path.write_text(HEADER + "".join(rows))
    assert without(path) == 1
    assert path.read_text() == HEADER + "".join(rows[:150] + rows[151:])


def test_longer_ids_of_others_and_their_numbers_cost_them_nothing_else(tmp_path: Path) -> None:
    short = IdPatterns(frozenset({"u-100001", "12345678"}))
    path = tmp_path / "a.csv"
    path.write_text("user_id,price,link\nu-100001,1,x\nu-100001-2,2,x\nzz,12345678,u-100001@x.de\n")
    others = longer_ids(path, short)
    assert others == {"u-100001-2"}
    assert without(path, IdPatterns(short.ids, frozenset(others))) == 1
    assert path.read_text() == "user_id,price,link\nu-100001-2,2,x\nzz,,[forgotten]@x.de\n"
    table = pa.table({"user_id": ["u-100001-2", "b"], "price": [5, 12_345_678], "link": ["x", None]})
    pq.write_table(table, tmp_path / "a.parquet")
    assert longer_ids(tmp_path / "a.parquet", short) == {"u-100001-2"}
    assert without(tmp_path / "a.parquet", IdPatterns(short.ids, frozenset(others))) == 0
    left = pq.read_table(tmp_path / "a.parquet").to_pydict()
    assert left == {"user_id": ["u-100001-2", "b"], "price": [5, None], "link": ["x", None]}


def test_an_id_is_found_in_a_column_of_bytes(tmp_path: Path) -> None:
    """As which some tools write text."""
    pq.write_table(pa.table({"user_id": [ID.encode(), b"2.1"]}), tmp_path / "a.parquet")
    assert without(tmp_path / "a.parquet") == 1
    assert pq.read_table(tmp_path / "a.parquet")["user_id"].to_pylist() == [b"2.1"]


def test_an_id_is_found_in_a_column_of_fractions(tmp_path: Path) -> None:
    """As which whole numbers are kept where some are missing."""
    pq.write_table(pa.table({"user_id": [12_345_678.0, None, 22_222_222.0]}), tmp_path / "a.parquet")
    assert without(tmp_path / "a.parquet", IdPatterns(frozenset({"12345678"}))) == 1
    assert pq.read_table(tmp_path / "a.parquet")["user_id"].to_pylist() == [None, 22_222_222.0]


def test_a_short_id_goes_from_a_column_of_ids_alone(tmp_path: Path) -> None:
    pq.write_table(pa.table({"user_id": ["12", "3124"], "n": ["3", "12"]}), tmp_path / "a.parquet")
    assert without(tmp_path / "a.parquet", IdPatterns(frozenset({"12"}))) == 1
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == [{"user_id": "3124", "n": "12"}]


def test_of_a_real_export_exactly_their_lines_go(tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    write_sample(path, 300, 1, silent)
    lines = path.read_bytes().splitlines(keepends=True)
    users = sorted({line.split(b",")[3].decode() for line in lines[1:]} - {""})
    gone = random.Random(0).sample(users, 40)
    rest = [line for line in lines if line.split(b",")[3].decode() not in gone]
    assert without(path, IdPatterns(frozenset(gone))) == len(lines) - len(rest)
    assert path.read_bytes() == b"".join(rest)


def test_what_is_no_table_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF " + ID.encode())
    with pytest.raises(InputError):
        without(tmp_path / "a.pdf")
    assert ID.encode() in (tmp_path / "a.pdf").read_bytes()


def test_a_file_in_which_something_would_be_left_is_as_it_was(tmp_path: Path) -> None:
    table = pa.table({"a": [1]}).replace_schema_metadata({"made_for": ID})
    pq.write_table(table, tmp_path / "a.parquet")
    before = (tmp_path / "a.parquet").read_bytes()
    with pytest.raises(InputError, match="cannot be written without"):
        without(tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_leaves_it_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "x")

    path = tmp_path / "a.csv"
    path.write_text(HEADER + "".join(ROWS))
    monkeypatch.setattr("core.storage.disk.flush", full)
    with pytest.raises(ResourceError, match="full"):
        without(path)
    assert path.read_text() == HEADER + "".join(ROWS)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(("column", "is_one"), [("clientId", True), ("device_id", True), ("device", False)])
def test_a_column_of_ids_is_known_whichever_tool_wrote_it(column: str, is_one: bool) -> None:
    assert is_of_users(column) is is_one


def test_a_key_is_found_where_parameters_are_folded() -> None:
    patterns = IdPatterns(frozenset({"m-777"}), keys=frozenset({"member"}))
    listed = [{"key": "member", "value": {"string_value": "m-777"}}]
    dotted = {"event_params.0.key": "member", "event_params.0.value.string_value": "m-777"}
    for theirs in ({"event_params": listed}, {"event_params": json.dumps(listed)}, dotted):
        assert is_of({"user_pseudo_id": "c1", **theirs}, patterns)
        assert not is_of({"user_pseudo_id": "c1", **theirs}, replace(patterns, ids=frozenset({"m-778"})))


def test_what_holds_an_id_goes_where_a_header_has_a_name_twice(tmp_path: Path) -> None:
    (path := tmp_path / "a.csv").write_text(f"user_pseudo_id,page,page\n2.1,/a\n2.1,/{ID}\n2.1,/a,/{ID}\n")
    assert without(path) == 2
