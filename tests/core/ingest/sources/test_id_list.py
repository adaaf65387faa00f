"""Lists of ids as people paste and upload them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import InputError
from core.ingest.sources.id_list import decoded, match_ids, read_file

USERS = pa.array(["007", "1605951.6059719720", "a b", "anna", "berta", "clara"], pa.string())
ANNA, BERTA, CLARA = 3, 4, 5


@pytest.mark.parametrize(
    "text",
    [
        "anna\nberta\nclara",
        "anna\r\nberta\r\n\r\nclara\r\n",
        "user_pseudo_id\nanna\nberta\nclara\n",
        "\ufeffUser ID\nanna\nberta\nclara\n",
        "anna, berta, clara",
        "anna;berta;clara;",
        "anna\tberta\tclara",
        "anna berta  clara",
        " \"anna\" \n'berta'\n  clara  ",
        '="anna"\n="berta"\n="clara"',
        '"=""anna"""\n"=""berta"""\n"=""clara"""',
    ],
)
def test_ids_are_read_however_they_are_written(text: str) -> None:
    found = match_ids(text, USERS)
    assert found.users.tolist() == [ANNA, BERTA, CLARA]
    assert (found.read, found.unknown, found.twice) == (3, (), 0)


def test_what_became_of_each_id_is_counted() -> None:
    found = match_ids("berta\nnobody\nanna\nberta\nnobody\nelse\n007", USERS)
    assert found.users.tolist() == [0, ANNA, BERTA]
    assert (found.read, found.unknown, found.twice) == (7, ("nobody", "else"), 2)
    assert found.counts == "7 ids read: 3 known users, 2 unknown, 2 more than once"


@pytest.mark.parametrize("first", ["sigrid", "heidi", "clientele", "monkey", "user_dora"])
def test_an_id_that_holds_a_word_of_headers_is_an_id(first: str) -> None:
    found = match_ids(f"{first}\nanna\nberta", USERS)
    assert (found.read, found.unknown, found.header) == (3, (first,), False)


@pytest.mark.parametrize(
    "first", ["id", "IDs", "userId", "Client-ID", "Nutzer-ID", "fullVisitorId", "hashed key", "guid"]
)
def test_a_header_is_none_and_that_is_told(first: str) -> None:
    found = match_ids(f"{first}\nanna\nberta", USERS)
    assert (found.read, found.unknown) == (2, ())
    assert found.counts.startswith("2 ids read (first line taken as a header): 2 known users")


def test_an_id_keeps_its_digits_and_its_space() -> None:
    assert match_ids("1605951.605971972", USERS).users.tolist() == []
    assert match_ids("1605951.6059719720\na b\n7", USERS).users.tolist() == [1, 2]


def test_of_a_table_the_columns_with_ids_count() -> None:
    table = "user_id,cluster,segment\nanna,007,Buyers\nberta,007,Readers\nnobody,007,Readers\n"
    found = match_ids(table, USERS)
    assert found.users.tolist() == [ANNA, BERTA]
    assert (found.read, found.unknown) == (3, ("nobody",))


def test_ids_may_stand_in_two_columns() -> None:
    assert match_ids("anna,berta\nclara,007", USERS).users.tolist() == [0, ANNA, BERTA, CLARA]


def test_a_quote_that_does_not_end_spoils_its_own_line_alone() -> None:
    assert match_ids('anna\n"berta, with a quote\nclara', USERS).users.tolist() == [ANNA, CLARA]


def test_only_unknown_ids_are_a_list_without_users() -> None:
    found = match_ids("xaver\nyvonne", USERS)
    assert (len(found.users), found.unknown) == (0, ("xaver", "yvonne"))


@pytest.mark.parametrize("text", ["", "  \n\n ", ',,\n"",""', "user_id\n"])
def test_a_list_without_an_id_says_so(text: str) -> None:
    with pytest.raises(InputError, match="no id in the list"):
        match_ids(text, USERS)


def test_a_hundred_thousand_ids_half_of_them_unknown() -> None:
    known = [f"{n}.{n % 977:03d}" for n in range(50_000)]
    lines = [f' "{one}" ' for one in known] + [f"x{n}" for n in range(50_000)] + known[:10]
    found = match_ids("user_id\n" + "\n".join(lines), pa.array(sorted(known), pa.string()))
    assert (found.read, len(found.users), len(found.unknown), found.twice) == (100_010, 50_000, 50_000, 10)


@given(st.lists(st.sampled_from(USERS.to_pylist()), min_size=2), st.sampled_from("\n,;\t"))
def test_what_a_csv_writer_writes_is_read_back(ids: list[str], separator: str) -> None:
    sink = io.StringIO()
    if separator == "\n":
        csv.writer(sink).writerows([one] for one in ids)
    else:
        csv.writer(sink, delimiter=separator).writerow(ids)
    found = match_ids(sink.getvalue(), USERS)
    assert [USERS[place].as_py() for place in found.users] == sorted(set(ids))
    assert found.read == len(ids)
    assert found.twice == sum(ids.count(one) > 1 for one in set(ids))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
def test_files_of_any_encoding_are_read(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_bytes("jürgen\nanna\n".encode(encoding))
    found = match_ids(read_file(path), pa.array(["anna", "jürgen"]))
    assert found.users.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "ids.bin is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "a PNG image"),
        (bytes(np.arange(256, dtype=np.uint8)) * 9, "not text"),
        (b"PK\x03\x04\0\0", "packed twice"),
        (b"PAR1\0", "not a list of ids"),
    ],
)
def test_what_is_no_list_is_refused_in_words(data: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        decoded(data, "ids.bin")


def test_a_file_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_file(tmp_path / "absent.txt")


def test_a_line_that_is_too_long_for_an_id_is_refused_in_words() -> None:
    with pytest.raises(InputError, match="A line of 200,000 characters"):
        match_ids("x" * 200_000, USERS)


def test_a_list_of_many_columns_looks_the_users_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    look_up = pc.index_in

    def counting(words: pa.StringArray, value_set: pa.StringArray) -> pa.Int32Array:
        looked.append(len(words))
        return look_up(words, value_set=value_set)

    monkeypatch.setattr(pc, "index_in", counting)
    text = "\n".join([",".join(["anna"] * 3_000), ",".join(["berta"] * 3_000)])
    assert match_ids(text, USERS).users.tolist() == [ANNA, BERTA]
    assert len(looked) == 1
