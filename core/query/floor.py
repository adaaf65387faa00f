"""A floor for answers to an assistant: no figure of fewer than 20 users, also not by subtraction.

Each figure is made of *units*: page views and events of some users. A query is refused, or a row left out, if

- fewer than 20 users are behind it, or all of what it is a part of but 1 to 19 (the complement);
- a page, event or value that it names is one of fewer than 20 users: it is as if it were not there;
- without one of its conditions (or a part of the period, a name, a limit) it would be of 1 to 19 users more
  or fewer: the two would differ by these users;
- it differs from a figure that was given before by what 1 to 19 users did;
- a cell that was kept back would follow from sums and differences of all that was given.

For the last two, the floor keeps sketches of what was given: no ids, and nobody's page views. It does not
protect against what strangers know already, and is no differential privacy (docs/how-to/assistants.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Final

import numpy as np

from core.base.errors import InputError
from core.base.safe_text import clean
from core.facts.context import Tables
from core.journeys.funnel import USER, FunnelStep, StepKind, StepOrder
from core.profiles.outcomes import PURCHASE
from core.query.conditions import People
from core.query.execute import Counting, Result, ResultRow, Units, execute
from core.query.layout import QueryData, Scope, layout_of
from core.query.query import (
    MONEY,
    OF_ITEMS,
    OF_MOMENTS,
    OF_STEPS,
    WITH_REFUNDS,
    All,
    Any,
    By,
    Came,
    Condition,
    Did,
    Has,
    Is,
    Not,
    Others,
    Period,
    Quantity,
    Query,
    Range,
    is_of_users,
    parts_of,
)

FEWEST: Final = 20
"""Fewest users that a figure may be of."""
MOST_VARIANTS: Final = 300
"""Queries without a part that are looked at for one query; one with more parts is refused."""
MOST_ROWS: Final = 500
"""Rows that are looked at: those of the most users."""
MOST_KEPT: Final = 100_000
"""Sketches of what was given that are kept; then nothing more is given."""
_BUCKETS: Final = 64
_SUMS: Final = 4096
_MOST_SUMS: Final = 3500
"""Figures whose sums are followed; beyond, chance alone would make one follow from the others."""
_TOLERANCE: Final = 1e-6
TOO_FEW: Final = f"This is of fewer than {FEWEST} users, of all but so few, or would tell them by subtraction"
_OF_EVENTS: Final = (Quantity.EVENTS, Quantity.EVENTS_PER_USER)
USED_UP: Final = "As many figures were given as can be kept from telling of a few users when put together"


_BY_SESSION: Final = (Quantity.BOUNCE_RATE, Quantity.SESSION_RATE, Quantity.VIEWS_PER_SESSION)
"""Measures of sessions, which are not given at all."""


class Withheld(InputError):
    """A figure that is not given, as it tells, or would help to tell, of a few users."""

    def __init__(self, problem: str = TOO_FEW) -> None:
        super().__init__(problem, remedy=f"Ask for more users: every figure is of {FEWEST} or more")


def is_few(n: int) -> bool:
    """Whether a number of users is 1 to 19."""
    return 0 < n < FEWEST


# a query without one of its parts


def without_parts(condition: Condition) -> Iterator[Condition | None]:
    """A condition without each of its parts in turn; None where nothing is left."""
    if isinstance(condition, All | Any):
        for place, part in enumerate(condition.of):
            before, after = condition.of[:place], condition.of[place + 1 :]
            for less in (None, *without_parts(part)):
                kept = (*before, *((less,) if less is not None else ()), *after)
                yield condition.model_copy(update={"of": kept}) if kept else None
    elif isinstance(condition, Not):
        for less in without_parts(condition.of):
            yield None if less is None else Not(of=less)
    else:
        yield None
        yield from _simpler(condition)


def _simpler(condition: Did | Is | Has | Came) -> Iterator[Condition]:
    """A condition of one kind with one name, step or limit fewer."""
    match condition:
        case Did():
            yield from _simpler_steps(condition)
        case Is():
            yield from (condition.model_copy(update={"any_of": names}) for names in _fewer(condition.any_of))
        case Has():
            limits = condition.range.model_dump(exclude_none=True)
            for name in limits if len(limits) > 1 else ():
                less = {limit: value for limit, value in limits.items() if limit != name}
                yield condition.model_copy(update={"range": Range(**less)})
        case Came():
            yield from (Came(period=period) for period in _longer(condition.period) if period)


def _simpler_steps(condition: Did) -> Iterator[Did]:
    for name, loosest in (("times", None), ("within", USER), ("at", "any"), ("order", StepOrder.LOOSE)):
        if getattr(condition, name) != loosest:
            yield condition.model_copy(update={name: loosest})
    for place, step in enumerate(condition.steps):
        before, after = condition.steps[:place], condition.steps[place + 1 :]
        if before or after:
            yield condition.model_copy(update={"steps": (*before, *after)})
        for names in _fewer(step.any_of):
            less = step.model_copy(update={"any_of": names})
            yield condition.model_copy(update={"steps": (*before, less, *after)})


def _fewer(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if len(names) > 1:
        yield from (names[:place] + names[place + 1 :] for place in range(len(names)))


def _longer(period: Period | None) -> Iterator[Period | None]:
    """A period without each of its limits in turn; None where none is left."""
    if period is None:
        return
    said = {name: value for name in Period.model_fields if (value := getattr(period, name))}
    for name in said:
        rest = {other: value for other, value in said.items() if other != name}
        yield Period(**rest) if rest else None


# what figures are made of


@dataclass(frozen=True, eq=False)
class _Units:
    """The units of each row: pairs of a user and a row, with a token of what the user did there.

    Args:
        user: Ascending by row, then user; each pair once.
        row: Index of the row.
        token: uint64, which differs where the user did other things.
        nowhere: Users of units that are in no row.
    """

    user: np.ndarray
    row: np.ndarray
    token: np.ndarray
    nowhere: np.ndarray

    @classmethod
    def of(cls, user: np.ndarray, row: np.ndarray, salt: np.ndarray, n_users: int) -> _Units:
        """Gather units, each with its user, row (−1 for none) and salt."""
        known = row >= 0
        key = row[known].astype(np.int64) * n_users + user[known]
        order = np.argsort(key, kind="stable")
        key, salt = key[order], salt[known][order]
        starts = np.flatnonzero(np.diff(key, prepend=-1))
        token = np.bitwise_xor.reduceat(salt, starts) if len(starts) else salt
        return cls(key[starts] % n_users, key[starts] // n_users, token, np.unique(user[~known]))

    def users(self, n_rows: int) -> np.ndarray:
        """Number of users of each row."""
        return np.bincount(self.row, minlength=n_rows)

    def only(self, which: np.ndarray, who: np.ndarray) -> _Units:
        """Some of the pairs, and of the users in no row those of ``who`` (whether each user counts)."""
        nowhere = self.nowhere[who[self.nowhere]]
        return _Units(self.user[which], self.row[which], self.token[which], nowhere)

    def of_users(self, who: np.ndarray) -> _Units:
        """The units of some users: whether each user counts."""
        return self.only(who[self.user], who)


class _Salts:
    """Random numbers for users, page views and events, so that a sketch tells what differs and not who."""

    def __init__(self, layout: QueryData) -> None:
        drawn = np.random.default_rng(layout.n_users)

        def draw(n: int) -> np.ndarray:
            return drawn.integers(1, np.iinfo(np.uint64).max, n, dtype=np.uint64)

        self.user = draw(layout.n_users)
        self.view = draw(len(layout.user))
        self.event = draw(len(layout.events.user))
        self.bucket = drawn.integers(0, _BUCKETS, layout.n_users)
        self.place = drawn.integers(0, _SUMS, layout.n_users)
        self.sign = drawn.choice(np.array([-1.0, 1.0]), layout.n_users)


def _main(counting: Counting, salts: _Salts) -> _Units:
    """The units behind the rows themselves."""
    query, n_users = counting.query, counting.layout.n_users
    if query.measure is Quantity.FUNNEL:
        reached = np.where(counting.chosen, counting.people.reached(counting.of), 0)
        steps = range(1, len(counting.of.steps) + 1)
        return _of_users([np.flatnonzero(reached >= step) for step in steps], salts)
    if query.measure is Quantity.RETENTION:
        return _of_users([able for _, able, _ in counting.cohorts()], salts)
    if query.by is By.EVENT:
        named = query.measure is Quantity.EVENTS and query.of is not None
        return _gathered([(counting.events(counting.of if named else None), salts.event)], n_users)
    if query.by in OF_STEPS:
        return _gathered([(counting.next_units, salts.view)], n_users)
    also: list[tuple[Units, np.ndarray]] = []
    if query.measure in _OF_EVENTS and query.by in OF_MOMENTS:
        also = list(_taken(counting, salts))
    elif query.measure in (*MONEY, *OF_ITEMS):
        also = [(units, salts.event) for units in counting.also()]
    return _gathered([(counting.units, salts.view), *also], n_users)


def _of_users(users: Sequence[np.ndarray], salts: _Salts) -> _Units:
    """Units of rows of which only the users are known."""
    user = np.concatenate(users)
    row = np.repeat(np.arange(len(users)), [len(one) for one in users])
    return _Units.of(user, row, salts.user[user], len(salts.user))


def _gathered(parts: Sequence[tuple[Units, np.ndarray]], n_users: int) -> _Units:
    """Page views and events, each with the salts of all, as units."""
    arrays = [(units.user, units.code, salt[units.view]) for units, salt in parts]
    user, row, salts = (np.concatenate(one) for one in zip(*arrays, strict=True))
    return _Units.of(user, row, salts, n_users)


def _taken(counting: Counting, salts: _Salts) -> Iterator[tuple[Units, np.ndarray]]:
    """Page views and events of the step that a measure counts, in the rows of the answer."""
    marks = counting.people.marks(counting.of.steps[0])
    if marks.pages.any():
        seen = counting.people.views_of(marks, counting.of.at)
        yield counting.units.only(seen[counting.units.view]), salts.view
    if marks.events.any():
        done = counting.events(counting.of)
        if counting.query.by not in OF_MOMENTS:
            done = replace(done, code=counting.by_users().code[done.user])
        yield done, salts.event


def _parts(counting: Counting, main: _Units, salts: _Salts, currency: str | None) -> list[_Units]:
    """The units of the parts that a figure is about: who did ``of``, who paid, who is seen again."""
    query, people, measure = counting.query, counting.people, counting.query.measure
    if measure is Quantity.RETENTION:
        return [_of_users([again for _, _, again in counting.cohorts()], salts)]
    if measure is Quantity.ENGAGEMENT:
        return [main.of_users(~np.isnan(people.counts("engagement")))]
    if currency is not None:
        return _of_money(counting, main, salts, currency)
    if measure in OF_ITEMS:
        return _of_items(counting, main, salts)
    if query.of is None or measure is Quantity.FUNNEL or query.by in OF_STEPS:
        return []
    if measure in (Quantity.SHARE, Quantity.LIFT, Quantity.TIME_TO):
        return [_holding(counting, main)]
    if query.by is By.EVENT:
        return []
    return [_gathered(list(_taken(counting, salts)), counting.layout.n_users)]


def _of_payers(
    counting: Counting,
    main: _Units,
    salts: _Salts,
    event: str,
    values: Callable[[], np.ndarray],
    paid: np.ndarray,
) -> _Units:
    """The units of the payments with a value: of rows of moments in the row, else all of each user's.

    Figures of the whole time and of a period are so made of the same units, and can be told apart by few.

    Args:
        counting: The query's counts.
        main: Units of the rows.
        salts: Random numbers of the events.
        event: Name of the events that are payments.
        values: Function that returns the value of each event, NaN without one.
        paid: Whether each user has such a payment in the whole time.
    """
    if not counting.layout.has_payments:
        return main.of_users(paid)
    done = counting.paying(event, values())
    if counting.query.by in OF_MOMENTS:
        return _gathered([(done, salts.event)], counting.layout.n_users)
    token = np.zeros(counting.layout.n_users, dtype=np.uint64)
    np.bitwise_xor.at(token, done.user, salts.event[done.view])
    payers = main.of_users(token > 0 if counting.is_by_payment else paid)
    return replace(payers, token=np.where(token > 0, token, salts.user)[payers.user])


def _of_items(counting: Counting, main: _Units, salts: _Salts) -> list[_Units]:
    """The units of who bought items, and of who may have bought none but has a purchase that says so."""

    def values() -> np.ndarray:
        return counting.layout.items_of_events

    def bought() -> np.ndarray:
        return np.where(values() > 0, values(), np.nan)

    items = counting.items()
    parts = ((bought, items > 0), (values, ~np.isnan(items)))
    return [_of_payers(counting, main, salts, PURCHASE, *part) for part in parts]


def _of_money(counting: Counting, main: _Units, salts: _Salts, currency: str) -> list[_Units]:
    """The units of who paid in a currency, and of a measure with refunds of who got some back.

    Where nobody did, the refunds of a row tell no more than its payments.
    """
    event, had = counting.payments()
    paid, back = np.zeros((2, counting.layout.n_users), dtype=bool)
    paid[had.user] = np.nan_to_num(had.money[currency]) != 0
    if currency in had.refunds:
        back[had.user] = np.nan_to_num(had.refunds[currency]) != 0

    def values() -> np.ndarray:
        revenue = counting.layout.revenue_of_events(currency)
        return np.where(revenue != 0, revenue, np.nan)

    payers = _of_payers(counting, main, salts, event, values, paid)
    if counting.query.measure not in WITH_REFUNDS:
        return [payers]
    some = np.isin(main.row, main.row[back[main.user]])
    return [payers, main.only(np.where(some, back[main.user], paid[main.user]), paid | back)]


def _holding(counting: Counting, main: _Units) -> _Units:
    """The units of the users for whom ``of`` holds; of rows of moments, in the row."""
    assert counting.query.of is not None
    names, user, row = counting.pairs()
    holds = counting.holds(counting.query.of, user, user.astype(np.int64) * len(names) + row)
    n_users = counting.layout.n_users
    inside = row[holds].astype(np.int64) * n_users + user[holds]
    return main.only(
        np.isin(main.row * n_users + main.user, inside), counting.people.holds(counting.query.of)
    )


# what was given


class _Given:
    """What was given so far, as sketches.

    A sketch is a row of buckets, each the exclusive or of the tokens of its users: two sketches differ in at
    most as many buckets as users differ.
    """

    def __init__(self, salts: _Salts) -> None:
        self._salts = salts
        self._sketches = np.zeros((0, _BUCKETS), dtype=np.uint64)
        self._sizes = np.zeros(0, dtype=np.int64)
        self._known: set[bytes] = set()
        self._basis: list[np.ndarray] = []
        self._hidden = np.zeros((0, _SUMS))
        self._hidden_known: set[bytes] = set()

    def sketch(self, user: np.ndarray, token: np.ndarray) -> np.ndarray:
        """The sketch of some users with their tokens: uint64 of shape (n_buckets,)."""
        made = np.zeros(_BUCKETS, dtype=np.uint64)
        np.bitwise_xor.at(made, self._salts.bucket[user], token)
        return made

    def differs_by_few(self, sketch: np.ndarray, size: int) -> bool:
        """Whether something was given that 1 to 19 users set apart from this."""
        if sketch.tobytes() in self._known:
            return False
        near = np.abs(self._sizes - size) < FEWEST
        apart = (self._sketches[near] != sketch).sum(axis=1)
        return bool(((apart > 0) & (apart < FEWEST)).any())

    def add(self, sketches: Sequence[tuple[np.ndarray, int]]) -> None:
        """Keep what was given.

        Raises:
            Withheld: If there is no room for more.
        """
        new = {sketch.tobytes(): (sketch, size) for sketch, size in sketches}
        new = {key: pair for key, pair in new.items() if key not in self._known}
        if len(self._known) + len(new) > MOST_KEPT:
            raise Withheld(USED_UP)
        if new:
            self._sketches = np.vstack([self._sketches, *(sketch for sketch, _ in new.values())])
            self._sizes = np.append(self._sizes, [size for _, size in new.values()])
            self._known |= new.keys()

    # sums and differences of all that was given

    def _summed(self, user: np.ndarray) -> np.ndarray:
        return np.bincount(self._salts.place[user], self._salts.sign[user], minlength=_SUMS)

    def hide(self, user: np.ndarray) -> None:
        """Keep in mind a few users of whom nothing may follow."""
        made = self._summed(user)
        if is_few(len(user)) and made.tobytes() not in self._hidden_known:
            self._hidden_known.add(made.tobytes())
            left = self._left(made)
            if np.linalg.norm(left) > _TOLERANCE:  # else it follows already
                self._hidden = np.vstack([self._hidden, left])

    def _left(self, made: np.ndarray) -> np.ndarray:
        for one in (*self._basis, *self._basis):  # twice: rounding
            made = made - (one @ made) * one
        return made

    def would_tell(self, user: np.ndarray) -> bool:
        """Whether these users, with all that was given, tell of some that are hidden; else they are given."""
        left = self._left(self._summed(user))
        size = float(np.linalg.norm(left))
        if size < _TOLERANCE * max(1, len(user)):
            return False
        if len(self._basis) >= _MOST_SUMS:
            raise Withheld(USED_UP)
        unit = left / size
        hidden = self._hidden - np.outer(self._hidden @ unit, unit)
        if (np.linalg.norm(hidden, axis=1) < _TOLERANCE).any():
            return True
        self._basis.append(unit)
        self._hidden = hidden
        return False


class Floor:
    """Answers queries about one data set, and remembers what was given.

    Args:
        tables: The data set and its segments.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.data = layout_of(tables.basis)
        self._everybody = People(self.data, tables)
        self._salts = _Salts(self.data)
        self._given = _Given(self._salts)
        if self.data.n_users < FEWEST:
            raise Withheld(f"The data is of fewer than {FEWEST} users")
        self._give(np.arange(self.data.n_users))

    def answer(self, query: Query) -> Result:
        """Answer a query, without what the floor keeps back.

        Raises:
            Withheld: If nothing of it may be given.
            InputError: If it names what is not in the data.
        """
        of_sessions = query.measure is Quantity.SESSIONS and query.of is not None
        if of_sessions or query.measure in _BY_SESSION:
            # what is left beside these sessions can be of few users, which parts counted by user do not see
            raise Withheld(
                "Some of the sessions are not counted here: ask for users who did it, or all sessions."
            )
        self._check_names(query)
        self._check_parts(query)
        result = execute(query, self._tables, self._screen)
        if not result.rows:
            raise Withheld
        return replace(result, unseen=0 if is_few(result.unseen) else result.unseen)

    # names

    @cached_property
    def common(self) -> dict[str, tuple[str, ...]]:
        """Dimension → its values that 20 users or more have, or saw, most users first."""
        found = {}
        for by in (*self.data.known_attributes, By.VISITOR):
            names = self._everybody.of_users(by)
            users = np.bincount(names.code[names.code >= 0], minlength=len(names.names))
            found[str(by)] = _most(users, names.names)
        for by in self.data.known_pages:
            names = self.data.of_pages(by)
            pairs = _Units.of(self.data.user, names.code[self.data.page], self._salts.view, self.data.n_users)
            found[by.value] = _most(pairs.users(len(names.names)), names.names)
        events = self.data.events
        pairs = _Units.of(events.user, events.name, self._salts.event, self.data.n_users)
        found[By.EVENT.value] = _most(pairs.users(len(events.names)), events.names)
        return found

    def _check_names(self, query: Query) -> None:
        """Refuse a name of fewer than 20 users exactly as one that the data does not have."""
        said = [query.where, query.of, *([] if isinstance(query.compare, Others) else [query.compare])]
        parts = [part for one in said if one is not None for part in parts_of(one)]
        for part in parts:
            for kind, name, alone in _names_of(part):
                try:
                    known = int(self._everybody.holds(alone).sum()) >= FEWEST
                except InputError:
                    known = False
                if not known:
                    near = get_close_matches(name, self.common.get(kind, ()), 3, 0.5)
                    at_most = ", ".join(map(clean, near))
                    raise InputError(
                        f"No {kind} is called {clean(name)!r}, or it is of fewer than {FEWEST} users",
                        allowed=at_most or f"a name of {kind}s of this data",
                    )

    # parts

    def _check_parts(self, query: Query) -> None:
        """Refuse a query whose users differ from those without one of its parts by 1 to 19.

        Raises:
            Withheld: If they do, or fewer than 20 are asked about.
        """
        compared = (
            query.compare if isinstance(query.compare, All | Any | Not | Did | Is | Has | Came) else None
        )
        for where in (query.where, compared) if compared else (query.where,):
            users = self._users(where, None, query.period)
            self._refuse_few(users, 0)
            about = query.of if query.measure in (Quantity.SHARE, Quantity.LIFT) else None
            self._compare(users, self._without(where, None, query.period))
            if about is not None:
                holds = self._users(where, about, query.period)
                self._compare(holds, self._without(where, about, query.period))
            if self._differs(users) or self._given.would_tell(users):
                raise Withheld
            self._give(users)

    def _without(
        self, where: Condition | None, about: Condition | None, period: Period | None
    ) -> list[np.ndarray]:
        """Users of the query without each of its parts."""
        variants = [
            *((less, about, period) for less in (without_parts(where) if where else ())),
            *((where, less, period) for less in (without_parts(about) if about else ())),
            *((where, about, less) for less in _longer(period)),
        ]
        if len(variants) > MOST_VARIANTS:
            raise Withheld("The query has too many parts to be checked")
        return [self._users(*variant) for variant in variants]

    def _users(self, where: Condition | None, about: Condition | None, period: Period | None) -> np.ndarray:
        """Users of whom two conditions hold in a period, by number."""
        people = self._people(period)
        found = people.seen
        for condition in (where, about):
            if condition is not None:
                found = found & people.holds(condition)
        return np.flatnonzero(found)

    def _people(self, period: Period | None) -> People:
        try:
            return People(self.data, self._tables, self.data.in_period(period))
        except InputError:
            nothing = np.zeros(len(self.data.user), dtype=bool)
            return People(
                self.data, self._tables, Scope(nothing, np.zeros(len(self.data.events.user), dtype=bool))
            )

    def _refuse_few(self, users: np.ndarray, least: int) -> None:
        if least <= len(users) < FEWEST:
            self._given.hide(users)
            raise Withheld

    def _compare(self, users: np.ndarray, others: Sequence[np.ndarray]) -> None:
        for other in others:
            apart = np.setxor1d(users, other, assume_unique=True)
            self._refuse_few(apart, 1)

    # rows

    def _differs(self, users: np.ndarray) -> bool:
        token = self._salts.user
        rest = np.setdiff1d(np.arange(self.data.n_users), users, assume_unique=True)
        return any(
            self._given.differs_by_few(self._given.sketch(side, token[side]), len(side))
            for side in (users, rest)
        )

    def _give(self, users: np.ndarray) -> None:
        token = self._salts.user
        rest = np.setdiff1d(np.arange(self.data.n_users), users, assume_unique=True)
        self._given.add([(self._given.sketch(side, token[side]), len(side)) for side in (users, rest)])

    def _screen(self, counting: Counting, rows: list[ResultRow]) -> list[ResultRow]:
        """Leave out the rows of a few users, and those that would tell of them."""
        chosen = np.flatnonzero(counting.chosen & counting.people.seen)
        main = _main(counting, self._salts)
        of_money = counting.query.measure in MONEY
        currencies = [*counting.payments()[1].money] if of_money else [None]
        n_rows = len(rows) // len(currencies)
        shown = []
        for place, currency in enumerate(currencies):  # each has the same rows, and a sum of its own
            parts = _parts(counting, main, self._salts, currency)
            screening = _Screening(self._given, self._salts, main, parts, chosen, n_rows, counting.query)
            shown += [place * n_rows + row for row in sorted(screening.shown())]
        return [rows[place] for place in shown]


def _most(users: np.ndarray, names: Sequence[str]) -> tuple[str, ...]:
    order = np.argsort(-users, kind="stable")
    return tuple(names[place] for place in order.tolist() if users[place] >= FEWEST)


def _names_of(part: Condition) -> Iterator[tuple[str, str, Condition]]:
    """The names within a condition: their kind, the name, and a condition that is about it alone."""
    if isinstance(part, Did):
        for step in part.steps:
            for name in step.any_of:
                alone = FunnelStep(kind=StepKind(step.kind), any_of=(name,))
                yield str(step.kind), name, Did(steps=(alone,))
    elif isinstance(part, Is):
        for name in part.any_of:
            yield str(part.dimension), name, Is(dimension=part.dimension, any_of=(name,))


@dataclass(frozen=True, eq=False)
class _Screening:
    """Decides which rows of one answer may be given."""

    given: _Given
    salts: _Salts
    main: _Units
    parts: Sequence[_Units]
    chosen: np.ndarray
    n_rows: int
    query: Query

    def shown(self) -> set[int]:
        """Rows that may be given; they are kept as given."""
        users = self.main.users(self.n_rows)
        hidden = {int(row) for row in np.flatnonzero((users < FEWEST) & (users > 0))}
        if self.query.by is not None or self.query.measure is Quantity.FUNNEL:
            hidden |= {int(row) for row in np.flatnonzero(self._few(len(self.chosen) - users))}
        self._hide_more(hidden, users, (self.main,))
        for part in self.parts:
            inside = part.users(self.n_rows)
            of_few = (inside < FEWEST) | self._few(users - inside)
            if self.query.measure is Quantity.LIFT:
                whole = len(np.unique(part.user))
                of_few |= (whole - inside < FEWEST) & (users < len(self.chosen))
            hidden |= {int(row) for row in np.flatnonzero(of_few & (users > 0))}
        self._hide_more(hidden, users, (self.main, *self.parts))
        self._keep_in_mind(hidden)
        most = np.argsort(-users, kind="stable")[:MOST_ROWS].tolist()
        left = [row for row in most if users[row] >= FEWEST and row not in hidden]
        shown = self._given_rows(sorted(left))
        if len(shown) < len(left):
            hidden |= set(left) - shown
            before = len(hidden)
            self._hide_more(hidden, users, (self.main, *self.parts))
            shown -= hidden if len(hidden) > before else set()
        return shown

    @property
    def _is_of_users(self) -> bool:
        return self.query.by is None or is_of_users(self.query.by)

    @staticmethod
    def _few(users: np.ndarray) -> np.ndarray:
        found: np.ndarray = (users > 0) & (users < FEWEST)
        return found

    def _hide_more(self, hidden: set[int], users: np.ndarray, all_units: Sequence[_Units]) -> None:
        """Hide the smallest rows until what is hidden cannot be told by subtraction from the sum of all."""
        if self.query.by is None or self.query.measure is Quantity.RETENTION:
            return
        nowhere = [len(units.nowhere) for units in all_units]
        rest = [row for row in np.argsort(users, kind="stable").tolist() if users[row] and row not in hidden]
        while rest and (hidden or any(map(is_few, nowhere))):
            several = len(hidden) + any(nowhere) > 1
            if several and all(self._together(units, hidden) >= FEWEST for units in all_units):
                return
            hidden.add(rest.pop(0))

    @staticmethod
    def _together(units: _Units, hidden: set[int]) -> int:
        """Users behind what is hidden of some units, and what is in no row."""
        return len(np.union1d(units.user[np.isin(units.row, [*hidden])], units.nowhere))

    def _keep_in_mind(self, hidden: set[int]) -> None:
        """Of users with one value each, a cell that is hidden may not follow from others later on."""
        if self._is_of_users:
            for row in hidden:
                for units in (self.main, *self.parts):
                    self.given.hide(units.user[units.row == row])

    def _given_rows(self, rows: Sequence[int]) -> set[int]:
        """The rows that no few users set apart from what was given before, kept as given."""
        shown, new = set(), []
        one_after_another = self.query.measure in (Quantity.FUNNEL, Quantity.RETENTION)
        for row in rows:
            sketches = [pair for units in (self.main, *self.parts) for pair in self._sketches(units, row)]
            if any(self.given.differs_by_few(*pair) for pair in sketches):
                if self.query.measure is Quantity.FUNNEL:
                    break
                continue
            if self._is_of_users and any(
                self.given.would_tell(units.user[units.row == row]) for units in (self.main, *self.parts)
            ):
                continue
            shown.add(row)
            if one_after_another:
                self.given.add(sketches)
            new += sketches
        self.given.add(
            new
        )  # rows of one answer are not compared with each other: nobody knows who is in both
        return shown

    def _sketches(self, units: _Units, row: int) -> Iterator[tuple[np.ndarray, int]]:
        """Sketches of a row: its users, what they did, and who else is asked about."""
        at = slice(*np.searchsorted(units.row, (row, row + 1)).tolist())
        user, token = units.user[at], units.token[at]
        rest = np.setdiff1d(self.chosen, user, assume_unique=True)
        yield self.given.sketch(user, self.salts.user[user]), len(user)
        yield self.given.sketch(user, token), len(user)
        yield self.given.sketch(rest, self.salts.user[rest]), len(rest)
