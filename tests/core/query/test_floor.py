"""The floor: 200 attempts to learn of a few users, and each of its rules taken out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any, Final
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from benchmarks.words.demo import make_shop
from core.base.errors import Beha2VecError, InputError
from core.facts.context import Tables
from core.profiles.outcomes import OutcomeRecord
from core.query import floor
from core.query.conditions import People
from core.query.execute import Counting, Result, execute
from core.query.floor import FEWEST, Floor, Withheld, is_few, without_parts
from core.query.layout import layout_of
from core.query.query import All, By, Condition, Did, Quantity, Query

N_ATTEMPTS: Final = 200
BUY = {"kind": "did", "steps": [{"kind": "event", "any_of": ["purchase"]}]}
CART = {"kind": "did", "steps": [{"kind": "event", "any_of": ["add_to_cart"]}]}
MOBILE = {"kind": "is", "dimension": "device", "any_of": ["mobile"]}


KEPT: Final = tempfile.TemporaryDirectory()


@cache
def tables() -> Tables:
    """Some 2,000 users of the demo shop, with the times of their events."""
    made = make_shop(Path(KEPT.name), 2_000)
    shown = made.context.tables
    return replace(shown, basis=replace(shown.basis, events=lambda: made.dataset.events))


def saw(*pages: str) -> dict[str, Any]:
    return {"kind": "did", "steps": [{"kind": "page", "any_of": list(pages)}]}


def no(condition: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "not", "of": condition}


def both(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "all", "of": list(conditions)}


def either(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "any", "of": list(conditions)}


def query(**parts: Any) -> Query:  # noqa: ANN401 - any JSON
    return Query.checked(**parts)


def holders(condition: dict[str, Any]) -> np.ndarray:
    """Of whom a condition holds."""
    found = query(where=condition).where
    assert found is not None
    return People(layout_of(tables().basis), tables()).holds(found)


def pages_by_users() -> tuple[list[str], list[str]]:
    """Pages that 1 to 19 users saw, and the others."""
    data = layout_of(tables().basis)
    names = data.of_pages(By.PAGE)
    pairs = np.unique(np.stack([names.code[data.page], data.user]), axis=1)
    users = np.bincount(pairs[0], minlength=len(names.names)).tolist()
    rare = [name for name, n in zip(names.names, users, strict=True) if is_few(n)]
    return rare, [name for name, n in zip(names.names, users, strict=True) if n >= FEWEST]


def attempts(seed: int = 5) -> Iterator[Query]:
    """What somebody asks who wants to learn of a few users, in an order that helps them."""
    random = np.random.default_rng(seed)
    rare, common = pages_by_users()
    yield from (query(by=by) for by in ("device", "segment", "country", "browser", "source", "n_sessions"))
    yield from rare_pages(rare, common)
    yield from narrow_periods()
    yield from two_dimensions()
    yield from smallest_rows()
    yield from random_pairs(random, [BUY, CART, MOBILE, *(saw(page) for page in common[:8])])


def rare_pages(rare: list[str], common: list[str]) -> Iterator[Query]:
    """Rare pages alone, beside common ones, as a share, as a step, and by Denning's tracker."""
    for page, other in zip(rare[:10], common, strict=False):
        yield query(where=saw(page))
        yield query(where=saw(page, other))
        yield query(measure="share", of=saw(page), where=MOBILE)
    for page, other in zip(rare[10:14], common, strict=False):
        yield query(where=no(saw(page)))
        yield query(where=both(MOBILE, no(saw(page))))
        yield query(where=either(saw(page), CART))
        yield query(where=either(saw(page), no(CART)))
        yield query(measure="views", of=saw(page))
        steps = [{"kind": "page", "any_of": [other]}, {"kind": "page", "any_of": [page]}]
        yield query(measure="funnel", of={"kind": "did", "steps": steps})


def narrow_periods() -> Iterator[Query]:
    """Hours and days, each a little further than before."""
    for last in range(10, 24):
        yield query(period={"hours": list(range(last))}, measure="users" if last % 2 else "views")
    for day in range(6, 16):
        yield query(period={"first_day": "2025-11-01", "last_day": f"2025-11-{day:02d}"}, measure="views")


def two_dimensions() -> Iterator[Query]:
    """Cells of two dimensions, and their sums."""
    for segment in tables().segment_keys:
        mine = {"kind": "is", "dimension": "segment", "any_of": [segment]}
        yield query(where=mine, by="device")
        yield query(where=no(mine), by="device")
        yield query(where=mine, measure="share", of=BUY)
        yield query(where=mine, measure="revenue_per_user")


def smallest_rows() -> Iterator[Query]:
    """The rows of the fewest users, and a number that goes one further each time."""
    for limit, by in product((1, 100), ("page", "country", "hour", "event", "entry")):
        yield query(by=by, order="least", limit=limit)
        yield query(by=by, keep={"below": FEWEST - 1}, limit=limit)
    for n in range(1, 10):
        views = {"kind": "has", "count": "views", "range": {"above": n}}
        yield query(where=views)
        yield query(where=both(views, CART), measure="share", of=MOBILE)


def random_pairs(random: np.random.Generator, plain: list[dict[str, Any]]) -> Iterator[Query]:
    """A query, and one that goes a little further."""
    while True:
        first, second = (plain[place] for place in random.choice(len(plain), 2, replace=False))
        where = both(first, no(second)) if random.random() < 0.5 else both(first, second)
        by = str(random.choice(["device", "segment", "weekday", "page"]))
        yield query(where=first, by=by)
        yield query(where=where, by=by)
        measure = str(random.choice(["users", "views", "sessions", "retention", "engagement"]))
        yield query(where=where, measure=measure)


@dataclass
class Learned:
    """What somebody knows after some answers: sets of users, and small cells among them.

    Args:
        sets: Users behind figures of one value each (the whole, and rows of dimensions of users).
        views: Page views of each user behind figures of page views in a period.
    """

    sets: list[np.ndarray] = field(default_factory=list)
    views: list[np.ndarray] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)

    def add(self, result: Result) -> None:
        asked = result.query
        for row in result.rows:
            if row.users < FEWEST and asked.measure is not Quantity.RETENTION:
                self.cells.append(f"{asked}: {row.users} users in {row.name}")
            if asked.measure in (Quantity.SHARE, Quantity.RETENTION):
                part = round(row.value * row.n)
                if is_few(part) or is_few(row.n - part):
                    self.cells.append(f"{asked}: {part} of {row.n} in {row.name}")
        self._keep_sets(result)

    def _keep_sets(self, result: Result) -> None:
        asked = result.query
        if asked.measure is Quantity.VIEWS and asked.period and asked.by is None and asked.of is None:
            data = layout_of(tables().basis)
            inside = People(data, tables(), data.in_period(asked.period))
            counts = inside.counts("views")
            self.views.append(
                counts if asked.where is None else np.where(inside.holds(asked.where), counts, 0)
            )
        if asked.measure not in (Quantity.USERS, Quantity.SHARE) or asked.compare or asked.period:
            return
        people = People(layout_of(tables().basis), tables())
        chosen = people.seen if asked.where is None else people.holds(asked.where)
        self.sets.append(chosen)
        if asked.by in ("device", By.SEGMENT, "country", "browser", "source", By.N_SESSIONS):
            names = people.of_users(asked.by)
            self.sets += [chosen & (names.code == names.names.index(row.name)) for row in result.rows]
        if asked.by is None and asked.of is not None:
            self.sets.append(chosen & people.holds(asked.of))

    def differences(self) -> list[str]:
        """Small cells that one figure less another one tells: one set within the other."""
        unique = list({one.tobytes(): one for one in self.sets}.values())
        nested = ((a, b) if a.sum() < b.sum() else (b, a) for a, b in combinations(unique, 2))
        apart = [int((a != b).sum()) for a, b in combinations(self.views, 2)]
        return [
            *(f"{b.sum()} - {a.sum()}" for a, b in nested
              if not (a & ~b).any() and is_few(int((a ^ b).sum()))),
            *(f"page views of {n}" for n in apart if is_few(n)),
        ]  # fmt: skip

    def sums(self) -> list[str]:
        """Cells of device and segment of a few users that follow from sums of all that is known."""
        people = People(layout_of(tables().basis), tables())
        of, by = people.of_users(By.SEGMENT), people.of_users("device")
        known = np.array(self.sets, dtype=float)
        found = []
        for segment in range(len(of.names)):
            for device in range(len(by.names)):
                cell = (of.code == segment) & (by.code == device)
                if is_few(int(cell.sum())):
                    ways = np.linalg.lstsq(known.T, cell.astype(float), rcond=None)[0]
                    if np.allclose(known.T @ ways, cell, atol=1e-8):
                        found.append(f"{of.names[segment]} on {by.names[device]}: {cell.sum()}")
        return found

    @property
    def all_cells(self) -> list[str]:
        return [*self.cells, *self.differences(), *self.sums()]


def learn(ask: Callable[[Query], Result], n: int = N_ATTEMPTS, seed: int = 5) -> tuple[Learned, int]:
    learned, refused = Learned(), 0
    for _, asked in zip(range(n), attempts(seed), strict=False):
        try:
            learned.add(ask(asked))
        except Beha2VecError:
            refused += 1
    return learned, refused


def test_two_hundred_attempts_tell_of_no_few_users_and_the_floor_still_answers() -> None:
    learned, refused = learn(Floor(tables()).answer)
    assert learned.all_cells == []
    assert 20 < refused < N_ATTEMPTS - 40


def test_without_the_floor_they_tell_of_many() -> None:
    learned, _ = learn(lambda asked: execute(asked, tables()))
    assert len(learned.cells) > 50
    assert learned.differences()
    assert learned.sums()


@pytest.mark.parametrize(
    ("what", "instead"),
    [
        ("Floor._screen", lambda self, counting, rows: rows),
        ("_Given.differs_by_few", lambda *_: False),
        ("_Given.would_tell", lambda *_: False),
    ],
)
def test_no_rule_on_what_was_given_before_can_be_left_out(what: str, instead: Callable[..., Any]) -> None:
    owner, name = what.split(".")
    with mock.patch.object(getattr(floor, owner), name, instead):
        learned, _ = learn(Floor(tables()).answer)
    assert learned.all_cells


def refusal(asked: Query, given: Floor | None = None) -> str:
    with pytest.raises(InputError) as refused:
        (given or Floor(tables())).answer(asked)
    return str(refused.value)


def test_a_query_is_refused_that_a_single_condition_takes_few_users_from() -> None:
    _, common = pages_by_users()
    page = next(page for page in common if is_few(int((holders(saw(page)) & holders(CART)).sum())))
    for asked in (query(where=both(saw(page), no(CART))), query(measure="share", of=CART, where=saw(page))):
        assert "fewer than 20" in refusal(asked)
    with mock.patch.object(Floor, "_check_parts", lambda *_: None):
        n = Floor(tables()).answer(query(where=both(saw(page), no(CART)))).users
    assert is_few(int(holders(saw(page)).sum()) - n)


def test_one_small_row_is_hidden_with_the_next_one_as_the_sum_would_tell_it() -> None:
    looked_at = 0
    for by in ("browser", "country", "source", "device"):
        whole = query(where=saw("/cart"), by=by, limit=100)
        rows = execute(whole, tables()).rows
        few = {row.name for row in rows if is_few(row.users)}
        shown = {row.name for row in Floor(tables()).answer(whole).rows}
        hidden = [row.users for row in rows if row.name not in shown]
        assert not shown & few
        assert not few or (len(hidden) > 1 and sum(hidden) >= FEWEST)
        looked_at += len(few) == 1 or 0 < sum(row.users for row in rows if is_few(row.users)) < FEWEST
    assert looked_at


def test_a_name_of_few_users_is_refused_as_one_that_is_not_there() -> None:
    rare, common = pages_by_users()
    told, unknown = (
        refusal(query(where=saw(page))).replace(repr(page), "") for page in (rare[0], rare[0] + "x")
    )
    assert told.partition(" Allowed")[0] == unknown.partition(" Allowed")[0]
    assert not any(repr(page) in told or f" {page}," in told for page in rare)
    assert common[0] in Floor(tables()).common["page"]
    assert not {*rare} & {*Floor(tables()).common["page"]}


def test_the_same_question_has_the_same_answer_again() -> None:
    given = Floor(tables())
    for asked in (query(by="page"), query(by="device"), query(where=CART), query(by="day", measure="views")):
        first, again = given.answer(asked), given.answer(asked)
        assert repr(first.rows) == repr(again.rows)  # NaN is not itself


def test_figures_of_enough_users_are_those_without_a_floor() -> None:
    given = Floor(tables())
    for asked in (
        query(),
        query(where=MOBILE),
        query(measure="views_per_user", where=CART, compare="others"),
    ):
        assert repr(given.answer(asked).rows) == repr(execute(asked, tables()).rows)


def test_conditions_without_a_part() -> None:
    asked = query(where=both(either(CART, MOBILE), no({**saw("/cart", "/"), "times": {"at_least": 2}}))).where
    assert isinstance(asked, All)
    simpler = list(without_parts(asked))
    assert all(one != asked for one in simpler)
    parts: list[Condition | None] = [query(where=one).where for one in (both(CART), both(MOBILE))]
    assert len(parts) == 2
    left = query(where=both(either(CART, MOBILE))).where
    assert left in simpler
    once = query(where=both(either(CART, MOBILE), no(saw("/cart", "/")))).where
    assert once in simpler
    assert list(without_parts(Did.checked(**CART))) == [None]


def test_too_many_parts_are_refused_and_not_looked_at() -> None:
    _, common = pages_by_users()
    many = either(*(saw(*common[:30]) for _ in range(12)))
    assert "parts" in refusal(query(where=many))


def test_a_floor_that_is_used_up_says_so() -> None:
    with mock.patch.object(floor, "MOST_KEPT", 3), pytest.raises(Withheld, match="As many figures"):
        given = Floor(tables())
        for asked in (query(where=MOBILE), query(by="page"), query(by="day")):
            given.answer(asked)


@pytest.mark.parametrize(
    "asked",
    [
        Query(measure=Quantity.BOUNCE_RATE), Query(measure=Quantity.BOUNCE_RATE, by="device"),
        Query(measure=Quantity.VIEWS_PER_SESSION),
        Query.model_validate({"measure": "sessions", "of": CART}),
        Query.model_validate({"measure": "session_rate", "of": CART}),
    ],
)  # fmt: skip
def test_some_of_the_sessions_are_not_counted(asked: Query) -> None:
    """What is left beside them can be of few users: 305 sessions less 300 with a page are 5 users' own."""
    with pytest.raises(Withheld, match="Some of the sessions"):
        Floor(tables()).answer(asked)


def paying(refunded: int, in_pounds: int) -> mock._patch[Any]:
    """Patch that refunds the first payers in part, and lets the last pay in pounds as well."""
    whole = Counting.payments

    def payments(counting: Counting) -> tuple[str, OutcomeRecord]:
        event, had = whole(counting)
        [(currency, paid)] = had.money.items()
        place = np.arange(len(paid))
        back, pounds = (
            np.where(few, 1.0, np.nan) for few in (place < refunded, place >= len(place) - in_pounds)
        )
        money = {currency: paid} | ({"GBP": pounds} if in_pounds else {})
        return event, replace(had, money=money, refunds={currency: back})

    return mock.patch.object(Counting, "payments", payments)


@pytest.mark.parametrize("measure", ["refunds", "refund_share", "net_revenue", "net_order_value"])
def test_refunds_of_a_few_users_are_told_by_no_measure(measure: str) -> None:
    with paying(refunded=5, in_pounds=0):
        assert Floor(tables()).answer(query(measure="revenue")).rows
        assert floor.TOO_FEW in refusal(query(measure=measure))
    for many in (0, FEWEST):
        with paying(refunded=many, in_pounds=0):
            assert Floor(tables()).answer(query(measure=measure)).rows


def test_what_a_few_users_paid_in_a_currency_is_not_told() -> None:
    for few, currencies in ((5, 1), (2 * FEWEST, 2)):
        with paying(refunded=0, in_pounds=few):
            assert len(Floor(tables()).answer(query(measure="revenue")).rows) == currencies


@pytest.mark.parametrize("measure", ["revenue", "revenue_per_user", "items"])
@pytest.mark.parametrize(("without", "n_shown"), [(0, 8), (3, 7), (FEWEST, 8)])
def test_few_buyers_among_users_without_a_source_do_not_follow_from_the_sum(
    measure: str, without: int, n_shown: int
) -> None:
    source = People(layout_of(tables().basis), tables()).of_users("source").code
    buyers = np.sort(np.concatenate([np.flatnonzero(source >= 0), np.flatnonzero(source < 0)[:without]]))
    ones = np.ones(len(buyers))
    record = OutcomeRecord(buyers, ones, buyers, {"EUR": ones})
    bought = np.full(len(source), np.nan)
    bought[buyers] = 1.0
    with (
        mock.patch.object(Counting, "payments", lambda _: ("purchase", record)),
        mock.patch.object(Counting, "items", lambda _: bought),
    ):
        assert len(Floor(tables()).answer(query(measure=measure, by="source")).rows) == n_shown


def nothing_but_of_one_user(had: np.ndarray) -> np.ndarray:
    """Amounts that are 0 but for the first user."""
    return np.where(np.arange(len(had)) == 0, 77.0, 0.0)


@pytest.mark.parametrize("measure", ["revenue", "revenue_per_user", "order_value"])
def test_who_paid_nothing_hides_nobody_who_paid(measure: str) -> None:
    whole = Counting.payments

    def payments(counting: Counting) -> tuple[str, OutcomeRecord]:
        event, had = whole(counting)
        return event, replace(had, money={"EUR": nothing_but_of_one_user(had.user)}, refunds={})

    with mock.patch.object(Counting, "payments", payments):
        assert floor.TOO_FEW in refusal(query(measure=measure))


@pytest.mark.parametrize("measure", ["items", "items_per_purchase"])
def test_who_bought_no_item_hides_nobody_who_did(measure: str) -> None:
    def items(counting: Counting) -> np.ndarray:
        found = np.full(counting.layout.n_users, np.nan)
        user = counting.payments()[1].user
        found[user] = nothing_but_of_one_user(user)
        return found

    with mock.patch.object(Counting, "items", items):
        assert floor.TOO_FEW in refusal(query(measure=measure))


@pytest.mark.parametrize("asked", [{"measure": "views"}, {"measure": "sessions"}])
def test_sessions_without_a_channel_of_a_few_users_do_not_follow_from_the_sum(asked: dict[str, Any]) -> None:
    sequences = tables().basis.sequences
    starts = sequences.session_starts
    user = sequences.user[starts]
    channels = pd.DataFrame(
        {"user": user, "session": sequences.session[starts],
         "channel": pd.Categorical(np.array(["Direct", "Email", "Referral"])[user % 3])}
    )  # fmt: skip
    few = channels[channels["user"] >= 5].reset_index(drop=True)
    shown = []
    for known in (channels, few):
        basis = replace(tables().basis, key=f"channels of {len(known)}", session_channels=known.copy)
        given = Floor(replace(tables(), basis=basis))
        shown.append(len(given.answer(query(**asked, by="session_channel")).rows))
    assert shown == [3, 2]


def selling(is_sold: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Tables:
    """The shop where looking at an item is to buy it for 1 €: users and hours of the day → whether it is."""
    layout = layout_of(tables().basis)
    look, buy = (layout.events.names.index(name) for name in ("view_item", "purchase"))
    looks = np.flatnonzero(layout.events.name == look)
    paid = looks[is_sold(layout.events.user[looks], layout.event_hour[looks])]
    name = np.where(layout.events.name == buy, look, layout.events.name)
    name[paid] = buy
    payments = pd.DataFrame({"revenue": 1.0, "currency": "EUR", "items": 1}, index=paid)
    events = replace(layout.events, name=name, paid=payments)
    basis = replace(tables().basis, key=f"{len(paid)} sold", events=lambda: events)
    return replace(tables(), basis=basis)


def sold(made: Tables) -> mock._patch[Any]:
    """Patch that counts what was sold in the whole time, too."""
    events = layout_of(made.basis).events
    assert events.paid is not None
    user, times = np.unique(events.user[events.paid.index], return_counts=True)
    record = OutcomeRecord(user, times, times, {"EUR": times.astype(float)})
    items = np.where(np.isin(np.arange(layout_of(made.basis).n_users), user), 1.0, np.nan)
    return mock.patch.multiple(Counting, payments=lambda _: ("purchase", record), items=lambda _: items)


@pytest.mark.parametrize("measure", ["revenue", "order_value", "items"])
@pytest.mark.parametrize("by", ["week", "hour", "month"])
def test_money_of_a_row_of_time_is_of_enough_users_who_paid(measure: str, by: str) -> None:
    made, asked = selling(lambda user, _: user % 2 == 0), query(measure=measure, by=by)
    with sold(made):
        shown, all_rows = Floor(made).answer(asked).rows, execute(asked, made).rows
    assert shown and all(row.users >= FEWEST for row in shown)
    hidden = [row.users for row in all_rows if row.name not in {one.name for one in shown}]
    assert (by == "month" and not hidden) or (any(map(is_few, hidden)) and sum(hidden) >= FEWEST)


def one_hour_of_few(hour: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """What is sold if in an hour only five users bought, who bought at other hours as well."""

    def is_sold(user: np.ndarray, at: np.ndarray) -> np.ndarray:
        others = np.unique(user[at != hour])
        both = np.intersect1d(user[at == hour], others)[:5]
        assert len(both) == 5
        return (at != hour) | np.isin(user, both)

    return is_sold


@pytest.mark.parametrize("measure", ["revenue", "items"])
def test_few_who_paid_in_an_hour_do_not_follow_from_the_whole_less_all_other_hours(measure: str) -> None:
    made, hours = selling(one_hour_of_few(19)), [hour for hour in range(24) if hour != 19]
    asked = query(measure=measure, period={"hours": hours})
    with sold(made):
        assert Floor(made).answer(asked).rows
        given = Floor(made)
        assert given.answer(query(measure=measure)).rows
        assert floor.TOO_FEW in refusal(asked, given)
        with mock.patch.object(floor, "_of_payers", lambda _, main, *others: main.of_users(others[-1])):
            careless = Floor(made)
            assert careless.answer(query(measure=measure)).rows
            assert careless.answer(asked).rows
