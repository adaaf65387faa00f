"""Read fields from nested Arrow columns, whole columns at a time; names as in :mod:`core.ingest.read.nested`.

Arrow's JSON parser makes such columns of JSON lines, about three times as fast as record by record and in
parallel with other threads. Its result is used only where it cannot differ from strict reading line by line:
each line is a single object, the text is valid UTF-8, every value has its type in the sample, and every
parameter has a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pa_json

from core.base.errors import InputError, control
from core.base.schema import Raw
from core.ingest.read.blocks import Block
from core.ingest.read.headers import HeaderMap
from core.ingest.read.nested import (
    EXACT,
    ITEMS,
    MOST_ITEMS,
    OF_ITEMS,
    PARAM_LISTS,
    SLOT_KEY,
    SLOT_VALUE,
    VALUE_KINDS,
    WHOLE,
    BrokenRecord,
    NotText,
    ReadPlan,
    Record,
    parameters,
    to_text,
)


def columns_of(batch: pa.RecordBatch, names: Sequence[str]) -> list[pa.Array]:
    """Return the values at names in a batch as text, null where there is none.

    Raises:
        InputError: If a column cannot be read as text.
    """
    params = {root: _Params.of(batch.column(root)) for root in param_lists(batch.schema)}
    known = frozenset(batch.schema.names)
    return [_column(batch, name, known, params) for name in names]


def nest_slots(columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """Nest flattened parameters (``event_params.0.key``, ``event_params.0.value.int_value``) in lists.

    Args:
        columns: Name → text of every row; all other columns stay as they are.
    """
    keys = {slot[1]: text for name, text in columns.items() if (slot := SLOT_KEY.match(name))}
    values = {slot: pa.nulls(len(text), pa.string()) for slot, text in keys.items()}
    plain: dict[str, pa.Array] = {}
    for name, text in columns.items():
        slot = SLOT_VALUE.match(name)
        if slot and slot[1] in values:
            values[slot[1]] = pc.coalesce(values[slot[1]], text)
        elif not slot and not SLOT_KEY.match(name):
            plain[name] = text
    rows = len(next(iter(columns.values())))
    every = [pa.concat_arrays(list(texts.values())) for texts in (keys, values)]
    flat = pa.StructArray.from_arrays(every, ["key", "value"])
    by_row = np.arange(rows * len(keys)).reshape(len(keys), rows).T.ravel()
    offsets = pa.array(np.arange(rows + 1) * len(keys), pa.int32())
    lists = pa.ListArray.from_arrays(offsets, flat.take(pa.array(by_row)))
    return pa.RecordBatch.from_pydict(plain | {"event_params": lists})


def _is_params(field: pa.Field) -> bool:
    kind = field.type
    if field.name not in PARAM_LISTS or not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return False
    item = kind.value_type
    return pa.types.is_struct(item) and {"key", "value"} <= {inner.name for inner in item}


def param_lists(schema: pa.Schema) -> list[str]:
    """Return the columns that hold lists of parameters."""
    return [field.name for field in schema if _is_params(field)]


def names_of(schema: pa.Schema, first: pa.RecordBatch | None) -> Iterator[str]:
    """Yield all names in a table: plain columns, leaves of records, parameters of its first rows."""
    for field in schema:
        if _is_params(field):
            keys = [] if first is None else _keys(first.column(field.name)).unique().to_pylist()
            yield from (f"{field.name}.{key}" for key in keys if key)
        elif _is_items(field):
            leaves = (name for inner in field.type.value_type for name in _leaves(inner))
            yield from (f"{OF_ITEMS}{name}" for name in leaves if "." not in name)
        else:
            yield from _leaves(field)


def _is_items(field: pa.Field) -> bool:
    is_list = pa.types.is_list(field.type) or pa.types.is_large_list(field.type)
    return bool(field.name == ITEMS and is_list and pa.types.is_struct(field.type.value_type))


def _leaves(field: pa.Field, prefix: str = "") -> Iterator[str]:
    if pa.types.is_struct(field.type):
        for inner in field.type:
            yield from _leaves(inner, f"{prefix}{field.name}.")
    elif not pa.types.is_nested(field.type):
        yield prefix + field.name


def roots_of(names: Iterable[str], schema: pa.Schema) -> list[str]:
    """Return the columns that names are read from."""
    known = set(schema.names)
    roots = (name if name in known else name.partition(".")[0].removesuffix("[]") for name in names)
    return [root for root in dict.fromkeys(roots) if root in known]


def _keys(params: pa.Array) -> pa.Array:
    return pc.cast(pc.struct_field(pc.list_flatten(params), "key"), pa.string())


def _column(
    batch: pa.RecordBatch, name: str, known: frozenset[str], params: Mapping[str, _Params]
) -> pa.Array:
    root, _, rest = name.partition(".")
    try:
        if name in known:
            return to_text(batch.column(name))
        if name.startswith(OF_ITEMS):
            return _of_most(batch, name.removeprefix(OF_ITEMS))
        if root not in known:
            return pa.nulls(len(batch), pa.string())
        if root in params:
            return params[root].whole() if rest == WHOLE else params[root].of_key(rest)
        return to_text(_inside(batch.column(root), rest.split(".")))
    except NotText as error:
        raise InputError(
            f"the column {name} holds {error}, not a plain value",
            remedy=f"Say which column it is, or that there is none: {control('mapping')}",
        ) from error


def _of_most(batch: pa.RecordBatch, key: str) -> pa.Array:
    """The text at a key that most items of each row have, of equally frequent ones the first."""
    if ITEMS not in batch.schema.names or not _is_items(batch.schema.field(ITEMS)):
        return pa.nulls(len(batch), pa.string())
    lists = batch.column(ITEMS)
    row, flat = np.asarray(pc.list_parent_indices(lists)), pc.list_flatten(lists)
    if flat.type.get_field_index(key) < 0:
        return pa.nulls(len(batch), pa.string())
    text = to_text(pc.struct_field(flat, key))
    place = np.arange(len(row)) - np.searchsorted(row, row)
    kept = np.flatnonzero(np.asarray(text.is_valid()) & (place < MOST_ITEMS))
    texts = text.take(pa.array(kept)).dictionary_encode()
    pair = row[kept].astype(np.int64) * max(1, len(texts.dictionary)) + np.asarray(texts.indices)
    _, first, items = np.unique(pair, return_index=True, return_counts=True)
    order = np.lexsort((first, -items, row[kept[first]]))
    best = first[order]
    of_row = row[kept[best]]
    best, of_row = (one[np.diff(of_row, prepend=-1) != 0] for one in (best, of_row))
    chosen = np.full(len(batch), -1)
    chosen[of_row] = kept[best]
    return text.take(pa.array(chosen, mask=chosen < 0))


def _inside(array: pa.Array, path: Sequence[str]) -> pa.Array:
    for key in path:
        if not pa.types.is_struct(array.type) or array.type.get_field_index(key) < 0:
            return pa.nulls(len(array), pa.string())
        array = pc.struct_field(array, key)
    return array


@dataclass(frozen=True)
class _Params:
    """A column of parameter lists, flattened once for all keys."""

    rows: int
    parents: pa.Array
    keys: pa.Array
    values: pa.Array

    @classmethod
    def of(cls, lists: pa.Array) -> _Params:
        flat, parents = pc.list_flatten(lists), pc.list_parent_indices(lists)
        return cls(len(lists), parents, _keys(lists).dictionary_encode(), pc.struct_field(flat, "value"))

    def of_key(self, key: str) -> pa.Array:
        """Return, for each row, the first value of ``key`` that is not null, as text; null without one."""
        code = pc.index(self.keys.dictionary, key).as_py()
        here = np.flatnonzero(np.asarray(pc.fill_null(pc.equal(self.keys.indices, code), False)))
        values = _plain(self.values.take(pa.array(here)))
        filled = np.flatnonzero(np.asarray(values.is_valid()))
        place = np.full(self.rows, -1)
        place[np.asarray(self.parents)[here[filled]][::-1]] = filled[::-1]
        return values.take(pa.array(place, mask=place < 0))

    def whole(self) -> pa.Array:
        """Return all keys and values of each row, as :func:`core.ingest.read.nested.read_record` does."""
        keys, values = self.keys.cast(pa.string()), pc.fill_null(_plain(self.values), "")
        texts = pc.binary_join_element_wise(pc.fill_null(keys, ""), values, "\x1e")
        starts = np.searchsorted(np.asarray(self.parents), np.arange(self.rows + 1))
        lists = pa.ListArray.from_arrays(pa.array(starts, pa.int32()), texts)
        joined = pc.binary_join(lists, "\x1f")
        return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined)


def _plain(value: pa.Array) -> pa.Array:
    if not pa.types.is_struct(value.type):
        return to_text(value)
    kinds = [kind for kind in VALUE_KINDS if value.type.get_field_index(kind) >= 0]
    texts = [to_text(pc.struct_field(value, kind)) for kind in kinds]
    return pc.coalesce(pa.nulls(len(value), pa.string()), *texts)


_NOT_JSON: Final = re.compile(rb"[:\[,]\s*-?(?:NaN|Inf(?:inity)?)\s*[,}\]]")
_OPEN, _CLOSE, _RETURN = 123, 125, 13
_TEXT, _FRACTION = pa.string(), pa.float64()
_TYPES: Final[Mapping[type, pa.DataType]] = {str: _TEXT, bool: pa.bool_(), int: pa.int64()}
_KINDS: Final = dict(zip(VALUE_KINDS, (_TEXT, _TEXT, _FRACTION, _FRACTION), strict=True))


class _Irregular(ValueError):
    """Raised if values at the same place in the sample have different types."""


def schema_for(plan: ReadPlan, sample: Sequence[Record]) -> pa.Schema | None:
    """Infer the types of all values of a plan from a sample; None if a value has several types.

    Args:
        plan: Places of the fields in a record.
        sample: Some records.
    """
    try:
        keys = [path[1] for _, path in plan.paths if path[0] == ITEMS and len(path) == 2]
        leaves = {
            path: _type_at(path, plan.fields[slot], sample) for slot, path in plan.paths if path[0] != ITEMS
        }
        items = [pa.field(ITEMS, _items_type(keys, sample))] if keys else []
        lists = {root: _params_type(root, sample) for root in plan.params}
        fields = [pa.field(root, kind) for root, kind in lists.items()]
        return pa.schema([*_fields(leaves), *items, *fields])
    except _Irregular:
        return None


def read_columns(
    block: Block, schema: pa.Schema, fields: HeaderMap, records: int
) -> dict[str, pa.Array] | None:
    """Parse a block of JSON lines with Arrow: field → text of every row; None unless the result is certain.

    Args:
        block: Whole lines.
        schema: Types of the values to read.
        fields: Field → name.
        records: Number of lines that are not blank.
    """
    if not records or not _one_object_a_line(block) or not _is_clean(block.data):
        return None
    try:
        table = pa_json.read_json(
            pa.BufferReader(block.data),
            read_options=pa_json.ReadOptions(use_threads=False, block_size=len(block.data) + 1),
            parse_options=pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != records:
        return None
    (batch,) = table.combine_chunks().to_batches()
    lists = (pc.list_flatten(batch.column(root)) for root in param_lists(batch.schema))
    if any(pc.struct_field(params, "key").null_count for params in lists):
        return None
    return dict(zip(fields.by_name, columns_of(batch, list(fields.by_name.values())), strict=True))


def _one_object_a_line(block: Block) -> bool:
    """Whether each line starts with a brace and ends with one.

    An object cannot continue across such a line end (after ``}`` JSON needs a comma), so each line holds at
    least one object; as many rows as lines then means exactly one.
    """
    array = np.frombuffer(block.data + b"\n", np.uint8)
    ends = np.append(block.ends, len(block.data)) if block.lines > len(block.ends) else block.ends
    begins = np.concatenate(([0], ends[:-1] + 1))
    ends = ends - (array[ends - 1] == _RETURN)
    filled = ends > begins
    return bool((array[begins[filled]] == _OPEN).all() and (array[ends[filled] - 1] == _CLOSE).all())


def _is_clean(data: bytes) -> bool:
    """Whether bytes are valid UTF-8, without the number words NaN and Infinity, which JSON does not have."""
    try:
        _ = data.isascii() or data.decode()
    except UnicodeDecodeError:
        return False
    return not ((b"NaN" in data or b"Inf" in data) and _NOT_JSON.search(data))


def _type_at(path: Sequence[str], field: str, sample: Iterable[Record]) -> pa.DataType:
    expected = _FRACTION if field in (Raw.PURCHASE_REVENUE, Raw.REFUND_VALUE) else _TEXT
    return _common_type((_value_at(record, path) for record in sample), expected, field not in EXACT)


def _value_at(record: Record, path: Sequence[str]) -> Any:  # noqa: ANN401 - JSON may be anything
    value: Any = record
    for key in path:
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise _Irregular
        value = value.get(key)
    return value


def _common_type(values: Iterable[object], expected: pa.DataType, fractions: bool = True) -> pa.DataType:
    """Find the common type of all values that are not None.

    Args:
        values: Values at the same place in all records.
        expected: Type if all are None; if it is a float, whole numbers are read as floats, too.
        fractions: Whether numbers with a fraction may be read as floats.
    """
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return expected
    if fractions and kinds <= {int, float} and (float in kinds or expected == _FRACTION):
        return _FRACTION
    if len(kinds) == 1 and kinds <= _TYPES.keys():
        return _TYPES[kinds.pop()]
    raise _Irregular


def _params_type(root: str, sample: Sequence[Record]) -> pa.DataType:
    values: list[Any] = []
    for record in sample:
        if not isinstance(record.get(root) or [], list):
            raise _Irregular
        with suppress(BrokenRecord):  # read one by one, its block will say where it is
            values += [value for _, value in parameters(root, record.get(root))]
    if not all(isinstance(value, Mapping | None) for value in values):
        raise _Irregular
    shown = [value for value in values if value]
    kinds = [(kind, _common_type((value.get(kind) for value in shown), _KINDS[kind])) for kind in VALUE_KINDS]
    return pa.list_(pa.struct([("key", pa.string()), ("value", pa.struct(kinds))]))


def _items_type(keys: Sequence[str], sample: Iterable[Record]) -> pa.DataType:
    lists = [record.get(ITEMS) or [] for record in sample]
    if not all(
        isinstance(items, list) and all(isinstance(item, Mapping) for item in items) for items in lists
    ):
        raise _Irregular
    flat = [item for items in lists for item in items]
    return pa.list_(pa.struct([(key, _common_type((item.get(key) for item in flat), _TEXT)) for key in keys]))


def _fields(leaves: Mapping[tuple[str, ...], pa.DataType]) -> list[pa.Field]:
    """Make nested Arrow fields from the types of leaves by path."""
    roots: dict[str, dict[tuple[str, ...], pa.DataType]] = {}
    for path, kind in leaves.items():
        roots.setdefault(path[0], {})[path[1:]] = kind
    fields = []
    for name, inner in roots.items():
        if () in inner and len(inner) > 1:
            raise _Irregular
        fields.append(pa.field(name, inner[()] if () in inner else pa.struct(_fields(inner))))
    return fields
