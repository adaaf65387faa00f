"""Records with parameters inside them: which names they offer, and the fields picked out of one.

A name is spelt with dots: ``device.web_info.browser`` is a path, ``event_params.page_location`` the parameter
of that key. However a record is written (a line of JSON, cells of JSON that BigQuery's console saves, JSON as
text, lists flattened to ``event_params.0.key``), :class:`Folds` makes the one nested form of it. That is read
here one record at a time, and by whole columns of Arrow in ``nested_columns.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from core.base.schema import RAW_TEXT_COLUMNS, REQUIRED_FIELDS, Raw
from core.base.settings import IngestSettings
from core.ingest.read.headers import EVENT_VALUE, SIGNED_IN_KEY, HeaderMap, map_headers, normalise_header
from core.ingest.sources.text import is_utf8

_EXACT_INTEGERS = float(2**53)


class NotText(ValueError):
    """A column whose values are not plain; the message is its type."""


def to_text(array: pa.Array) -> pa.Array:
    """Text of every value: whole numbers without a fraction, times as microseconds UTC, days as YYYYMMDD.

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
    """As it is usually written; each different one is written once."""
    coded = array.dictionary_encode()
    texts = pa.array([str(UUID(bytes=value)) for value in coded.dictionary.to_pylist()], pa.string())
    return texts.take(coded.indices)


def broken_rows(text: pa.Array) -> list[int]:
    """Rows of a text column that are not valid UTF-8."""
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        values = pc.cast(text, pa.binary()).to_pylist()
        return [row for row, value in enumerate(values) if value is not None and not is_utf8(value)]
    return []


def _number_text(array: pa.Array) -> pa.Array:
    """Whole numbers lose the ``.0`` that they got when a column with gaps was made one of fractions."""
    present = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    numbers = pc.cast(present, pa.float64())
    is_whole = pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), _EXACT_INTEGERS))
    whole = pc.cast(pc.if_else(is_whole, numbers, pa.scalar(None, pa.float64())), pa.int64())
    return pc.coalesce(pc.cast(whole, pa.string()), pc.cast(present, pa.string()))


PARAM_LISTS: Final = ("event_params", "user_properties")
VALUE_KINDS: Final = ("string_value", "int_value", "float_value", "double_value")

PARAM_FIELDS: Final[Mapping[str, str]] = {
    field: f"event_params.{field}"
    for field in (
        Raw.PAGE_LOCATION, Raw.PAGE_TITLE, Raw.ENGAGEMENT_TIME_MSEC, Raw.GA_SESSION_ID,
        Raw.TRANSACTION_ID, Raw.CURRENCY, Raw.TRAFFIC_TYPE, Raw.DEBUG_MODE, Raw.BATCH_PAGE_ID,
        Raw.BATCH_ORDERING_ID, Raw.BATCH_EVENT_INDEX, Raw.EVENT_SOURCE, Raw.EVENT_MEDIUM,
    )
}  # fmt: skip
"""Where GA4 keeps a field among the parameters; looked for even if no record of the sample has it."""

RECORD_FIELDS: Final[Mapping[str, str]] = {
    **PARAM_FIELDS,
    Raw.EVENT_TIMESTAMP: "event_timestamp",
    Raw.EVENT_DATE: "event_date",
    Raw.EVENT_NAME: "event_name",
    Raw.DEVICE_BROWSER: "device.web_info.browser",
    Raw.DEVICE_CATEGORY: "device.category",
    Raw.GEO_COUNTRY: "geo.country",
    Raw.TRAFFIC_SOURCE: "traffic_source.source",
    Raw.TRAFFIC_MEDIUM: "traffic_source.medium",
    Raw.SESSION_SOURCE: "session_traffic_source_last_click.cross_channel_campaign.source",
    Raw.SESSION_MEDIUM: "session_traffic_source_last_click.cross_channel_campaign.medium",
    Raw.TAGGED_SOURCE: "session_traffic_source_last_click.manual_campaign.source",
    Raw.TAGGED_MEDIUM: "session_traffic_source_last_click.manual_campaign.medium",
    Raw.COLLECTED_SOURCE: "collected_traffic_source.manual_source",
    Raw.COLLECTED_MEDIUM: "collected_traffic_source.manual_medium",
    Raw.PURCHASE_REVENUE: "ecommerce.purchase_revenue",
    Raw.ANALYTICS_STORAGE: "privacy_info.analytics_storage",
    Raw.PLATFORM: "platform",
    Raw.STREAM_ID: "stream_id",
    Raw.REFUND_VALUE: "ecommerce.refund_value",
}
"""Where the BigQuery export keeps every field but the user key."""

RECORD_COLUMNS: Final = tuple(
    dict.fromkeys((*PARAM_LISTS, *(path.split(".")[0] for path in RECORD_FIELDS.values() if "." in path)))
)
"""Columns of GA4's export that hold lists or records: those of the fields that are read."""

SLOT_KEY: Final = re.compile(r"^event_params[._](\d+)[._]key$", re.IGNORECASE)
SLOT_VALUE: Final = re.compile(r"^event_params[._](\d+)[._]value(?:[._]\w+)?$", re.IGNORECASE)

WHOLE: Final = "*"
"""In place of a key: all parameters of the list, keys and values, as one text."""

EXACT: Final = (Raw.USER_KEY, Raw.BROWSER_ID, Raw.GA_SESSION_ID, Raw.TRANSACTION_ID)
"""Ids: every digit counts, also of one that was written as a number."""

_NUMBERS: Final = (Raw.PURCHASE_REVENUE, Raw.REFUND_VALUE, Raw.ENGAGEMENT_TIME_MSEC)
"""What is no number there is counted when all records are."""

Record = Mapping[str, Any]
Row = list[str | None]


class BrokenRecord(ValueError):
    """A record whose inside is not what its name promises."""

    def __init__(self, column: str, reason: str, value: object) -> None:
        super().__init__(reason)
        self.column, self.reason, self.value = column, reason, value


class InexactId(ValueError):
    """An id was written as a number with a fraction: decode the record again with :func:`decode_exactly`."""


@dataclass(frozen=True)
class Plan:
    """Where the values of a row lie in a record.

    Args:
        fields: The fields of a row, in order.
        paths: (slot of the row, keys to follow).
        params: List of parameters → key → slots.
        exact: Slots that hold ids.
    """

    fields: tuple[str, ...]
    paths: tuple[tuple[int, tuple[str, ...]], ...]
    params: Mapping[str, Mapping[str, tuple[int, ...]]]
    exact: frozenset[int]


def record_fields(settings: IngestSettings) -> Mapping[str, str]:
    """:data:`RECORD_FIELDS`, with the key of a login: a day on which nobody signs in has none in NDJSON."""
    signed_in = normalise_header(settings.user_key) == SIGNED_IN_KEY
    return {**RECORD_FIELDS, Raw.USER_KEY: SIGNED_IN_KEY} if signed_in else RECORD_FIELDS


def map_names(seen: Sequence[str], usual: Mapping[str, str], settings: IngestSettings) -> HeaderMap:
    """Map the names of a sample; fields it does not show are looked for at their usual place.

    Args:
        seen: Names that records of the sample have.
        usual: Field → name.
        settings: The analyst's word over both.
    """
    found = map_headers(seen, settings)
    values = {field for field, name in found.by_name.items() if normalise_header(name) == EVENT_VALUE}
    missing = values | usual.keys() - found.columns.keys()  # a sample may lack the few records of revenue
    also = [name for field, name in usual.items() if field in missing and name not in seen]
    wanted = [name for name in settings.mapping.values() if "." in name and name not in seen]
    return map_headers(tuple(dict.fromkeys([*seen, *also, *wanted])), settings)


def make_plan(header: HeaderMap, literal: Collection[str] = ()) -> Plan:
    """Turn a mapping into places in a record.

    Args:
        header: Field → name.
        literal: Names that are a key as they stand, dots included.
    """
    fields = tuple(header.columns)
    paths: list[tuple[int, tuple[str, ...]]] = []
    params: dict[str, dict[str, tuple[int, ...]]] = {}
    for slot, name in enumerate(header.by_name.values()):
        root, _, key = name.partition(".")
        if name in literal:
            paths.append((slot, (name,)))
        elif root in PARAM_LISTS and key:
            keys = params.setdefault(root, {})
            keys[key] = (*keys.get(key, ()), slot)
        else:
            paths.append((slot, tuple(name.split("."))))
    exact = frozenset(slot for slot, field in enumerate(fields) if field in EXACT)
    return Plan(fields, tuple(paths), params, exact)


def names_in(record: Record) -> Iterator[str]:
    """All names that a record offers; lists other than parameters have none, nor has what is broken."""
    return (name for name, _ in values_in(record))


def values_in(record: Record) -> Iterator[tuple[str, Any]]:
    """All names that a record offers (:func:`names_in`), each with its value."""
    for key, value in record.items():
        if key in PARAM_LISTS:
            with suppress(BrokenRecord):  # rejected, with its line, when it is read
                yield from ((f"{key}.{name}", _plain(one)) for name, one in parameters(key, value))
        elif isinstance(value, dict):
            yield from ((f"{key}.{name}", one) for name, one in values_in(value))
        elif not isinstance(value, list):
            yield key, value


def read_record(record: Record, plan: Plan) -> Row:
    """Pick the fields out of a record; of a parameter that is sent twice the first value counts.

    Raises:
        BrokenRecord: If parameters are not a list of keys and values, or a needed field is no plain value.
        InexactId: If an id was decoded as a number with a fraction.
    """
    row: Row = [None] * len(plan.fields)
    for slot, path in plan.paths:
        value: Any = record
        for key in path:
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


def rows_of(records: Iterable[Record], names: Sequence[str], literal: Collection[str]) -> list[Row]:
    """What some records have under names, whatever it is; broken records left out.

    Args:
        records: Some of a file.
        names: Of a row, in order.
        literal: Names that are a key as they stand, dots included.
    """
    places = {str(at): at for at in range(len(names))}  # no fields, which some values would be wrong for
    plan = make_plan(HeaderMap(tuple(names), places, {}), literal)
    rows = []
    for record in records:
        with suppress(BrokenRecord):
            rows.append(read_record(record, plan))
    return rows


def parameters(root: str, value: object) -> Iterator[tuple[str, Any]]:
    """Keys and values of a list of parameters, in any of the ways it is written.

    Raises:
        BrokenRecord: If it is none of them.
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
    """What the texts under some names of a record hold; plain text where no parameters are to be stays so.

    Raises:
        BrokenRecord: If one is not JSON.
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
    """Decode JSON with every number kept as the text it was written in."""
    return json.loads(data, parse_float=str, parse_int=str)


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON may be anything
    if not isinstance(value, dict):
        return value
    return next((value[kind] for kind in VALUE_KINDS if value.get(kind) not in (None, "")), None)


def _text(value: Any, slot: int, plan: Plan) -> str | None:  # noqa: ANN401 - JSON may be anything
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
    """A literal on one line."""
    text = text.replace("\0", "").replace("\\", "\\\\").replace("'", "\\'")
    return "'" + text.replace("\n", "\\n").replace("\r", "\\r") + "'"


def bigquery_column(name: str) -> str:
    """The value behind a name: of a parameter that is sent twice the first that is not empty, as text.

    Args:
        name: ``event_name``, ``device.web_info.browser`` or ``event_params.page_location``; but for the key
            of a parameter, its parts are names that the schema of a table has.
    """
    root, _, key = name.partition(".")
    if root not in PARAM_LISTS:
        return name
    return (
        f"(SELECT {_TEXT} AS text FROM UNNEST({root}) AS p WITH OFFSET AS place "
        f"WHERE p.key = {quote_bigquery(key)} ORDER BY text IS NULL, place LIMIT 1)"
    )


def holding_json(cells: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Columns whose texts are records: where one shows it, also those that are empty in the sample.

    Args:
        cells: Of each of :data:`RECORD_COLUMNS` that is there, some texts.
    """
    filled = {
        name: [text for cell in found if (text := cell.strip()) not in ("", "null")]
        for name, found in cells.items()
    }
    shown = {name for name, found in filled.items() if any(text.startswith(("{", "[")) for text in found)}
    return tuple(name for name, found in filled.items() if name in shown or (shown and not found))


def read_within(columns: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    """Those of some columns that names are read from the inside of."""
    roots = {name.partition(".")[0] for name in names if "." in name}
    return tuple(name for name in columns if name in roots)


@dataclass(frozen=True)
class Folds:
    """How the records of a file are folded.

    Args:
        texts: Names whose texts are JSON.
        dotted: Whether parameters have names with a number.
    """

    texts: tuple[str, ...]
    dotted: bool

    @property
    def shape(self) -> str:
        """As in the receipt."""
        return "ndjson with json cells" if self.texts else "dotted ndjson"

    def read_for(self, names: Iterable[str]) -> Folds:
        """Leave out texts that none of the names is inside of, which need not be JSON."""
        return replace(self, texts=read_within(self.texts, names))

    def unfold(self, record: Record, decode: Callable[[str], Any] = orjson.loads) -> dict[str, Any]:
        """The record as the export nests it.

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
        """Records to be looked at; a broken one stays so, with no names but those of its plain values."""
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
    """Whether a name is that of a key, and the number in it; empty of any other name."""
    key = SLOT_KEY.match(name)
    found = key or SLOT_VALUE.match(name)
    return bool(key), found[1] if found else ""


def find_folds(sample: Sequence[Record]) -> Folds | None:
    """How the records of a sample are folded; None if they are not."""
    cells = {
        name: [text for record in sample if isinstance(text := record.get(name), str)]
        for name in RECORD_COLUMNS
    }
    texts = holding_json(cells)
    dotted = any(map(SLOT_KEY.match, {name for record in sample for name in record}))
    return Folds(texts, dotted) if texts or dotted else None
