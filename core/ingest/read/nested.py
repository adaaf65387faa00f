"""Read fields from nested records: the names a record offers, and the values at given names.

A name is spelt with dots: ``device.web_info.browser`` is a path, ``event_params.page_location`` the parameter
with that key. Records come as lines of JSON, as cells of JSON that BigQuery's console saves, with JSON as
text, or with lists flattened to ``event_params.0.key``: :class:`NestedEncoding` turns them all into the
nested form, which is read here record by record, and in whole Arrow columns in ``nested_columns.py``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from core.base.raw_fields import RAW_TEXT_COLUMNS, RECORD_FIELDS
from core.base.schema import REQUIRED_FIELDS, Raw
from core.base.settings import IngestSettings
from core.ingest.read.headers import (
    EVENT_VALUE,
    SIGNED_IN_KEY,
    HeaderMap,
    map_headers,
    normalise_header,
    normalise_spelling,
)
from core.ingest.sources.text import is_utf8

_EXACT_INTEGERS = float(2**53)


class NotText(ValueError):
    """Raised for a column whose values are not plain; the message is its type."""


def to_text(array: pa.Array) -> pa.Array:
    """Convert values to text: whole numbers without a fraction, times in microseconds UTC, days as YYYYMMDD.

    Empty text is null. Bytes are taken to be UTF-8 and not checked (see :func:`broken_rows`).

    Args:
        array: A column of any plain type.

    Raises:
        NotText: If the type is a list, a record or another one without a plain text.
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        return to_text(array.dictionary_decode())
    if kind == pa.uuid():
        return _uuid_text(array.storage)
    if pa.types.is_floating(kind):
        return _number_text(array)
    if pa.types.is_timestamp(kind):
        return pc.cast(
            pc.cast(pc.cast(array, pa.timestamp("us", kind.tz), safe=False), pa.int64()), pa.string()
        )
    if pa.types.is_date(kind):
        return pc.strftime(pc.cast(array, pa.timestamp("s")), format="%Y%m%d")
    if pa.types.is_nested(kind):
        raise NotText(str(kind))
    try:
        text = pc.cast(array, pa.string(), safe=False)
    except pa.ArrowException as error:
        raise NotText(str(kind)) from error
    return pc.if_else(pc.equal(pc.binary_length(text), 0), pa.scalar(None, pa.string()), text)


def _uuid_text(array: pa.FixedSizeBinaryArray) -> pa.Array:
    """Format UUIDs in the usual way, each distinct value once."""
    coded = array.dictionary_encode()
    texts = pa.array([str(UUID(bytes=value)) for value in coded.dictionary.to_pylist()], pa.string())
    return texts.take(coded.indices)


def broken_rows(text: pa.Array) -> list[int]:
    """Return the rows of a text column that are not valid UTF-8."""
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        values = pc.cast(text, pa.binary()).to_pylist()
        return [row for row, value in enumerate(values) if value is not None and not is_utf8(value)]
    return []


def _number_text(array: pa.Array) -> pa.Array:
    """Convert floats to text; whole numbers lose the ``.0`` that columns with gaps give them."""
    present = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    numbers = pc.cast(present, pa.float64())
    is_whole = pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), _EXACT_INTEGERS))
    whole = pc.cast(pc.if_else(is_whole, numbers, pa.scalar(None, pa.float64())), pa.int64())
    return pc.coalesce(pc.cast(whole, pa.string()), pc.cast(present, pa.string()))


PARAM_LISTS: Final = ("event_params", "user_properties")
VALUE_KINDS: Final = ("string_value", "int_value", "float_value", "double_value")

ITEMS: Final = "items"
"""Column of GA4's export with the list of an event's items."""
OF_ITEMS: Final = f"{ITEMS}[]."
"""Prefix of the name of a value of items (``items[].item_category``): that of most items, else the first."""
MOST_ITEMS: Final = 200
"""Items of an event that are looked at, as many as GA4 takes; later ones are not."""

RECORD_COLUMNS: Final = tuple(
    dict.fromkeys(
        (*PARAM_LISTS, ITEMS, *(path.split(".")[0] for path in RECORD_FIELDS.values() if "." in path))
    )
)
"""Columns of GA4's export that hold lists or records with fields that are read."""

SLOT_KEY: Final = re.compile(r"^event_params[._](\d+)[._]key$", re.IGNORECASE)
SLOT_VALUE: Final = re.compile(r"^event_params[._](\d+)[._]value(?:[._]\w+)?$", re.IGNORECASE)

WHOLE: Final = "*"
"""Stands for the key where all parameters of a list, keys and values, are read as a single text."""

EXACT: Final = (Raw.USER_KEY, Raw.BROWSER_ID, Raw.LOGIN, Raw.GA_SESSION_ID, Raw.TRANSACTION_ID)
"""Fields that hold ids: every digit counts, also of ids written as numbers."""

_NUMBERS: Final = (Raw.PURCHASE_REVENUE, Raw.REFUND_VALUE, Raw.ITEM_QUANTITY, Raw.ENGAGEMENT_TIME_MSEC)
"""Numeric fields, whose invalid values are counted later (``core/ingest/account/accounting.py``)."""

Record = Mapping[str, Any]
Row = list[str | None]


class BrokenRecord(ValueError):
    """Raised for a record whose content does not fit the name of a column."""

    def __init__(self, column: str, reason: str, value: object) -> None:
        super().__init__(reason)
        self.column, self.reason, self.value = column, reason, value


class InexactId(ValueError):
    """Raised for an id decoded as a float: decode the record again with :func:`decode_exactly`."""


@dataclass(frozen=True)
class ReadPlan:
    """Where in a nested record the value of each field lies.

    Args:
        fields: The fields of a row, in order; a slot is an index into them.
        paths: Slot, and keys to follow to its value, for fields outside lists of parameters.
        params: List of parameters → key of a parameter → slots of its value.
        exact: Slots that hold ids.
    """

    fields: tuple[str, ...]
    paths: tuple[tuple[int, tuple[str, ...]], ...]
    params: Mapping[str, Mapping[str, tuple[int, ...]]]
    exact: frozenset[int]


def record_fields(settings: IngestSettings) -> Mapping[str, str]:
    """Return :data:`RECORD_FIELDS`, with ``user_id`` if it is asked for: a day without logins lacks it."""
    if settings.join_logins:
        return {**RECORD_FIELDS, Raw.LOGIN: SIGNED_IN_KEY}
    signed_in = normalise_header(settings.user_key) == SIGNED_IN_KEY
    return {**RECORD_FIELDS, Raw.USER_KEY: SIGNED_IN_KEY} if signed_in else RECORD_FIELDS


def map_names(seen: Sequence[str], usual: Mapping[str, str], settings: IngestSettings) -> HeaderMap:
    """Map the names of a sample to fields, and fields that it lacks to their usual names.

    Args:
        seen: Names in the records of the sample.
        usual: Field → usual name.
        settings: The analyst's mapping, which overrules both.
    """
    header = map_headers(seen, settings)
    values = {field for field, name in header.by_name.items() if normalise_header(name) == EVENT_VALUE}
    missing = values | usual.keys() - header.columns.keys()  # a sample may lack the few records of revenue
    also = [name for field, name in usual.items() if field in missing and name not in seen]
    alike = set(map(normalise_spelling, seen))
    named = [name for name in settings.columns.values() if "." in name]
    wanted = [name for name in named if normalise_spelling(name) not in alike]
    return map_headers(tuple(dict.fromkeys([*seen, *also, *wanted])), settings)


def make_plan(header: HeaderMap, literal: Collection[str] = ()) -> ReadPlan:
    """Plan where to find in a record the values of fields, which are mapped to dotted names.

    Args:
        header: Field → name.
        literal: Names that are a whole key, dots included.
    """
    fields = tuple(header.columns)
    paths: list[tuple[int, tuple[str, ...]]] = []
    params: dict[str, dict[str, tuple[int, ...]]] = {}
    for slot, name in enumerate(header.by_name.values()):
        root, _, key = name.partition(".")
        if name in literal:
            paths.append((slot, (name,)))
        elif name.startswith(OF_ITEMS):
            paths.append((slot, (ITEMS, name.removeprefix(OF_ITEMS))))
        elif root in PARAM_LISTS and key:
            keys = params.setdefault(root, {})
            keys[key] = (*keys.get(key, ()), slot)
        else:
            paths.append((slot, tuple(name.split("."))))
    exact = frozenset(slot for slot, field in enumerate(fields) if field in EXACT)
    return ReadPlan(fields, tuple(paths), params, exact)


def names_in(record: Record) -> Iterator[str]:
    """Yield the dotted names of all values in a record, of lists those of parameters and items alone."""
    return (name for name, _ in values_in(record))


def values_in(record: Record) -> Iterator[tuple[str, Any]]:
    """Yield all names in a record (:func:`names_in`), each with its value."""
    for key, value in record.items():
        if key in PARAM_LISTS:
            with suppress(BrokenRecord):  # rejected, with its line, when it is read
                yield from ((f"{key}.{name}", _plain(one)) for name, one in parameters(key, value))
        elif isinstance(value, dict):
            yield from ((f"{key}.{name}", one) for name, one in values_in(value))
        elif not isinstance(value, list):
            yield key, value
        elif key == ITEMS:
            keys = dict.fromkeys(key for item in value if isinstance(item, dict) for key in item)
            filled = ((key, _of_most(value, key)) for key in keys)
            yield from ((f"{OF_ITEMS}{key}", one) for key, one in filled if one is not None)


def read_record(record: Record, plan: ReadPlan) -> Row:
    """Read the fields of a record; of a parameter that is sent twice the first value counts.

    Raises:
        BrokenRecord: If parameters are not a list of keys and values, or a needed field is no plain value.
        InexactId: If an id was decoded as a number with a fraction.
    """
    row: Row = [None] * len(plan.fields)
    for slot, path in plan.paths:
        value: Any = record
        for key in path:
            if isinstance(value, list) and path[0] == ITEMS:
                value = _of_most(value, key)
            else:
                value = value.get(key) if isinstance(value, dict) else None
        row[slot] = _text(value, slot, plan)
    for root, wanted in plan.params.items():
        listed = list(parameters(root, record.get(root)))
        for key, value in listed:
            for slot in wanted.get(key, ()):
                if row[slot] is None:
                    row[slot] = _text(_plain(value), slot, plan)
        for slot in wanted.get(WHOLE, ()):
            texts = (f"{key}\x1e{_text(_plain(value), slot, plan) or ''}" for key, value in listed)
            row[slot] = "\x1f".join(texts) or None
    return row


def _is_plain(value: object) -> bool:
    return value not in (None, "") and not isinstance(value, dict | list)


def _of_most(items: Sequence[Any], key: str) -> Any:  # noqa: ANN401 - JSON may be anything
    """The value at a key that most items have, else the first; None where none has one."""
    values = (item.get(key) for item in items[:MOST_ITEMS] if isinstance(item, dict))
    counts = Counter(value for value in values if _is_plain(value))
    return max(counts, key=counts.__getitem__) if counts else None


def rows_of(records: Iterable[Record], names: Sequence[str], literal: Collection[str]) -> list[Row]:
    """Read the values at given names from records, without broken records.

    Args:
        records: Some records of a file.
        names: Names of the cells of a row, in order.
        literal: Names that are a whole key, dots included.
    """
    places = {str(at): at for at in range(len(names))}  # no fields, which some values would be wrong for
    plan = make_plan(HeaderMap(tuple(names), places, {}), literal)
    rows = []
    for record in records:
        with suppress(BrokenRecord):
            rows.append(read_record(record, plan))
    return rows


def parameters(root: str, value: object) -> Iterator[tuple[str, Any]]:
    """Yield the keys and values of a list of parameters, in any form it may have.

    Raises:
        BrokenRecord: If it has no known form.
    """
    if isinstance(value, dict):
        inner = value.get(root)
        if inner is not None and len(value) == 1:  # the console wraps the list in a record of its own
            yield from parameters(root, inner)
        else:
            yield from value.items()
    elif isinstance(value, list):
        for item in value:
            if not isinstance(item, dict) or not isinstance(item.get("key"), str):
                raise BrokenRecord(root, f"{root} is not a list of keys and values", item)
            yield item["key"], item.get("value")
    elif value is not None:
        raise BrokenRecord(root, f"{root} is not a list of keys and values", value)


def decode_texts(
    record: Record, names: Iterable[str], decode: Callable[[str], Any] = orjson.loads
) -> dict[str, Any]:
    """Decode the JSON texts at given names of a record: name → value, without names of plain text.

    Raises:
        BrokenRecord: If a text that looks like JSON, or stands for a list of parameters, is not JSON.
    """
    decoded = {}
    for name in names:
        if isinstance(text := record.get(name), str) and (
            text.lstrip()[:1] in ("{", "[")
            or text.strip() == "null"
            or (text and name.lower() in PARAM_LISTS)
        ):
            try:
                decoded[name] = decode(text)
            except ValueError as error:
                raise BrokenRecord(name, "not JSON", text) from error
    return decoded


def decode_exactly(data: bytes | str) -> Any:  # noqa: ANN401 - JSON may be anything
    """Decode JSON, keeping every number as the text it was written in."""
    return json.loads(data, parse_float=str, parse_int=str)


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON may be anything
    if not isinstance(value, dict):
        return value
    return next((value[kind] for kind in VALUE_KINDS if value.get(kind) not in (None, "")), None)


def _text(value: Any, slot: int, plan: ReadPlan) -> str | None:  # noqa: ANN401 - JSON may be anything
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    if isinstance(value, float) and slot in plan.exact:
        raise InexactId
    if isinstance(value, float):  # as a column of numbers would be written
        return str(to_text(pa.array([value]))[0])
    field = plan.fields[slot]
    if isinstance(value, dict | list) and field in REQUIRED_FIELDS:
        raise BrokenRecord(field, f"{field} is not a plain value", value)
    if isinstance(value, dict | list) and field in RAW_TEXT_COLUMNS and field not in _NUMBERS:
        return None
    return orjson.dumps(value).decode()


_TEXT: Final = (
    "COALESCE(NULLIF(p.value.string_value, ''), CAST(p.value.int_value AS STRING), "
    "CAST(COALESCE(p.value.float_value, p.value.double_value) AS STRING))"
)


def quote_bigquery(text: str) -> str:
    """Quote a text as a BigQuery string literal on a single line."""
    text = text.replace("\0", "").replace("\\", "\\\\").replace("'", "\\'")
    return "'" + text.replace("\n", "\\n").replace("\r", "\\r") + "'"


def bigquery_column(name: str) -> str:
    """Return a BigQuery expression for the value at a name; for a parameter the first non-empty one, as text.

    Args:
        name: ``event_name``, ``device.web_info.browser`` or ``event_params.page_location``; all its parts but
            the key of a parameter must be in the schema of the table.
    """
    root, _, key = name.partition(".")
    if root not in PARAM_LISTS:
        return name
    return (
        f"(SELECT {_TEXT} AS text FROM UNNEST({root}) AS p WITH OFFSET AS place "
        f"WHERE p.key = {quote_bigquery(key)} ORDER BY text IS NULL, place LIMIT 1)"
    )


def holding_json(cells: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Find columns whose texts are JSON records; if there is one, also those that are empty in the sample.

    Args:
        cells: Some texts of each of :data:`RECORD_COLUMNS` that exists.
    """
    filled = {
        name: [text for cell in texts if (text := cell.strip()) not in ("", "null")]
        for name, texts in cells.items()
    }
    shown = {name for name, texts in filled.items() if any(text.startswith(("{", "[")) for text in texts)}
    return tuple(name for name, texts in filled.items() if name in shown or (shown and not texts))


def read_within(columns: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    """Return the columns that at least one dotted name begins with."""
    roots = {name.partition(".")[0].removesuffix("[]") for name in names if "." in name}
    return tuple(name for name in columns if name in roots)


@dataclass(frozen=True)
class NestedEncoding:
    """How the records of a file encode nested values in flat ones.

    Args:
        texts: Names whose texts are JSON.
        dotted: Whether lists of parameters are flattened to ``event_params.0.key``.
    """

    texts: tuple[str, ...]
    dotted: bool

    @property
    def shape(self) -> str:
        """Name of the shape in the receipt."""
        return "ndjson with json cells" if self.texts else "dotted ndjson"

    def read_for(self, names: Iterable[str]) -> NestedEncoding:
        """Keep only the JSON texts that the names are read from; others need not be valid."""
        return replace(self, texts=read_within(self.texts, names))

    def unfold(self, record: Record, decode: Callable[[str], Any] = orjson.loads) -> dict[str, Any]:
        """Return a record in the nested form of the export.

        Raises:
            BrokenRecord: If a text is not JSON.
        """
        inside = decode_texts(record, self.texts, decode)
        plain = {name: value for name, value in record.items() if name not in inside}
        keys: dict[str, Any] = {}
        values: dict[str, Any] = {}
        for name in record if self.dotted else ():
            is_key, slot = _slot(name)
            if slot and (cell := plain.pop(name)) not in (None, ""):
                (keys if is_key else values).setdefault(slot, cell)
        listed = [{"key": str(key), "value": values.get(slot)} for slot, key in keys.items()]
        return plain | inside | ({"event_params": listed} if listed else {})

    def unfold_sample(self, records: Sequence[Record]) -> tuple[dict[str, Any], ...]:
        """Unfold the records of a sample; a broken one keeps only its plain values."""
        unfolded = []
        for record in records:
            try:
                unfolded.append(self.unfold(record))
            except BrokenRecord:
                hidden = set(self.texts).difference(PARAM_LISTS)
                unfolded.append({name: value for name, value in record.items() if name not in hidden})
        return tuple(unfolded)


@lru_cache(1 << 12)
def _slot(name: str) -> tuple[bool, str]:
    """Whether a name is that of a flattened key, and the number in it; empty for any other name."""
    key = SLOT_KEY.match(name)
    match = key or SLOT_VALUE.match(name)
    return bool(key), match[1] if match else ""


def find_nested_encoding(sample: Sequence[Record]) -> NestedEncoding | None:
    """Detect how a sample of records encodes nested values; None if it does not."""
    cells = {
        name: [text for record in sample if isinstance(text := record.get(name), str)]
        for name in RECORD_COLUMNS
    }
    texts = holding_json(cells)
    dotted = any(map(SLOT_KEY.match, {name for record in sample for name in record}))
    return NestedEncoding(texts, dotted) if texts or dotted else None
