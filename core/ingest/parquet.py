"""Parquet, nested as BigQuery exports it, or flat: every value as the text it would have had in a CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.errors import InputError
from core.ingest.files import Source, open_seekable
from core.ingest.headers import HeaderMap, require
from core.ingest.nested import PARAM_LISTS, RECORD_FIELDS, VALUE_KINDS, map_names
from core.ingest.opening import naming
from core.ingest.parts import FileCount, Reject, Sink
from core.ingest.values import NotText, broken_rows, to_text
from core.schema import Raw
from core.settings import IngestSettings

BATCH_ROWS: Final = 1 << 16


@dataclass(frozen=True)
class Opened:
    """A Parquet file whose schema has been read.

    Args:
        shape: ``nested parquet`` or ``flat parquet``.
        fields: Field → name.
        seen: Names of the schema, and the parameters of the first rows.
        file: The open file.
        notes: What was assumed.
    """

    shape: str
    fields: HeaderMap
    seen: tuple[str, ...]
    file: pq.ParquetFile
    notes: tuple[str, ...]


def open_parquet(file: BinaryIO, source: Source, settings: IngestSettings) -> Opened:
    """Read the schema and map its names.

    Raises:
        InputError: If the file is damaged.
    """
    with _damage(source.name):
        table = pq.ParquetFile(file)
        first = next(table.iter_batches(1 << 12, columns=_lists(table.schema_arrow)), None)
    seen = tuple(_names(table.schema_arrow, first))
    nested = bool(_lists(table.schema_arrow))
    with naming(source.name):
        fields = map_names(seen, RECORD_FIELDS if nested else {}, settings)
    shape = "nested parquet" if nested else "flat parquet"
    return Opened(shape, fields, seen, table, _notes(table.schema_arrow, fields))


def read(source: Source, settings: IngestSettings, sink: Sink, report: Callable[[int], None]) -> FileCount:
    """Read a Parquet file; arguments and errors as in :func:`core.ingest.delimited.read`."""
    with open_seekable(source) as file:
        opened = open_parquet(file, source, settings)
        require(opened.fields, source.name, settings)
        records, start = opened.file.metadata.num_rows, 1
        for number, batch in enumerate(_batches(opened, source.name)):
            with naming(source.name):
                _store(batch, opened.fields, start, sink, f"{number:06d}")
            start += len(batch)
            report(source.bytes * start // max(1, records))
    filled = sink.filled
    columns = {
        field: name for field, name in opened.fields.by_name.items() if name in opened.seen or field in filled
    }
    return FileCount(opened.shape, "parquet", records, columns, opened.notes)


def columns_of(batch: pa.RecordBatch, names: Sequence[str]) -> list[pa.Array]:
    """The text of some names in a batch, null where there is none.

    Raises:
        InputError: If a column cannot be read as text.
    """
    return [_column(batch, name) for name in names]


def first_rows(opened: Opened, name: str, rows: int) -> list[pa.Array]:
    """Text of the first rows, one column a name of ``opened.seen``.

    Raises:
        InputError: If the file is damaged.
    """
    with _damage(name):
        batch = next(
            opened.file.iter_batches(rows, columns=_roots(opened.seen, opened.file.schema_arrow)), None
        )
    return [] if batch is None else columns_of(batch, opened.seen)


def _store(batch: pa.RecordBatch, fields: HeaderMap, start: int, sink: Sink, name: str) -> None:
    columns = dict(zip(fields.by_name, columns_of(batch, list(fields.by_name.values())), strict=True))
    lines = np.arange(start, start + len(batch))
    broken: dict[int, str] = {}
    for field, column in columns.items():
        broken.update(dict.fromkeys(broken_rows(column), fields.by_name[field]))
    if broken:
        kept = np.setdiff1d(np.arange(len(batch)), list(broken))
        columns, lines = (
            {field: column.take(pa.array(kept)) for field, column in columns.items()},
            lines[kept],
        )
    rejects = [Reject(start + row, "not valid UTF-8", "", column) for row, column in sorted(broken.items())]
    sink.keep(sink.write(name, columns, lines), rejects)


def _batches(opened: Opened, name: str) -> Iterator[pa.RecordBatch]:
    roots = _roots(opened.fields.by_name.values(), opened.file.schema_arrow)
    with _damage(name):
        batches = opened.file.iter_batches(BATCH_ROWS, columns=roots)
    while True:
        with _damage(name):
            batch = next(batches, None)
        if batch is None:
            return
        yield batch


@contextmanager
def _damage(name: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise InputError(
            f"{name} is damaged, or not Parquet: {first}", remedy="Download or export it again"
        ) from error


def _is_params(field: pa.Field) -> bool:
    kind = field.type
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return is_list and field.name in PARAM_LISTS and pa.types.is_struct(kind.value_type)


def _lists(schema: pa.Schema) -> list[str]:
    return [field.name for field in schema if _is_params(field)]


def _names(schema: pa.Schema, first: pa.RecordBatch | None) -> Iterator[str]:
    for field in schema:
        if _is_params(field):
            keys = [] if first is None else _keys(first.column(field.name)).unique().to_pylist()
            yield from (f"{field.name}.{key}" for key in keys if key)
        else:
            yield from _leaves(field)


def _leaves(field: pa.Field, prefix: str = "") -> Iterator[str]:
    if pa.types.is_struct(field.type):
        for inner in field.type:
            yield from _leaves(inner, f"{prefix}{field.name}.")
    elif not pa.types.is_nested(field.type):
        yield prefix + field.name


def _roots(names: Iterable[str], schema: pa.Schema) -> list[str]:
    roots = (name if name in schema.names else name.partition(".")[0] for name in names)
    return [root for root in dict.fromkeys(roots) if root in schema.names]


def _keys(params: pa.Array) -> pa.Array:
    return pc.cast(pc.struct_field(pc.list_flatten(params), "key"), pa.string())


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    root, _, rest = name.partition(".")
    try:
        if name in batch.schema.names:
            return to_text(batch.column(name))
        if root not in batch.schema.names:
            return pa.nulls(len(batch), pa.string())
        if root in PARAM_LISTS:
            return _parameter(batch.column(root), rest)
        return to_text(_inside(batch.column(root), rest.split(".")))
    except NotText as error:
        raise InputError(f"the column {name} holds {error}, not a plain value") from error


def _inside(array: pa.Array, path: Sequence[str]) -> pa.Array:
    for key in path:
        if not pa.types.is_struct(array.type) or array.type.get_field_index(key) < 0:
            return pa.nulls(len(array), pa.string())
        array = pc.struct_field(array, key)
    return array


def _parameter(params: pa.Array, key: str) -> pa.Array:
    """The value beside a key in each list, the first one that is not null."""
    here = pc.fill_null(pc.equal(_keys(params), key), False)
    parents = np.asarray(pc.filter(pc.list_parent_indices(params), here))
    values = _plain(pc.struct_field(pc.filter(pc.list_flatten(params), here), "value"))
    filled = np.flatnonzero(np.asarray(values.is_valid()))
    place = np.full(len(params), -1)
    place[parents[filled][::-1]] = filled[::-1]
    return values.take(pa.array(place, mask=place < 0))


def _plain(value: pa.Array) -> pa.Array:
    if not pa.types.is_struct(value.type):
        return to_text(value)
    kinds = [kind for kind in VALUE_KINDS if value.type.get_field_index(kind) >= 0]
    texts = [to_text(pc.struct_field(value, kind)) for kind in kinds]
    return pc.coalesce(pa.nulls(len(value), pa.string()), *texts)


def _notes(schema: pa.Schema, fields: HeaderMap) -> tuple[str, ...]:
    key = fields.by_name.get(Raw.USER_KEY, "")
    if key in schema.names and pa.types.is_floating(schema.field(key).type):
        return (
            f"{key} is stored as a number: digits of the ids may have been lost before this file was made",
        )
    return ()
