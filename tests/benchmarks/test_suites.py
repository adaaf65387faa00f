"""Generated files, read by the readers and by Python's csv: no difference that nobody is told of."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.suites import compare_file, compare_urls, read_one, silent_differences, wrapped
from core.base.schema import Raw

PIECES = (
    "a",
    "7",
    " ",
    ",",
    ",,",
    '"',
    '""',
    '","',
    "\n",
    "\r\n",
    "\r",
    "\0",
    "é",
    "\udcff",
    ";",
    "\t",
    '"\n',
)
FIELD = st.sampled_from(["u", "1", "/", '"a, b"', '"a ""b"""', '"two\nlines"', "", '7"Rug', ' "x"', "é"])
LINES = st.lists(st.lists(FIELD, min_size=2, max_size=4).map(",".join), max_size=8).map("\n".join)
TEXTS = st.one_of(st.lists(st.sampled_from(PIECES), max_size=40).map("".join), LINES)


def differences(body: str, tail: str = "") -> list[str]:
    """Silent differences of a file of four columns."""
    data = "a,b,c,d\n" + body + tail
    content, delimiter, header = wrapped(data.encode("utf-8", "surrogateescape"))
    with TemporaryDirectory() as folder:
        raw = read_one(Path("events.csv"), content, Path(folder))
        return [] if isinstance(raw, str) else silent_differences(raw, content, delimiter, header)


@given(TEXTS, st.sampled_from(["", "\nu,1,/a,x\n", '\nu,1,/a,"x"\n']))
@example('u,1,/p/7"Rug, Large"', "\nu,1,/a,x\n")
@example('u,1,/a,"\nu,1,/a,x\nu,1,/a,"', "\nu,1,/a,x\n")
def test_nothing_is_read_otherwise_or_lost(body: str, tail: str) -> None:
    assert differences(body, tail) == []


def test_differences_are_found(tmp_path: Path) -> None:
    content, delimiter, header = wrapped(b"a,b,c,d\nu,1,/a,x\nu,1,/b,y\n")
    raw = read_one(Path("events.csv"), content, tmp_path)
    assert not isinstance(raw, str)
    [(_, part)] = raw.parts
    table = pq.read_table(part)
    place = table.schema.get_field_index(Raw.PAGE_LOCATION)
    pq.write_table(table.set_column(place, Raw.PAGE_LOCATION, pa.array(["/a", "/c"])), part)
    assert silent_differences(raw, content, delimiter, header) == ["line 3 is read otherwise"]
    pq.write_table(table.slice(0, 1), part)
    assert silent_differences(raw, content, delimiter, header) == ["line 3 is lost"]
    pq.write_table(table, part)
    other = content.replace(b"/b,y", b'/b"y", z')
    assert silent_differences(raw, other, delimiter, header) == ["line 3 is read, and csv has no such record"]


def test_a_file_as_it_is_and_with_columns_of_ga4(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('x;y\n1;"a\nb"\n2;"c" d\n')
    (tmp_path / "b.csv").write_text("user_pseudo_id,event_timestamp,page_location\nu,1,/\n")
    assert compare_file(tmp_path / "a.csv") == ("read", [])
    assert compare_file(tmp_path / "b.csv") == ("read as it is, too", [])


@pytest.mark.parametrize(("href", "differ"), [("https://x.example/a", 0), ("https://x.example/b", 1)])
def test_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, href: str, differ: int) -> None:
    monkeypatch.setattr("benchmarks.suites.whole", lambda text: href)
    (tmp_path / "urltestdata.json").write_text(
        f'["a comment", {{"input": "HTTPS://X.example:443/a", "href": "{href}"}}]'
    )
    assert compare_urls(tmp_path / "urltestdata.json") == differ
