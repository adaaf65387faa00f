"""The page views and events of a data set, laid out in flat arrays for queries, once a data set.

:class:`QueryData` numbers sessions over all users and names what pages, users and moments are called in each
dimension of a query. :class:`Scope` is what a period leaves of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property, lru_cache
from typing import Final

import numpy as np
import pandas as pd

from core.base.errors import ArtifactError, InputError
from core.base.local_clock import DAY, HOUR, LocalClock
from core.base.safe_text import clean
from core.base.schema import EventTimes, SessionColumns
from core.facts.context import Basis
from core.journeys.funnel import FunnelStep
from core.journeys.moves import Level
from core.journeys.patterns import Moments, StepMarks
from core.periods.calendar import day_number
from core.profiles.data import EncodedColumn
from core.profiles.outcomes import path_of
from core.query.query import OF_PAGES, By, Dimension, Period
from core.storage.dataset import TimedEvents
from core.storage.day_coverage import EPOCH
from core.storage.receipt import NO_CURRENCY

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ONCE, AGAIN = "came once", "came again"
MANY_SESSIONS: Final = 5
"""Number of sessions from which on users are counted together."""
_LEVELS: Final = {
    By.PAGE: Level.PAGE,
    By.TEMPLATE: Level.TEMPLATE,
    By.THEME: Level.THEME,
    By.TYPE: Level.TYPE,
}


@dataclass(frozen=True, eq=False)
class Names:
    """What units (pages, users, page views, …) are called in a dimension.

    Args:
        code: int of shape (n_units,), index into ``names``; −1 for a unit without a name.
        names: In the order in which rows without an order of their own are shown.
    """

    code: np.ndarray
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Scope:
    """The page views and events that a period leaves.

    Args:
        views: bool of shape (n_views,); None for all.
        events: bool of shape (n_events,); None for all.
    """

    views: np.ndarray | None = None
    events: np.ndarray | None = None


EVERYTHING: Final = Scope()


@dataclass(frozen=True, eq=False)
class QueryData:
    """A data set as flat arrays; made by :func:`layout_of`, which keeps it for later queries.

    Args:
        basis: The data set.
        clock: Clock by which its days and hours begin.
    """

    basis: Basis
    clock: LocalClock

    @property
    def n_users(self) -> int:
        """Number of users with a page view."""
        return self.basis.sequences.n_users

    @cached_property
    def user(self) -> np.ndarray:
        """User of each page view: int32 of shape (n_views,)."""
        return self.basis.sequences.user

    @property
    def page(self) -> np.ndarray:
        """Page of each page view: int32 of shape (n_views,)."""
        return self.basis.sequences.page

    @cached_property
    def events(self) -> TimedEvents:
        """Events other than page views; none where the data set does not say when they were done."""
        try:
            return self.basis.events()
        except ArtifactError:
            return TimedEvents.none()

    @property
    def has_payments(self) -> bool:
        """Whether it is known when users paid."""
        return self.events.paid is not None

    @property
    def _paid(self) -> pd.DataFrame:
        if self.events.paid is None:
            raise InputError("The data does not say when was paid", remedy="Load the export again")
        return self.events.paid

    @cached_property
    def revenue_of_events(self) -> Callable[[str], np.ndarray]:
        """Function that returns what each event paid in a currency, or NaN: float64 of shape (n_events,)."""
        return cache(self._revenue_of_events)

    def _revenue_of_events(self, currency: str) -> np.ndarray:
        own = self._paid[self._paid[EventTimes.CURRENCY].fillna(NO_CURRENCY) == currency]
        return self._of_events(own[EventTimes.REVENUE])

    @cached_property
    def items_of_events(self) -> np.ndarray:
        """Items that each event says were bought, else NaN: float64 of shape (n_events,)."""
        return self._of_events(self._paid[EventTimes.ITEMS])

    def _of_events(self, values: pd.Series) -> np.ndarray:
        found = np.full(len(self.events.user), np.nan)
        found[values.index] = values.to_numpy(np.float64, na_value=np.nan)
        return found

    @cached_property
    def moments(self) -> Moments:
        """Page views and events of all users in one order."""
        return Moments.of(self.basis.sequences, self.events)

    @cached_property
    def view_moments(self) -> Moments:
        """Page views of all users, without events."""
        return Moments.of(self.basis.sequences, TimedEvents.none())

    @cached_property
    def width(self) -> int:
        """More than the number of sessions of any user."""
        both = (self.basis.sequences.session, self.events.session)
        return 1 + max(int(sessions.max(initial=0)) for sessions in both)

    @cached_property
    def session(self) -> np.ndarray:
        """Session of each page view, numbered over all users: int64 of shape (n_views,), ascending."""
        numbered: np.ndarray = self.user.astype(np.int64) * self.width + self.basis.sequences.session
        return numbered

    def ends_of_sessions(self, at: str) -> np.ndarray:
        """Which page views are the first (``entry``) or last (``exit``) of their session: (n_views,)."""
        starts = self.basis.sequences.session_starts
        which = np.zeros(len(self.user), dtype=bool)
        which[starts if at == "entry" else np.append(starts[1:], len(which)) - 1] = True
        return which

    @cached_property
    def event_session(self) -> np.ndarray:
        """Session of each event, numbered as :attr:`session`: int64 of shape (n_events,)."""
        numbered: np.ndarray = self.events.user.astype(np.int64) * self.width + self.events.session
        return numbered

    @cached_property
    def day(self) -> np.ndarray:
        """Local day of each page view, since 1970: int64 of shape (n_views,)."""
        return _local(self.basis.sequences.timestamp, self.clock, DAY)

    @cached_property
    def hour(self) -> np.ndarray:
        """Local hour of the day of each page view: int64 of shape (n_views,)."""
        return _local(self.basis.sequences.timestamp, self.clock, HOUR) % 24

    @cached_property
    def event_day(self) -> np.ndarray:
        """Local day of each event, since 1970: int64 of shape (n_events,)."""
        return _local(self.events.timestamp, self.clock, DAY)

    @cached_property
    def event_hour(self) -> np.ndarray:
        """Local hour of the day of each event: int64 of shape (n_events,)."""
        return _local(self.events.timestamp, self.clock, HOUR) % 24

    @cached_property
    def days(self) -> tuple[date, date]:
        """First and last day with a page view."""
        first, last = int(self.day.min()), int(self.day.max())
        return EPOCH + timedelta(first), EPOCH + timedelta(last)

    @cached_property
    def in_period(self) -> Callable[[Period | None], Scope]:
        """Function that returns what a period leaves; an InputError if that is no page view."""
        return cache(self._in_period)

    def _in_period(self, period: Period | None) -> Scope:
        if period is None:
            return EVERYTHING
        views = _is_in(period, self.day, self.hour)
        if not views.any():
            first, last = self.days
            raise InputError("Nobody viewed a page then", allowed=f"days from {first} to {last}")
        return Scope(views, _is_in(period, self.event_day, self.event_hour))

    def is_in(self, period: Period | None, timestamp: np.ndarray) -> np.ndarray:
        """Which moments (microseconds UTC) are in a period: bool of the shape of ``timestamp``."""
        if period is None:
            return np.ones(len(timestamp), dtype=bool)
        return _is_in(period, _local(timestamp, self.clock, DAY), _local(timestamp, self.clock, HOUR) % 24)

    @cached_property
    def marks(self) -> Callable[[FunnelStep], StepMarks]:
        """Function that returns the pages and events that make a step; the last ones are kept."""
        return lru_cache(64)(self.basis.funnel_site.marks)

    @cached_property
    def of_pages(self) -> Callable[[By], Names]:
        """Function that returns what each page is called in a dimension; an InputError without labels."""
        return cache(self._of_pages)

    def _of_pages(self, by: By) -> Names:
        if by is By.FOLDER:
            called: Sequence[str] = [folder_of(address) for address in self.basis.addresses]
        else:
            known = self.basis.funnel_site.names.get(_LEVELS[by])
            if known is None:
                raise InputError(f"Pages have no {by} here", remedy="Label the pages first")
            called = known
        code, names = pd.factorize(np.asarray(called, dtype=object))
        return Names(code.astype(np.int32), tuple(map(str, names)))

    def attribute(self, by: Dimension) -> EncodedColumn:
        """The value of an attribute of each user; an InputError where none was sent."""
        column = self.basis.data.attributes.get(by)
        if column is None or not column.values:
            raise InputError(
                f"The data has no {clean(by)}", allowed=", ".join((*map(str, By), *self.known_attributes))
            )
        return column

    @property
    def known_attributes(self) -> tuple[str, ...]:
        """The attributes of users of which there are values."""
        return tuple(name for name, column in self.basis.data.attributes.items() if column.values)

    @property
    def known_pages(self) -> tuple[By, ...]:
        """The dimensions in which pages have names."""
        named = self.basis.funnel_site.names
        return tuple(by for by in OF_PAGES if by is By.FOLDER or _LEVELS[by] in named)

    def of_moments(self, by: By, *, events: bool = False) -> Names:
        """The value of each page view, or of each event, in a dimension of ``OF_MOMENTS``."""
        if by is not By.SESSION_CHANNEL:
            return self.of_time(by, events=events)
        channels = self.session_channels
        if not len(channels):
            raise InputError(
                "The data does not say which channel a session came by", remedy="Load the export again"
            )
        number = (
            channels[SessionColumns.USER].to_numpy(np.int64) * self.width + channels[SessionColumns.SESSION]
        )
        session = self.event_session if events else self.session
        named = channels[SessionColumns.CHANNEL].cat
        place = np.minimum(np.searchsorted(number, session), len(number) - 1)
        known = number[place] == session
        return Names(np.where(known, named.codes.to_numpy()[place], -1), tuple(named.categories))

    @cached_property
    def session_channels(self) -> pd.DataFrame:
        """The channel of each session (``schema.SessionColumns``); empty where none is known."""
        return self.basis.session_channels()

    def of_time(self, by: By, *, events: bool = False) -> Names:
        """The day, week, month, weekday or hour of each page view, or of each event."""
        day, hour = (self.event_day, self.event_hour) if events else (self.day, self.hour)
        if by is By.HOUR:
            return Names(hour, tuple(f"{one:02d}:00" for one in range(24)))
        if by is By.WEEKDAY:
            return Names((day + 3) % 7, WEEKDAYS)  # 1 January 1970 was a Thursday
        first = day_number(self.days[0])
        if by is By.MONTH:
            months = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
            start = int(np.datetime64(self.days[0], "M").astype(np.int64))
            last = int(np.datetime64(self.days[1], "M").astype(np.int64))
            named = [str(np.datetime64(one, "M")) for one in range(start, last + 1)]
            return Names(np.where(months <= last, months - start, -1), tuple(named))
        unit = 7 if by is By.WEEK else 1
        start = first - (first + 3) % 7 if by is By.WEEK else first
        n = (day_number(self.days[1]) - start) // unit + 1
        code = (day - start) // unit
        named = [(EPOCH + timedelta(start + unit * one)).isoformat() for one in range(n)]
        return Names(np.where((code >= 0) & (code < n), code, -1), tuple(named))


def folder_of(address: str) -> str:
    """First part of an address's path: ``/blog/`` of ``https://site.example/blog/a``, else ``/``."""
    first, slash, _ = path_of(address).partition("?")[0].removeprefix("/").partition("/")
    return f"/{first}/" if slash and first else "/"


def _local(timestamp: np.ndarray, clock: LocalClock, unit: int) -> np.ndarray:
    whole: np.ndarray = clock.local(timestamp) // unit
    return whole


def _is_in(period: Period, day: np.ndarray, hour: np.ndarray) -> np.ndarray:
    inside = np.ones(len(day), dtype=bool)
    if period.first_day:
        inside &= day >= day_number(period.first_day)
    if period.last_day:
        inside &= day <= day_number(period.last_day)
    if period.weekdays:
        inside &= np.isin((day + 3) % 7 + 1, period.weekdays)
    if period.hours:
        inside &= np.isin(hour, period.hours)
    return inside


@lru_cache(maxsize=2)
def layout_of(basis: Basis) -> QueryData:
    """Lay out a data set for queries; those of the last two data sets are kept."""
    return QueryData(basis, basis.calendar(None).clock if basis.calendar else LocalClock())
