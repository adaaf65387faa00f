"""Rows of Arrow columns that hold an id, and tables in files without the records that do.

Of text every record that holds an id anywhere is left out, of Parquet every row; the other records stay as
they were. What is rewritten is searched before it takes the place of the old file.
"""

from __future__ import annotations

import gzip
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.base.errors import InputError
from core.base.schema import Raw, Users
from core.ingest.read.blocks import Block, QuoteLimits, whole_records
from core.ingest.sources.input_files import InputFile, Packing, open_seekable, open_source, tables_in
from core.ingest.sources.sniffing import FileKind
from core.ingest.sources.text import open_text
from core.storage.disk import written_whole
from core.traces.needles import Needles

ID_COLUMNS: Final = (Users.USER_ID, Raw.USER_KEY, "user_pseudo_id")
"""Columns in which a short id is looked for, as a whole value."""
_LISTS: Final = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
CHUNK_BYTES: Final = 1 << 20
LIMITS: Final = QuoteLimits(lines=4096, bytes=1 << 20)
"""How far a quoted cell may run on: that of the reader that allows most."""


def rows_holding(column: pa.Array, needles: Needles) -> np.ndarray:
    """Rows of a column that hold an id, however deep: int64, ascending.

    Args:
        column: Text, bytes, numbers, or lists and records of them.
        needles: The ids.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        return rows_holding(column.dictionary_decode(), needles)
    if pa.types.is_struct(kind):
        fields = [rows_holding(one, needles) for one in column.flatten()]
        return np.unique(np.concatenate([*fields, np.zeros(0, np.int64)]))
    if pa.types.is_map(kind):
        parts = pa.StructArray.from_arrays([column.keys, column.items], ["key", "value"])
        return _of_parents(column.offsets, parts, needles)
    if any(is_one(kind) for is_one in _LISTS):
        inner = rows_holding(column.flatten(), needles)
        return np.unique(np.asarray(pc.list_parent_indices(column), np.int64)[inner])
    return _of_values(column, needles)


def _of_parents(offsets: pa.Array, parts: pa.Array, needles: Needles) -> np.ndarray:
    start = offsets[0].as_py() if len(offsets) else 0
    inner = rows_holding(parts, needles)
    return np.unique(np.searchsorted(np.asarray(offsets) - start, inner, "right") - 1)


def _of_values(column: pa.Array, needles: Needles) -> np.ndarray:
    """All values as one text, a line each, so that they are searched at once."""
    if pa.types.is_floating(column.type) or pa.types.is_boolean(column.type) or pa.types.is_null(column.type):
        return np.zeros(0, np.int64)
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        column = column.cast(pa.string())
    values = column.cast(pa.binary()).fill_null(b"")
    ends = np.cumsum(np.asarray(pc.binary_length(values)) + 1)
    whole = pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)
    joined = pc.binary_join(whole, b"\n")[0].as_py() or b""
    found = [trace.start for trace in needles.find(joined)]
    rows = np.unique(np.searchsorted(ends, found, "right"))
    if len(needles.find_spelt(joined)) > len(found):  # somewhere it is spelt otherwise
        rows = np.array([row for row, one in enumerate(values.to_pylist()) if needles.find_spelt(one)])
    return rows.astype(np.int64)


def rows_of(batch: pa.RecordBatch, needles: Needles) -> np.ndarray:
    """Rows of a table that hold an id anywhere; a short one as a whole value of a column of ids."""
    found = [rows_holding(column, needles) for column in batch.columns]
    short = pa.array(sorted(needles.short), pa.string())
    for name in set(ID_COLUMNS) & set(batch.schema.names) if needles.short else ():
        values = batch.column(name).cast(pa.string())
        found.append(np.flatnonzero(pc.is_in(values, value_set=short)))
    return np.unique(np.concatenate([*found, np.zeros(0, np.int64)]))


def rewrite(path: Path, needles: Needles, check: Callable[[Path], bool]) -> int:
    """Write a file of tables anew, without the records that hold an id.

    Args:
        path: CSV, newline-delimited JSON or Parquet, plain, ``.gz`` or ``.zip``.
        needles: The ids.
        check: Whether nothing is left in what was written.

    Returns:
        How many records were left out.

    Raises:
        InputError: If it is no such file, or something would be left; it is as it was.
        ResourceError: If the disk refuses; it is as it was.
    """
    sources = list(tables_in(path, path.name))
    with written_whole(path) as building:
        if sources[0].packing is Packing.ZIP:
            dropped = _zip(path, sources, building, needles)
        else:
            opened = gzip.open if sources[0].packing is Packing.GZIP else open
            with opened(building, "wb") as out:
                dropped = _table(sources[0], out, needles)  # type: ignore[arg-type]  # a file of bytes
        if not check(building):
            raise InputError(
                f"{path.name} cannot be written without these users: they stand where no record is",
                remedy="Export it again without them, or delete it",
            )
        shutil.copymode(path, building)
    return dropped


def _zip(path: Path, sources: list[InputFile], building: Path, needles: Needles) -> int:
    tables, dropped = {source.member: source for source in sources}, 0
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(building, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.filename in tables:
                with new.open(info.filename, "w", force_zip64=True) as out:
                    dropped += _table(tables[info.filename], out, needles)
    return dropped


def _table(source: InputFile, out: IO[bytes], needles: Needles) -> int:
    if source.kind is FileKind.PARQUET:
        return _parquet(source, out, needles)
    dropped = 0
    with open_source(source) as file:
        chunks = open_text(file, CHUNK_BYTES).chunks
        quoting = source.kind is FileKind.DELIMITED
        for block in whole_records(chunks, source.name, LIMITS, quoting=quoting):
            for piece, n in _kept(block, needles):
                out.write(piece)
                dropped += n
    return dropped


def _parquet(source: InputFile, out: IO[bytes], needles: Needles) -> int:
    dropped = 0
    with open_seekable(source) as opened:
        file = pq.ParquetFile(opened)
        about = file.metadata
        packed = about.row_group(0).column(0).compression if about.num_row_groups else "SNAPPY"
        codec = "NONE" if packed == "UNCOMPRESSED" else packed
        with pq.ParquetWriter(out, file.schema_arrow, compression=codec) as writer:
            for batch in file.iter_batches():
                keep = np.ones(len(batch), bool)
                keep[rows_of(batch, needles)] = False
                dropped += int((~keep).sum())
                writer.write_batch(batch.filter(pa.array(keep)))
    return dropped


def _kept(block: Block, needles: Needles) -> Iterator[tuple[bytes, int]]:
    """What stays of a block, in pieces, with how many records were left out before each."""
    ends = block.ends[np.searchsorted(block.quotes, block.ends) % 2 == 0] + 1
    if not len(ends) or ends[-1] < len(block.data):
        ends = np.append(ends, len(block.data))
    at = 0
    for record in _records_holding(block.data, ends, needles):
        begin = int(ends[record - 1]) if record else 0
        yield block.data[at:begin], 1
        at = int(ends[record])
    yield block.data[at:], 0


def _records_holding(data: bytes, ends: np.ndarray, needles: Needles) -> list[int]:
    found = needles.find(data)
    records = np.unique(np.searchsorted(ends, [trace.start for trace in found], "right"))
    if len(needles.find_spelt(data)) <= len(found):
        return [int(record) for record in records]
    begins = np.append(0, ends[:-1])
    pairs = zip(begins.tolist(), ends.tolist(), strict=True)
    return [at for at, (begin, end) in enumerate(pairs) if needles.find_spelt(data[begin:end])]
