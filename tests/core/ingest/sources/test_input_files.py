import gzip
import io
import os
import socket
import zipfile
from pathlib import Path

import pytest

from core.base.errors import InputError
from core.ingest.sources import input_files
from core.ingest.sources.input_files import open_seekable, open_source, resolve_inputs
from core.ingest.sources.sniffing import FileKind
from tests.core.ingest.raw import csv_of, write

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def make_zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def names(paths: list[Path]) -> list[str]:
    return [source.name for source in resolve_inputs(paths)]


def content(path: Path) -> bytes:
    (source,) = resolve_inputs([path])
    with open_source(source) as file:
        return b"".join(iter(lambda: file.read(7), b""))


def test_files_folders_and_patterns_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 9):
        write(tmp_path / f"events_{number}.csv", f"a,{number}\n")
    write(tmp_path / "read.me", "no table")
    write(tmp_path / ".hidden.csv", "a\n")
    expected = ["events_9.csv", "events_10.csv"]
    assert names([tmp_path]) == expected
    assert names([tmp_path / "events_*.csv"]) == expected
    assert names([tmp_path / "events_10.csv", tmp_path / "events_9.csv"]) == expected


def test_files_of_one_name_get_their_folder(tmp_path: Path) -> None:
    paths = [write(tmp_path / day / "events.csv", f"a,{day}\n") for day in ("mon", "tue")]
    assert names(paths) == ["mon/events.csv", "tue/events.csv"]


@pytest.mark.parametrize("given", ["nothing.csv", "*.csv", "."])
def test_nothing_to_read(tmp_path: Path, given: str) -> None:
    with pytest.raises(InputError):
        resolve_inputs([tmp_path / given])
    with pytest.raises(InputError):
        resolve_inputs([])


def test_the_same_content_is_read_once_whatever_it_is_called(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "a,b\n")
    copy = write(tmp_path / "b (1).csv", "a,b\n")
    packed = write(tmp_path / "c.csv.gz", gzip.compress(b"a,b\n"))
    archive = make_zip(tmp_path / "d.zip", {"x.csv": b"a,b\n", "y.csv": b"a,c\n"})
    for paths, copies in {
        (path, path): ("a.csv",),
        (path, copy): ("b (1).csv",),
        (copy, packed, path): ("b (1).csv", "c.csv.gz"),
        (path, archive): ("d.zip/x.csv",),
    }.items():
        first, *others = resolve_inputs(paths)
        assert (first.name, first.copies) == ("a.csv", copies)
        assert [other.name for other in others] == (["d.zip/y.csv"] if archive in paths else [])


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (PNG, "PNG"),
        (b"%PDF-1.7", "PDF"),
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"<!doctype html><title>Log in</title>", "web page"),
        (b"[\n{}]", "JSON array"),
        (b'10.0.0.8 - ann [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326\n', "access log"),
        (b"abc\0\0\0\1def", "not text"),
        (gzip.compress(PNG), "PNG"),
        (gzip.compress(gzip.compress(b"a,b\n")), "packed twice"),
        (gzip.compress(b""), "empty"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_csv_that_is_something_else(tmp_path: Path, data: bytes, what: str) -> None:
    with pytest.raises(InputError, match=what) as error:
        resolve_inputs([write(tmp_path / "events.csv", data)])
    assert "events.csv" in str(error.value)


def test_a_workbook_is_not_a_zip_of_tables(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "events.csv", {"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"})
    with pytest.raises(InputError, match="Excel"):
        resolve_inputs([path])


def test_the_kind_is_told_from_the_content(tmp_path: Path) -> None:
    (json,) = resolve_inputs([write(tmp_path / "a.csv", '\ufeff {"a":1}\n')])
    (wide,) = resolve_inputs([write(tmp_path / "b.json", "a,b\n1,2\n".encode("utf-16"))])
    assert (json.kind, wide.kind) == (FileKind.JSON, FileKind.DELIMITED)


def test_each_member_of_a_zip_is_a_file(tmp_path: Path) -> None:
    members = {"d2.csv": b"x,y\n", "d10.csv": b"p,q\n", "__MACOSX/d2.csv": PNG, "deep/": b""}
    path = make_zip(tmp_path / "days.zip", members)
    sources = resolve_inputs([path])
    assert [source.name for source in sources] == ["days.zip/d2.csv", "days.zip/d10.csv"]
    with open_source(sources[1]) as file:
        assert file.read() == b"p,q\n"


def test_unpacked_content_is_what_was_packed(tmp_path: Path) -> None:
    data = csv_of("1,2,3,4,5").encode()
    assert content(write(tmp_path / "a.csv.gz", gzip.compress(data))) == data
    assert content(write(tmp_path / "b.csv", gzip.compress(data[:9]) + gzip.compress(data[9:]))) == data
    assert content(make_zip(tmp_path / "c.zip", {"c.csv": data})) == data
    assert content(write(tmp_path / "d.csv", data)) == data


def test_a_packed_file_can_be_read_from_any_place(tmp_path: Path) -> None:
    (source,) = resolve_inputs([make_zip(tmp_path / "c.zip", {"c.csv": b"0123456789"})])
    with open_seekable(source) as file:
        file.seek(-3, io.SEEK_END)
        assert file.read() == b"789"


@pytest.mark.parametrize("name", ["/etc/x.csv", "../x.csv", "a/../../x.csv", "..\\x.csv", "C:\\x.csv"])
def test_a_member_that_leaves_the_zip(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="points outside"):
        resolve_inputs([make_zip(tmp_path / "a.zip", {name: b"a,b\n"})])


def test_an_empty_zip(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="empty zip"):
        resolve_inputs([make_zip(tmp_path / "a.zip", {})])


def test_a_locked_member(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.csv": b"a,b\n"})
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="password"):
        resolve_inputs([path])


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_files, "FREE_BYTES", 1 << 16)
    data = b"a,b\n" + bytes(b"1,2\n" * 100_000)
    with pytest.raises(InputError, match="unpacks to"):
        resolve_inputs([make_zip(tmp_path / "a.zip", {"a.csv": data})])
    with pytest.raises(InputError, match="unpacks to"):
        content(write(tmp_path / "a.csv.gz", gzip.compress(data)))


def test_many_small_bombs_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_files, "FREE_BYTES", 1 << 20)
    members = {f"{number}.csv": b"a,b\n" + b"1,2\n" * 200_000 for number in range(3)}
    assert len(names([make_zip(tmp_path / "one.zip", {"0.csv": members["0.csv"]})])) == 1
    with pytest.raises(InputError, match=r"a\.zip unpacks to at least 2,400,012 bytes"):
        resolve_inputs([make_zip(tmp_path / "a.zip", members)])


def test_a_zip_in_a_zip_is_said_to_be_unpacked_once(tmp_path: Path) -> None:
    inner = make_zip(tmp_path / "b.zip", {"a.csv": b"a,b\n"}).read_bytes()
    for data in (inner, gzip.compress(b"a,b\n")):
        with pytest.raises(InputError, match=r"a\.zip/b is packed twice \(unpack the outer one\)"):
            resolve_inputs([make_zip(tmp_path / "a.zip", {"b": data})])


@pytest.mark.parametrize("cut", [-1, -9, 5000, 12])
def test_a_packed_file_that_is_cut_off(tmp_path: Path, cut: int) -> None:
    data = "".join(f"{number},{number * 7919}\n" for number in range(9000)).encode()
    path = write(tmp_path / "a.csv.gz", gzip.compress(data)[:cut])
    with pytest.raises(InputError, match=r"a\.csv\.gz is cut off or damaged"):
        content(path)


def test_a_damaged_zip(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.csv": b"a,b\n" * 100}, zipfile.ZIP_STORED)
    data = path.read_bytes()
    with pytest.raises(InputError, match="cut off or damaged"):
        resolve_inputs([write(tmp_path / "b.zip", data[:-30])])
    with pytest.raises(InputError, match="cut off or damaged"):
        content(write(tmp_path / "c.zip", data.replace(b"a,b\na,b", b"a,b\na,X", 1)))


def test_a_zip_with_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("dé.csv", csv_of())
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xfe"))
    with pytest.raises(InputError, match=r"a\.zip is cut off or damaged"):
        resolve_inputs([path])


def test_a_file_that_vanishes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "a,b\n")
    (source,) = resolve_inputs([path])
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"), open_source(source):
        pass


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.csv"))
        (tmp_path / "circle.csv").symlink_to("circle.csv")
        wrong = {
            tmp_path / "pipe.csv": "a named pipe",
            tmp_path / "socket.csv": "a socket",
            Path("/dev/zero"): "a device",
            tmp_path / "circle.csv": "does not exist",
            tmp_path / ("x" * 300): "cannot be read: File name too long",
            tmp_path: "holds no export",
        }
        for path, message in wrong.items():
            with pytest.raises(InputError, match=message):
                resolve_inputs([path])


def test_a_pattern_follows_no_links_in_circles(tmp_path: Path) -> None:
    write(tmp_path / "a" / "x.csv", "a,b\n")
    write(tmp_path / "a" / ".x.csv", "hidden\n")
    for name in ("one", "two", "three"):
        (tmp_path / name).symlink_to(".")  # glob.glob finds 3**40 folders
    assert names([tmp_path / "**" / "*.csv"]) == names([tmp_path / "**"]) == ["x.csv"]
    with pytest.raises(InputError, match="No file matches"):
        resolve_inputs([tmp_path / "a**" / "*.csv"])


@pytest.mark.parametrize(
    "written", [b"a,b\n" * 3, b"a,b\n" * 300_000, b"a"], ids=["grows", "grows much", "shrinks"]
)
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_a_file_that_is_being_written(tmp_path: Path, written: bytes, name: str) -> None:
    plain = name == "a.csv"
    path = write(tmp_path / name, b"a,b\n" * 2 if plain else gzip.compress(b"a,b\n" * 2))
    (source,) = resolve_inputs([path])
    path.write_bytes(written if plain else path.read_bytes() + gzip.compress(written))
    with pytest.raises(InputError, match="changed while it was read"), open_source(source) as file:
        while file.read(1 << 10):
            pass
    with pytest.raises(InputError, match="changed while it was read"), open_seekable(source):
        pass
