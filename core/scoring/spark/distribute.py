"""Read input files on a cluster, deal records out by user, and copy them here: all else starts from these.

One file is one task, read by the readers of one machine (``core/ingest/read/``). Its records leave the task
as Parquet, one for each part of the users (``core/scoring/parts.py``), and Spark brings all of a part to one
place. For Spark such a file is a value among others: it never looks at a record, so it can change none.
"""

from __future__ import annotations

import json
import socket
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from core.base import errors
from core.base.errors import InputError
from core.base.progress import Progress, SubProgress, silent
from core.base.settings import IngestSettings
from core.ingest.output_tables import REJECTS
from core.ingest.read.part_files import PARQUET, RAW
from core.ingest.read.read_all import STAGE, RawRead, combine_reads
from core.ingest.read.read_file import FileRead, read_file
from core.ingest.sources.input_files import InputFile, Packing, changed, resolve_inputs
from core.scoring.parts import part_of, split_by_user
from core.scoring.spark.session import SparkWork, scratch
from core.storage.disk import require_room
from core.storage.receipt import FileReceipt
from core.storage.store import file_checksum

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

PART_BYTES: Final = 128 << 20
"""Bytes of plain text for about one part: what a task works on at a time, in some hundred MB."""
_PARTS_A_CORE: Final = 2
"""Fewest parts for each core, so that a core that is done early finds another part."""
MAX_PARTS: Final = 4_096
_UNPACKS_TO: Final = 8
"""Multiple of its size that a packed file is taken to unpack to."""

RECORDS, ABOUT, REFUSED = "records", "about", "refused"
_PIECES: Final = "kind string, part int, file_no int, data binary"
_PIECES_ARROW: Final = pa.schema(
    {"kind": pa.string(), "part": pa.int32(), "file_no": pa.int32(), "data": pa.binary()}.items()
)
_SOURCE: Final = TypeAdapter(InputFile)
_READ: Final = TypeAdapter(FileRead)


class Piece(NamedTuple):
    """A row that goes between executors and the driver.

    Args:
        kind: What it is: :data:`RECORDS`, or what a step makes of them.
        part: Number of the part of the users.
        file_no: Number of the input file.
        data: A Parquet file, or JSON.
    """

    kind: str
    part: int
    file_no: int
    data: bytes

    def batch(self) -> pa.RecordBatch:
        """The row as mapInArrow takes it."""
        return pa.RecordBatch.from_pylist([self._asdict()], schema=_PIECES_ARROW)


MadePart: TypeAlias = tuple[str, int, bytes]
"""Kind, ``file_no`` (−1 where it is of no file) and data of a piece."""
_FileStep: TypeAlias = Callable[[InputFile, int, Path], Iterable[Piece]]
"""Step of an executor on an input file, given the file, its number and an empty folder."""
PartStep: TypeAlias = Callable[[RawRead, Path], Iterable[MadePart]]
"""Step of an executor on a part, given its records and an empty folder."""


@dataclass(frozen=True)
class DealtRecords:
    """The records of an export on a cluster, by part.

    Args:
        work: The session.
        sources: The files.
        raw: Counts of their records; none of these is on this disk.
        raw_bytes: Bytes that the records of each file take on a disk.
        checksums: File on disk → SHA-256 of its bytes.
        records: :class:`Piece` rows, each with records of one file and part, ordered by file.
        pieces: The rows of ``records``, ordered by part.
    """

    work: SparkWork
    sources: tuple[InputFile, ...]
    raw: RawRead
    raw_bytes: list[int]
    checksums: dict[Path, str]
    records: DataFrame
    pieces: DataFrame

    def each(self, step: PartStep) -> DataFrame:
        """Run a step on each part; the results stay on the executors' disks."""
        from pyspark import StorageLevel

        done = self.pieces.mapInArrow(partial(_each_part, step=step, raw=self.raw), _PIECES)
        return done.persist(StorageLevel.DISK_ONLY)

    def fetch(self, made: DataFrame, progress: Progress, stage: str, what: str) -> Iterator[Piece]:
        """Compute rows on all executors, such as those of :meth:`each`, then yield them here one by one.

        Raises:
            Beha2VecError: An executor's error, such as that a file has changed; or no executor is there.
        """
        self.work.do(made.count, progress, stage, what)
        rows = made.toLocalIterator()
        # workers may die here, too: what they had made is then made again, in a wait that ends
        while (row := self.work.do(partial(next, rows, None), silent, stage, what)) is not None:
            piece = Piece(*row)
            _refuse(piece)
            yield piece


def deal(
    inputs: Sequence[Path], settings: IngestSettings, work: SparkWork, progress: Progress
) -> DealtRecords:
    """Read files on the executors, and group their records there by part of the users.

    Args:
        inputs: Files, folders or patterns; executors find them under the same names.
        settings: How they are read.
        work: The session.
        progress: Where to report.

    Raises:
        InputError: If a file cannot be used as a whole, or an executor does not see it as it is here.
        ResourceError: If the cluster fails.
    """
    from pyspark import StorageLevel

    sources = resolve_inputs(inputs)
    n_parts = parts_for(sources, work.cores)
    rows = [(number, _SOURCE.dump_json(_anywhere(one)).decode()) for number, one in enumerate(sources)]
    files = work.spark.createDataFrame(rows, "file_no int, source string")
    files = files.repartitionById(len(rows), "file_no")
    # known before anything is read, so that a task that is done again never reads another file
    sums = _about(
        files.mapInArrow(partial(_each_file, step=_checksum), _PIECES), work, progress, "Looking at files"
    )
    step = partial(_of_file, settings=settings, n_parts=n_parts, checksums=sums)
    each = partial(_each_file, step=step, n_parts=n_parts)
    read = files.mapInArrow(each, _PIECES).persist(StorageLevel.DISK_ONLY)
    abouts = _about(read, work, progress, "Reading files")
    reads = [
        replace(_READ.validate_python(about["read"]), source=source)
        for about, source in zip(abouts, sources, strict=True)
    ]
    raw, raw_bytes = (
        replace(combine_reads(reads, settings), parts=()),
        [about["raw_bytes"] for about in abouts],
    )
    checksums = dict(zip((source.path for source in sources), sums, strict=True))
    records = read.where(read.kind != ABOUT)
    pieces = records.repartitionById(n_parts, "part").sortWithinPartitions("part", "file_no")
    pieces = pieces.persist(StorageLevel.DISK_ONLY)
    return DealtRecords(work, sources, raw, raw_bytes, checksums, records, pieces)


def _about(made: DataFrame, work: SparkWork, progress: Progress, what: str) -> list[Any]:
    """Collect what executors say of each file, in the order of the files."""
    told = made.where(made.kind != RECORDS).orderBy("file_no")
    pieces = [Piece(*row) for row in work.do(told.collect, progress, STAGE, what)]
    for piece in pieces:
        _refuse(piece)
    return [json.loads(piece.data) for piece in pieces]


def _anywhere(source: InputFile) -> InputFile:
    """A file by its absolute path, as processes work in different folders."""
    return replace(source, path=source.path.absolute())


def parts_for(sources: Sequence[InputFile], cores: int) -> int:
    """Number of parts to deal the users out to."""
    plain = sum(one.bytes * (1 if one.packing is Packing.PLAIN else _UNPACKS_TO) for one in sources)
    return min(MAX_PARTS, max(_PARTS_A_CORE * cores, -(-plain // PART_BYTES)))


def _refuse(piece: Piece) -> None:
    """Raise an executor's error on the driver."""
    if piece.kind == REFUSED:
        told = json.loads(piece.data)
        raise getattr(errors, told["kind"])(told["problem"], allowed=told["allowed"], remedy=told["remedy"])


def _refused(error: InputError, part: int, file_no: int) -> Piece:
    """Piece for an error that is the same however often it is tried; Spark tries all others elsewhere."""
    told = {name: getattr(error, name) for name in ("problem", "allowed", "remedy")}
    told["kind"] = type(error).__name__
    return Piece(REFUSED, part, file_no, json.dumps(told).encode())


def _each_file(
    batches: Iterator[pa.RecordBatch], step: _FileStep, n_parts: int = 1
) -> Iterator[pa.RecordBatch]:
    """On an executor: do a step with files that it sees as they are where they were asked for.

    What refuses is said in every part: whoever asks for one of them, however late, must not miss it.
    """
    for batch in batches:
        for row in batch.to_pylist():
            number, source = row["file_no"], _SOURCE.validate_json(row["source"])
            with tempfile.TemporaryDirectory(dir=scratch()) as place:
                try:
                    _require_seen(source)
                    yield from (piece.batch() for piece in step(source, number, Path(place)))
                except InputError as error:
                    yield from (_refused(error, part, number).batch() for part in range(n_parts))


def _checksum(source: InputFile, number: int, _: Path) -> Iterator[Piece]:
    yield Piece(ABOUT, -1, number, json.dumps(file_checksum(source.path)).encode())


def _of_file(
    source: InputFile,
    number: int,
    place: Path,
    settings: IngestSettings,
    n_parts: int,
    checksums: Sequence[str],
) -> Iterator[Piece]:
    """Read a file; yield a piece for each part, then one about the file."""
    (place / "raw").mkdir()
    read = read_file(source, settings, place / "raw", lambda _: None)
    if file_checksum(source.path) != checksums[number]:
        raise changed(source.name)
    raw_bytes = sum(part.path.stat().st_size for part in read.parts)
    told = {"read": _READ.dump_python(read, mode="json"), "raw_bytes": raw_bytes}
    if read.parts:
        for part, dealt in enumerate(split_by_user(_alone(read), n_parts, place / "parts")):
            for _, path in dealt.parts:
                yield Piece(RECORDS, part, number, path.read_bytes())
    yield Piece(ABOUT, -1, number, json.dumps(told).encode())


def _require_seen(source: InputFile) -> None:
    """Refuse an input that an executor does not see as the driver does.

    Raises:
        InputError: If it is missing or has another size.
    """
    try:
        found = source.path.stat().st_size
    except OSError as error:
        found, why = -1, error.strerror or str(error)
    if found != source.on_disk:
        said = why if found < 0 else f"it has {found:,} bytes there, and {source.on_disk:,} here"
        raise InputError(
            f"The executor on {socket.gethostname()} cannot read {source.path}: {said}",
            remedy="Put the files where driver and executors see them under one name (NFS, a mounted bucket)",
        )


def _alone(read: FileRead) -> RawRead:
    """Raw records of a single file, as far as dealing out needs them."""
    columns = dict(read.count.columns)
    receipt = FileReceipt(
        name=read.source.name, shape=read.count.shape, bytes=read.source.bytes, encoding=read.count.encoding,
        records=read.rows, read=read.rows, rejected=0, columns=columns,
    )  # fmt: skip
    parts = tuple((0, part.path) for part in read.parts)
    return RawRead((receipt,), REJECTS.empty_table(), {}, parts, frozenset(columns), ())


def _each_part(batches: Iterator[pa.RecordBatch], step: PartStep, raw: RawRead) -> Iterator[pa.RecordBatch]:
    """On an executor: write the files of a part to disk, and run a step on them."""
    rows = (Piece(**row) for batch in batches for row in batch.to_pylist())
    for part, pieces in groupby(rows, itemgetter(1)):
        with tempfile.TemporaryDirectory(dir=scratch()) as place:
            work = Path(place) / "work"
            work.mkdir()
            files: dict[int, list[Path]] = {}
            for piece, path in _on_disk(pieces, Path(place)):
                if piece.kind == REFUSED:  # of a task that is done again, and now finds another file
                    yield piece.batch()
                    break
                files.setdefault(piece.file_no, []).append(path)
            else:
                try:
                    for kind, number, data in step(part_of(raw, files), work):
                        yield Piece(kind, part, number, data).batch()
                except InputError as error:
                    yield _refused(error, part, -1).batch()


def _on_disk(pieces: Iterable[Piece], place: Path) -> Iterator[tuple[Piece, Path]]:
    for number, piece in enumerate(pieces):
        path = place / f"{number:06d}.parquet"
        path.write_bytes(piece.data)
        yield piece, path


COPIED_BYTES: Final = 64 << 20
"""Bytes of a file's records that are copied at a time. Parts cost about as much again, and Java holds both in
its 1 GB at once (tried: 140 MB pass, 600 MB do not)."""
ROWS: Final = 1 << 17
"""Fewest rows of a row group of the copy."""


def copied(dealt: DealtRecords, folder: Path, progress: Progress) -> tuple[RawRead, Counter[int]]:
    """Copy all records into a folder of this disk; the executors keep theirs.

    Returns:
        The records, in one file per input file (more for a large one); and part → number of records.

    Raises:
        Beha2VecError: An executor's error, no executor is there, or the disk is full.
    """
    require_room(folder, sum(dealt.raw_bytes), "A copy of the records")
    turns = max(1, -(-max(dealt.raw_bytes) // COPIED_BYTES))
    parts: list[tuple[int, Path]] = []
    sizes = Counter[int]()
    for turn in range(turns):
        some = dealt.records.where(dealt.records.part % turns == turn)
        told = SubProgress(progress, turn / turns, (turn + 1) / turns)
        pieces = dealt.fetch(some, told, STAGE, "Copying records here")
        for number, of_file in groupby(pieces, attrgetter("file_no")):
            path = folder / f"{number:05d}.{turn:05d}.parquet"
            sizes += _as_one(of_file, path)
            parts.append((number, path))
    return replace(dealt.raw, parts=tuple(sorted(parts))), sizes


def _as_one(pieces: Iterable[Piece], path: Path) -> Counter[int]:
    """Write records into one file, as a part's alone may be few, and count those of each part."""
    sizes, tables, rows = Counter[int](), [RAW.empty_table()], 0
    with pq.ParquetWriter(path, RAW, **PARQUET) as writer:
        for piece in pieces:
            tables.append(pq.read_table(pa.BufferReader(piece.data)).cast(RAW))
            sizes[piece.part] += len(tables[-1])
            rows += len(tables[-1])
            if rows >= ROWS:
                writer.write_table(pa.concat_tables(tables))
                tables, rows = [RAW.empty_table()], 0
        writer.write_table(pa.concat_tables(tables))
    return sizes
