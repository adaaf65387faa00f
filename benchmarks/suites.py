"""Test data of others against the readers: CSV files against Python's csv, addresses against WHATWG's own.

    python -m benchmarks.suites csv FOLDER [FOLDER ...]
    python -m benchmarks.suites urls urltestdata.json

Every CSV, TSV and text file below a folder is read twice: as it is, and with its header replaced by one of
GA4 columns of the same width. A difference is silent if a row is read that csv reads otherwise, or a record
of csv is neither read nor rejected. ``urltestdata.json`` is part of the Web Platform Tests.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import ada_url
import click
import pyarrow.parquet as pq

from core.base.errors import InputError
from core.base.progress import silent
from core.base.raw_fields import RAW_TEXT_COLUMNS
from core.base.schema import Raw, Rejects
from core.base.settings import IngestSettings, UrlSettings
from core.ingest.clean.urls import canonicalise
from core.ingest.read.read_all import RawRead, read_all

SUFFIXES = (".csv", ".tsv", ".psv", ".txt", ".dat")
DELIMITERS = ",;\t|"
NEEDED = 3
COLUMNS = (Raw.USER_KEY, Raw.EVENT_TIMESTAMP, Raw.PAGE_LOCATION)
NAMES = (*COLUMNS, *(name for name in RAW_TEXT_COLUMNS if name not in COLUMNS))
URL_SETTINGS = (UrlSettings(), UrlSettings(lower_path=False, keep_fragment=True, merge_hosts=True))


def wrapped(data: bytes) -> tuple[bytes, str, tuple[str, ...]]:
    """Replace a file's header by GA4 columns; lines of fewer than three fields get more.

    Returns:
        The new bytes, the delimiter, and the names of the columns.
    """
    data = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    first, _, body = data.partition(b"\n")
    delimiter = max(DELIMITERS, key=lambda mark: first.count(mark.encode()))
    width = first.count(delimiter.encode()) + 1
    if width < NEEDED:
        end = delimiter.join(["", *"ab"]).encode()
        body, width = b"".join(line + end + b"\n" for line in body.splitlines()), width + 2
    names = tuple(("user_pseudo_id" if name == Raw.USER_KEY else name) for name in NAMES[:width])
    header = (*names, *(f"column {number}" for number in range(len(names), width)))
    return delimiter.join(header).encode() + b"\n" + body, delimiter, header


def records(lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    """Line (from 1) and fields of every record, as Python's csv reads it strictly.

    The fields are None where csv or RFC 4180 refuses the record; empty lines are skipped.
    """
    at = 0
    while at < len(lines):
        rest = (lines[number] for number in range(at, len(lines)))
        reader = csv.reader(rest, delimiter=delimiter, strict=True)
        try:
            fields: list[str] | None = next(reader)
            used = reader.line_num
        except csv.Error:
            fields, used = None, 1
        if fields and has_quote_inside("".join(lines[at : at + used]), delimiter):
            fields, used = None, 1
        if fields != []:
            yield at + 1, fields
        at += used


def has_quote_inside(text: str, delimiter: str) -> bool:
    """Whether a quote stands in a field that does not begin with one: csv takes it for a character."""
    state = "begin"
    for char in text if '"' in text else "":
        if state == "quoted":
            state = "after" if char == '"' else state
        elif char == '"':
            if state == "plain":
                return True
            state = "quoted"
        else:
            state = "begin" if char in (delimiter, "\n") else "plain"
    return False


def silent_differences(raw: RawRead, data: bytes, delimiter: str, header: tuple[str, ...]) -> list[str]:
    """Differences between what was read and what csv reads that no reject tells of, in words."""
    (file,) = raw.files
    text = data.decode("cp1252" if file.encoding == "windows-1252" else "utf-8", "surrogateescape")
    expected = dict(records([f"{line}\n" for line in text.split("\n")], delimiter))
    mapped = {field: header.index(column) for field, column in file.columns.items()}
    rows = {row[Raw.LINE]: row for _, part in raw.parts for row in pq.read_table(part).to_pylist()}
    rejected = set(raw.rejects[Rejects.LINE].to_pylist())
    found = []
    for line, row in rows.items():
        fields = expected.get(line)
        if fields is None or len(fields) != len(header):
            found.append(f"line {line} is read, and csv has no such record")
        elif any((fields[index] or None) != row[field] for field, index in mapped.items()):
            found.append(f"line {line} is read otherwise")
    lost = expected.keys() - rows.keys() - rejected - {1}
    return found + [f"line {line} is lost" for line in sorted(lost)]


def read_one(path: Path, data: bytes, folder: Path) -> RawRead | str:
    """Read some bytes as the app does; the records, or the error if the file is refused."""
    target = folder / path.name
    target.write_bytes(data)
    try:
        return read_all([target], IngestSettings(), folder / "raw", silent)
    except InputError as error:
        return str(error)


def compare_file(path: Path) -> tuple[str, list[str]]:
    """How a file was taken (``empty``, ``refused``, ``read``, ``read as it is, too``); silent differences."""
    data = path.read_bytes()
    if not data.strip():
        return "empty", []
    with tempfile.TemporaryDirectory() as name:
        as_it_is = read_one(path, data, Path(name))
        content, delimiter, header = wrapped(data)
        raw = read_one(path, content, Path(name))
        if isinstance(raw, str):
            return "refused", []
        kind = "read" if isinstance(as_it_is, str) else "read as it is, too"
        return kind, silent_differences(raw, content, delimiter, header)


def compare_files(folders: Sequence[Path]) -> int:
    """Compare all files below some folders; returns how many differ."""
    kinds: Counter[str] = Counter()
    differing = 0
    paths = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    for path in (path for path in paths if path.suffix.lower() in SUFFIXES):
        kind, differences = compare_file(path)
        kinds[kind] += 1
        differing += bool(differences)
        for difference in differences[:3]:
            print(f"{path}: {difference}")
    print(f"{kinds.total()} files ({dict(kinds)}): {differing} differ silently")
    return differing


def whole(text: str) -> str:
    """The address as the WHATWG parser writes it; empty if it needs another to be relative to."""
    return ada_url.normalize_url(text) if ada_url.check_url(text) else ""


def compare_urls(path: Path) -> int:
    """Compare the addresses of the Web Platform Tests; returns how many differ."""
    cases = [case for case in json.loads(path.read_text()) if isinstance(case, dict)]
    absolute = [case for case in cases if "href" in case and whole(case["input"]) == case["href"]]
    every = {text for case in cases for text in (case["input"], case.get("base"), case.get("href")) if text}
    wrong = set()
    for settings in URL_SETTINGS:
        pages = {text: canonicalise([text], settings).pages[0] for text in sorted(every)}
        wrong |= {case["input"] for case in absolute if pages[case["input"]] != pages[case["href"]]}
        wrong |= {text for text, page in pages.items() if canonicalise([page], settings).pages != [page]}
    for text in sorted(wrong):
        print(f"{text!r} differs, or its page is not its own page")
    print(f"{len(absolute)} addresses, {len(every)} texts: {len(wrong)} differ")
    return len(wrong)


@click.command(help=__doc__)
@click.argument("what", type=click.Choice(["csv", "urls"]))
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
def main(what: str, paths: Sequence[Path]) -> None:
    """Compare, print what differs, and fail if anything does."""
    sys.exit(min(1, compare_files(paths) if what == "csv" else compare_urls(paths[0])))


if __name__ == "__main__":
    main()
