"""The first records that cannot be used: file, line, column, value in outline, and reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from core.base.schema import Raw, Rejects
from core.data.receipt import FileReceipt
from core.ingest.account.waterfall import REJECT_REASONS
from core.ingest.clean import records
from core.ingest.clean.records import REJECTED, Fate
from core.ingest.clean.user_labels import outline
from core.ingest.engine import Engine
from core.ingest.output_tables import REJECTS
from core.ingest.read.part_files import KEPT

SHOWN: Final = 200
"""Characters of a value that are kept."""

_FILE_NO: Final = "file_no"


def rejects_table(
    engine: Engine, typed: ir.Table, by_readers: pa.Table, files: Sequence[FileReceipt], any_here: bool
) -> pa.Table:
    """The first rejects of the readers and of this side together, by file and line.

    Args:
        engine: Where the tables are.
        typed: Typed records.
        by_readers: What the readers rejected first.
        files: The files, by ``file_no``.
        any_here: Whether any typed record is rejected.
    """
    names = pa.array([file.name for file in files], pa.string())
    number = pc.index_in(by_readers[Rejects.FILE], value_set=names).cast(pa.int32())
    tables = [by_readers.cast(REJECTS).append_column(_FILE_NO, number)]
    if any_here:
        tables.append(_rejected_here(engine, typed, names))
    both = pa.concat_tables(tables).sort_by([(_FILE_NO, "ascending"), (Rejects.LINE, "ascending")])
    both = both.slice(0, KEPT).drop_columns([_FILE_NO])
    column = both.schema.get_field_index(Rejects.VALUE)
    return both.set_column(column, REJECTS.field(column), _masked(both[Rejects.VALUE])).cast(REJECTS)


def _rejected_here(engine: Engine, typed: ir.Table, names: pa.Array) -> pa.Table:
    wrong = typed.filter(typed[records.FATE].isin([int(fate) for fate in REJECTED]))
    first = wrong.order_by(Raw.FILE_NO, Raw.LINE).limit(KEPT)
    found = engine.arrow(
        first.select(Raw.FILE_NO, Raw.LINE, records.FATE, Raw.EVENT_TIMESTAMP, Raw.PAGE_LOCATION)
    )
    fates = found[records.FATE].to_pylist()
    place = pc.equal(found[records.FATE], int(Fate.NO_LOCATION))
    reasons = {int(fate): reason for fate, reason in REJECT_REASONS.items()}
    columns = {
        Rejects.FILE: names.take(found[Raw.FILE_NO].combine_chunks()),
        Rejects.LINE: found[Raw.LINE],
        Rejects.COLUMN: pc.if_else(place, Raw.PAGE_LOCATION, Raw.EVENT_TIMESTAMP),
        Rejects.VALUE: pc.if_else(place, found[Raw.PAGE_LOCATION], found[Raw.EVENT_TIMESTAMP]),
        Rejects.REASON: pa.array([reasons[fate] for fate in fates], pa.string()),
    }
    return pa.table(columns).cast(REJECTS).append_column(_FILE_NO, found[Raw.FILE_NO].cast(pa.int32()))


def _masked(values: pa.ChunkedArray) -> pa.Array:
    codes = values.combine_chunks().dictionary_encode()
    known = [outline(text)[:SHOWN] for text in codes.dictionary.to_pylist()]
    return pa.array(known, pa.string()).take(codes.indices)
