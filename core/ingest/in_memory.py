"""Ingest the events of a few users in memory, for serving, by the rules that files are cleaned by.

Each user is processed alone, so that nothing depends on who else is in a request. Rules about all users of an
export cannot be applied (docs/how-to/serving.md): which values are personal and which ids collapse was
decided in training and is kept in the names of its pages; missing engagement is not judged.

First the page views, sessions and attributes of users, then the typing of single values. Files are typed by
the database as a whole, which is too slow for a request of a few events, so the rules of ``clean/records.py``
are repeated here for single values (a test keeps them equal).
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from core.base.schema import PAGE_VIEW, SOURCES, Raw, Users
from core.base.settings import IngestSettings
from core.ingest.account.waterfall import LEFT_OUT, REJECT_REASONS
from core.ingest.clean import clock, records
from core.ingest.clean.locations import MAX_LENGTH
from core.ingest.clean.personal_data import mask, mask_url
from core.ingest.clean.records import Fate
from core.ingest.clean.urls import canonicalise, template
from core.ingest.observe.bots import DAY, EVENTS_A_DAY, fast
from core.ingest.observe.page_views import MICROSECONDS_A_MINUTE, PageViews, number_sessions
from core.ingest.output import UsedViews, find_users, groups_of
from core.storage.sequences import UserSequences

Record: TypeAlias = Mapping[str, str | None]
"""A raw record: field of :class:`core.base.schema.Raw` → text."""

LATER: Final = "Later than now by more than a day"
STRIPPED: Final = "On pages left out by choice"
_REASONS: Final = {**REJECT_REASONS, **LEFT_OUT}
"""Fate of a record → text of the reason why it is not used."""

_Page: TypeAlias = tuple[int, str]
"""User number (or :data:`_EVERYBODY`) and canonical page."""
_EVERYBODY: Final = -1
"""Stands for the user number of a page that the model knows."""


class LiveEvent(NamedTuple):
    """A used record with its parsed values; ``order`` sorts a user's events, ``ts`` is microseconds UTC."""

    order: tuple[int, ...]
    ts: int
    view: bool
    location: str | None
    session: str | None
    record: Record


@dataclass
class Person:
    """The events that a user sent.

    Args:
        user_id: Exactly as it was written.
        events: Used events, in order once all are read.
        left_out: Reason → number of records not used.
    """

    user_id: str
    events: list[LiveEvent] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def read_people(
    rows: Sequence[Record], settings: IngestSettings, latest: int
) -> tuple[list[Person], Counter[str]]:
    """Group records by user, and sort the events of each user by time.

    Args:
        rows: Records in the order of arrival, which decides between equal times.
        settings: What is left out.
        latest: Latest possible time of an event, microseconds UTC.

    Returns:
        The users in the order of their first record, and reason → number of records without a user id.
    """
    ids = [user_id(row.get(Raw.USER_KEY)) for row in rows]
    named = {who for who, row in zip(ids, rows, strict=True) if row.get(Raw.EVENT_NAME)}
    page_view = settings.page_view or PAGE_VIEW
    people: dict[str, Person] = {}
    nobody: Counter[str] = Counter()
    for line, (who, row) in enumerate(zip(ids, rows, strict=True)):
        view = is_view(row, who in named, page_view)
        fate = fate_of(row, view, settings)
        if who is None:
            nobody[_REASONS[fate]] += 1
            continue
        person = people.setdefault(who, Person(who))
        ts = microseconds(row.get(Raw.EVENT_TIMESTAMP))
        if fate is not Fate.STAYS or ts is None:
            person.left_out[_REASONS[fate]] += 1
        elif ts > latest:
            person.left_out[LATER] += 1
        else:
            session = session_id(row.get(Raw.GA_SESSION_ID))
            order = _order(ts, row, line)
            person.events.append(LiveEvent(order, ts, view, row.get(Raw.PAGE_LOCATION), session, row))
    for person in people.values():
        person.events.sort(key=lambda event: event.order)
    return list(people.values()), nobody


def _order(ts: int, row: Record, line: int) -> tuple[int, ...]:
    """Sort key of an event, as :data:`core.ingest.clean.records.ORDER`: absent values come last."""
    places = (whole_number(row.get(name)) for name in records.BATCH)
    return ts, *(part for place in places for part in ((1, 0) if place is None else (0, place))), line


@dataclass(frozen=True, eq=False)
class LiveUsers:
    """The page views and attributes of users in memory, as the stages after cleaning need them.

    Args:
        who: int64 of shape (n_users,), index of each user in the list of people; people without a page view
            are left out.
        users: Those columns of :attr:`core.storage.dataset.Dataset.users` that assigning a user to a segment
            needs: object arrays of shape (n_users,), engagement float64 with NaN where none was sent.
        sequences: Page views of the users.
        pages: Canonical page of each page index. A page that the model does not know has an index for each of
            its users, as its title may differ between them.
        titles: Index of a page that the model does not know → the title that its user saw most, if any.
    """

    who: np.ndarray
    users: Mapping[str, np.ndarray]
    sequences: UserSequences
    pages: tuple[str, ...]
    titles: Mapping[int, str]

    @classmethod
    def of(
        cls,
        people: Sequence[Person],
        settings: IngestSettings,
        known: Collection[str],
        hosts: Collection[str],
    ) -> LiveUsers:
        """Clean and combine the page views of people; counts of page views left out are added to each person.

        Args:
            people: People of any number of requests, from :func:`read_people`.
            settings: The rules.
            known: Pages that the model knows: many users saw them, so no number in them is personal.
            hosts: Hosts of the site itself, which are no traffic source.
        """
        page_of = _canonical(people, settings, known)
        views, pages = _views(people, page_of, settings, known)
        bots = np.array([_looks_automated(person.events) for person in people], dtype=bool)
        bots[fast(views.only(~_rounded(people)[views.user]))] = True
        if settings.exclude_bots:
            views = views.only(~bots[views.user])
        views, pages = _viewed(_without_stripped(people, views, pages, settings), pages)
        used = find_users(views, number_sessions(views))
        return cls(
            who=used.numbers,
            users=_users(people, used, groups_of(used, bots), hosts),
            sequences=_sequences(people, used),
            pages=tuple(page for _, page in pages),
            titles=_titles(people, page_of, pages),
        )


def _canonical(people: Sequence[Person], settings: IngestSettings, known: Collection[str]) -> dict[str, str]:
    """Raw location → canonical page, for all locations of the events."""
    locations = list(
        dict.fromkeys(event.location for person in people for event in person.events if event.location)
    )
    cleaned = canonicalise([location[:MAX_LENGTH] for location in locations], settings.url).pages
    pages = (page if page in known else mask(page).text for page in cleaned)
    return dict(zip(locations, pages, strict=True))


def _views(
    people: Sequence[Person], page_of: Mapping[str, str], settings: IngestSettings, known: Collection[str]
) -> tuple[PageViews, list[_Page]]:
    """Page views in order, and the list of pages that their page numbers index."""
    pages: dict[_Page, int] = {}
    sessions: dict[tuple[int, str | int], int] = {}
    rows: list[tuple[int, int, int, int, bool]] = []
    for number, person in enumerate(people):
        gaps = _gap_sessions(person.events, settings.session_gap_minutes)
        for event, gap in zip(person.events, gaps, strict=True):
            if not event.view:
                continue
            page = page_of[event.location or ""]
            place = pages.setdefault((_EVERYBODY if page in known else number, page), len(pages))
            session = sessions.setdefault((number, event.session or gap), len(sessions))
            rows.append((number, place, event.ts, session, event.session is None))
    table = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    return PageViews(
        table[0].astype(np.int32), table[1].astype(np.int32), table[2], table[3], table[4].astype(bool),
        np.arange(len(rows)),
    ), list(pages)  # fmt: skip


def _without_stripped(
    people: Sequence[Person], views: PageViews, pages: Sequence[_Page], settings: IngestSettings
) -> PageViews:
    """Leave out the pages in ``strip_pages``, and count their views; bots are found before that."""
    unwanted = set(settings.strip_pages)
    off = [bool(unwanted) and (page in unwanted or template(page) in unwanted) for _, page in pages]
    gone = np.array(off, dtype=bool)[views.page]
    for number, count in Counter(views.user[gone].tolist()).items():
        people[number].left_out[STRIPPED] += count
    return views.only(~gone)


def _viewed(views: PageViews, pages: Sequence[_Page]) -> tuple[PageViews, list[_Page]]:
    """Drop pages without a view, and renumber the others."""
    viewed, page = np.unique(views.page, return_inverse=True)
    return replace(views, page=page.astype(np.int32)), [pages[number] for number in viewed]


def _gap_sessions(events: Sequence[LiveEvent], minutes: int) -> list[int]:
    """Start of the current session without an id at each event: its first time, microseconds UTC."""
    begun, before = 0, -(2**62)
    numbers = []
    for event in events:
        if event.session is None:
            if event.ts - before > minutes * MICROSECONDS_A_MINUTE:
                begun = event.ts
            before = event.ts
        numbers.append(begun)
    return numbers


def _looks_automated(events: Sequence[LiveEvent]) -> bool:
    """Whether a user sent more events in a day than any person does."""
    days = Counter(event.ts // DAY for event in events)
    return bool(days) and max(days.values()) >= EVENTS_A_DAY


def _rounded(people: Sequence[Person]) -> np.ndarray:
    """Whether each person's times were rounded by a spreadsheet and say nothing about pace: (n_people,)."""
    tens = (sum(event.ts % clock.ROUNDED_TO == 0 for event in person.events) for person in people)
    shares = (count / max(1, len(person.events)) for count, person in zip(tens, people, strict=True))
    return np.fromiter((share >= clock.ROUNDED_SHARE for share in shares), bool, len(people))


def _sequences(people: Sequence[Person], used: UsedViews) -> UserSequences:
    ids = pa.array([people[number].user_id for number in used.numbers], pa.string())
    views = used.views
    return UserSequences(ids, used.offsets, views.page, views.timestamp, used.sessions.number)


def _users(
    people: Sequence[Person], used: UsedViews, groups: np.ndarray, hosts: Collection[str]
) -> dict[str, np.ndarray]:
    events = [people[number].events for number in used.numbers]
    return {
        Users.GROUP: groups,
        Users.ENGAGEMENT_MSEC: np.array([_engaged(user_events) for user_events in events], dtype=np.float64),
        Users.DEVICE: np.array([_device(user_events) for user_events in events], dtype=object),
        Users.SOURCE: np.array([_source(user_events, hosts) for user_events in events], dtype=object),
    }


def _engaged(events: Sequence[LiveEvent]) -> int | None:
    """Engagement time over all events in milliseconds; None if none was sent."""
    sent = (milliseconds(event.record.get(Raw.ENGAGEMENT_TIME_MSEC)) for event in events)
    known = [ms for ms in sent if ms is not None]
    return sum(known) if known else None


def _device(events: Sequence[LiveEvent]) -> str | None:
    """Device category of most events; of equally frequent ones the first in the alphabet."""
    devices = (_absent(event.record.get(Raw.DEVICE_CATEGORY), records.DIRECT) for event in events)
    counts = Counter(text for text in devices if text is not None)
    best = min(counts, key=lambda text: (-counts[text], text), default=None)
    return best if best is None else mask_url(best).text


def _source(events: Sequence[LiveEvent], hosts: Collection[str]) -> str | None:
    """The earliest source of the best basis; of equally early ones the first in the alphabet."""
    sent = ((event.ts, _source_of(event.record)) for event in events)
    touched = (
        (basis, ts, first_touch(source, medium))
        for ts, (basis, source, medium) in sent
        if source and source.strip() not in hosts
    )
    _, _, first = min(((basis, ts, text) for basis, ts, text in touched if text), default=(0, 0, None))
    return first if first is None else mask_url(first).text


def _titles(people: Sequence[Person], page_of: Mapping[str, str], pages: Sequence[_Page]) -> dict[int, str]:
    """Index of each page that the model does not know → its most frequent title, to label it by."""
    places = {page: place for place, page in enumerate(pages) if page[0] != _EVERYBODY}
    titles: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for number in {number for number, _ in places}:
        for event in (event for event in people[number].events if event.view):
            place = places.get((number, page_of[event.location or ""]))
            title = _absent(event.record.get(Raw.PAGE_TITLE), records.DIRECT, records.UNAVAILABLE)
            if title and place is not None:
                titles[place][mask_url(title).text] += 1
    return {place: max(sorted(counts), key=counts.__getitem__) for place, counts in titles.items()}


_NUMBER: Final = re.compile(r"[0-9]{1,19}(\.[0-9]{1,9})?")
_SIGNED: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")
_ISO: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?"
)
_SESSION: Final = re.compile(r"([0-9]+)\.0")


def _absent(text: str | None, *also: str) -> str | None:
    """Return the text, or None if it is empty or a placeholder for no value."""
    return None if text is None or text.strip(" ") in (*records.PLACEHOLDERS, *also) else text


def user_id(text: str | None) -> str | None:
    """Return a user id exactly as it is written, or None if it is a placeholder for no id."""
    return None if text is None or text.strip(" ").lower() in records.NO_ID else text


def session_id(text: str | None) -> str | None:
    """Return a session id without a trailing ``.0``, or None if there is none."""
    known = _absent(text, *records.NO_SESSION)
    whole = _SESSION.fullmatch(known) if known else None
    return whole[1] if whole else known


def microseconds(text: str | None) -> int | None:
    """Convert a time to microseconds UTC; None if it cannot be read, or lies outside 1990 to 2100.

    The size of a number decides its unit. Text is ISO 8601 with a date and a time to the second.
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
    moment_us = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    return moment_us if _in_unit(moment_us, "us") else None


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
    """Round a number in a text, such as the place in a batch, to a whole one; None if it is no number."""
    text = (text or "").strip(" ")
    if not _SIGNED.fullmatch(text):
        return None
    return int(text) if "." not in text else round(float(text))


def milliseconds(text: str | None) -> int | None:
    """Return an engagement time in milliseconds; None if it is missing or impossible."""
    number = whole_number(text)
    return number if number is not None and 0 <= number <= records.MAX_ENGAGEMENT_MSEC else None


def is_view(row: Record, named: bool, page_view: str) -> bool:
    """Whether a record is a page view; without event names, every record is.

    Args:
        row: Field of :class:`core.base.schema.Raw` → text.
        named: Whether any record of the user has an event name.
        page_view: Name of the events that are page views.
    """
    return not named or (row.get(Raw.EVENT_NAME) or "").strip(" ") == page_view


def fate_of(row: Record, view: bool, settings: IngestSettings) -> Fate:
    """Decide whether a record is used, or why not: the first :class:`Fate` that applies."""
    written = row.get(Raw.EVENT_TIMESTAMP)
    if microseconds(written) is None:
        return Fate.NO_TIME if _absent(written) is None else Fate.NOT_A_TIME
    if view and _absent(row.get(Raw.PAGE_LOCATION), records.DIRECT) is None:
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


def _why_nobody(row: Record) -> Fate:
    if user_id(row.get(Raw.BROWSER_ID)) is not None:
        return Fate.BEFORE_LOGIN
    if _is(row.get(Raw.ANALYTICS_STORAGE), *records.DENIED):
        return Fate.NO_ID_DENIED
    agreed = _is(row.get(Raw.ANALYTICS_STORAGE), *records.AGREED)
    return Fate.NO_ID_NO_COOKIE if agreed else Fate.NO_ID_NOT_SAID


def _is(text: str | None, *values: str) -> bool:
    return (text or "").strip(" ").lower() in values


def _source_of(row: Record) -> tuple[int, str | None, str | None]:
    """Basis of the source (index in ``SourceBasis``), the source, and the medium."""
    for basis, source, medium, _ in SOURCES:
        if value := _absent(row.get(source)):
            return records.BASES.index(basis), value, row.get(medium)
    return 0, None, None


def first_touch(source: str | None, medium: str | None) -> str | None:
    """Join ``source / medium``, also ``(direct) / (none)``. The caller excludes the site's own hosts."""
    source, medium = _absent(source), _absent(medium)
    return source if source is None or medium is None else f"{source} / {medium}"
