"""The rules of :mod:`core.ingest.clean.records` for one value at a time.

A file is typed by the database, as a whole; a request of a few events has no milliseconds for it. What is
read here is read alike there (held together by a test); of times, fewer ways of writing are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from core.base.schema import SOURCES, Raw
from core.base.settings import IngestSettings
from core.ingest.clean import records
from core.ingest.clean.records import Fate

_NUMBER: Final = re.compile(r"[0-9]{1,19}(\.[0-9]{1,9})?")
_SIGNED: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")
_ISO: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?"
)
_SESSION: Final = re.compile(r"([0-9]+)\.0")


def absent(text: str | None, *also: str) -> str | None:
    """Nothing where the text is empty or stands for nothing."""
    return None if text is None or text.strip(" ") in (*records.PLACEHOLDERS, *also) else text


def user_id(text: str | None) -> str | None:
    """The id exactly as it is written; nothing where it stands for nobody."""
    return None if text is None or text.strip(" ").lower() in records.NO_ID else text


def session_id(text: str | None) -> str | None:
    """A session id as GA4 wrote it: a whole number."""
    known = absent(text, *records.NO_SESSION)
    whole = _SESSION.fullmatch(known) if known else None
    return whole[1] if whole else known


def microseconds(text: str | None) -> int | None:
    """A moment in microseconds UTC; nothing where it cannot be read, or lies outside 1990 to 2100.

    A number's unit is told by its size. Text is ISO 8601 with a date and a time to the second.
    """
    text = (text or "").strip(" ")
    if _NUMBER.fullmatch(text):
        return _of_number(text)
    if not _ISO.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    delta = zoned - datetime(1970, 1, 1, tzinfo=UTC)
    found = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    return found if _in_unit(found, "us") else None


def _of_number(text: str) -> int | None:
    number = float(text)
    whole = int(text) if text.isdecimal() else math.floor(number + 0.5)
    if _in_unit(whole, "us"):
        return whole
    if _in_unit(whole, "ns"):
        return whole // 1_000
    if _in_unit(number, "s"):
        return math.floor(number * 1e6 + 0.5)
    return math.floor(number * 1e3 + 0.5) if _in_unit(number, "ms") else None


def _in_unit(number: float, name: str) -> bool:
    return records.EARLIEST * records.UNITS[name] <= number <= records.LATEST * records.UNITS[name] - 1


def whole_number(text: str | None) -> int | None:
    """A number without its fraction, as for the place in a batch; nothing where it is none."""
    text = (text or "").strip(" ")
    if not _SIGNED.fullmatch(text):
        return None
    return int(text) if "." not in text else round(float(text))


def milliseconds(text: str | None) -> int | None:
    """An engagement time; nothing where there is none, or it cannot be."""
    number = whole_number(text)
    return number if number is not None and 0 <= number <= records.LONGEST_ENGAGEMENT else None


def is_view(row: Mapping[str, str | None], named: bool, page_view: str) -> bool:
    """Whether a record is a page view; without names of events, every one is.

    Args:
        row: Field of :class:`core.base.schema.Raw` → text.
        named: Whether any record of the source has the name of an event.
        page_view: Name of the events that are page views.
    """
    return not named or (row.get(Raw.EVENT_NAME) or "").strip(" ") == page_view


def fate(row: Mapping[str, str | None], view: bool, settings: IngestSettings) -> Fate:
    """What becomes of a record; the first that applies, in the order of :class:`Fate`."""
    written = row.get(Raw.EVENT_TIMESTAMP)
    if microseconds(written) is None:
        return Fate.NO_TIME if absent(written) is None else Fate.NOT_A_TIME
    if view and absent(row.get(Raw.PAGE_LOCATION), records.DIRECT) is None:
        return Fate.NO_LOCATION
    wanted = settings.stream.lower()
    streams = (row.get(Raw.PLATFORM), session_id(row.get(Raw.STREAM_ID)))
    if wanted and not any(_is(text, wanted) for text in streams):
        return Fate.OTHER_STREAM
    if settings.exclude_internal and _is(row.get(Raw.TRAFFIC_TYPE), "internal"):
        return Fate.INTERNAL
    if settings.exclude_debug and _is(row.get(Raw.DEBUG_MODE), "1", "true", "1.0"):
        return Fate.DEBUG
    return Fate.STAYS if user_id(row.get(Raw.USER_KEY)) is not None else _why_nobody(row)


def _why_nobody(row: Mapping[str, str | None]) -> Fate:
    if user_id(row.get(Raw.BROWSER_ID)) is not None:
        return Fate.BEFORE_LOGIN
    if _is(row.get(Raw.ANALYTICS_STORAGE), *records.DENIED):
        return Fate.NO_ID_DENIED
    agreed = _is(row.get(Raw.ANALYTICS_STORAGE), *records.AGREED)
    return Fate.NO_ID_NO_COOKIE if agreed else Fate.NO_ID_NOT_SAID


def _is(text: str | None, *values: str) -> bool:
    return (text or "").strip(" ").lower() in values


def source_of(row: Mapping[str, str | None]) -> tuple[int, str | None, str | None]:
    """What the source was taken from (place in ``SourceBasis``), the source and the medium."""
    for basis, source, medium in SOURCES:
        if found := absent(row.get(source)):
            return records.BASES.index(basis), found, row.get(medium)
    return 0, None, None


def first_touch(source: str | None, medium: str | None) -> str | None:
    """``source / medium``; ``(direct) / (none)`` is one. The site's own hosts are left to the caller."""
    source, medium = absent(source), absent(medium)
    return source if source is None or medium is None else f"{source} / {medium}"
