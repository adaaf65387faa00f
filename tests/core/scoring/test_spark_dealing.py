"""What an executor does with a file and with a part, in this process: no Spark is needed for that."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.base.errors import Beha2VecError, InputError, ResourceError
from core.base.progress import silent
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.sources.input_files import InputFile, resolve_inputs
from core.scoring import on_spark
from core.scoring.bounds import A_RECORD, PROGRAM, Bounds
from core.scoring.spark import distribute
from core.scoring.spark.distribute import ABOUT, RECORDS, REFUSED, DealtRecords, Piece, copied, parts_for
from core.scoring.spark.session import reword_error, zip_core

HEADER = "user_pseudo_id,event_timestamp,event_name,page_location\n"


def day(path: Path, users: range) -> InputFile:
    rows = [
        f"{user}.1,{1_700_000_000_000_000 + user},page_view,https://a.example/{user % 3}" for user in users
    ]
    path.write_text(HEADER + "\n".join(rows) + "\n")
    [source] = resolve_inputs([path])
    return source


def read(sources: list[InputFile], n_parts: int = 3, checksums: Sequence[str] = ()) -> list[Piece]:
    """As Spark hands the files to an executor, a row a batch; once they were looked at."""
    sums = checksums or [one.path.exists() and distribute.file_checksum(one.path) for one in sources]
    schema = pa.schema([("file_no", pa.int32()), ("source", pa.string())])
    batches = [
        pa.RecordBatch.from_pylist(
            [{"file_no": number, "source": distribute._SOURCE.dump_json(source).decode()}], schema
        )
        for number, source in enumerate(sources)
    ]
    step = partial(distribute._of_file, settings=IngestSettings(), n_parts=n_parts, checksums=sums)
    found = distribute._each_file(iter(batches), step, n_parts)
    return [Piece(**row) for batch in found for row in batch.to_pylist()]


def ids(piece: Piece) -> list[str]:
    found: list[str] = pq.read_table(pa.BufferReader(piece.data))[Raw.USER_KEY].to_pylist()
    return found


def test_a_file_becomes_a_piece_a_part_and_a_word_about_it(tmp_path: Path) -> None:
    pieces = read([day(tmp_path / "a.csv", range(20)), day(tmp_path / "b.csv", range(15, 30))])
    assert {piece.kind for piece in pieces} == {RECORDS, ABOUT}
    part_of = {}
    for piece in pieces:
        for user in ids(piece) if piece.kind == RECORDS else ():
            assert part_of.setdefault(user, piece.part) == piece.part  # also in the other file
    assert len(part_of) == 30
    assert set(part_of.values()) == {0, 1, 2}
    told = [json.loads(piece.data) for piece in pieces if piece.kind == ABOUT]
    assert [one["read"]["count"]["records"] for one in told] == [20, 15]


def test_a_file_that_cannot_be_used_is_said_with_its_words(tmp_path: Path) -> None:
    source = day(tmp_path / "a.csv", range(3))
    source.path.write_text("no,such,columns!\n1,2,3\n".ljust(source.bytes)[: source.bytes])
    piece, *_ = read([source])
    assert piece.kind == REFUSED
    with pytest.raises(InputError) as told:
        distribute._refuse(piece)
    with pytest.raises(InputError) as here:
        distribute.read_file(source, IngestSettings(), tmp_path, lambda _: None)
    assert str(told.value) == str(here.value)


def test_a_file_that_an_executor_does_not_see_or_sees_otherwise_is_named(tmp_path: Path) -> None:
    source = day(tmp_path / "a.csv", range(3))
    for seen, why in (
        (replace(source, path=tmp_path / "elsewhere.csv"), "No such file"),
        (replace(source, on_disk=7), f"it has {source.bytes:,} bytes there, and 7 here"),
    ):
        piece, *_ = read([seen])
        with pytest.raises(InputError, match=rf"executor on \S+ cannot read .*: {why}.*under one name"):
            distribute._refuse(piece)


def test_a_file_that_changes_while_an_executor_reads_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = day(tmp_path / "a.csv", range(3))
    read_file = distribute.read_file

    def read_and_change(*how: object) -> object:
        found = read_file(*how)  # type: ignore[arg-type]
        source.path.write_bytes(source.path.read_bytes()[:-1] + b"\r")
        return found

    monkeypatch.setattr(distribute, "read_file", read_and_change)
    pieces = read([source])
    assert {piece.kind for piece in pieces} == {REFUSED}
    with pytest.raises(InputError, match=r"a\.csv changed while it was read"):
        distribute._refuse(pieces[0])


def test_a_part_is_handed_over_with_receipts_of_its_own(tmp_path: Path) -> None:
    sources = [day(tmp_path / "a.csv", range(20)), day(tmp_path / "b.csv", range(15, 30))]
    pieces = read(sources)
    about = [
        distribute._READ.validate_python(json.loads(one.data)["read"]) for one in pieces if one.kind == ABOUT
    ]
    raw = distribute.combine_reads(
        [replace(one, source=source) for one, source in zip(about, sources, strict=True)], IngestSettings()
    )

    def step(part: distribute.RawRead, work: Path) -> list[distribute.MadePart]:
        assert list(work.iterdir()) == []
        counts = [file.read for file in part.files]
        rows = [
            sum(pq.read_metadata(path).num_rows for at, path in part.parts if at == number)
            for number in (0, 1)
        ]
        assert counts == rows
        return [("counts", -1, json.dumps(counts).encode())]

    records = sorted((one for one in pieces if one.kind == RECORDS), key=lambda one: one.part)
    found = distribute._each_part((piece.batch() for piece in records), step, replace(raw, parts=()))
    made = [Piece(**row) for batch in found for row in batch.to_pylist()]
    assert [piece.part for piece in made] == [0, 1, 2]
    assert [sum(counts) for counts in zip(*(json.loads(piece.data) for piece in made), strict=True)] == [
        20,
        15,
    ]


@dataclass
class Rows:
    """As much of a data frame of Spark as is asked of it."""

    pieces: Sequence[Piece]

    @property
    def part(self) -> np.ndarray:
        return np.array([piece.part for piece in self.pieces])

    def where(self, which: np.ndarray) -> "Rows":
        return Rows([piece for piece, wanted in zip(self.pieces, which, strict=True) if wanted])

    def count(self) -> int:
        return len(self.pieces)

    def toLocalIterator(self) -> Iterator[Piece]:
        return iter(self.pieces)


def dealt_records(sources: list[InputFile], n_parts: int = 3) -> DealtRecords:
    pieces = read(sources, n_parts)
    told = [json.loads(piece.data) for piece in pieces if piece.kind == ABOUT]
    reads = [
        replace(distribute._READ.validate_python(one["read"]), source=source)
        for one, source in zip(told, sources, strict=True)
    ]
    rows: Any = Rows([piece for piece in pieces if piece.kind == RECORDS])
    work: Any = SimpleNamespace(do=lambda action, *_: action())
    paths = [source.path for source in sources]
    return DealtRecords(
        work, tuple(sources), replace(distribute.combine_reads(reads, IngestSettings()), parts=()),
        [one["raw_bytes"] for one in told],
        {path: distribute.file_checksum(path) for path in paths}, rows, rows,
    )  # fmt: skip


@pytest.mark.parametrize(("at_once", "turns"), [(distribute.COPIED_BYTES, 1), (1, 3)])
def test_all_records_come_here_a_file_for_a_file_and_a_large_one_by_and_by(
    at_once: int, turns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dealt = dealt_records([day(tmp_path / "a.csv", range(20)), day(tmp_path / "b.csv", range(15, 30))])
    monkeypatch.setattr(distribute, "COPIED_BYTES", at_once)
    monkeypatch.setattr(distribute, "ROWS", 5)
    if turns > 1:
        dealt = replace(dealt, raw_bytes=[turns, 1])
    raw, sizes = copied(dealt, tmp_path, silent)
    assert [number for number, _ in raw.parts] == [0] * turns + [1] * turns
    for number, source in enumerate(dealt.sources):
        there = pa.concat_tables([pq.read_table(path) for at, path in raw.parts if at == number])
        assert sorted(there[Raw.LINE].to_pylist()) == list(range(2, 2 + raw.files[number].read)), source
    assert sizes == Counter({part: sum(len(ids(one)) for one in dealt.records.pieces if one.part == part)
                             for part in range(3)})  # fmt: skip


def test_room_for_the_copy_is_asked_for_before_there_is_half_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dealt = dealt_records([day(tmp_path / "a.csv", range(20))])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1))
    (folder := tmp_path / "copy").mkdir()
    with pytest.raises(ResourceError, match="A copy of the records still needs"):
        copied(dealt, folder, silent)
    assert not list(folder.iterdir())


def test_a_task_that_is_done_again_never_reads_another_file(tmp_path: Path) -> None:
    source = day(tmp_path / "a.csv", range(3))
    was, rows = source.path.stat(), source.path.read_bytes()
    sums = [distribute.file_checksum(source.path)]
    *first, _ = read([source], checksums=sums)
    assert {piece.kind for piece in first} == {RECORDS} and read([source], checksums=sums)[:-1] == first
    source.path.write_bytes(rows.replace(b"/2", b"/3"))
    os.utime(source.path, ns=(was.st_atime_ns, was.st_mtime_ns))  # as long and as old as before
    again, others = read([source], checksums=sums), dealt_records([source]).raw
    for part in range(3):  # whichever part, or turn of the copy, is asked for once more
        [piece] = [one for one in again if one.part == part]
        with pytest.raises(InputError, match=r"a\.csv changed while it was read"):
            distribute._refuse(piece)
        kept = [one for one in first if one.part == part]
        batches = (one.batch() for one in (*kept, piece))
        made = distribute._each_part(batches, lambda *_: pytest.fail("worked on"), others)
        assert [Piece(**row) for batch in made for row in batch.to_pylist()] == [piece]
    source.path.write_bytes(rows)  # back again
    assert read([source], checksums=sums)[:-1] == first


def test_a_part_with_far_more_records_than_the_others_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = day(tmp_path / "a.csv", range(40))
    source.path.write_text(
        source.path.read_text() + source.path.read_text().splitlines()[1].join("\n\n") * 60
    )
    dealt = dealt_records([replace(source, on_disk=source.path.stat().st_size)])
    monkeypatch.setattr(on_spark, "deal", lambda *_: dealt)
    store: Any = None
    for at_once, is_told in ((30, True), (90, False)):
        (work := tmp_path / str(at_once)).mkdir()
        bounds = Bounds(PROGRAM + at_once * A_RECORD)
        records = on_spark._records_there(store, work, IngestSettings(), [], silent, bounds, dealt.work)
        if is_told:
            with pytest.raises(ResourceError, match="few users sent most of them"):
                records.deal()
        else:
            records.deal()


def test_parts_that_are_all_larger_than_fits_are_not_put_down_to_a_few_users() -> None:
    bounds = Bounds(PROGRAM + 10 * A_RECORD)
    bounds.require_even([14, 2, 1])
    bounds.require_even([100, 110, 90])
    with pytest.raises(ResourceError, match="One part of the users has 16 records, and 10 fit"):
        bounds.require_even([16, 2, 1])


def test_users_are_dealt_out_so_that_a_part_fits_and_every_core_has_some(tmp_path: Path) -> None:
    source = day(tmp_path / "a.csv", range(3))
    assert parts_for([source], cores=3) == 6
    assert parts_for([replace(source, bytes=10 * distribute.PART_BYTES)], cores=2) == 10
    assert parts_for([replace(source, bytes=1 << 50)], cores=2) == distribute.MAX_PARTS


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("Job aborted.\nTraceback …\ncore.base.errors.ResourceError: The disk is full: /x.\n\n\tat org",
         ResourceError, "ResourceError: The disk is full: /x"),
        ("Traceback …\nModuleNotFoundError: No module named 'duckdb'\n", ResourceError,
         "lacks a package: No module named 'duckdb'.*PYSPARK_PYTHON"),
        ("something of Java's\nand more", ResourceError, "RuntimeError: something of Java's"),
    ],
)  # fmt: skip
def test_what_failed_somewhere_is_a_line(text: str, kind: type[Beha2VecError], words: str) -> None:
    with pytest.raises(kind, match=words) as told:
        raise reword_error(RuntimeError(text))
    assert "\n" not in str(told.value)


def test_our_code_is_shipped_whole_and_without_what_python_compiled(tmp_path: Path) -> None:
    import zipfile

    names = zipfile.ZipFile(zip_core(tmp_path)).namelist()
    assert {"core/__init__.py", "core/labels/taxonomy.yaml", "core/scoring/spark/distribute.py"} <= set(names)
    assert not [name for name in names if "__pycache__" in name]
