"""Records with parameters inside them: which names they offer, and the fields picked out of one.

A name is spelt with dots: ``device.web_info.browser`` is a path, ``event_params.page_location`` the
parameter of that key. One function reads a record, wherever it came from: a line of JSON, or the JSON
cells of a table that was saved from BigQuery's console.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import orjson
import pyarrow as pa

from core.base.schema import RAW_TEXT_COLUMNS, REQUIRED_FIELDS, Raw
from core.base.settings import IngestSettings
from core.ingest.read.headers import EVENT_VALUE, SIGNED_IN_KEY, HeaderMap, map_headers, normalise_header
from core.ingest.read.values import to_text

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
