"""Events of a few users in memory, cleaned and put in order by the rules that files are cleaned by.

Each user is looked at alone, so that nothing depends on who else is in a request. Rules about all users of an
export cannot be applied (docs/how-to/serving.md): what is personal and which ids collapse was decided by the
training and is kept in the names of its pages; that a browser is one nobody looks at is not judged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from core.base.schema import PAGE_VIEW, Raw, Users
from core.base.settings import IngestSettings
from core.data.sequences import UserSequences
from core.ingest.account.waterfall import LEFT_OUT, REJECT_REASONS
from core.ingest.clean import clock, one_record, records
from core.ingest.clean.grouping import template
from core.ingest.clean.locations import LONGEST
from core.ingest.clean.personal_data import mask, mask_url
from core.ingest.clean.records import Fate
from core.ingest.clean.urls import canonicalise
from core.ingest.observe.bots import DAY, EVENTS_A_DAY, fast
from core.ingest.observe.page_views import MICROSECONDS_A_MINUTE, PageViews, number_sessions
from core.ingest.output import Used, find_users, groups_of

Record: TypeAlias = Mapping[str, str | None]
"""Field of :class:`core.base.schema.Raw` → text."""

LATER: Final = "Later than now by more than a day"
STRIPPED: Final = "On pages left out by choice"
REASONS: Final = {**REJECT_REASONS, **LEFT_OUT}
"""Why a record is not used."""

_Page: TypeAlias = tuple[int, str]
"""Whose page it is, by their number, and the canonical page."""
EVERYBODY: Final = -1
"""Whose the pages are that the model knows."""


class LiveEvent(NamedTuple):
    """A record that stays."""

    order: tuple[int, ...]
    ts: int
    view: bool
    location: str | None
    session: str | None
    record: Record


@dataclass
class Person:
    """What one user sent.

    Args:
        user_id: Exactly as it was written.
        events: Those that stay, in order once all are read.
        left_out: Why the others were not used → how many.
    """

    user_id: str
    events: list[LiveEvent] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def read_people(
    rows: Sequence[Record], settings: IngestSettings, latest: int
) -> tuple[list[Person], Counter[str]]:
    """Sort records by user, each user's in time.

    Args:
        rows: In the order in which they came, which decides between equal times.
        settings: What is left out.
        latest: Microseconds UTC after which an event cannot be.

    Returns:
        The users as they first appear, and why records without a user's id were not used.
    """
    ids = [one_record.user_id(row.get(Raw.USER_KEY)) for row in rows]
    named = {who for who, row in zip(ids, rows, strict=True) if row.get(Raw.EVENT_NAME)}
    page_view = settings.page_view or PAGE_VIEW
    people: dict[str, Person] = {}
    nobody: Counter[str] = Counter()
    for line, (who, row) in enumerate(zip(ids, rows, strict=True)):
        view = one_record.is_view(row, who in named, page_view)
        fate = one_record.fate(row, view, settings)
        if who is None:
            nobody[REASONS[fate]] += 1
            continue
        person = people.setdefault(who, Person(who))
        ts = one_record.microseconds(row.get(Raw.EVENT_TIMESTAMP))
        if fate is not Fate.STAYS or ts is None:
            person.left_out[REASONS[fate]] += 1
        elif ts > latest:
            person.left_out[LATER] += 1
        else:
            session = one_record.session_id(row.get(Raw.GA_SESSION_ID))
            order = _order(ts, row, line)
            person.events.append(LiveEvent(order, ts, view, row.get(Raw.PAGE_LOCATION), session, row))
    for person in people.values():
        person.events.sort(key=lambda event: event.order)
    return list(people.values()), nobody


def _order(ts: int, row: Record, line: int) -> tuple[int, ...]:
    """As :data:`core.ingest.clean.records.ORDER`: what is absent comes last."""
    places = (one_record.whole_number(row.get(name)) for name in records.BATCH)
    return ts, *(part for place in places for part in ((1, 0) if place is None else (0, place))), line


@dataclass(frozen=True, eq=False)
class LiveUsers:
    """What some users did, as the stages after cleaning take it.

    Args:
        who: int64 of shape (n_users,), which of the people each is; those without a page view are left out.
        users: Of :attr:`core.data.dataset.Dataset.users` the columns that a user is placed by, object arrays
            of shape (n_users,), engagement float64 with NaN where none was sent.
        sequences: Their page views.
        pages: Canonical page of each page index. One that the model does not know has an index for each of
            the users who saw it: to some it may be called otherwise.
        titles: Of a page index that the model does not know → the title that the user saw most, if any.
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
        """Put the page views of people side by side; why some are left out is added to theirs.

        Args:
            people: As :func:`read_people` gives them, of any number of requests.
            settings: The rules.
            known: Pages that the model knows: many saw them, so that no number in them is personal.
            hosts: The site's own, from which no visit can "come".
        """
        page_of = _canonical(people, settings, known)
        views, pages = _views(people, page_of, settings, known)
        bots = np.array([looks_automated(person.events) for person in people], dtype=bool)
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
    """Location → canonical page."""
    locations = list(
        dict.fromkeys(event.location for person in people for event in person.events if event.location)
    )
    cleaned = canonicalise([location[:LONGEST] for location in locations], settings.url).pages
    pages = (page if page in known else mask(page).text for page in cleaned)
    return dict(zip(locations, pages, strict=True))


def _views(
    people: Sequence[Person], page_of: Mapping[str, str], settings: IngestSettings, known: Collection[str]
) -> tuple[PageViews, list[_Page]]:
    """Page views in order, and the pages they are numbered by."""
    pages: dict[_Page, int] = {}
    sessions: dict[tuple[int, str | int], int] = {}
    rows: list[tuple[int, int, int, int, bool]] = []
    for number, person in enumerate(people):
        gaps = _gap_sessions(person.events, settings.session_gap_minutes)
        for event, gap in zip(person.events, gaps, strict=True):
            if not event.view:
                continue
            page = page_of[event.location or ""]
            place = pages.setdefault((EVERYBODY if page in known else number, page), len(pages))
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
    """Leave out pages by choice, and count them: those who went too fast through them did so all the same."""
    unwanted = set(settings.strip_pages)
    off = [bool(unwanted) and (page in unwanted or template(page) in unwanted) for _, page in pages]
    gone = np.array(off, dtype=bool)[views.page]
    for number, count in Counter(views.user[gone].tolist()).items():
        people[number].left_out[STRIPPED] += count
    return views.only(~gone)


def _viewed(views: PageViews, pages: Sequence[_Page]) -> tuple[PageViews, list[_Page]]:
    """Only the pages that are still viewed."""
    viewed, page = np.unique(views.page, return_inverse=True)
    return replace(views, page=page.astype(np.int32)), [pages[number] for number in viewed]


def _gap_sessions(events: Sequence[LiveEvent], minutes: int) -> list[int]:
    """When the session of each event began, among those without an id."""
    begun, before = 0, -(2**62)
    found = []
    for event in events:
        if event.session is None:
            if event.ts - before > minutes * MICROSECONDS_A_MINUTE:
                begun = event.ts
            before = event.ts
        found.append(begun)
    return found


def looks_automated(events: Sequence[LiveEvent]) -> bool:
    """Whether a user sent as many events in a day as no person does."""
    days = Counter(event.ts // DAY for event in events)
    return bool(days) and max(days.values()) >= EVENTS_A_DAY


def _rounded(people: Sequence[Person]) -> np.ndarray:
    """Whose times a spreadsheet rounded, so that they say nothing about pace: bool of shape (n_people,)."""
    tens = (sum(event.ts % clock.ROUNDED_TO == 0 for event in person.events) for person in people)
    shares = (count / max(1, len(person.events)) for count, person in zip(tens, people, strict=True))
    return np.fromiter((share >= clock.ROUNDED_SHARE for share in shares), bool, len(people))


def _sequences(people: Sequence[Person], used: Used) -> UserSequences:
    ids = pa.array([people[number].user_id for number in used.numbers], pa.string())
    views = used.views
    return UserSequences(ids, used.offsets, views.page, views.timestamp, used.sessions.number)


def _users(
    people: Sequence[Person], used: Used, groups: np.ndarray, hosts: Collection[str]
) -> dict[str, np.ndarray]:
    events = [people[number].events for number in used.numbers]
    return {
        Users.GROUP: groups,
        Users.ENGAGEMENT_MSEC: np.array([_engaged(own) for own in events], dtype=np.float64),
        Users.DEVICE: np.array([_device(own) for own in events], dtype=object),
        Users.SOURCE: np.array([_source(own, hosts) for own in events], dtype=object),
    }


def _engaged(events: Sequence[LiveEvent]) -> int | None:
    """Milliseconds over all events; nothing where none was sent."""
    sent = (one_record.milliseconds(event.record.get(Raw.ENGAGEMENT_TIME_MSEC)) for event in events)
    known = [ms for ms in sent if ms is not None]
    return sum(known) if known else None


def _device(events: Sequence[LiveEvent]) -> str | None:
    """The device of most events; of equally frequent ones the first in the alphabet."""
    found = (one_record.absent(event.record.get(Raw.DEVICE_CATEGORY), records.DIRECT) for event in events)
    counts = Counter(text for text in found if text is not None)
    best = min(counts, key=lambda text: (-counts[text], text), default=None)
    return best if best is None else mask_url(best).text


def _source(events: Sequence[LiveEvent], hosts: Collection[str]) -> str | None:
    """Of the best basis the earliest source; of equally early ones the first in the alphabet."""
    sent = ((event.ts, one_record.source_of(event.record)) for event in events)
    touched = (
        (basis, ts, one_record.first_touch(source, medium))
        for ts, (basis, source, medium) in sent
        if source and source.strip() not in hosts
    )
    _, _, first = min(((basis, ts, text) for basis, ts, text in touched if text), default=(0, 0, None))
    return first if first is None else mask_url(first).text


def _titles(people: Sequence[Person], page_of: Mapping[str, str], pages: Sequence[_Page]) -> dict[int, str]:
    """The titles of the pages that the model does not know, which tell what these are."""
    places = {page: place for place, page in enumerate(pages) if page[0] != EVERYBODY}
    titles: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for number in {number for number, _ in places}:
        for event in (event for event in people[number].events if event.view):
            place = places.get((number, page_of[event.location or ""]))
            title = one_record.absent(event.record.get(Raw.PAGE_TITLE), records.DIRECT, records.UNAVAILABLE)
            if title and place is not None:
                titles[place][mask_url(title).text] += 1
    return {place: max(sorted(own), key=own.__getitem__) for place, own in titles.items()}
