"""Answer a query: count its measure of the users whom it describes, by row, with intervals.

Whatever a row is (a segment, a page, a weekday), it is a set of pairs of a user and the row; a measure is the
sum of a part over these pairs, or its ratio to the sum of a whole: page views a session are all views over
all sessions, a share is the users for whom something holds over all of them. So every measure can be asked by
every dimension, and intervals follow from the pairs: Wilson's of shares of users, the linearised ratio's of
means (Cochran 1977, § 2.11).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from core.base.errors import InputError
from core.data.receipt import NO_CURRENCY
from core.differences.means import moments_of
from core.facts.context import Tables
from core.journeys.funnel import StepKind
from core.journeys.patterns import StepMarks
from core.periods.calendar import PeriodUnit
from core.profiles.outcomes import PURCHASE, OutcomeRecord
from core.profiles.two_shares import Z_95, difference_interval, ratio_interval, wilson
from core.query.conditions import People
from core.query.layout import Names, QueryData, layout_of
from core.query.query import (
    MONEY,
    OF_SESSIONS,
    OF_STEPS,
    OF_TIME,
    OF_USERS,
    TOTALS,
    By,
    Did,
    Others,
    Quantity,
    Query,
    parts_of,
)

FEW: Final = 20
"""Users, or sessions, below which a share or mean of a row is not shown: chance decides there."""
END: Final = "(end of the session)"
START: Final = "(start of the session)"


@dataclass(frozen=True)
class ResultRow:
    """One row of an answer.

    Args:
        name: What it is: a segment's key, a page, a day; empty where the query has no dimension.
        value: The figure; NaN where there is none.
        n: What it is of: users, sessions, page views or purchases.
        users: Users behind it.
        low: Lower end of the 95 % interval; NaN where there is none.
        high: Upper end.
        currency: Of money; empty where it is not known.
    """

    name: str
    value: float
    n: int
    users: int
    low: float = math.nan
    high: float = math.nan
    currency: str = ""


@dataclass(frozen=True)
class FigureComparison:
    """Whether the figure of one kind of users differs from that of another.

    Args:
        first: The users of ``where``.
        second: Those of ``compare``.
        low: Lower end of the 95 % interval of the difference; NaN where there is none.
        high: Upper end.
    """

    first: ResultRow
    second: ResultRow
    low: float
    high: float

    @property
    def differs(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Result:
    """The answer to a query.

    Args:
        query: What was asked.
        rows: In their order; of a comparison the users asked about and the others.
        users: Users of whom ``where`` holds.
        base: All users who count: with a page view, in the period if there is one.
        unseen: Users without a page view for whom the events asked about are known; they are not counted.
        few: Number of rows that were left out because their figure is of fewer than :data:`FEW`.
        more: Number of further rows that were cut off.
        comparison: Of ``where`` with ``compare``; None where none was asked.
    """

    query: Query
    rows: tuple[ResultRow, ...]
    users: int
    base: int
    unseen: int = 0
    few: int = 0
    more: int = 0
    comparison: FigureComparison | None = None


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over the pairs of a user and a row: arrays of shape (n_rows,).

    Args:
        names: What the rows are.
        users: Users in each row.
        value: The figure.
        n: What it is of.
        low: Lower end of the interval; NaN where there is none.
        high: Upper end.
    """

    names: tuple[str, ...]
    users: np.ndarray
    value: np.ndarray
    n: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def rows(self, currency: str = "") -> list[ResultRow]:
        columns = (self.value, self.n, self.users, self.low, self.high)
        return [
            ResultRow(name, value, round(n), round(users), low, high, currency)
            for name, value, n, users, low, high in zip(
                self.names, *(column.tolist() for column in columns), strict=True
            )
        ]


def execute(query: Query, tables: Tables) -> Result:
    """Answer a query.

    Raises:
        InputError: If it names what is not in the data, or nobody is left to count.
    """
    layout = layout_of(tables.basis)
    people = People(layout, tables, layout.in_period(query.period))
    base = people.seen
    chosen = base if query.where is None else base & people.holds(query.where)
    counted = _Counting(query, people, chosen)
    users, n_base = int(chosen.sum()), int(base.sum())
    unseen = _unseen(query, layout)
    if query.compare is not None:
        others = base & ~chosen if isinstance(query.compare, Others) else base & people.holds(query.compare)
        compared = _compared(counted, replace(counted, chosen=others))
        return Result(query, (compared.first, compared.second), users, n_base, unseen, comparison=compared)
    rows = counted.rows()
    kept, few, more = _ordered(query, rows)
    return Result(query, tuple(kept), users, n_base, unseen, few, more)


def _ordered(query: Query, rows: Sequence[ResultRow]) -> tuple[list[ResultRow], int, int]:
    """The rows that are shown, in their order, with the numbers of rows that were left out or cut off."""
    if query.by is None or query.measure in (Quantity.FUNNEL, Quantity.RETENTION):
        return list(rows), 0, 0
    found = [row for row in rows if row.users and not math.isnan(row.value)]
    natural = query.order is None and query.by in (*OF_TIME, By.SEGMENT, By.VISITOR, By.N_SESSIONS)
    all_count = natural or query.measure in TOTALS
    enough = [row for row in found if row.n >= FEW]
    large = found if all_count or not enough else enough
    few = len(found) - len(large)
    if query.keep:
        inside = query.keep.holds(np.array([row.value for row in large]))
        large = [row for row, keeps in zip(large, inside.tolist(), strict=True) if keeps]
    if not natural:
        large.sort(key=lambda row: row.value, reverse=query.order != "least")
    most = query.n_rows
    return large[:most], few, max(0, len(large) - most) if most else 0


def _unseen(query: Query, layout: QueryData) -> int:
    """Users without a page view who did the events that a query asks about."""
    steps = [step for did in _dids(query) for step in did.steps if step.kind is StepKind.EVENT]
    outcomes = layout.basis.data.outcomes
    names = {name for step in steps for name in step.any_of if name in outcomes.events}
    users = [had.user[had.user >= outcomes.n_users] for had in (outcomes.events[name] for name in names)]
    return len(np.unique(np.concatenate(users))) if users else 0


def _dids(query: Query) -> list[Did]:
    said = (query.where, query.of, query.compare)
    conditions = [one for one in said if one is not None and not isinstance(one, Others)]
    return [part for one in conditions for part in parts_of(one) if isinstance(part, Did)]


@dataclass(frozen=True, eq=False)
class _Counting:
    """Counts a query's measure for some users.

    Args:
        query: What is asked.
        people: Answers of whom a condition holds.
        chosen: The users who count: bool of shape (n_users,).
    """

    query: Query
    people: People
    chosen: np.ndarray

    @property
    def layout(self) -> QueryData:
        return self.people.layout

    def rows(self) -> list[ResultRow]:
        """The rows of the answer, not yet in order."""
        measure = self.query.measure
        if measure is Quantity.FUNNEL:
            return self._funnel()
        if measure is Quantity.RETENTION:
            return self._retention()
        if measure is Quantity.TIME_TO:
            return self._time_to()
        if measure in MONEY:
            return self._money()
        if self.query.by in OF_STEPS:
            return self._next_pages()
        return self.sums().rows()

    # units: page views, sessions and events with their user and their row

    def _by_users(self) -> Names:
        by = self.query.by
        if by is None:
            return Names(np.zeros(self.layout.n_users, dtype=np.int32), ("",))
        return self.people.of_users(by)

    def _by_views(self) -> Names:
        """The row of each page view, for dimensions of pages, sessions and time."""
        by, layout = self.query.by, self.layout
        assert by is not None
        if by in OF_TIME:
            return layout.of_time(by)
        names = layout.of_pages(By.PAGE if by in OF_SESSIONS else by)
        code = names.code[layout.page]
        if by in OF_SESSIONS:
            starts = layout.basis.sequences.session_starts
            lengths = np.diff(np.append(starts, layout.basis.sequences.n_views))
            ends = starts if by is By.ENTRY else starts + lengths - 1
            code = np.repeat(code[ends], lengths)
        return Names(code, names.names)

    @property
    def _views(self) -> np.ndarray:
        """Indices of the page views that count."""
        inside = self.chosen[self.layout.user]
        scope = self.people.scope.views
        return np.flatnonzero(inside if scope is None else inside & scope)

    def _units(self) -> tuple[Names, np.ndarray, np.ndarray]:
        """The rows, and the user and row of each page view that counts."""
        views = self._views
        user = self.layout.user[views]
        if self.query.by is None or self.query.by in OF_USERS:
            names = self._by_users()
            return names, user, names.code[user]
        names = self._by_views()
        return names, user, names.code[views]

    # sums

    def sums(self) -> _Sums:
        """Sum the measure over the pairs of a user and a row."""
        measure, query = self.query.measure, self.query
        if query.by is By.EVENT:
            return self._by_events()
        if query.by is None or query.by in OF_USERS:
            names = self._by_users()
            user = np.flatnonzero(self.chosen & (names.code >= 0))
            code = names.code[user]
        else:
            names, user_of, code_of = self._units()
            user, code = _pairs(user_of, code_of, len(names.names))
        ones = np.ones(len(user))
        width = len(names.names)
        if measure is Quantity.USERS:
            return _totals(names.names, code, ones)
        if measure is Quantity.SHARE:
            return self._shares(names.names, user, code)
        if measure is Quantity.LIFT:
            return self._lifts(names.names, user, code)
        if measure is Quantity.PAGES_PER_USER:
            return _ratios(names.names, code, self.people.counts("pages")[user], ones)
        if measure is Quantity.ENGAGEMENT:
            seconds = self.people.counts("engagement")[user]
            known = ~np.isnan(seconds)
            return _ratios(names.names, code[known], seconds[known], ones[known])
        part, whole = self._parts(user, code, width)
        if whole is None:
            return _totals(names.names, code, part)
        return _ratios(names.names, code, part, whole)

    def _parts(self, user: np.ndarray, code: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Part and whole of a measure for each pair of a user and a row; no whole for totals."""
        measure, key = self.query.measure, user.astype(np.int64) * width + code
        if measure in (Quantity.EVENTS, Quantity.EVENTS_PER_USER):
            part = self._of_events(key, width)
        elif measure is Quantity.SESSION_RATE:
            part = self._of_sessions(key, width, self._sessions_with())
        elif measure in (Quantity.SESSIONS, Quantity.SESSIONS_PER_USER):
            part = self._of_sessions(key, width)
        else:
            part = self._of_views(key, width)
        if measure in TOTALS:
            return part, None
        by_session = measure in (Quantity.SESSION_RATE, Quantity.VIEWS_PER_SESSION)
        return part, self._of_sessions(key, width) if by_session else np.ones(len(key))

    def _of_views(self, key: np.ndarray, width: int) -> np.ndarray:
        """Page views of each pair, of the pages asked about if there are any."""
        _, user, code = self._units()
        if self.query.of is not None:
            marks = self._marks()
            if not marks.pages.any():
                raise InputError("An event has no page views", remedy="Ask for events, or name a page")
            kept = self.people.views_of(marks)[self._views]
            user, code = user[kept], code[kept]
        return _counts(user, code, width, key)

    def _of_sessions(self, key: np.ndarray, width: int, which: np.ndarray | None = None) -> np.ndarray:
        """Sessions of each pair: bool of those that count, by number, if not all do."""
        _, user, code = self._units()
        session = self.layout.session[self._views]
        if which is not None:
            kept = np.isin(session, which)
            user, code, session = user[kept], code[kept], session[kept]
        known = code >= 0
        both = np.unique(session[known] * width + code[known])
        own = both // width // self.layout.width
        return _counts(own, both % width, width, key)

    def _sessions_with(self) -> np.ndarray:
        """Numbers of the sessions in which the step asked about was seen or done."""
        marks = self._marks()
        found = [np.empty(0, dtype=np.int64)]
        if marks.pages.any():
            found.append(self.layout.session[self.people.views_of(marks)])
        if marks.events.any():
            found.append(self.layout.event_session[self.people.events_of(marks)])
        return np.unique(np.concatenate(found))

    def _of_events(self, key: np.ndarray, width: int) -> np.ndarray:
        """How often the users of each pair did the step asked about."""
        marks, by = self._marks(), self.query.by
        if by is None or by in OF_USERS:
            times: np.ndarray = self.people.times(marks)[key // width].astype(np.float64)
            return times
        assert by in OF_TIME  # a query by pages or sessions is refused
        found = np.zeros(len(key))
        if marks.pages.any():
            found += self._of_views(key, width)
        if marks.events.any():
            done = self.people.events_of(marks)
            user = self.layout.events.user[done]
            code = self.layout.of_time(by, events=True).code[done]
            inside = self.chosen[user]
            found += _counts(user[inside], code[inside], width, key)
        return found

    def _marks(self) -> StepMarks:
        assert isinstance(self.query.of, Did)
        return self.people.marks(self.query.of.steps[0])

    def _shares(self, names: tuple[str, ...], user: np.ndarray, code: np.ndarray) -> _Sums:
        """Shares of users: in each row those for whom ``of`` holds, or each row's of all chosen users."""
        users = np.bincount(code, minlength=len(names)).astype(np.float64)
        if self.query.of is None:
            base = self.people.seen if self.query.by is None else self.chosen
            part, n = users, np.full(len(names), float(base.sum()))
        else:
            holds = self.people.holds(self.query.of)[user]
            part, n = np.bincount(code[holds], minlength=len(names)).astype(np.float64), users
        with np.errstate(invalid="ignore", divide="ignore"):
            value = part / n
        low, high = wilson(part, n)
        return _Sums(names, users, value, n, low, high)

    def _lifts(self, names: tuple[str, ...], user: np.ndarray, code: np.ndarray) -> _Sums:
        """Share of users for whom ``of`` holds over that of all other users who count."""
        assert self.query.of is not None
        base = self.people.seen
        does = self.people.holds(self.query.of)
        users = np.bincount(code, minlength=len(names)).astype(np.float64)
        part = np.bincount(code[does[user]], minlength=len(names)).astype(np.float64)
        rest, rest_n = float((base & does).sum()) - part, float(base.sum()) - users
        with np.errstate(invalid="ignore", divide="ignore"):
            value = (part / users) / (rest / rest_n)
        low, high = ratio_interval(part, users, rest, rest_n)
        return _Sums(names, users, value, users, low, high)

    def _by_events(self) -> _Sums:
        """Users who did each event, how often it was done, or the share of users who did it."""
        layout = self.layout
        inside = self.chosen[layout.events.user]
        if self.people.scope.events is not None:
            inside &= self.people.scope.events
        user, code = layout.events.user[inside], layout.events.name[inside]
        names = layout.events.names
        _, kind = _pairs(user, code, len(names))
        users = np.bincount(kind, minlength=len(names)).astype(np.float64)
        if self.query.measure is Quantity.EVENTS:
            times = np.bincount(code, minlength=len(names)).astype(np.float64)
            return _Sums(names, users, times, times, *_none(len(names)))
        if self.query.measure is Quantity.USERS:
            return _Sums(names, users, users, users, *_none(len(names)))
        n = np.full(len(names), float(self.chosen.sum()))
        return _Sums(names, users, users / n, n, *wilson(users, n))

    # measures with rows of their own

    def _next_pages(self) -> list[ResultRow]:
        """The page views that follow, or precede, those of a page within a session."""
        layout, marks = self.layout, self._marks()
        if not marks.pages.any():
            raise InputError("What comes next is counted between pages", remedy="Name a page")
        names = layout.of_pages(By.PAGE)
        step = 1 if self.query.by is By.NEXT else -1
        views = np.flatnonzero(self.people.views_of(marks) & self.chosen[layout.user])
        other = np.clip(views + step, 0, layout.basis.sequences.n_views - 1)
        same = (layout.session[other] == layout.session[views]) & (other != views)
        edge = len(names.names)
        code = np.where(same, names.code[layout.page[other]], edge)
        called = (*names.names, END if step > 0 else START)
        user = layout.user[views]
        _, kind = _pairs(user, code, len(called))
        users = np.bincount(kind, minlength=len(called)).astype(np.float64)
        times = np.bincount(code, minlength=len(called)).astype(np.float64)
        n = np.full(len(called), float(len(views)))
        if self.query.measure is Quantity.SHARE:
            return _Sums(called, users, times / np.maximum(n, 1), n, *_none(len(called))).rows()
        value = users if self.query.measure is Quantity.USERS else times
        return _Sums(called, users, value, n, *_none(len(called))).rows()

    def _funnel(self) -> list[ResultRow]:
        """Users who reach each step, with the share of the chosen users."""
        assert isinstance(self.query.of, Did)
        reached = self.people.reached(self.query.of)[self.chosen]
        n = len(reached)
        rows = []
        for number, step in enumerate(self.query.of.steps, start=1):
            users = int((reached >= number).sum())
            rows.append(ResultRow(step.title, float(users), n, users))
        return rows

    def _retention(self) -> list[ResultRow]:
        """Share of users who come again so many whole weeks (or days) after their first."""
        unit = PeriodUnit.DAY if self.query.by is By.DAY else PeriodUnit.WEEK
        came = self.layout.basis.activity(unit)
        whole = np.flatnonzero(~came.calendar.is_part)
        mine = self.chosen[came.user]
        user, period = came.user[mine], came.period[mine]
        first = np.full(self.layout.n_users, -1, dtype=np.int64)
        first[user[::-1]] = period[::-1]  # sorted, so the first one stays
        counts = np.isin(first, whole) & came.is_new & self.chosen
        rows = []
        for later in range(1, came.calendar.n_periods):
            able = counts & np.isin(first + later, whole)
            n = int(able.sum())
            if n:
                again = np.unique(user[able[user] & (period == first[user] + later)])
                low, high = wilson(np.array([float(len(again))]), np.array([float(n)]))
                name = f"{unit} {later} after the first"
                rows.append(ResultRow(name, len(again) / n, n, len(again), float(low[0]), float(high[0])))
        if not rows:
            raise InputError(
                f"The data does not hold two whole {unit}s, so nobody can be seen to come again",
                remedy=f"Load more days{', or ask by day' if unit is PeriodUnit.WEEK else ''}",
            )
        return rows

    def _time_to(self) -> list[ResultRow]:
        """Median time from the first page view to the first time of a step, of users who get there."""
        layout, marks = self.layout, self._marks()
        sequences = layout.basis.sequences
        began = sequences.timestamp[sequences.offsets[:-1]]
        first = np.full(layout.n_users, np.iinfo(np.int64).max)
        if marks.pages.any():
            views = np.flatnonzero(self.people.views_of(marks))
            np.minimum.at(first, layout.user[views], sequences.timestamp[views])
        if marks.events.any():
            done = np.flatnonzero(self.people.events_of(marks))
            np.minimum.at(first, layout.events.user[done], layout.events.timestamp[done])
        got = self.chosen & (first < np.iinfo(np.int64).max)
        names = self._by_users() if self.query.by in (None, *OF_USERS) else None
        if names is None:
            raise InputError(f"time_to is not counted by {self.query.by}", allowed=", ".join(OF_USERS))
        rows = []
        for code, name in enumerate(names.names):
            own = got & (names.code == code)
            seconds = np.maximum(first[own] - began[own], 0) / 1e6
            n = len(seconds)
            value = float(np.median(seconds)) if n else math.nan
            rows.append(ResultRow(name, value, n, n))
        return rows

    def _money(self) -> list[ResultRow]:
        """Revenue of the chosen users, by currency; a row of its own for each of several."""
        had = self._payments()
        currencies = tuple(had.money)
        if not currencies:
            raise InputError("The data has no revenue")
        if len(currencies) > 1 and self.query.by:
            raise InputError(
                f"Revenue is in {' and '.join(currencies)}, which are not added up",
                remedy="Ask without a dimension: each currency is a row",
            )
        rows = []
        for currency in currencies:
            named = "" if currency == NO_CURRENCY else currency
            sums = self._paid(had, currency)
            several = len(currencies) > 1
            rows += [replace(row, name=currency if several else row.name) for row in sums.rows(named)]
        return rows

    def _payments(self) -> OutcomeRecord:
        events = self.layout.basis.data.outcomes.events
        names = [name for name, had in events.items() if had.money]
        record = events.get(PURCHASE) if PURCHASE in names else events.get(next(iter(names), ""))
        if record is None:
            raise InputError("The data has no revenue")
        return record.only(record.user < self.layout.n_users)

    def _paid(self, had: OutcomeRecord, currency: str) -> _Sums:
        paid = np.zeros(self.layout.n_users)
        paid[had.user] = np.nan_to_num(had.money[currency])
        if self.query.measure is Quantity.NET_REVENUE and currency in had.refunds:
            paid[had.user] -= np.nan_to_num(had.refunds[currency])
        if self.query.by in (None, *OF_USERS):
            names = self._by_users()
            user = np.flatnonzero(self.chosen & (names.code >= 0))
            code = names.code[user]
        else:
            names, user_of, code_of = self._units()
            user, code = _pairs(user_of, code_of, len(names.names))
        if self.query.measure is Quantity.REVENUE_PER_USER:
            return _ratios(names.names, code, paid[user], np.ones(len(user)))
        if self.query.measure is Quantity.ORDER_VALUE:
            orders = self._orders()[user]
            return _ratios(names.names, code, paid[user], orders)
        return _totals(names.names, code, paid[user])

    def _orders(self) -> np.ndarray:
        """Number of purchases of each user: float64 of shape (n_users,)."""
        events = self.layout.events
        if PURCHASE not in events.names:
            raise InputError("The data has no purchases")
        bought = events.user[events.name == events.names.index(PURCHASE)]
        return np.bincount(bought, minlength=self.layout.n_users).astype(np.float64)


def _pairs(user: np.ndarray, code: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The different pairs of a user and a row, sorted; units without a row (−1) are left out."""
    known = code >= 0
    keys = np.unique(user[known].astype(np.int64) * width + code[known])
    return keys // width, keys % width


def _counts(user: np.ndarray, code: np.ndarray, width: int, key: np.ndarray) -> np.ndarray:
    """How many units each pair ``key`` (ascending) has: float64 of the shape of ``key``."""
    known = code >= 0
    own = user[known].astype(np.int64) * width + code[known]
    if not len(key):
        return np.zeros(0)
    place = np.minimum(np.searchsorted(key, own), len(key) - 1)
    hit = key[place] == own
    return np.bincount(place[hit], minlength=len(key)).astype(np.float64)


def _none(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full(n, np.nan), np.full(n, np.nan)


def _totals(names: tuple[str, ...], code: np.ndarray, part: np.ndarray) -> _Sums:
    """Sums of a part by row; the users behind it are those with any of it."""
    width = len(names)
    value = np.bincount(code, part, minlength=width)
    users = np.bincount(code[part != 0], minlength=width).astype(np.float64)
    n = np.bincount(code, minlength=width).astype(np.float64)
    return _Sums(names, users, value, n, *_none(width))


def _ratios(names: tuple[str, ...], code: np.ndarray, part: np.ndarray, whole: np.ndarray) -> _Sums:
    """Sums of a part over sums of a whole by row, with the interval of a linearised ratio."""
    width = len(names)
    part, whole = part.astype(np.float64), whole.astype(np.float64)
    terms = (np.ones(len(code)), part, whole, part**2, part * whole, whole**2)
    sums = [np.bincount(code, term, minlength=width) for term in terms]
    users = np.bincount(code[whole > 0], minlength=width).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        n, value, spread = moments_of(*sums)
        reach = Z_95 * np.sqrt(spread / n)
    low = value - reach if (part < 0).any() else np.maximum(value - reach, 0)
    return _Sums(names, users, value, sums[2], low, value + reach)


def _compared(first: _Counting, second: _Counting) -> FigureComparison:
    """Compare one figure of two kinds of users; who is in both is on neither side of the interval."""
    rows = [counting.rows() for counting in (first, second)]
    if any(len(found) != 1 for found in rows):
        raise InputError("A comparison is of one figure", remedy="Ask for a single currency or step")
    (left,), (right,) = rows
    if not (first.chosen.any() and second.chosen.any()):
        raise InputError("One side of the comparison has no users")
    apart = [
        replace(one, chosen=one.chosen & ~other.chosen) for one, other in ((first, second), (second, first))
    ]
    if not all(one.chosen.any() for one in apart):
        return FigureComparison(left, right, math.nan, math.nan)
    (a,), (b,) = (one.rows() for one in apart)
    return FigureComparison(left, right, *_difference(first.query, a, b))


def _difference(query: Query, first: ResultRow, second: ResultRow) -> tuple[float, float]:
    """The 95 % interval of the difference of two figures; NaN of totals and medians."""
    if query.measure is Quantity.SHARE:
        counts = (first.value * first.n, first.n, second.value * second.n, second.n)
        low, high = difference_interval(*(np.array([float(count)]) for count in counts))
        return float(low[0]), float(high[0])
    reach = [(row.high - row.low) / 2 for row in (first, second)]
    apart, both = first.value - second.value, math.hypot(*reach)
    return apart - both, apart + both
