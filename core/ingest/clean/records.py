"""Expressions that turn raw text into typed records, each with its fate: used, or why not.

Nothing is computed here: the expressions over the raw table are evaluated by their users.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from enum import IntEnum
from functools import partial
from typing import Final

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
from ibis import _

from core.base.schema import DIMENSION_FIELDS, SOURCES, IdKind, Raw, SourceBasis, Users
from core.base.settings import IngestSettings
from core.ingest.engine import Engine

NO_ID: Final = (
    "", "null", "nan", "none", "nil", "undefined", "<na>", "(not set)", "(data deleted)", "<obfuscated>",
    "<other>", "(none)", "n/a", "\\n", "-", "anonymous", "unknown",
)  # fmt: skip
"""Texts that programs write for a missing user id, in lower case; ``\\N`` is the null of MySQL and Hive
dumps."""

PLACEHOLDERS: Final = ("", "(not set)", "<Other>", "(other)", "(data deleted)", "<obfuscated>")
"""Texts that GA4 writes for a missing value."""
NO_SESSION: Final = ("-1", "-1.0")
"""Session ids that Amplitude writes for events outside any session."""
DIRECT: Final = "(direct)"
"""Valid as a source, but a placeholder as a page, title, country, browser or device."""
UNAVAILABLE: Final = "Page Unavailable"
"""Title in Google's sample data where the page could not be loaded."""
_MAX_LENGTH: Final = 17  # bytes; none of the above is longer, even with a space or two around it

EARLIEST: Final = 631_152_000  # 1990-01-01, seconds
LATEST: Final = 4_102_444_800  # 2100-01-01
UNITS: Final = {"us": 10**6, "s": 1, "ms": 10**3, "ns": 10**9}
"""Unit of time → number per second. The ranges of the four do not overlap between 1990 and 2100."""
OUTSIDE: Final = "outside"
MAX_ENGAGEMENT_MSEC: Final = 10**12
"""Longest valid engagement time in milliseconds (32 years); sums of longer ones would overflow."""

_LARGEST_REVENUE: Final = 10**15
"""Largest valid revenue of an event in any currency; sums of larger amounts would overflow."""
_MOST_ITEMS: Final = 10**6

USER_ID, TS, UNIT, FATE = "user_id", "ts", "unit", "fate"
BASES: Final = tuple(SourceBasis)
ACTIVE: Final = "active"
"""Whether an event makes its user active, as GA4 counts users."""
FIRST_EVENTS: Final = ("first_visit", "first_open")
"""Events that make a user active and new in GA4."""
IS_VIEW, _IS_INTERNAL, _IS_DEBUG = "is_view", "is_internal", "is_debug"
_IS_REPLACED, _IS_OTHER_STREAM = "is_replaced", "is_other_stream"
SESSION_ID, ENGAGEMENT, REVENUE, REFUND = "session_id", "engagement", "revenue", "refund"
ITEMS: Final = "n_items"
BASIS: Final = "basis"
"""Column of the source's basis: index in :class:`core.base.schema.SourceBasis`."""
BATCH: Final = (Raw.BATCH_PAGE_ID, Raw.BATCH_ORDERING_ID, Raw.BATCH_EVENT_INDEX)
_AS_WRITTEN: Final = (
    Raw.EVENT_TIMESTAMP, Raw.EVENT_DATE, Raw.EVENT_NAME, Raw.PAGE_LOCATION, Raw.PAGE_TITLE,
    Raw.DEVICE_BROWSER, Raw.DEVICE_CATEGORY, Raw.GEO_COUNTRY, Raw.TRANSACTION_ID, Raw.CURRENCY,
    Raw.BROWSER_ID, Raw.ANALYTICS_STORAGE, Raw.PLATFORM,
    *(Raw.SESSION_CHANNEL, Raw.ADS_CLICK, Raw.TRAFFIC_CAMPAIGN),
    *(field for _, *fields in SOURCES[1:] for field in fields),
)  # fmt: skip
ORDER: Final = (TS, *BATCH, Raw.FILE_NO, Raw.LINE)
"""The order of a user's events. Ties in time are normal in GA4 (the events of one hit share a microsecond):
then the batch columns decide where the export has them, then the place in the files."""


class Fate(IntEnum):
    """Whether a record is used, or why not: the first reason that applies, in this order."""

    NO_TIME = 1
    NOT_A_TIME = 2
    OUTSIDE = 3
    NO_LOCATION = 4
    OTHER_TABLE = 5
    OTHER_STREAM = 6
    INTERNAL = 7
    DEBUG = 8
    BEFORE_LOGIN = 9
    NO_ID_DENIED = 10
    NO_ID_NO_COOKIE = 11
    NO_ID_NOT_SAID = 12
    STAYS = 13


REJECTED: Final = (Fate.NO_TIME, Fate.NOT_A_TIME, Fate.OUTSIDE, Fate.NO_LOCATION)
NO_USER: Final = (Fate.BEFORE_LOGIN, Fate.NO_ID_DENIED, Fate.NO_ID_NO_COOKIE, Fate.NO_ID_NOT_SAID)
"""Fates of records without a user id, by the reason that the export gives."""
DENIED: Final = ("no", "denied", "false", "0")
AGREED: Final = ("yes", "granted", "true", "1")
"""Lower-case values of ``privacy_info.analytics_storage``; GA4 writes ``Yes``, ``No`` or ``Unset``."""


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator] # of ibis
def epoch_us(moment: dt.Timestamp(timezone="UTC")) -> int:  # type: ignore[valid-type, empty-body] # DuckDB's
    """Convert a timestamp to microseconds since 1970-01-01 UTC."""


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator] # of ibis
def divide(dividend: int, divisor: int) -> int:  # type: ignore[empty-body] # DuckDB has the body
    """Divide whole numbers; unlike ``//`` not as doubles, which cannot hold nanoseconds."""


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator] # of ibis
def strlen(text: str) -> int:  # type: ignore[empty-body] # DuckDB has the body
    """Length of a text in bytes, which is stored; characters would have to be counted."""


def session_id(text: ir.StringValue) -> ir.StringValue:
    """Return the session id of an event; null where it has none."""
    return _session_id(absent(text, *NO_SESSION))


def _session_id(text: ir.StringValue) -> ir.StringValue:
    """Remove a trailing ``.0`` from a session id, which GA4 writes as a whole number.

    A tool that stores columns with gaps as floats writes ``1700000000.0`` in some daily files and not in
    others; both are the same session. User ids are never changed.
    """
    whole = text.re_replace(r"^([0-9]+)\.0+$", r"\1")
    return ibis.ifelse(text.endswith(".0"), whole, text)


def typed(
    raw: ir.Table,
    present: Collection[str],
    view_files: Collection[int],
    settings: IngestSettings,
    view: str,
    replaced: Sequence[tuple[int, Sequence[str]]] = (),
) -> ir.Table:
    """Parse the columns of every raw record (ids, times, money, …), and add its :class:`Fate`.

    Columns that are only grouped by (title, …) stay as written: cleaning each group once is cheaper.

    Args:
        raw: The raw table.
        present: Fields that any file has; all others are not read.
        view_files: Numbers of the files without an ``event_name``: all their records are page views.
        settings: What is left out.
        view: Name of the events that are page views.
        replaced: Replaced days, as in :class:`core.ingest.read.read_all.RawRead`.
    """
    column = partial(_column, raw, present)
    table = raw.select(
        *(Raw.FILE_NO, Raw.LINE, Raw.USER_KEY),
        *(column(name).name(name) for name in _AS_WRITTEN),
        *(_decimal(column(name)).try_cast("int64").name(name) for name in BATCH),
        *(absent(raw[name]).name(name) for name in DIMENSION_FIELDS if name in present),
        **{
            USER_ID: user_id(column(Raw.USER_KEY)),
            TS: microseconds(column(Raw.EVENT_TIMESTAMP)),
            UNIT: unit(column(Raw.EVENT_TIMESTAMP)),
            **_source_of(column, present),
            IS_VIEW: is_view(raw, column(Raw.EVENT_NAME), view_files, view),
            Raw.STREAM_ID: _session_id(column(Raw.STREAM_ID)),
            SESSION_ID: session_id(column(Raw.GA_SESSION_ID)),
            ENGAGEMENT: milliseconds(column(Raw.ENGAGEMENT_TIME_MSEC)),
            REVENUE: money(column(Raw.PURCHASE_REVENUE)),
            REFUND: money(column(Raw.REFUND_VALUE)),
            ITEMS: quantity(column(Raw.ITEM_QUANTITY)),
            ACTIVE: _active(column, present),
            _IS_REPLACED: _is_replaced(raw, column(Raw.EVENT_DATE), replaced),
            **_unwanted(column, settings),
        },
    )
    return table.mutate(**{FATE: _fate(table)})


def _column(raw: ir.Table, present: Collection[str], name: str) -> ir.StringValue:
    return raw[name] if name in present else ibis.null("string")


def is_view(raw: ir.Table, name: ir.StringValue, view_files: Collection[int], view: str) -> ir.BooleanValue:
    """Whether a raw record is a page view: by its name, or by its file, which has no names."""
    named = (name.strip() == view).fill_null(False)
    return named | raw[Raw.FILE_NO].isin(list(view_files)) if view_files else named


def _active(column: Callable[[str], ir.StringValue], present: Collection[str]) -> ir.BooleanValue:
    """Whether an event makes its user active: by GA4's own verdict, or by engagement where there is none."""
    signs: list[ir.BooleanValue] = []
    if Raw.EVENT_NAME in present:
        signs.append(column(Raw.EVENT_NAME).strip().isin(FIRST_EVENTS).fill_null(False))
    if Raw.ENGAGEMENT_TIME_MSEC in present:
        signs.append((milliseconds(column(Raw.ENGAGEMENT_TIME_MSEC)) > 0).fill_null(False))
    if Raw.SESSION_ENGAGED in present:
        signs.append(_is_true(column(Raw.SESSION_ENGAGED), "1", "true", "1.0"))
    by_engagement = ibis.or_(*signs) if signs else ibis.literal(False)
    if Raw.IS_ACTIVE_USER not in present:
        return by_engagement
    verdict = absent(column(Raw.IS_ACTIVE_USER))
    return ibis.ifelse(verdict.isnull(), by_engagement, _is_true(verdict, "1", "true"))


def _unwanted(
    column: Callable[[str], ir.StringValue], settings: IngestSettings
) -> dict[str, ir.BooleanValue]:
    """Flags of records that the settings leave out."""
    return {
        _IS_OTHER_STREAM: _is_other_stream(column(Raw.PLATFORM), column(Raw.STREAM_ID), settings.stream),
        _IS_INTERNAL: settings.exclude_internal & _is_true(column(Raw.TRAFFIC_TYPE), "internal"),
        _IS_DEBUG: settings.exclude_debug & _is_true(column(Raw.DEBUG_MODE), "1", "true", "1.0"),
    }


def _source_of(
    column: Callable[[str], ir.StringValue], present: Collection[str]
) -> dict[str, ir.StringValue | ir.IntegerValue]:
    """Source and medium of an event, from the first columns that have a source, and the basis.

    Args:
        column: Returns the column of a field.
        present: Fields that any file has; no other column is used.
    """
    places = [place for place in SOURCES if place.source in present] or SOURCES[:1]
    there = [absent(column(place.source)).notnull() for place in places[:-1]]  # the last is what is left

    def first(*values: ir.Value) -> ir.Value:
        return ibis.cases(*zip(there, values, strict=False), else_=values[-1]) if there else values[-1]

    return {
        Raw.TRAFFIC_SOURCE: first(*(column(place.source) for place in places)),
        Raw.TRAFFIC_MEDIUM: first(*(column(place.medium) for place in places)),
        BASIS: first(*(ibis.literal(BASES.index(place.basis), "int8") for place in places)),
    }


def stays(records: ir.Table, occurring: Collection[Fate]) -> ir.BooleanValue:
    """Whether a record stays, user ids aside: records without one leave in the join with the users.

    Args:
        records: Typed records.
        occurring: Fates of at least one record; all others are not checked again.
    """
    time = records[TS].notnull()
    conditions = {
        Fate.NO_TIME: time,
        Fate.NOT_A_TIME: time,
        Fate.OUTSIDE: time,
        Fate.NO_LOCATION: ~records[IS_VIEW] | _location(records).notnull(),
        Fate.OTHER_TABLE: ~records[_IS_REPLACED],
        Fate.OTHER_STREAM: ~records[_IS_OTHER_STREAM],
        Fate.INTERNAL: ~records[_IS_INTERNAL],
        Fate.DEBUG: ~records[_IS_DEBUG],
    }
    return ibis.and_(*(conditions[fate] for fate in sorted(occurring) if fate in conditions))


def absent(text: ir.StringValue, *also: str) -> ir.StringValue:
    """Replace empty texts, :data:`PLACEHOLDERS` and the texts of ``also`` by null."""
    return _unless(text, text.strip(), (*PLACEHOLDERS, *also))


def user_id(text: ir.StringValue) -> ir.StringValue:
    """Return the user id exactly as it is written; null for placeholders of no id."""
    return _unless(text, text.strip().lower(), NO_ID)


def _unless(text: ir.StringValue, plain: ir.StringValue, nothing: Collection[str]) -> ir.StringValue:
    """Replace a text by null if its plain form is in ``nothing``; most texts pass by cheap checks."""
    behind = chr(ord(max(nothing)[0]) + 1)  # first after all of theirs; blanks come before
    return ibis.cases(
        (strlen(text) > _MAX_LENGTH, text),
        (text.between("0", ":") | (text >= behind), text),  # the former begin with a digit
        (plain.isin(list(nothing)), ibis.null("string")),
        else_=text,
    )


def _location(records: ir.Table) -> ir.StringValue:
    """Raw location of a page view; null if it is missing or a placeholder."""
    return absent(records[Raw.PAGE_LOCATION], DIRECT)


def _is_true(text: ir.StringValue, *values: str) -> ir.BooleanValue:
    """Whether a flag is set; an absent one is not."""
    return text.strip().lower().isin(list(values)).fill_null(False)


def _is_replaced(
    raw: ir.Table, day: ir.StringValue, replaced: Sequence[tuple[int, Sequence[str]]]
) -> ir.BooleanValue:
    """Whether a table of a better kind replaces the day of a record."""
    found = [
        (raw[Raw.FILE_NO] == number) & (day.isin(list(days)).fill_null(False) if days else True)
        for number, days in replaced
    ]
    return ibis.or_(*found) if found else ibis.literal(False)


def _is_other_stream(platform: ir.StringValue, stream: ir.StringValue, wanted: str) -> ir.BooleanValue:
    """Whether a record has another platform and stream than the wanted one; False if none is wanted."""
    if not wanted:
        return ibis.literal(False)
    return ~(_is_true(platform, wanted.lower()) | _is_true(_session_id(stream), wanted.lower()))


def first_touch(source: ir.StringValue, medium: ir.StringValue, hosts: Collection[str]) -> ir.StringValue:
    """Join ``source / medium``, also ``(direct) / (none)``; null if the source is the site itself."""
    own = source.strip().isin(list(hosts))
    source, medium = ibis.ifelse(own, ibis.null("string"), absent(source)), absent(medium)
    both = source.concat(" / ", medium)
    return ibis.ifelse(source.isnull(), ibis.null("string"), ibis.coalesce(both, source))


def _decimal(text: ir.StringValue) -> ir.StringValue:
    """Keep text that may be a decimal number; null for ``0x1f``, ``0b11``, ``1_000``, which DuckDB reads."""
    # Looking for five characters one by one costs a fourth of what one regular expression does.
    return ibis.ifelse(ibis.or_(*map(text.contains, "_xXbB")), ibis.null("string"), text)


def milliseconds(text: ir.StringValue) -> ir.IntegerValue:
    """Parse an engagement time such as ``13`` or ``13.0``, in milliseconds; null if missing or impossible."""
    number = _decimal(text).try_cast("int64")  # rounds a fraction; what is not finite is null
    return ibis.ifelse(number.between(0, MAX_ENGAGEMENT_MSEC), number, ibis.null("int64"))


def money(text: ir.StringValue) -> ir.FloatingValue:
    """Parse revenue such as ``13.5``, or ``-13.5`` for a refund; null if missing or impossible."""
    number = _decimal(text).try_cast("float64")
    within = number.between(-_LARGEST_REVENUE, _LARGEST_REVENUE)  # what is not finite is not
    return ibis.ifelse(within, number, ibis.null("float64"))


def quantity(text: ir.StringValue) -> ir.IntegerValue:
    """Parse the number of items of a purchase; null if missing or impossible."""
    number = _decimal(text).try_cast("float64")
    is_count = number.between(0, _MOST_ITEMS) & (number == number.floor())
    return ibis.ifelse(is_count, number.try_cast("int64"), ibis.null("int64"))


def currency(text: ir.StringValue) -> ir.StringValue:
    """Parse the three letters of a currency (ISO 4217); null for anything else."""
    code = text.strip().upper()
    return ibis.ifelse(code.re_search("^[A-Z]{3}$"), code, ibis.null("string"))


def microseconds(text: ir.StringValue) -> ir.IntegerValue:
    """Parse a time in any form to microseconds UTC; null if it cannot be read.

    The size of a number decides its unit. Text is ISO 8601, in UTC where it names no zone.
    """
    whole, number = _decimal(text).try_cast("int64"), _decimal(text).try_cast("float64")
    iso = _iso(text)
    return ibis.cases(
        (_in_unit(whole, "us"), whole),
        (_in_unit(whole, "ns"), divide(whole, 1_000)),
        # Fractions matter here; a double holds microseconds since 1970 exactly (they are below 2**53).
        (_in_unit(number, "s"), (number * 1e6).round().cast("int64")),
        (_in_unit(number, "ms"), (number * 1e3).round().cast("int64")),
        (_in_unit(iso, "us"), iso),
    )


def unit(text: ir.StringValue) -> ir.StringValue:
    """Form of a time: a key of :data:`UNITS`, ``iso`` or ``iso with zone``; null for anything else.

    A time outside 1990 to 2100 has the form :data:`OUTSIDE`.
    """
    whole, iso = _decimal(text).try_cast("int64"), _iso(text)
    zoned = text.contains(":") & text.re_search(r":[0-9.]+\s*(?:[A-Za-z]\S*|[+-][0-9]{2}(?::?[0-9]{2})?)\s*$")
    return ibis.cases(
        *((_in_unit(whole, name), name) for name in UNITS),
        (whole.notnull(), OUTSIDE),
        (iso.isnull(), ibis.null("string")),
        (~_in_unit(iso, "us"), OUTSIDE),
        (zoned, "iso with zone"),
        else_="iso",
    )


def _iso(text: ir.StringValue) -> ir.IntegerValue:
    return epoch_us(text.try_cast(dt.Timestamp(timezone="UTC")))


def _in_unit(number: ir.NumericValue, name: str) -> ir.BooleanValue:
    return number.between(EARLIEST * UNITS[name], LATEST * UNITS[name] - 1)


def _fate(table: ir.Table) -> ir.IntegerValue:
    """Fate of each record; the reason for an invalid time is computed only where there is one."""
    wrong_time = ibis.cases(
        (absent(table[Raw.EVENT_TIMESTAMP]).isnull(), int(Fate.NO_TIME)),
        (table[UNIT] == OUTSIDE, int(Fate.OUTSIDE)),
        else_=int(Fate.NOT_A_TIME),
    )
    return ibis.cases(
        (table[TS].isnull(), wrong_time),
        (table[IS_VIEW] & _location(table).isnull(), int(Fate.NO_LOCATION)),
        (table[_IS_REPLACED], int(Fate.OTHER_TABLE)),
        (table[_IS_OTHER_STREAM], int(Fate.OTHER_STREAM)),
        (table[_IS_INTERNAL], int(Fate.INTERNAL)),
        (table[_IS_DEBUG], int(Fate.DEBUG)),
        (table[USER_ID].notnull(), int(Fate.STAYS)),
        (user_id(table[Raw.BROWSER_ID]).notnull(), int(Fate.BEFORE_LOGIN)),
        (_is_true(table[Raw.ANALYTICS_STORAGE], *DENIED), int(Fate.NO_ID_DENIED)),
        (_is_true(table[Raw.ANALYTICS_STORAGE], *AGREED), int(Fate.NO_ID_NO_COOKIE)),
        else_=int(Fate.NO_ID_NOT_SAID),
    ).cast("int8")


LABELS: Final = (
    Raw.DEVICE_BROWSER, Raw.DEVICE_CATEGORY, Raw.GEO_COUNTRY, Raw.TRAFFIC_SOURCE, Raw.TRAFFIC_MEDIUM,
    Raw.STREAM_ID, BASIS,
)  # fmt: skip
COUNT, EVENTS, VIEWS, FIRST = "count", "events", "views", "first"
"""Columns of :func:`as_written`: all records, used records, used page views, and the first time."""


def _dimensions(typed: ir.Table) -> list[str]:
    return [name for name in typed.columns if name in DIMENSION_FIELDS]


def as_written(
    engine: Engine, typed: ir.Table, occurring: Collection[Fate], *, joined: bool = False
) -> ir.Table:
    """Group typed records by ``user_key``, labels (browser, source, …) as written and dimensions.

    The other columns are :data:`COUNT`, :data:`EVENTS`, :data:`VIEWS`, :data:`FIRST` and engagement time.

    Args:
        engine: Database of the tables.
        typed: Typed records.
        occurring: Fates of at least one record.
        joined: Whether cookies were joined to logins; then also by :attr:`core.base.schema.Users.ID_KIND`.
    """
    here = stays(typed, occurring)
    is_cookie = typed[Raw.USER_KEY] == user_id(typed[Raw.BROWSER_ID])
    kinds = {Users.ID_KIND: ibis.ifelse(is_cookie, IdKind.COOKIE.value, IdKind.LOGIN.value)} if joined else {}
    rows = typed.group_by(Raw.USER_KEY, *LABELS, *_dimensions(typed), **kinds).agg(
        **{
            COUNT: _.count(),
            EVENTS: _.count(where=here),
            VIEWS: _.count(where=here & typed[IS_VIEW]),
            ENGAGEMENT: typed[ENGAGEMENT].sum(where=here),
            FIRST: typed[TS].min(where=here),
        }
    )
    return engine.keep("as_written", rows)
