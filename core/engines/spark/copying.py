"""Copy the records that executors have read to this machine's disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from core.base.progress import Progress, SubProgress
from core.engines.spark.distribute import DealtRecords, Piece
from core.ingest.read.part_files import PARQUET, RAW
from core.ingest.read.read_all import STAGE, RawRead
from core.storage.disk import require_room

COPIED_BYTES: Final = 64 << 20
"""Bytes of a file's records that are copied at a time. Parts cost about as much again, and Java holds both in
its 1 GB at once (tried: 140 MB pass, 600 MB do not)."""
ROWS: Final = 1 << 17
"""Fewest rows of a row group of the copy."""


def copied(dealt: DealtRecords, folder: Path, progress: Progress) -> tuple[RawRead, Counter[int]]:
    """Copy all records into a folder of this disk; the executors keep theirs.

    Returns:
        The records, in a file an input file (more of a large one); and how many each part has.

    Raises:
        Beha2VecError: What an executor said, that nobody can work, or that the disk is full.
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
    sizes, held, rows = Counter[int](), [RAW.empty_table()], 0
    with pq.ParquetWriter(path, RAW, **PARQUET) as writer:
        for piece in pieces:
            held.append(pq.read_table(pa.BufferReader(piece.data)).cast(RAW))
            sizes[piece.part] += len(held[-1])
            rows += len(held[-1])
            if rows >= ROWS:
                writer.write_table(pa.concat_tables(held))
                held, rows = [RAW.empty_table()], 0
        writer.write_table(pa.concat_tables(held))
    return sizes
