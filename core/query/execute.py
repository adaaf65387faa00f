"""Answer a query: count its measure of the users whom it describes, by row, with intervals.

Whatever a row is (a segment, a page, a weekday), it is a set of pairs of a user and the row; a measure is the
sum of a part over these pairs, or its ratio to the sum of a whole: page views a session are all views over
all sessions, a share is the users for whom something holds over all of them. So every measure can be asked by
every dimension, and intervals follow from the pairs: Wilson's of shares of users, the linearised ratio's of
means (Cochran 1977, § 2.11).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np

from core.base.errors import InputError
from core.facts.context import Tables
from core.journeys.funnel import FunnelStep, StepKind
from core.journeys.patterns import matching
from core.periods.calendar import PeriodUnit
from core.periods.over_time import distinct
from core.profiles.means import moments_of
from core.profiles.outcomes import PURCHASE, OutcomeRecord
from core.profiles.two_shares import Z_95, difference_interval, ratio_interval, wilson
from core.query.conditions import People
from core.query.layout import Names, QueryData, layout_of
from core.query.query import (
    MONEY,
    OF_ITEMS,
    OF_MOMENTS,
    OF_ORDERS,
    OF_PAGES,
    OF_SESSIONS,
    OF_STEPS,
    OF_TIME,
    TOTALS,
    All,
    Any,
    By,
    Condition,
    Did,
    Not,
    Others,
    Quantity,
    Query,
    Range,
    is_of_users,
    parts_of,
)
from core.storage.receipt import NO_CURRENCY

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
        rows: In their order, also with a figure of 0 if a user who counts is in them; of a comparison the
            users asked about and the others.
        users: Users of whom ``where`` holds.
        base: All users who count: with a page view, in the period if there is one.
        unseen: Users who did the events asked about and do not count, having no page view in the period.
        few: Number of rows that were left out because their share or mean is of fewer than :data:`FEW`; none
            is where rows keep an order of their own or all are of so few.
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


@dataclass(frozen=True, eq=False)
class Units:
    """Page views or events with their rows.

    Args:
        names: What the rows are.
        user: User of each, ascending.
        code: Row of each; −1 where it is in none.
        view: Index of each among all page views (events).
    """

    names: tuple[str, ...]
    user: np.ndarray
    code: np.ndarray
    view: np.ndarray

    @property
    def keys(self) -> np.ndarray:
        """Number of the pair of a user and a row of each: int64; negative where it is in no row."""
        width = len(self.names)
        return np.where(self.code >= 0, self.user.astype(np.int64) * width + self.code, -1)

    def only(self, which: np.ndarray) -> Units:
        """Those where ``which`` (bool) is true."""
        return Units(self.names, self.user[which], self.code[which], self.view[which])


def execute(query: Query, tables: Tables, screen: Screen | None = None) -> Result:
    """Answer a query.

    Args:
        query: What is asked.
        tables: The data set and its segments.
        screen: Leaves out rows before they are put in order and cut; all stay without one.

    Raises:
        InputError: If it names what is not in the data, or nobody is left to count.
    """
    people = _people(query, tables)
    base, chosen = people.seen, _chosen(query, people)
    counted = Counting(query, people, chosen)
    users, n_base = int(chosen.sum()), int(base.sum())
    unseen = _unseen(query, people)
    if query.compare is not None:
        others = base & ~chosen if isinstance(query.compare, Others) else base & people.holds(query.compare)
        compared = _compared(counted, replace(counted, chosen=others), screen)
        return Result(query, (compared.first, compared.second), users, n_base, unseen, comparison=compared)
    rows = counted.rows()
    kept, few, more = _ordered(query, screen(counted, rows) if screen else rows)
    return Result(query, tuple(kept), users, n_base, unseen, few, more)


def users_of(query: Query, tables: Tables) -> np.ndarray:
    """The users whom a query asks about: bool of shape (n_users,).

    Raises:
        InputError: If it names what is not in the data.
    """
    return _chosen(query, _people(query, tables))


def _people(query: Query, tables: Tables) -> People:
    layout = layout_of(tables.basis)
    return People(layout, tables, layout.in_period(query.period))


def _chosen(query: Query, people: People) -> np.ndarray:
    return people.seen if query.where is None else people.seen & people.holds(query.where)


def _ordered(query: Query, rows: Sequence[ResultRow]) -> tuple[list[ResultRow], int, int]:
    """The rows that are shown, in their order, with the numbers of rows that were left out or cut off."""
    if query.by is None:
        return list(rows), 0, 0
    counted = [row.n if query.measure in TOTALS else row.users for row in rows]
    found = [row for row, n in zip(rows, counted, strict=True) if n and math.isfinite(row.value)]
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
        large.sort(key=lambda row: row.currency)
    pages = [row for row in large if row.name not in (START, END)]
    ends = [row for row in large if row.name in (START, END)]  # no pages, so they take no page's place
    of_currency: Counter[str] = Counter()
    shown = []
    for row in pages:
        of_currency[row.currency] += 1
        if not query.n_rows or of_currency[row.currency] <= query.n_rows:
            shown.append(row)
    return [*shown, *ends], few, len(pages) - len(shown)


def _unseen(query: Query, people: People) -> int:
    """Users without a page view in the period who did the events that a query asks about.

    Of users without any page view only the first time is known.
    """
    layout, outcomes = people.layout, people.layout.basis.data.outcomes
    steps = [step for did in _dids(query) for step in did.steps if step.kind is StepKind.EVENT]
    patterns = [pattern for step in steps for pattern in step.any_of]
    records = list(outcomes.events.values())
    found = [np.zeros(0, dtype=np.int64)]
    for place in np.flatnonzero(matching(patterns, list(outcomes.events))).tolist():
        had, alone = records[place], records[place].user >= outcomes.n_users
        found.append(had.user[alone & layout.is_in(query.period, had.first_ts)])
    if query.period and steps:
        done = np.logical_or.reduce([people.events_of(people.marks(step)) for step in steps])
        user = layout.events.user[done]
        found.append(user[~people.seen[user]])
    return len(distinct(np.concatenate(found)))


def _dids(query: Query) -> list[Did]:
    said = (query.where, query.of, query.compare)
    conditions = [one for one in said if one is not None and not isinstance(one, Others)]
    return [part for one in conditions for part in parts_of(one) if isinstance(part, Did)]


@dataclass(frozen=True, eq=False)
class Counting:
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
        """The data set."""
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
        if measure in OF_ITEMS:
            return self._items().rows()
        if self.query.by in OF_STEPS:
            return self._next_pages()
        return self.sums().rows()

    # units: page views, sessions and events with their user and their row

    def by_users(self) -> Names:
        """The row of each user, for dimensions of users."""
        by = self.query.by
        if by is None:
            return Names(np.zeros(self.layout.n_users, dtype=np.int32), ("",))
        return self.people.of_users(by)

    def _by_views(self) -> Names:
        """The row of each page view, for dimensions of pages, sessions and moments."""
        by, layout = self.query.by, self.layout
        assert isinstance(by, By)
        if by in OF_MOMENTS:
            return layout.of_moments(by)
        names = layout.of_pages(By.PAGE if by in OF_SESSIONS else by)
        code = names.code[layout.page]
        if by in OF_SESSIONS:
            starts = layout.basis.sequences.session_starts
            lengths = np.diff(np.append(starts, layout.basis.sequences.n_views))
            ends = starts if by is By.ENTRY else starts + lengths - 1
            code = np.repeat(code[ends], lengths)
        return Names(code, names.names)

    @cached_property
    def units(self) -> Units:
        """The page views that count."""
        inside, scope = self.chosen[self.layout.user], self.people.scope.views
        view = np.flatnonzero(inside if scope is None else inside & scope)
        user = self.layout.user[view]
        if self._is_by_users:
            names = self.by_users()
            return Units(names.names, user, names.code[user], view)
        names = self._by_views()
        return Units(names.names, user, names.code[view], view)

    @property
    def _is_by_users(self) -> bool:
        return self.query.by is None or is_of_users(self.query.by)

    def pairs(self) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
        """The rows, and the different pairs of a user who counts and a row: user and row of each, sorted."""
        if self._is_by_users:
            names = self.by_users()
            user = np.flatnonzero(self.chosen & (names.code >= 0))
            return names.names, user, names.code[user]
        units = self.events() if self.query.by is By.EVENT else self.units
        if self.query.measure is Quantity.USERS and self.query.of is not None:
            units = units.only(self._of_pages()[units.view])
        keys = np.concatenate([units.keys, *(part.keys for part in self.also())])
        pairs, width = distinct(keys), len(units.names)
        return units.names, pairs // width, pairs % width

    def events(self, did: Did | None = None) -> Units:
        """The events that count, or those of a step, with their value where rows are of moments."""
        events, scope = self.layout.events, self.people.scope.events
        inside = self.chosen[events.user]
        if did is not None:
            inside &= self.people.events_of(self.people.marks(did.steps[0]))
        elif scope is not None:
            inside &= scope
        done, by = np.flatnonzero(inside), self.query.by
        names = Names(events.name, events.names)
        if isinstance(by, By) and by in OF_MOMENTS:
            names = self.layout.of_moments(by, events=True)
        return Units(names.names, events.user[done], names.code[done], done)

    # sums

    def sums(self) -> _Sums:
        """Sum the measure over the pairs of a user and a row."""
        measure, query = self.query.measure, self.query
        names, user, code = self.pairs()
        if query.by is By.EVENT and measure is Quantity.EVENTS:
            done = self.events(None if query.of is None else self.of)
            times = np.bincount(done.code, minlength=len(names)).astype(np.float64)
            users = np.bincount(distinct(done.keys) % len(names), minlength=len(names))
            return _Sums(names, users, times, times, *_none(len(names)))
        ones = np.ones(len(user))
        if measure is Quantity.USERS:
            return _totals(names, code, ones)
        if measure is Quantity.SHARE:
            return self._shares(names, user, code)
        if measure is Quantity.LIFT:
            return self._lifts(names, user, code)
        if measure is Quantity.ENGAGEMENT:
            seconds = self.people.counts("engagement")[user]
            known = ~np.isnan(seconds)
            return _ratios(names, code[known], seconds[known], ones[known])
        part, whole = self._parts(user, code, user.astype(np.int64) * len(names) + code)
        return _totals(names, code, part) if whole is None else _ratios(names, code, part, whole)

    def _parts(
        self, user: np.ndarray, code: np.ndarray, key: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Part and whole of a measure for each pair of a user and a row; no whole for totals."""
        measure = self.query.measure
        if measure in (Quantity.EVENTS, Quantity.EVENTS_PER_USER):
            part = self._times(self.of, user, key)
        elif measure is Quantity.SESSION_RATE:
            part = self._sessions(key, self.sessions_with())
        elif measure is Quantity.BOUNCE_RATE:
            part = self._sessions(key, self.bounced())
        elif measure in (Quantity.SESSIONS, Quantity.SESSIONS_PER_USER):
            part = self._sessions(key, None if self.query.of is None else self.sessions_with())
        elif measure is Quantity.PAGES_PER_USER:
            part = self._pages(user, key)
        else:
            part = self._views(key)
        if measure in TOTALS:
            return part, None
        by_session = measure in (Quantity.SESSION_RATE, Quantity.BOUNCE_RATE, Quantity.VIEWS_PER_SESSION)
        return part, self._sessions(key) if by_session else np.ones(len(key))

    def _views(self, key: np.ndarray) -> np.ndarray:
        """Page views of each pair, of the pages asked about if there are any."""
        units = self.units
        if self.query.of is not None:
            units = units.only(self._of_pages()[units.view])
        return _counts(units.keys, key)

    def _of_pages(self) -> np.ndarray:
        """Which of all page views are of the pages asked about: bool of shape (n_views,)."""
        marks = self.people.marks(self.of.steps[0])
        if not marks.pages.any():
            raise InputError("An event has no page views", remedy="Ask for events, or name a page")
        return self.people.views_of(marks, self.of.at)

    def _pages(self, user: np.ndarray, key: np.ndarray) -> np.ndarray:
        """Different pages that the user of each pair saw in its row."""
        if self._is_by_users:
            pages: np.ndarray = self.people.counts("pages")[user]
            return pages
        units, n_pages = self.units, len(self.layout.basis.addresses)
        units = units.only(units.code >= 0)
        return _counts(distinct(units.keys * n_pages + self.layout.page[units.view]) // n_pages, key)

    def _sessions(self, key: np.ndarray, which: np.ndarray | None = None) -> np.ndarray:
        """Sessions of each pair: bool of those that count, by number, if not all do.

        Of rows of moments a session is in the one in which its first page view that counts is.
        """
        units = self.units
        session = self.layout.session[units.view]
        kept = np.diff(session, prepend=-1) != 0
        if self.query.by in OF_PAGES:  # in the rows of all its pages
            width = len(units.names)
            known = units.code >= 0
            both = distinct(session[known] * width + units.code[known])
            session = both // width
            own = session // self.layout.width * width + both % width
            return _counts(own if which is None else own[np.isin(session, which)], key)
        if which is not None:
            kept &= np.isin(session, which)
        return _counts(units.only(kept).keys, key)

    def sessions_with(self) -> np.ndarray:
        """Numbers of the sessions in which the step asked about was seen or done."""
        marks = self.people.marks(self.of.steps[0])
        found = [np.empty(0, dtype=np.int64)]
        if marks.pages.any():
            found.append(self.layout.session[self.people.views_of(marks, self.of.at)])
        if marks.events.any():
            found.append(self.layout.event_session[self.people.events_of(marks)])
        return distinct(np.concatenate(found))

    def bounced(self) -> np.ndarray:
        """Numbers of the sessions with a single page view."""
        found, times = np.unique(self.layout.session, return_counts=True)
        single: np.ndarray = found[times == 1]
        return single

    @property
    def of(self) -> Did:
        """The pages or events that the measure is about."""
        assert isinstance(self.query.of, Did)
        return self.query.of

    def taken(self, did: Did) -> Iterator[Units]:
        """The page views and events of a single step that count, with their rows of moments."""
        marks = self.people.marks(did.steps[0])
        if marks.pages.any():
            yield self.units.only(self.people.views_of(marks, did.at)[self.units.view])
        if marks.events.any():
            yield self.events(did)

    def also(self) -> list[Units]:
        """What puts a user in a row of moments beside page views: the events counted, or the payments."""
        if self.query.by not in OF_MOMENTS:
            return []
        if self.query.measure in (Quantity.EVENTS, Quantity.EVENTS_PER_USER):
            return [*self.taken(self.of)]
        if self.query.measure in MONEY:
            return [self.events(_did(self.payments()[0]))]
        return [self.events(_did(PURCHASE))] if self.query.measure in OF_ITEMS else []

    @property
    def is_by_payment(self) -> bool:
        """Whether money and items are those of some of a user's payments: of a period, or a row's moments."""
        return self.query.period is not None or self.query.by in OF_MOMENTS

    def paying(self, event: str, values: np.ndarray) -> Units:
        """The events of a name that count and have a value (no NaN)."""
        done = self.events(_did(event))
        return done.only(~np.isnan(values[done.view]))

    def _of_payments(self, event: str, values: np.ndarray, user: np.ndarray, key: np.ndarray) -> np.ndarray:
        """Sum of the payments of each pair; NaN without any: float64 of the shape of ``key``."""
        done = self.paying(event, values)
        if self.query.by in OF_MOMENTS:
            times, sums = _counts(done.keys, key), _counts(done.keys, key, values[done.view])
        else:
            times, sums = (
                np.bincount(done.user, weights, minlength=self.layout.n_users)[user]
                for weights in (None, values[done.view])
            )
        return np.where(times > 0, sums, np.nan)

    def _times(self, did: Did, user: np.ndarray, key: np.ndarray) -> np.ndarray:
        """How often the user of each pair took a single step; of rows of moments, in the row."""
        if self.query.by not in OF_MOMENTS:
            times: np.ndarray = self.people.times(self.people.marks(did.steps[0]), did.at)[user]
            return times.astype(np.float64)
        return _counts(np.concatenate([part.keys for part in self.taken(did)]), key)

    def holds(self, condition: Condition, user: np.ndarray, key: np.ndarray) -> np.ndarray:
        """Whether a condition holds of each pair; of rows of moments, single steps are taken in the row."""
        found: np.ndarray = np.zeros(0)
        match condition:
            case All():
                found = np.logical_and.reduce([self.holds(part, user, key) for part in condition.of])
            case Any():
                found = np.logical_or.reduce([self.holds(part, user, key) for part in condition.of])
            case Not():
                found = np.logical_not(self.holds(condition.of, user, key))
            case Did() if len(condition.steps) == 1 and self.query.by in OF_MOMENTS:
                found = (condition.times or Range(above=0)).holds(self._times(condition, user, key))
            case _:
                found = self.people.holds(condition)[user]
        return found

    def _shares(self, names: tuple[str, ...], user: np.ndarray, code: np.ndarray) -> _Sums:
        """Shares of users: in each row those for whom ``of`` holds, or each row's of all chosen users.

        Without ``of`` and rows, the share of the chosen users of all who count.
        """
        users = np.bincount(code, minlength=len(names)).astype(np.float64)
        if self.query.of is None:
            base = self.people.seen if self.query.by is None else self.chosen
            part, n = users, np.full(len(names), float(base.sum()))
        else:
            holds = self.holds(self.query.of, user, user.astype(np.int64) * len(names) + code)
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
            value = np.where(rest > 0, (part / users) / (rest / rest_n), np.nan)
        low, high = (
            np.where(np.isnan(value), np.nan, end) for end in ratio_interval(part, users, rest, rest_n)
        )
        return _Sums(names, users, value, users, low, high)

    # measures with rows of their own

    @cached_property
    def next_units(self) -> Units:
        """The views of a page, each in the row of the page view that follows, or precedes, in its session."""
        layout, marks = self.layout, self.people.marks(self.of.steps[0])
        if not marks.pages.any():
            raise InputError("What comes next is counted between pages", remedy="Name a page")
        names = layout.of_pages(By.PAGE)
        step = 1 if self.query.by is By.NEXT else -1
        views = np.flatnonzero(self.people.views_of(marks, self.of.at) & self.chosen[layout.user])
        other = np.clip(views + step, 0, layout.basis.sequences.n_views - 1)
        same = (layout.session[other] == layout.session[views]) & (other != views)
        code = np.where(same, names.code[layout.page[other]], len(names.names))
        return Units((*names.names, END if step > 0 else START), layout.user[views], code, views)

    def _next_pages(self) -> list[ResultRow]:
        """The page views that follow, or precede, those of a page within a session."""
        units, width = self.next_units, len(self.next_units.names)
        users = np.bincount(distinct(units.keys) % width, minlength=width).astype(np.float64)
        times = np.bincount(units.code, minlength=width).astype(np.float64)
        if self.query.measure is Quantity.SHARE:
            n = np.full(width, float(len(units.view)))
            return _Sums(units.names, users, times / np.maximum(n, 1), n, *_none(width)).rows()
        value = users if self.query.measure is Quantity.USERS else times
        return _Sums(units.names, users, value, value, *_none(width)).rows()

    def _funnel(self) -> list[ResultRow]:
        """Users who reach each step, of the chosen users."""
        reached = self.people.reached(self.of)[self.chosen]
        n = len(reached)
        rows = []
        for number, step in enumerate(self.of.steps, start=1):
            users = int((reached >= number).sum())
            rows.append(ResultRow(step.title, float(users), n, users))
        return rows

    def cohorts(self) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """Whole weeks (or days) after the first: name, users who can be seen so late, and who are."""
        unit = PeriodUnit.DAY if self.query.by is By.DAY else PeriodUnit.WEEK
        came = self.layout.basis.activity(unit)
        whole = np.flatnonzero(~came.calendar.is_part)
        mine = self.chosen[came.user]
        user, period = came.user[mine], came.period[mine]
        first = np.full(self.layout.n_users, -1, dtype=np.int64)
        first[user[::-1]] = period[::-1]  # sorted, so the first one stays
        counts = np.isin(first, whole) & came.is_new & self.chosen
        found = []
        for later in range(1, came.calendar.n_periods):
            able = np.flatnonzero(counts & np.isin(first + later, whole))
            again = user[np.isin(user, able) & (period == first[user] + later)]
            if len(able):
                found.append((f"{unit} {later} after the first", able, again))
        if not self.chosen.any():
            raise InputError("Nobody is left of whom it could be seen whether they come again")
        if not found:
            raise InputError(
                f"The data does not hold two whole {unit}s, so nobody can be seen to come again",
                remedy=f"Load more days{', or ask by day' if unit is PeriodUnit.WEEK else ''}",
            )
        return found

    def _retention(self) -> list[ResultRow]:
        """Share of users who come again so many whole weeks (or days) after their first."""
        rows = []
        for name, able, again in self.cohorts():
            n = len(able)
            low, high = wilson(np.array([float(len(again))]), np.array([float(n)]))
            rows.append(ResultRow(name, len(again) / n, n, n, float(low[0]), float(high[0])))
        return rows

    def _time_to(self) -> list[ResultRow]:
        """Median time from the first page view to the first time of a step, of users who get there.

        It is 0 where the step was taken before the first page view.
        """
        layout, never, scope = self.layout, np.iinfo(np.int64).max, self.people.scope.views
        marks, time = self.people.marks(self.of.steps[0]), layout.basis.sequences.timestamp
        began, first = (np.full(layout.n_users, never) for _ in range(2))
        _earliest(began, layout.user, time, slice(None) if scope is None else scope)
        if marks.pages.any():
            _earliest(first, layout.user, time, self.people.views_of(marks, self.of.at))
        if marks.events.any():
            _earliest(first, layout.events.user, layout.events.timestamp, self.people.events_of(marks))
        names = self.by_users()
        got = np.flatnonzero(self.chosen & (first < never) & (names.code >= 0))
        seconds = np.maximum(first[got] - began[got], 0) / 1e6
        order = np.lexsort((seconds, names.code[got]))
        ends = np.searchsorted(names.code[got][order], np.arange(len(names.names) + 1)).tolist()
        parts = (seconds[order[low:high]] for low, high in pairwise(ends))
        return [
            ResultRow(name, float(np.median(own)) if len(own) else math.nan, len(own), len(own))
            for name, own in zip(names.names, parts, strict=True)
        ]

    def _money(self) -> list[ResultRow]:
        """Revenue of the chosen users, by currency; a row of its own for each of several."""
        event, had = self.payments()
        currencies = tuple(had.money)
        if len(currencies) > 1 and self.query.measure in OF_ORDERS:
            raise InputError(
                f"Revenue is in {' and '.join(currencies)}, and purchases are not counted by currency",
                remedy="Ask for revenue: each currency has rows of its own",
            )
        rows = []
        for currency in currencies:
            named = "" if currency == NO_CURRENCY else currency
            sums = self._paid(event, had, currency)
            one_row = len(currencies) > 1 and not self.query.by
            rows += [replace(row, name=currency if one_row else row.name) for row in sums.rows(named)]
        return rows

    def _items(self) -> _Sums:
        """Items bought by the chosen users, or those a purchase."""
        names, user, code = self.pairs()
        key = user.astype(np.int64) * len(names) + code
        items = self.items()[user]
        if self.is_by_payment:
            items = self._of_payments(PURCHASE, self.layout.items_of_events, user, key)
        known = ~np.isnan(items)
        if self.query.measure is Quantity.ITEMS:
            return _totals(names, code, np.nan_to_num(items))
        times = self._times(_did(PURCHASE), user, key)
        return _ratios(names, code[known], items[known], times[known])

    def items(self) -> np.ndarray:
        """Items bought by each user, NaN where no purchase says how many: float64 of shape (n_users,)."""
        had = self.layout.basis.data.outcomes.events.get(PURCHASE)
        if had is None or had.items is None:
            raise InputError("The data does not say how many items were bought")
        found, here = np.full(self.layout.n_users, np.nan), had.user < self.layout.n_users
        found[had.user[here]] = had.items[here]
        return found

    def payments(self) -> tuple[str, OutcomeRecord]:
        """The event with revenue, purchases if they have any, and who of the users paid."""
        events = self.layout.basis.data.outcomes.events
        names = sorted((name for name, had in events.items() if had.money), key=lambda name: name != PURCHASE)
        if not names:
            raise InputError("The data has no revenue")
        record = events[names[0]]
        return names[0], record.only(record.user < self.layout.n_users)

    def _paid(self, event: str, had: OutcomeRecord, currency: str) -> _Sums:
        names, user, code = self.pairs()
        key = user.astype(np.int64) * len(names) + code
        if self.is_by_payment:
            revenue = self.layout.revenue_of_events(currency)
            paid, back = np.nan_to_num(self._of_payments(event, revenue, user, key)), np.zeros(len(user))
        else:
            paid, back = (
                _of_users(had.user, sums.get(currency), self.layout.n_users)[user]
                for sums in (had.money, had.refunds)
            )
        if self.query.measure is Quantity.REFUND_SHARE:
            return _ratios(names, code, back, paid)
        if self.query.measure is Quantity.REFUNDS:
            return _totals(names, code, back)
        if self.query.measure.startswith("net_"):
            paid = paid - back
        if self.query.measure in (Quantity.REVENUE_PER_USER, Quantity.NET_REVENUE_PER_USER):
            return _ratios(names, code, paid, np.ones(len(user)))
        if self.query.measure in OF_ORDERS:
            return _ratios(names, code, paid, self._times(_did(event), user, key))
        return _totals(names, code, paid)


Screen: TypeAlias = Callable[[Counting, list[ResultRow]], list[ResultRow]]
"""Function that leaves out rows of what was counted."""


def _earliest(first: np.ndarray, user: np.ndarray, at: np.ndarray, which: np.ndarray | slice) -> None:
    """Put the first of these moments of each user, by whom they are sorted, in place of a later one."""
    user, at = user[which], at[which]
    new = np.diff(user, prepend=-1) != 0
    first[user[new]] = np.minimum(first[user[new]], at[new])


def _did(event: str) -> Did:
    return Did(steps=(FunnelStep(kind=StepKind.EVENT, any_of=(event,)),))


def _of_users(user: np.ndarray, sums: np.ndarray | None, n_users: int) -> np.ndarray:
    """The sum of each user, 0 without any: float64 of shape (n_users,)."""
    found = np.zeros(n_users)
    if sums is not None:
        found[user] = np.nan_to_num(sums)
    return found


def _counts(own: np.ndarray, key: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """How often each of the keys ``key`` (ascending) occurs, or its sum of weights: float64 of its shape."""
    if not len(key):
        return np.zeros(0)
    place = np.minimum(np.searchsorted(key, own), len(key) - 1)
    there = key[place] == own
    weights = None if weights is None else weights[there]
    return np.bincount(place[there], weights, minlength=len(key)).astype(np.float64)


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
    terms = (whole > 0, part, whole, part**2, part * whole, whole**2)
    sums = [np.bincount(code, term, minlength=width) for term in terms]
    with np.errstate(invalid="ignore", divide="ignore"):
        n, value, spread = moments_of(*sums)
        reach = Z_95 * np.sqrt(spread / n)
    low = value - reach if (part < 0).any() else np.maximum(value - reach, 0)
    return _Sums(names, n, value, sums[2], low, value + reach)


def _compared(first: Counting, second: Counting, screen: Screen | None) -> FigureComparison:
    """Compare one figure of two kinds of users; who is in both is on neither side of the interval.

    Where all of one kind are of the other too, they are compared with the rest of these.
    """
    rows = [counting.rows() for counting in (first, second)]
    if screen:
        rows = [screen(counting, found) for counting, found in zip((first, second), rows, strict=True)]
    if any(len(found) != 1 for found in rows):
        raise InputError("A comparison is of one figure", remedy="Ask for a single currency or step")
    (left,), (right,) = rows
    if not (first.chosen.any() and second.chosen.any()):
        raise InputError("One side of the comparison has no users")
    pairs = ((one, one.chosen & ~other.chosen) for one, other in ((first, second), (second, first)))
    of_all = first.query.measure is Quantity.SHARE and first.query.of is None
    apart = [replace(one, chosen=own if of_all or own.any() else one.chosen) for one, own in pairs]
    (a,), (b,) = (one.rows() for one in apart)
    return FigureComparison(left, right, *_difference(first.query, a, b))


def _difference(query: Query, first: ResultRow, second: ResultRow) -> tuple[float, float]:
    """The 95 % interval of the difference of two figures; NaN of totals and medians."""
    if query.measure is Quantity.SHARE:
        p, q = first.value, second.value
        # shares of the same users: the more are of one kind, the fewer can be of the other
        alike = -math.sqrt(p * q / ((1 - p) * (1 - q))) if query.of is None and p * q else 0.0
        counts = (p * first.n, first.n, q * second.n, second.n)
        users, n, rest, rest_n = (np.array([float(count)]) for count in counts)
        low, high = difference_interval(users, n, rest, rest_n, np.array(alike))
        return float(low[0]), float(high[0])
    reach = [row.high - row.value for row in (first, second)]
    apart, both = first.value - second.value, math.hypot(*reach)
    return apart - both, apart + both
