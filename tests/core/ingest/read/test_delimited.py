"""CSV and its relatives, whole and line by line."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import InputError
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.read import delimited
from core.ingest.read.blocks import NEVER_CLOSED, QUOTE_INSIDE, QuoteLimits, make_block, records, split_lines
from core.ingest.read.delimited import HAS_NUL, NEW_HEADER, NOT_UTF8, REPEATED_HEADER, read_carefully
from core.ingest.read.part_files import Sink
from core.ingest.read.table_layout import ParsedBlock, make_layout
from core.ingest.sources.input_files import resolve_inputs
from tests.core.ingest.raw import HEADER, ROW, csv_of, read_paths, read_text, write

COLUMNS = ("user_pseudo_id", "event_timestamp", "page_location", "x")
LIMITS = QuoteLimits()
LAYOUT = make_layout(COLUMNS, [], ",", IngestSettings())


def carefully(data: bytes, last: bool = True) -> ParsedBlock:
    done = read_carefully(make_block(data, line=10, last=last), LAYOUT)
    assert len(done.lines) + done.rejected.total == done.records
    return done


def rows(done: ParsedBlock) -> list[tuple[str | None, ...]]:
    return list(zip(*(column.to_pylist() for column in done.fields.values()), strict=True))


def found(
    text: str, limits: QuoteLimits = LIMITS, last: bool = True
) -> list[tuple[int, int, list[str] | None]]:
    return [(r.line, r.lines, r.fields) for r in records(split_lines(text), ",", limits, last)]


def test_plain_lines_and_blank_ones() -> None:
    assert found("a,b\n\n\r\nc,\n") == [(0, 1, ["a", "b"]), (3, 1, ["c", ""])]


def test_quoted_newlines_are_one_record() -> None:
    assert found('a,"b\n\nc"\nd,e\n') == [(0, 3, ["a", "b\n\nc"]), (3, 1, ["d", "e"])]


def test_a_broken_record_costs_its_first_line_only() -> None:
    assert found('a,"b\nc,d\n') == [(0, 1, None), (1, 1, ["c", "d"])]
    assert found('a,"b"x\nc,d\n') == [(0, 1, None), (1, 1, ["c", "d"])]
    assert found('a,"b\nc,"d"\n') == [(0, 1, None), (1, 1, ["c", "d"])]


@pytest.mark.parametrize("line", ['15" laptop,b', '7"Rug, Large",b', 'a, "b, c"', 'a,b"', 'a,""b,"c"'])
def test_a_quote_within_an_unquoted_field_costs_its_line(line: str) -> None:
    assert found(f"{line}\nc,d\n") == [(0, 1, None), (1, 1, ["c", "d"])]


def test_quotes_within_quoted_fields_are_characters() -> None:
    assert found('"15"" laptop","a,""b"",c",""\n') == [(0, 1, ['15" laptop', 'a,"b",c', ""])]


def test_how_far_a_quoted_field_may_run() -> None:
    text = 'a,"1\n2\n3"\n'
    assert found(text) == [(0, 3, ["a", "1\n2\n3"])]
    assert found(text, QuoteLimits(lines=2)) == [(0, 3, ["a", "1\n2\n3"])]
    assert found(text, QuoteLimits(bytes=6))[0] == (0, 1, None)


def test_a_field_that_runs_far_over_what_looks_like_records_was_never_closed() -> None:
    text = 'a,"1\n' + "b,2\n" * 3 + 'c,"\n'
    assert found(text, QuoteLimits(lines=5)) == [(0, 5, ["a", "1\n" + "b,2\n" * 3 + "c,"])]
    assert found(text, QuoteLimits(lines=4))[0] == (0, 1, None)


def test_a_record_that_is_still_open_is_left_for_later_unless_nothing_follows() -> None:
    assert found('a,b\nc,"d\n', last=False)[-1] == (1, 0, None)
    assert found('a,b\nc,"d\n', last=True)[-1] == (1, 1, None)
    assert found('c,"d\ne\n', QuoteLimits(bytes=4), last=False)[0] == (0, 1, None)  # it ran too far already


def test_rows_hold_the_parsed_columns_and_their_lines() -> None:
    done = carefully(b'u,1,/a,"x\ny"\nv,2,/b,z\n')
    assert rows(done) == [("u", "1", "/a"), ("v", "2", "/b")]
    assert done.lines.tolist() == [10, 12]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"u,1,/a,x,", "5 fields instead of 4"),
        (b"u,1,/a", "3 fields instead of 4"),
        (b'u,1,/a,"x', NEVER_CLOSED),
        (b'u,1,"/a"b,x', "text after a closing quote"),
        (b'u,1,/p/7"Rug, Large"', QUOTE_INSIDE),
        (b"u,1,/\0,x", HAS_NUL),
        ("u,1,/a,x\n".encode("utf-16-le")[:-2], HAS_NUL),
        ("u,1,/a,x".encode("utf-16-be"), HAS_NUL),
        (b"u,1,/a\rb,x", "a stray carriage return"),
        (b"u,1,/\xff,x", NOT_UTF8),
        (b"user_pseudo_id,event_timestamp,page_location,x", REPEATED_HEADER),
        (b"\xef\xbb\xbfuser_pseudo_id,event_timestamp,page_location,x", REPEATED_HEADER),
    ],
)
def test_every_fault_is_one_reject_with_its_line(line: bytes, reason: str) -> None:
    done = carefully(b"a,1,/a,x\n" + line + b"\nb,2,/b,y\n")
    assert [(reject.line, reject.reason) for reject in done.rejected.kept] == [(11, reason)]
    assert done.lines.tolist() == [10, 12]


def test_bytes_that_are_not_text_hurt_only_where_they_are_needed() -> None:
    done = carefully(b"a,1,/a,\xff\nb,2,/\xff,y\n")
    assert done.lines.tolist() == [10]
    assert [reject.column for reject in done.rejected.kept] == ["page_location"]


def test_the_newline_of_a_line_in_utf16_is_not_the_next_line_s() -> None:
    done = carefully(b"a,1,/a,x\n" + "u,1,/b,x\n".encode("utf-16-le") + b"b,2,/b,y\n")
    assert rows(done) == [("a", "1", "/a"), ("b", "2", "/b")]
    assert [(reject.line, reject.reason) for reject in done.rejected.kept] == [(11, HAS_NUL)]


def test_another_header_ends_the_reading() -> None:
    done = carefully(b"a,1,/a,x\nclient_id,event_timestamp,page_location\nb,2,/b\n")
    assert done.header == ["client_id", "event_timestamp", "page_location"]
    assert (done.rest, done.rest_line) == (b"b,2,/b\n", 12)
    assert [reject.reason for reject in done.rejected.kept] == [NEW_HEADER]


def test_an_open_record_is_handed_on_byte_for_byte() -> None:
    done = carefully(b'a,1,/a,x\nb,2,/b,"\xff\n', last=False)
    assert (done.rest, done.rest_line, done.records) == (b'b,2,/b,"\xff\n', 11, 1)


BIG = 1 << 20
Row = tuple[int, str | None, str | None]


def row(number: int, title: str = "Home") -> str:
    return f"page_view,{1611210000000000 + number},u{number},https://x.example/{number},{title}"


def plain_read(data: bytes, chunk_bytes: int) -> tuple[list[Row], list[tuple[int, str]], int]:
    """Rows (line, user, title), rejects (line, reason), records."""
    with TemporaryDirectory() as folder:
        (source,) = resolve_inputs([write(Path(folder) / "a.csv", data)])
        sink = Sink(Path(folder), "")
        count = delimited.read(source, IngestSettings(), sink, lambda done: None, chunk_bytes)
        rows = [row for part in sink.parts for row in pq.read_table(part.path).to_pylist()]
    kept = [(row[Raw.LINE], row[Raw.USER_KEY], row[Raw.PAGE_TITLE]) for row in rows]
    return kept, [(reject.line, reject.reason) for reject in sink.rejected.kept], count.records


def test_values_stay_byte_for_byte(tmp_path: Path) -> None:
    ids = ["1605951.6059719725", "007", "1e5", "NULL", "NA", "nan", "None", " x ", "true", "2021-01-01", "é"]
    read = read_text(csv_of(*(f"page_view,1,{value},/a,t" for value in ids)), tmp_path)
    assert read.column(Raw.USER_KEY) == ids
    assert read.lines == list(range(2, 2 + len(ids)))


def test_only_empty_text_is_absent(tmp_path: Path) -> None:
    read = read_text(csv_of('page_view,1,u,/a,""', "page_view,1,u,/a,", 'page_view,1,u,/a," "'), tmp_path)
    assert read.column(Raw.PAGE_TITLE) == [None, None, " "]
    assert set(read.column(Raw.GEO_COUNTRY)) == {None}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (ROW + ",", "6 fields instead of 5"),
        (ROW.replace("page_view,", "page_view,,", 1).removesuffix("Home"), "6 fields instead of 5"),
        ("page_view,1,u", "3 fields instead of 5"),
        (ROW.replace("Home", '"Home'), "a quote that is never closed"),
        (ROW.replace("Home", '"Home" page'), "text after a closing quote"),
        (HEADER, "repeated header"),
    ],
)
def test_a_fault_costs_one_record(tmp_path: Path, bad: str, reason: str) -> None:
    read = read_text(csv_of(row(1), row(2, '"a, b"'), bad, row(3, '"c, d"'), row(4)), tmp_path)
    assert read.reasons == [(4, reason)]
    assert read.column(Raw.USER_KEY) == ["u1", "u2", "u3", "u4"]
    assert read.lines == [2, 3, 5, 6]
    assert read.raw.files[0].records == 5


def test_a_shifted_row_is_rejected_even_if_its_last_columns_are_empty(tmp_path: Path) -> None:
    read = read_text(csv_of(row(1), "page_view,,1,u2,/a,", row(3)), tmp_path)
    assert read.reasons == [(3, "6 fields instead of 5")]
    assert read.column(Raw.USER_KEY) == ["u1", "u3"]


@pytest.mark.parametrize("neighbour", [row(1), "broken"])
def test_a_very_long_cell_is_read_whether_its_neighbours_are_broken_or_not(
    tmp_path: Path, neighbour: str
) -> None:
    cell = "x, " * 100_000
    read = read_text(csv_of(neighbour, row(2, f'"{cell}"'), row(3)), tmp_path)
    assert read.column(Raw.PAGE_TITLE)[-2:] == [cell, "Home"]


def test_lines_are_counted_over_quoted_newlines_and_blank_lines(tmp_path: Path) -> None:
    read = read_text(csv_of(row(1, '"a\nb"'), "", row(2), "", "", row(3, '"\n"'), row(4)), tmp_path)
    assert read.lines == [2, 5, 8, 10]
    assert read.column(Raw.PAGE_TITLE) == ["a\nb", "Home", "\n", "Home"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("closed", [True, False])
def test_line_ends(tmp_path: Path, end: str, closed: bool) -> None:
    text = csv_of(row(1), row(2), end=end)
    read = read_text(text if closed else text.removesuffix(end), tmp_path)
    assert (read.column(Raw.USER_KEY), read.lines, read.rejects) == (["u1", "u2"], [2, 3], [])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(tmp_path: Path, delimiter: str) -> None:
    text = csv_of(row(1), row(2, '"a;b,c|d\te"')).replace(",", delimiter)
    read = read_text(text, tmp_path)
    assert read.column(Raw.PAGE_TITLE) == ["Home", "a;b,c|d\te".replace(",", delimiter)]


def test_lines_before_the_header(tmp_path: Path) -> None:
    read = read_text(
        "# ------\n# Report, 2021\n\nsep=,\n" + csv_of(row(1), "# not a comment any more"), tmp_path
    )
    assert read.lines == [6]
    assert read.reasons == [(7, "1 fields instead of 5")]
    assert "4 lines before the header were skipped" in read.raw.files[0].notes


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, codec: str) -> None:
    read = read_text(csv_of(row(1, "Größe"), row(2)).encode(codec), tmp_path)
    assert read.column(Raw.PAGE_TITLE) == ["Größe", "Home"]
    assert read.column(Raw.EVENT_NAME) == ["page_view", "page_view"]
    assert any("windows-1252" in note for note in read.raw.files[0].notes) == (codec == "cp1252")


def test_a_row_that_is_not_utf8_among_rows_that_are(tmp_path: Path) -> None:
    read = read_text(csv_of(row(1, "Größe")).encode() + row(2, "Größe").encode("cp1252") + b"\n", tmp_path)
    assert read.lines == [2]
    (reject,) = read.rejects
    assert (reject["line"], reject["column"], reject["reason"]) == (3, "page_title", "not valid UTF-8")
    assert reject["value"] == "Gr\ufffd\ufffde"


def test_concatenated_daily_files_whose_columns_drift(tmp_path: Path) -> None:
    other = "event_name,event_timestamp,clientId,page_location\npage_view,9,c9,/9\nscroll,8,c8,/8\n"
    read = read_text(csv_of(row(1), HEADER, row(2)) + other + csv_of(row(3)), tmp_path)
    assert read.column(Raw.USER_KEY) == ["u1", "u2", "c9", "c8", "u3"]
    assert read.column(Raw.PAGE_TITLE) == ["Home", "Home", None, None, "Home"]
    assert read.lines == [2, 4, 6, 7, 9]
    changes = "another header: the columns change here"
    assert read.reasons == [(3, "repeated header"), (5, changes), (8, changes)]
    notes = read.raw.files[0].notes
    assert any("Line 5" in note and "new: clientId" in note and "page_title" in note for note in notes)
    assert "The header is repeated 1 times" in notes


def test_a_header_of_the_same_width_in_another_order(tmp_path: Path) -> None:
    other = "page_title,page_location,user_pseudo_id,event_timestamp,event_name"
    read = read_text(csv_of(row(1), other, "T,/2,u2,7,scroll"), tmp_path)
    assert read.column(Raw.USER_KEY) == ["u1", "u2"]
    assert read.column(Raw.EVENT_TIMESTAMP)[1] == "7"


def test_a_header_in_the_middle_that_lacks_a_required_column(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"events\.csv, line 3 has no column for page_location"):
        read_text(csv_of(row(1), "event_name,event_timestamp,user_pseudo_id,x,y", row(2)), tmp_path)


def test_a_header_in_quotes_and_spaces(tmp_path: Path) -> None:
    header = '"Event Name", "event_timestamp" ,"user_pseudo_id",page_location,page_title'.replace(', "', ',"')
    read = read_text(csv_of(row(1), header=header.replace('" ,', '",')), tmp_path)
    assert read.column(Raw.EVENT_NAME) == ["page_view"]


@pytest.mark.parametrize("text", [HEADER, HEADER + "\n", HEADER + "\n\n\r\n"])
def test_a_header_and_nothing_else(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"events\.csv holds a header and no records"):
        read_text(text, tmp_path)


def test_only_comments(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"events\.csv holds no header line"):
        read_text("# a\n# b\n", tmp_path)


def test_no_record_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"None of the 2 records .*line 2: 1 fields instead of 5"):
        read_text(HEADER + "\nx\ny\n", tmp_path)


@pytest.mark.parametrize("title", ['7" Rug', ' "Rug, large"', r'"7\" Rug"', '"Rug'])
def test_where_a_writer_quotes_in_another_way_it_is_said_how_to_quote(tmp_path: Path, title: str) -> None:
    with pytest.raises(InputError, match=r"None of the 9 records .*quote.*RFC 4180"):
        read_text("\n".join([HEADER, *(row(number, title) for number in range(9))]), tmp_path)


def test_missing_columns(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"events\.csv has no column for the user and event_timestamp"):
        read_text("a,page_location\n1,2\n", tmp_path)


def test_packed_files_read_the_same(tmp_path: Path) -> None:
    packed = write(tmp_path / "a.csv.gz", gzip.compress(csv_of(row(1), row(2)).encode()))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("c.csv", csv_of(row(4), row(5)))
        archive.writestr("d.csv", csv_of(row(3)))
    read = read_paths([packed, tmp_path / "b.zip"], tmp_path)
    assert [file.name for file in read.raw.files] == ["a.csv.gz", "b.zip/c.csv", "b.zip/d.csv"]
    assert [file.shape for file in read.raw.files] == ["flat csv (gzip)", "flat csv (zip)", "flat csv (zip)"]
    assert read.column(Raw.USER_KEY) == ["u1", "u2", "u4", "u5", "u3"]
    assert read.column(Raw.FILE_NO) == [0, 0, 1, 1, 2]


def test_a_packed_file_that_is_cut_off_gives_nothing(tmp_path: Path) -> None:
    data = gzip.compress(csv_of(*map(row, range(2000))).encode())
    with pytest.raises(InputError, match="cut off"):
        read_text(data[:-20], tmp_path, "events.csv.gz")


def test_rejects_keep_a_glimpse_of_a_long_line(tmp_path: Path) -> None:
    read = read_text(csv_of(row(1), "x" * 1000), tmp_path)
    assert read.rejects[0]["value"] == "x" * 199 + "…"


# --- properties -------------------------------------------------------------------------------------

titles = st.text(st.sampled_from('ab é,;"\n'), max_size=8)
careful_titles = st.text(st.sampled_from("abé ,"), max_size=8).map(lambda text: f"t{text}")


def quoted(title: str) -> str:
    return f'"{title.replace(chr(34), chr(34) * 2)}"' if any(mark in title for mark in ',"\n') else title


def file_of(texts: list[str]) -> str:
    return csv_of(*(row(number, quoted(text)) for number, text in enumerate(texts)))


@given(st.lists(titles, min_size=1, max_size=25), st.integers(100, 400))
def test_a_well_formed_file_is_what_python_reads(texts: list[str], chunk: int) -> None:
    text = file_of(texts)
    expected = list(csv.reader(io.StringIO(text, newline=""), strict=True))[1:]
    rows, rejects, records = plain_read(text.encode(), chunk)
    assert [(user, title or "") for _, user, title in rows] == [(fields[2], fields[4]) for fields in expected]
    assert (rejects, records) == ([], len(texts))


damage = st.lists(
    st.tuples(st.integers(0, 10_000), st.sampled_from(["", '"', ",", "\n", "\r", '"\n"'])), max_size=5
)


def damaged(text: str, changes: list[tuple[int, str]]) -> str:
    """Delete a character (empty text) or insert something, anywhere after the header."""
    for place, new in changes:
        at = len(HEADER) + 1 + place % max(1, len(text) - len(HEADER))
        text = text[:at] + new + text[at + (not new) :]
    return text


@given(st.lists(titles, min_size=1, max_size=25), damage, st.integers(100, 400), st.sampled_from([60, BIG]))
def test_nothing_is_lost_or_counted_twice_and_blocks_change_nothing(
    texts: list[str], changes: list[tuple[int, str]], chunk: int, piece: int
) -> None:
    data = damaged(file_of(texts), changes).encode()
    whole = plain_read(data, BIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "PIECE_BYTES", piece)
        assert plain_read(data, chunk) == whole
    rows, rejects, records = whole
    lines = [line for line, *_ in (*rows, *rejects)]
    assert len(lines) == len(set(lines)) == records


@given(st.lists(careful_titles, min_size=3, max_size=25), st.data())
def test_damage_to_one_line_loses_that_line_at_most(texts: list[str], data: st.DataObject) -> None:
    lines = file_of(texts).splitlines()
    at = data.draw(st.integers(1, len(lines) - 1))
    place = data.draw(st.integers(0, len(lines[at])))
    new = data.draw(st.sampled_from(["", '"', ",", '""', ',"', "\r"]))
    lines[at] = lines[at][:place] + new + lines[at][place + (not new) :]
    rows, _, records = plain_read("\n".join(lines).encode(), 200)
    healthy = {user for line, user, _ in rows if line != at + 1}
    assert healthy == {f"u{number}" for number in range(len(texts)) if number != at - 1}
    assert records == len(texts)


def test_headers_beyond_some_are_counted_only(tmp_path: Path) -> None:
    short = HEADER.removesuffix(",page_title")
    pairs = [short, row(1).removesuffix(",Home"), HEADER, row(2)] * 30
    read = read_text(csv_of(*pairs), tmp_path)
    (file,) = read.raw.files
    assert (file.read, file.rejected, read.raw.reasons) == (60, 60, {NEW_HEADER: 60})
    assert len(file.notes) == delimited.NOTED_HEADERS + 1
    assert file.notes[-1] == "The first 50 of 60 other headers are noted here"


EVENTS = [row(number) for number in range(16)]


@pytest.mark.parametrize(
    "bad",
    [
        row(99, "a\0b").encode(),
        row(99).encode("utf-16-le"),
        row(99).encode("utf-16-be"),
        row(99, "gr\xfcn").encode("cp1252"),
        row(99, "\u8272").encode("shift-jis"),
        b"\0" * 200,
        row(99, '7" Rug').encode(),
        b'page_view,1,u,https://x.example/p/7"Rug, Large"',
    ],
)
@pytest.mark.parametrize("at", [1, 8, 16])
def test_a_line_that_is_no_text_costs_itself_and_no_other(tmp_path: Path, bad: bytes, at: int) -> None:
    good = [*map(str.encode, EVENTS), row(16, "größe").encode()]
    read = read_text(b"\n".join([HEADER.encode(), *good[:at], bad, *good[at:], b""]), tmp_path)
    assert read.column(Raw.USER_KEY) == [f"u{number}" for number in range(17)]
    assert [line for line, _ in read.reasons] == [at + 2]
    (file,) = read.raw.files
    assert (file.records, file.read, file.rejected) == (18, 17, 1)


@pytest.mark.parametrize("codec", ["cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_a_file_in_another_encoding_is_read(tmp_path: Path, codec: str) -> None:
    read = read_text(csv_of(*EVENTS, row(16, "größe")).encode(codec), tmp_path)
    assert (len(read.rows), read.rejects, read.column(Raw.PAGE_TITLE)[-1]) == (17, [], "größe")


def test_half_a_character_in_utf16_costs_its_line(tmp_path: Path) -> None:
    text = csv_of(*EVENTS[:8], row(99, "\ud83d"), *EVENTS[8:], row(99)).encode("utf-16", "surrogatepass")
    read = read_text(text[:-3], tmp_path)  # and the last line is cut
    assert len(read.rows) == 16
    assert read.reasons == [(10, "not valid UTF-8"), (19, "not valid UTF-8")]


@pytest.mark.parametrize("lines", [2, 63, 64, 65, 70, 400])
def test_a_field_of_many_lines_is_one_record(tmp_path: Path, lines: int) -> None:
    title = "\n".join(["a line, of text"] * lines)
    read = read_text(csv_of(row(1), row(2, f'"{title}"'), row(3, '"a" b')), tmp_path)
    assert read.column(Raw.PAGE_TITLE) == ["Home", title]
    (file,) = read.raw.files
    assert (file.records, file.read, file.rejected) == (3, 2, 1)
