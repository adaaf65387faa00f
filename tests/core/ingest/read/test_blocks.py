import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import InputError
from core.ingest.read import blocks
from core.ingest.read.blocks import Count, QuoteLimits, count_block, make_block, whole_records

cells = st.text(st.sampled_from('ab,;"\n\r é'), max_size=6)
tables = st.lists(st.lists(cells, min_size=2, max_size=4), max_size=12)


def written(rows: list[list[str]], end: str, always: bool = False) -> str:
    """A well-formed file: quotes where they are needed, or around everything."""

    def cell(text: str) -> str:
        needed = always or any(mark in text for mark in ',"\r\n')
        return f'"{text.replace(chr(34), chr(34) * 2)}"' if needed else text

    return "".join(",".join(cell(text) for text in row) + end for row in rows)


def count_records(data: bytes, delimiter: str = ",", **limits: int) -> Count:
    return count_block(make_block(data, line=1, last=True), delimiter, QuoteLimits(**limits))


def parsed(text: str) -> list[list[str]]:
    """Python's own reading, blank lines left out."""
    return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]


@given(
    tables,
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.booleans(),
)
def test_the_count_is_that_of_pythons_csv_module(
    rows: list[list[str]], end: str, always: bool, unfinished: bool
) -> None:
    text = written(rows, end, always)
    text = text.removesuffix(end) if unfinished else text
    count = count_records(text.encode())
    assert count.well_formed
    assert count.records == len(parsed(text)) == len(rows)


@given(tables, st.lists(st.integers(0, 12), max_size=4))
def test_each_record_starts_on_its_line(rows: list[list[str]], blanks: list[int]) -> None:
    pieces = [written([row], "\n") for row in rows]
    for place in blanks:
        pieces.insert(min(place, len(pieces)), "\n")
    count = count_records("".join(pieces).encode())
    lines, line = [], 0
    for piece in pieces:
        lines += [line] if piece != "\n" else []
        line += piece.count("\n")
    starts = list(range(count.records)) if count.starts is None else count.starts.tolist()
    assert starts == lines


@given(st.text(st.sampled_from('ab,"\n\r'), max_size=40))
def test_what_is_well_formed_is_what_python_reads_strictly(text: str) -> None:
    count = count_records(text.encode())
    if count.well_formed:
        assert count.records == len(parsed(text))


@pytest.mark.parametrize(
    "text", ['a,"b\n', 'a,"b"c\n', 'a"b,c"\n', 'a,b"\nc,d"\n', "a,b\rc,d\n", '"a\n,b\n', 'a, "b"\n', '"']
)
def test_quotes_and_returns_out_of_place_are_not_well_formed(text: str) -> None:
    assert not count_records(text.encode()).well_formed


@pytest.mark.parametrize(
    "text", ['"a""b",c\n', '"",""""\n', '"a\r\nb",c\r\n', 'a,"b;\n"', "", "\n\r\n", "a,b"]
)
def test_well_formed(text: str) -> None:
    assert count_records(text.encode()).well_formed


def test_a_field_that_runs_on_is_not_well_formed() -> None:
    cell = b'"' + b"x\n" * 5 + b'",y\n'
    assert count_records(cell, lines=6).well_formed
    assert not count_records(cell, lines=5).well_formed
    assert not count_records(cell, bytes=10).well_formed
    assert count_records(b"x" * 100 + b"\n", bytes=10).well_formed  # one line may be long


def test_other_delimiters() -> None:
    assert count_records(b'a;"b;c"\n', ";").well_formed
    assert not count_records(b'a;"b;c"\n', ",").well_formed


@given(tables, st.integers(1, 30))
def test_blocks_are_whole_records_and_lose_nothing(rows: list[list[str]], size: int) -> None:
    data = written(rows, "\n").encode()
    chunks = (data[start : start + size] for start in range(0, len(data), size))
    found = list(whole_records(chunks, "a.csv", QuoteLimits(), line=2))
    assert b"".join(block.data for block in found) == data
    assert sum(blocks.count_block(block).records for block in found) == len(rows)
    line = 2
    for block in found:
        again = make_block(block.data, block.line, block.last)
        assert block.line == line
        assert (again.ends.tolist(), again.quotes.tolist()) == (block.ends.tolist(), block.quotes.tolist())
        line += block.data.count(b"\n")


def test_a_quote_that_is_never_closed_does_not_hold_up_the_stream() -> None:
    lines = [b'a,"b\n'] + [b"c,d\n"] * 500
    data = b"".join(lines)
    chunks = (data[start : start + 100] for start in range(0, len(data), 100))
    found = list(whole_records(chunks, "a.csv", QuoteLimits(bytes=50)))
    assert max(len(block.data) for block in found) < 300
    assert b"".join(block.data for block in found) == data


def test_a_line_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "MAX_LINE_BYTES", 1000)
    with pytest.raises(InputError, match=r"a\.csv, line 1 is longer than"):
        list(whole_records(iter([b"x" * 600, b"x" * 600]), "a.csv", QuoteLimits()))
