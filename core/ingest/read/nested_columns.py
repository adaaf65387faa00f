"""Fields out of nested Arrow columns, whole columns at a time; names as in :mod:`core.ingest.read.nested`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.base.controls import control
from core.base.errors import InputError
from core.ingest.read.nested import PARAM_LISTS, VALUE_KINDS, WHOLE
from core.ingest.read.values import NotText, to_text


def columns_of(batch: pa.RecordBatch, names: Sequence[str]) -> list[pa.Array]:
    """The text of some names in a batch, null where there is none.

    Raises:
        InputError: If a column cannot be read as text.
    """
    params = {root: _Params.of(batch.column(root)) for root in param_lists(batch.schema)}
    known = frozenset(batch.schema.names)
    return [_column(batch, name, known, params) for name in names]


def _is_params(field: pa.Field) -> bool:
    kind = field.type
    if field.name not in PARAM_LISTS or not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return False
    item = kind.value_type
    return pa.types.is_struct(item) and {"key", "value"} <= {inner.name for inner in item}


def param_lists(schema: pa.Schema) -> list[str]:
    """Columns that hold lists of parameters."""
    return [field.name for field in schema if _is_params(field)]


def names_of(schema: pa.Schema, first: pa.RecordBatch | None) -> Iterator[str]:
    """All names that a table offers: plain columns, leaves of records, parameters of its first rows."""
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


def roots_of(names: Iterable[str], schema: pa.Schema) -> list[str]:
    """The columns in which names are found."""
    known = set(schema.names)
    roots = (name if name in known else name.partition(".")[0] for name in names)
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


def _inside(array: pa.Array, path: Sequence[str]) -> pa.Array:
    for key in path:
        if not pa.types.is_struct(array.type) or array.type.get_field_index(key) < 0:
            return pa.nulls(len(array), pa.string())
        array = pc.struct_field(array, key)
    return array


@dataclass(frozen=True)
class _Params:
    """A list of parameters, taken out of its rows once for all keys."""

    rows: int
    parents: pa.Array
    keys: pa.Array
    values: pa.Array

    @classmethod
    def of(cls, lists: pa.Array) -> _Params:
        flat, parents = pc.list_flatten(lists), pc.list_parent_indices(lists)
        return cls(len(lists), parents, _keys(lists).dictionary_encode(), pc.struct_field(flat, "value"))

    def of_key(self, key: str) -> pa.Array:
        """The value beside a key in each row, the first one that is not null."""
        code = pc.index(self.keys.dictionary, key).as_py()
        here = np.flatnonzero(np.asarray(pc.fill_null(pc.equal(self.keys.indices, code), False)))
        values = _plain(self.values.take(pa.array(here)))
        filled = np.flatnonzero(np.asarray(values.is_valid()))
        place = np.full(self.rows, -1)
        place[np.asarray(self.parents)[here[filled]][::-1]] = filled[::-1]
        return values.take(pa.array(place, mask=place < 0))

    def whole(self) -> pa.Array:
        """All keys and values of each row, as :func:`core.ingest.read.nested.read_record` writes them."""
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
