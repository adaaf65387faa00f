"""Count an export by GA4's own definitions, and explain the gap to our figures cause by cause.

GA4 counts *active* users (``is_active_user``, else anybody engaged or on a first visit), sessions by
``user_pseudo_id`` and ``ga_session_id``, views of pages and of an app's screens, every event, and a
transaction once per user. We count users, sessions and page views that segments are made of. A user or
session that we lack is attributed to the last reason that took any of its records.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis import _

from core.base.schema import Outcomes, Raw
from core.ingest.account.accounting import SCREEN_VIEW
from core.ingest.account.waterfall import LEFT_OUT, REJECT_REASONS
from core.ingest.clean import clock, records
from core.ingest.clean.records import ACTIVE, FATE, Fate
from core.ingest.engine import Engine
from core.ingest.observe.behaviour import Behaviour
from core.ingest.observe.narrow import PURCHASE, REFUND, hashed, order_of
from core.ingest.observe.page_views import Sessions, number_sessions
from core.storage.receipt import NO_CURRENCY, AsGa4, Ga4Day, Ga4Figure, GapCause, LeftOut, Revenue

BY_VERDICT: Final = "is_active_user"
BY_ENGAGEMENT: Final = "engagement, first_visit or first_open"

_LABELS: Final = {Fate.NO_LOCATION: REJECT_REASONS[Fate.NO_LOCATION], **LEFT_OUT}
_NO_VIEW: Final = ("no_page_view", "Without a page view")
_SCREENS: Final = ("screens", "Screens of an app, other events here")
_INACTIVE: Final = ("inactive", "Viewed a page, but not active to GA4")
_DEVICES: Final = ("devices", "Several cookies of one user, or a user without a cookie")
_BY_PAUSE: Final = ("by_pause", "Without a session id: cut by a pause")
_BOTS: Final = ("bot_like", "Looks automated")
_STRIPPED: Final = ("stripped", "On pages left out by choice")
_AGAIN: Final = ("repeated", "Transactions that another user's device also sent")
_USED: Final = int(Fate.STAYS) + 1
"""Stands for the fate of a device or session with a used page view."""
_DEVICE, _USER, _SESSION, _DAY = "device", "user", "session", "day"
_HOUR, _HOUR_US = "hour", clock.DAY // 24
_VIEWS: Final = "views"


@dataclass(frozen=True, eq=False)
class Ga4Counts:
    """Counts of all records of an export by GA4's definitions, before bots and pages are left out.

    Args:
        by_verdict: Whether GA4's own verdict tells who is active.
        events: Fate → events.
        views: Fate → page and screen views.
        screens: Screen views among those that stay.
        devices: Fate and whether active → devices (``user_pseudo_id``).
        sessions: Fate → sessions.
        users: Users (by the chosen key) with a page view that stays.
        money: Rows of name, currency, fate, ``again`` (also of another device) and ``amount``.
        days: Day → counts.
        by_hour: As in :class:`~core.storage.receipt.AsGa4`.
    """

    by_verdict: bool
    events: Counter[int]
    views: Counter[int]
    screens: int
    devices: Mapping[tuple[int, bool], int]
    sessions: Mapping[int, int]
    users: int
    money: tuple[Mapping[str, Any], ...]
    days: Mapping[date, Ga4Day]
    by_hour: Mapping[str, dict[date, str]]

    @property
    def says_who_is_active(self) -> bool:
        """Whether the records say who is active to GA4: by its own verdict, engagement or a first visit."""
        return self.by_verdict or any(is_active for _, is_active in self.devices)


def count_as_ga4(engine: Engine, typed: ir.Table, present: Collection[str]) -> Ga4Counts:
    """Count the records of an export by GA4's definitions.

    Args:
        engine: Database of the tables.
        typed: Typed records; those without a usable time, and of a replaced table, do not count.
        present: Fields that any file has.
    """
    counted = typed.filter(records.stays(typed, {Fate.NO_TIME, Fate.OTHER_TABLE}))
    visits = _visits(engine, counted, present)
    money = _money(engine, counted, _viewers(visits), present)
    totals = engine.rows(
        visits.group_by(FATE).agg(
            events=_.events.sum().cast("int64"), views=(_[_VIEWS] + _.screens).sum().cast("int64"),
            screens=_.screens.sum().cast("int64"),
        )
    )  # fmt: skip
    devices = _by_fate(visits, _DEVICE).group_by("at", ACTIVE).agg(n=_.count())
    sessions = _by_fate(visits, _SESSION).group_by("at").agg(n=_.count())
    return Ga4Counts(
        by_verdict=Raw.IS_ACTIVE_USER in present,
        events=Counter({row[FATE]: row["events"] for row in totals}),
        views=Counter({row[FATE]: row["views"] for row in totals}),
        screens=sum(row["screens"] for row in totals if row[FATE] == Fate.STAYS),
        devices={(row["at"], row[ACTIVE]): row["n"] for row in engine.rows(devices)},
        sessions={row["at"]: row["n"] for row in engine.rows(sessions)},
        users=engine.count(_viewers(visits)),
        money=tuple(money),
        days=_days(engine, visits, money, present),
        by_hour=_by_hour(engine, visits, money),
    )


def _device(typed: ir.Table, present: Collection[str]) -> ir.StringValue:
    """``user_pseudo_id``, whichever column identifies users; null where it is missing."""
    if Raw.BROWSER_ID in present:
        return records.user_id(typed[Raw.BROWSER_ID])
    return typed[records.USER_ID]


def _day(counted: ir.Table, present: Collection[str]) -> ir.StringValue:
    """Name of each record's day, the same whether a file writes dates with hyphens or without."""
    day = clock.day_of(counted, present)
    return day.strip().replace("-", "") if Raw.EVENT_DATE in present else day


def _visits(engine: Engine, counted: ir.Table, present: Collection[str]) -> ir.Table:
    """Count records by device, user, session, day, hour and fate."""
    device, session = _device(counted, present), counted[records.SESSION_ID]
    screen = ~counted[records.IS_VIEW] & (counted[Raw.EVENT_NAME] == SCREEN_VIEW)
    keys = {
        _DEVICE: _hash(device),
        _USER: hashed(counted[records.USER_ID]),
        _SESSION: _hash(device.concat("\x1f", session)),
        _DAY: _day(counted, present),
        _HOUR: counted[records.TS] // _HOUR_US,
    }
    groups = counted.group_by(FATE, **keys)
    return engine.keep(
        "as_ga4",
        groups.agg(
            events=_.count(),
            screens=_.count(where=screen),
            **{_VIEWS: _.count(where=counted[records.IS_VIEW]), ACTIVE: counted[ACTIVE].any()},
        ),
    )


def _hash(text: ir.StringValue) -> ir.IntegerValue:
    return ibis.ifelse(text.isnull(), ibis.null("uint64"), hashed(text))


def _by_fate(visits: ir.Table, key: str) -> ir.Table:
    """Each device or session: ``at`` is :data:`_USED` or its records' last fate, and whether it is active."""
    stays = visits[FATE] == int(Fate.STAYS)
    viewed = (stays & (visits[_VIEWS] > 0)).any()
    groups = visits.filter(visits[key].notnull()).group_by(key)
    return groups.agg(
        at=ibis.ifelse(viewed, _USED, visits[FATE].max()).cast("int8"), **{ACTIVE: visits[ACTIVE].any()}
    )


def _viewers(visits: ir.Table) -> ir.Table:
    """Hashes of the users with a page view that stays."""
    return visits.filter(visits[FATE] == int(Fate.STAYS), visits[_VIEWS] > 0).select(_USER).distinct()


def _money(
    engine: Engine, counted: ir.Table, viewers: ir.Table, present: Collection[str]
) -> list[dict[str, Any]]:
    """Sum purchases, each transaction of a device once, and refunds: rows as in :class:`Ga4Counts`."""
    if Raw.EVENT_NAME not in present or not {Raw.PURCHASE_REVENUE, Raw.REFUND_VALUE} & set(present):
        return []
    name = counted[Raw.EVENT_NAME].strip()
    sold = counted.filter(~counted[records.IS_VIEW], name.isin([PURCHASE, REFUND]))
    order = order_of(present)
    back = ibis.coalesce(sold[records.REFUND].nullif(0), sold[records.REVENUE].nullif(0)).abs()
    is_refund = sold[Raw.EVENT_NAME].strip() == REFUND
    transaction, user = records.absent(sold[Raw.TRANSACTION_ID]), _hash(sold[records.USER_ID])
    paid_in = _paid_in(sold, transaction, is_refund)
    money = sold.select(
        *(FATE, *order),
        name=sold[Raw.EVENT_NAME].strip(),
        currency=ibis.ifelse(is_refund, paid_in, records.currency(sold[Raw.CURRENCY])).fill_null(NO_CURRENCY),
        paid=ibis.ifelse(is_refund, back, sold[records.REVENUE]),
        device=_device(sold, present).fill_null(""),
        transaction=ibis.ifelse(is_refund, ibis.null("string"), transaction),
        **{_USER: user, _DAY: _day(sold, present), _HOUR: sold[records.TS] // _HOUR_US},
    )
    known = money.left_join(viewers.mutate(views=True), _USER).select(*money.columns, "views")
    rows = engine.keep("money_as_ga4", known.mutate(views=known.views.fill_null(False)))
    named = rows.filter(rows.transaction.notnull())
    first = [named.views.desc(), named[FATE].desc(), *order]  # the one that we keep
    alike = ibis.row_number().over(ibis.window(group_by=["transaction", "device"], order_by=first))
    once = named.mutate(place=alike).filter(_.place == 0).drop("place")
    again = ibis.row_number().over(
        ibis.window(group_by="transaction", order_by=[once.views.desc(), once[FATE].desc(), *order])
    )
    kept = ibis.union(
        once.mutate(again=(again > 0) & (once[FATE] >= int(Fate.BEFORE_LOGIN))),
        rows.filter(rows.transaction.isnull()).mutate(again=False),
    )
    keys = ("name", "currency", FATE, "again", _DAY, _HOUR)
    sums = kept.filter(kept.paid.notnull()).group_by(*keys)
    amount = _.paid.try_cast("decimal(38, 6)").sum().cast("float64")
    return engine.rows(sums.agg(amount=amount).order_by(*keys))


def _paid_in(sold: ir.Table, transaction: ir.StringValue, is_refund: ir.BooleanValue) -> ir.StringValue:
    """Currency of a refund: its own, else that of its transaction's purchase or of its user's purchases."""
    bought = ~is_refund & (sold[FATE] >= int(Fate.BEFORE_LOGIN))
    code = records.currency(sold[Raw.CURRENCY])
    of_transaction, of_user = ibis.window(group_by=transaction), ibis.window(group_by=sold[records.USER_ID])
    known = transaction.notnull() & bought.any().over(of_transaction)
    of_purchase, of_buyer = (code.min(where=bought).over(key) for key in (of_transaction, of_user))
    return ibis.coalesce(code, ibis.cases((known, of_purchase), (sold[records.USER_ID].notnull(), of_buyer)))


def _days(
    engine: Engine, visits: ir.Table, money: Iterable[Mapping[str, Any]], present: Collection[str]
) -> dict[date, Ga4Day]:
    """Counts of each day."""
    nobody, viewed = visits[_DEVICE].isnull(), visits[_VIEWS] + visits.screens
    counts = visits.group_by(_DAY).agg(
        events=_.events.sum().cast("int64"),
        events_without_id=nobody.ifelse(visits.events, 0).sum().cast("int64"),
        views=viewed.sum().cast("int64"),
        views_without_id=nobody.ifelse(viewed, 0).sum().cast("int64"),
        users=visits[_DEVICE].nunique(where=visits[ACTIVE]),
        sessions=visits[_SESSION].nunique(),
    )
    by_date = Raw.EVENT_DATE in present
    days: dict[date, dict[str, Any]] = {}
    for row in engine.rows(counts):
        if day := _date_of(row.pop(_DAY), by_date):
            days[day] = row
    for sold in money:
        if day := _date_of(sold[_DAY], by_date):
            name = "gross" if sold["name"] == PURCHASE else "refunds"
            for part in (name, f"{name}_without_id") if _is_of_nobody(sold) else (name,):
                sums = days[day].setdefault(part, {})
                sums[sold["currency"]] = round(sums.get(sold["currency"], 0.0) + sold["amount"], 6)
    return {day: Ga4Day(**days[day]) for day in sorted(days)}


def _is_of_nobody(sold: Mapping[str, Any]) -> bool:
    """Whether money came with neither a user id nor ``user_pseudo_id``."""
    return bool(Fate.BEFORE_LOGIN < sold[FATE] < Fate.STAYS)


def _by_hour(
    engine: Engine, visits: ir.Table, money: Iterable[Mapping[str, Any]]
) -> dict[str, dict[date, str]]:
    """What records with a device count in each hour, as in :class:`~core.storage.receipt.AsGa4`."""
    viewed = (_[_VIEWS] + _.screens).sum().cast("int64")
    counts = (
        visits.filter(visits[_DEVICE].notnull())
        .group_by(_HOUR)
        .agg(events=_.events.sum().cast("int64"), views=viewed)
    )
    begun = visits.filter(visits[_SESSION].notnull()).group_by(_SESSION).agg(**{_HOUR: visits[_HOUR].min()})
    sums: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for row in engine.rows(counts.left_join(begun.group_by(_HOUR).agg(sessions=_.count()), _HOUR)):
        for name in ("events", "views", "sessions"):
            sums[name][row[_HOUR]] += row[name] or 0
    for sold in money:
        if not _is_of_nobody(sold):
            kind = "gross" if sold["name"] == PURCHASE else "refunds"
            sums[f"{kind} {sold['currency']}"][sold[_HOUR]] += sold["amount"]
    return {
        name: {
            date(1970, 1, 1) + timedelta(day): " ".join(
                f"{hours[24 * day + hour]:.6f}".rstrip("0").rstrip(".") for hour in range(24)
            )
            for day in sorted({hour // 24 for hour in hours})
        }
        for name, hours in sums.items()
    }


def _date_of(written: str | None, by_date: bool) -> date | None:
    """Date of a day as :func:`_day` writes it; None if it is no day."""
    if written is None or not by_date:
        return None if written is None else date(1970, 1, 1) + timedelta(int(written))
    try:
        return datetime.strptime(written, "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None


@dataclass(frozen=True, eq=False)
class OurCounts:
    """What our figures are, and what was left out on the way to them.

    Args:
        behaviour: Behaviour of all users.
        left_out: Causes of the waterfall.
        users: Users with a used page view.
        users_left: Cause → users who leave at that step.
        sessions: Sessions of the used page views.
        page_views: Used page views.
        other_events: Used events other than page views.
        revenue: Currency → revenue.
        without_bots: Whether users who look automated are left out.
    """

    behaviour: Behaviour
    left_out: tuple[LeftOut, ...]
    users: int
    users_left: Mapping[str, int]
    sessions: Sessions
    page_views: int
    other_events: int
    revenue: Mapping[str, Revenue]
    without_bots: bool


def beside_ga4(counted: Ga4Counts, ours: OurCounts) -> AsGa4:
    """Put our figures beside GA4's, with the causes of each gap."""
    return AsGa4(
        active_by=BY_VERDICT if counted.by_verdict else BY_ENGAGEMENT,
        figures=(
            *([_users(counted, ours)] if counted.says_who_is_active else []),
            _sessions(counted, ours), _views(counted, ours), _events(counted, ours), *_revenue(counted, ours),
        ),
        days=dict(counted.days), by_hour=dict(counted.by_hour),
    )  # fmt: skip


def _causes(*changes: tuple[tuple[str, str], float]) -> tuple[GapCause, ...]:
    """Causes that change anything."""
    rounded = [(cause, label, round(change, 6)) for (cause, label), change in changes]
    return tuple(
        GapCause(cause=cause, label=label, change=change) for cause, label, change in rounded if change
    )


def _lost(counts: Mapping[int, int]) -> list[tuple[tuple[str, str], float]]:
    """What each fate but staying takes away, in the order of fates."""
    return [((fate.name.lower(), label), -counts.get(int(fate), 0)) for fate, label in _LABELS.items()]


def _users(counted: Ga4Counts, ours: OurCounts) -> Ga4Figure:
    active = {at: n for (at, is_active), n in counted.devices.items() if is_active}
    used = counted.devices.get((_USED, False), 0)
    viewed = active.get(_USED, 0) + used
    return Ga4Figure(
        name="users", ga4=sum(active.values()), ours=ours.users,
        causes=_causes(
            *_lost(active), (_NO_VIEW, -active.get(int(Fate.STAYS), 0)), (_INACTIVE, used),
            (_DEVICES, counted.users - viewed),
            *(((name, label), -ours.users_left.get(name, 0)) for name, label in (_BOTS, _STRIPPED)),
        ),
    )  # fmt: skip


def _sessions(counted: Ga4Counts, ours: OurCounts) -> Ga4Figure:
    views, bots = ours.behaviour.views, ours.behaviour.bots
    whole = number_sessions(views)
    people = number_sessions(views.only(~bots[views.user])) if ours.without_bots and bots.any() else whole
    return Ga4Figure(
        name="sessions", ga4=sum(counted.sessions.values()), ours=ours.sessions.total,
        causes=_causes(
            *_lost(counted.sessions), (_NO_VIEW, -counted.sessions.get(int(Fate.STAYS), 0)),
            (_DEVICES, whole.total - whole.by_gap - counted.sessions.get(_USED, 0)),
            (_BY_PAUSE, whole.by_gap),
            (_BOTS, people.total - whole.total), (_STRIPPED, ours.sessions.total - people.total),
        ),
    )  # fmt: skip


def _views(counted: Ga4Counts, ours: OurCounts) -> Ga4Figure:
    left = {one.cause: one.page_views for one in ours.left_out}
    return Ga4Figure(
        name="views", ga4=counted.views.total(), ours=ours.page_views,
        causes=_causes(
            *_lost(counted.views), (_SCREENS, -counted.screens),
            *((cause, -left.get(cause[0], 0)) for cause in (_BOTS, _STRIPPED)),
        ),
    )  # fmt: skip


def _events(counted: Ga4Counts, ours: OurCounts) -> Ga4Figure:
    left = {one.cause: one.page_views + one.other_events for one in ours.left_out}
    return Ga4Figure(
        name="events", ga4=counted.events.total(), ours=ours.page_views + ours.other_events,
        causes=_causes(
            *_lost(counted.events), *((cause, -left.get(cause[0], 0)) for cause in (_BOTS, _STRIPPED))
        ),
    )  # fmt: skip


def _revenue(counted: Ga4Counts, ours: OurCounts) -> list[Ga4Figure]:
    """Gross revenue, refunds and net revenue of each currency."""
    figures = []
    for currency in sorted({*ours.revenue, *(row["currency"] for row in counted.money)}):
        mine = ours.revenue.get(currency, Revenue(gross=0, refunds=0, net=0))
        amount = partial(_amount, counted.money, currency)
        left_out = {fate: name for fate, name in _LABELS.items() if fate < Fate.BEFORE_LOGIN}
        paid = [((fate.name.lower(), label), -amount(PURCHASE, fate)) for fate, label in left_out.items()]
        paid += [(_AGAIN, -amount(PURCHASE, again=True)), (_BOTS, -_paid_by_bots(ours, currency))]
        back = [((fate.name.lower(), label), -amount(REFUND, fate)) for fate, label in left_out.items()]
        net = [(cause, change - dict(back).get(cause, 0.0)) for cause, change in paid]
        sums = {
            "gross": (amount(PURCHASE), paid, mine.gross),
            "refunds": (amount(REFUND), back, mine.refunds),
        }
        sums["net"] = (sums["gross"][0] - sums["refunds"][0], net, mine.net)
        for name, (ga4, changes, own) in sums.items():
            figures.append(
                Ga4Figure(name=name, currency=currency, ga4=round(ga4, 6), causes=_causes(*changes), ours=own)
            )
    return figures


def _amount(
    money: Iterable[Mapping[str, Any]],
    currency: str,
    name: str,
    fate: Fate | None = None,
    again: bool | None = None,
) -> float:
    """Sum of money of a currency and kind, of one fate, or of transactions sent again."""
    return float(
        sum(
            row["amount"]
            for row in money
            if (row["currency"], row["name"]) == (currency, name)
            and (fate is None or row[FATE] == fate)
            and (again is None or row["again"] == again)
        )
    )


def _paid_by_bots(ours: OurCounts, currency: str) -> float:
    """Gross revenue of users who look automated, if they are left out."""
    if not ours.without_bots or not ours.behaviour.bots.any():
        return 0.0
    table = ours.behaviour.outcomes.table
    bots = np.flatnonzero(ours.behaviour.bots)
    theirs = pc.and_(
        pc.is_in(table[Outcomes.USER], pa.array(bots.astype(np.int32))),
        pc.equal(pc.fill_null(table[Outcomes.CURRENCY], NO_CURRENCY), currency),
    )
    bought = pc.and_(theirs, pc.equal(table[Outcomes.EVENT_NAME], PURCHASE))
    return float(pc.sum(table.filter(bought)[Outcomes.REVENUE]).as_py() or 0.0)
