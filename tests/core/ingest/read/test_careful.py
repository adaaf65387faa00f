import pytest

from core.base.settings import IngestSettings
from core.ingest.read.assembly import ParsedBlock
from core.ingest.read.blocks import QuoteLimits, make_block
from core.ingest.read.careful import (
    HAS_NUL,
    NEVER_CLOSED,
    NEW_HEADER,
    NOT_UTF8,
    QUOTE_INSIDE,
    REPEATED_HEADER,
    read_carefully,
    records,
    split_lines,
)
from core.ingest.read.delimited_layout import make_layout

HEADER = ("user_pseudo_id", "event_timestamp", "page_location", "x")
LIMITS = QuoteLimits()
LAYOUT = make_layout(HEADER, [], ",", IngestSettings())


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
