"""Answers to queries from raw rows, user by user in plain loops: of the project it takes the query alone.

Slow and simple on purpose. What a query means is written out here a second time; where this file and the
executor disagree, one of them is wrong.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from statistics import median
from typing import Any, Final
from zoneinfo import ZoneInfo

import pandas as pd

from core.query.query import Query

OF_USERS: Final = ("segment", "device", "browser", "country", "source", "visitor", "n_sessions")
OF_TIME: Final = ("day", "week", "month", "weekday", "hour")
OF_MOMENTS: Final = (*OF_TIME, "session_channel")
OF_PURCHASES: Final = ("revenue", "revenue_per_user", "order_value", "items", "items_per_purchase")
OF_PAGES: Final = ("page", "folder", "template", "theme", "type")
CHANNEL: Final = "session_traffic_source_last_click_cross_channel_campaign_default_channel_group"
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FEW: Final = 20


class Impossible(Exception):
    """The query has no answer: nobody came then, or it asks an event for its page views."""


@dataclass(frozen=True)
class Moment:
    """A page view (without ``name``) or an event (without ``page``), and what a purchase says."""

    at: int
    when: datetime
    session: str
    name: str = ""
    page: str = ""
    paid: float = 0
    items: float | None = None


@dataclass
class Person:
    """A user: what they did in order, and what is known of them."""

    moments: list[Moment] = field(default_factory=list)
    known: dict[str, str | None] = field(default_factory=dict)
    seconds: float | None = None
    returned: float = 0

    @property
    def views(self) -> list[Moment]:
        return [one for one in self.moments if one.page]


@dataclass(frozen=True)
class Line:
    """A row of an answer."""

    name: str
    value: float
    n: int
    users: int


@dataclass(frozen=True)
class Answered:
    """An answer: rows, and users asked about, counted and not counted."""

    lines: list[Line]
    users: int
    base: int
    unseen: int
    few: int
    more: int


Rows = Mapping[str, Iterable[str]]


class ByHand:
    """A site whose queries are answered by hand.

    Args:
        rows: Raw rows.
        zone: The site's time zone.
        pages: Path of each page → its template, theme and type.
        origin: Scheme and host of all pages.
    """

    def __init__(
        self, rows: pd.DataFrame, zone: ZoneInfo, pages: Mapping[str, tuple[str, str, str]], origin: str
    ) -> None:
        self.zone, self.pages = zone, pages
        records = [
            {name: None if pd.isna(value) else value for name, value in row.items()}
            for row in rows.sort_values("event_timestamp", kind="stable").to_dict("records")
        ]
        for row in records:
            row["is_view"] = row["event_name"] == "page_view"
        self.channels = {row["ga_session_id"]: row[CHANNEL] for row in records if row[CHANNEL]}
        viewers = {row["user_pseudo_id"] for row in records if row["is_view"]}
        everybody: dict[str, Person] = defaultdict(Person)
        sold: set[str] = set()
        for row in sorted(records, key=lambda row: row["user_pseudo_id"] not in viewers):
            self._add(everybody[row["user_pseudo_id"]], row, sold, origin)
        self.people = {name: everybody[name] for name in sorted(viewers)}
        self.without_view = [person for name, person in everybody.items() if name not in viewers]
        for person in self.people.values():
            person.moments = _in_sessions(person.moments)
        self._attribute_order = {
            name: _by_frequency(person.known[name] for person in self.people.values())
            for name in ("device", "browser", "country", "source")
        }
        counts = pd.Series(
            [view.page for person in self.people.values() for view in person.views]
        ).value_counts()
        self.in_order = sorted(counts.index, key=lambda page: (-counts[page], page))
        self.events = sorted({m.name for person in self.people.values() for m in person.moments if m.name})
        days = [view.when.date() for person in self.people.values() for view in person.views]
        self.first, self.last = min(days), max(days)

    def _add(self, person: Person, row: dict[str, Any], sold: set[str], origin: str) -> None:
        source = row["traffic_source_source"]
        person.known = {
            "device": row["device_category"],
            "browser": row["browser"],
            "country": row["country"],
            "source": f"{source} / {row['traffic_source_medium']}" if source else None,
            "segment": f"segment:{row['segment']}" if row["segment"] >= 0 else None,
        }
        if row["engagement_time_msec"] is not None:
            person.seconds = (person.seconds or 0) + row["engagement_time_msec"] / 1000
        if row["event_name"] == "purchase" and row["transaction_id"]:
            if row["transaction_id"] in sold:
                return
            sold.add(row["transaction_id"])
        is_sold = row["event_name"] == "purchase"
        paid, items = (row["purchase_revenue"] or 0, row["total_item_quantity"]) if is_sold else (0, None)
        person.returned += row["refund_value"] or 0
        when = datetime.fromtimestamp(row["event_timestamp"] / 1e6, self.zone).replace(tzinfo=None)
        name, page = (
            ("", row["page_location"].removeprefix(origin)) if row["is_view"] else (row["event_name"], "")
        )
        moment = Moment(row["event_timestamp"], when, row["ga_session_id"], name, page, paid, items)
        person.moments.append(moment)

    # the answer

    def answer(self, query: Query) -> Answered:
        """Answer a query, its rows in their order."""
        inside = _within(query.period)
        base = {name: person for name, person in self.people.items() if any(inside(v) for v in person.views)}
        came = [
            part.period
            for one in (query.where, query.of, query.compare)
            for part in _parts_of(one)
            if part.kind == "came"
        ]
        for period in (query.period, *came):
            if not any(_within(period)(view) for person in self.people.values() for view in person.views):
                raise Impossible
        chosen = {
            name: p
            for name, p in base.items()
            if query.where is None or self.holds(p, query.where, query.period)
        }
        unseen = self._unseen(query, base)
        if query.compare is None:
            lines = self._lines(query, base, chosen)
            shown, few, more = _shown(query, lines)
            return Answered(shown, len(chosen), len(base), unseen, few, more)
        others = {
            name: person
            for name, person in base.items()
            if (
                name not in chosen
                if query.compare.kind == "others"
                else self.holds(person, query.compare, query.period)
            )
        }
        if not (chosen and others):
            raise Impossible
        (first,), (second,) = self._lines(query, base, chosen), self._lines(query, base, others)
        return Answered([first, second], len(chosen), len(base), unseen, 0, 0)

    def _unseen(self, query: Query, base: Mapping[str, Person]) -> int:
        """Users who did what is asked about and do not count; of some the first time alone is known."""
        asked = [
            step
            for part in (query.where, query.of, query.compare)
            for did in _parts_of(part)
            if did.kind == "did"
            for step in did.steps
            if step.kind == "event"
        ]
        inside = _within(query.period)

        def did(person: Person, *, first: bool) -> bool:
            for name in [*self.events, "session_start"]:
                done = [
                    m
                    for m in person.moments
                    if m.name == name and any(_is_like(name, one) for step in asked for one in step.any_of)
                ]
                if any(map(inside, done[:1] if first else done)):
                    return True
            return False

        without = sum(did(person, first=True) for person in self.without_view)
        return without + sum(
            did(person, first=False) for name, person in self.people.items() if name not in base
        )

    # conditions

    def holds(self, person: Person, condition: Any, period: Any) -> bool:  # noqa: ANN401
        """Whether a condition holds of a user, looking at a period only."""
        match condition.kind:
            case "all":
                return all(self.holds(person, part, period) for part in condition.of)
            case "any":
                return any(self.holds(person, part, period) for part in condition.of)
            case "not":
                return not self.holds(person, condition.of, period)
            case "came":
                both = (_within(period), _within(condition.period))
                return any(map(both[0], person.views)) and any(map(both[1], person.views))
            case "has":
                return _is_in(condition.range, self._count(person, condition.count, period))
            case "is":
                value = self._called(person, condition.dimension, period)
                return value is not None and any(_is_like(value, one) for one in condition.any_of)
        if len(condition.steps) == 1:
            times = len(self._done(person, condition, period))
            return times > 0 if condition.times is None else _is_in(condition.times, times)
        return self._reached(person, condition, period) == len(condition.steps)

    def _count(self, person: Person, what: str, period: Any) -> float:  # noqa: ANN401
        views = [view for view in person.views if _within(period)(view)]
        if what == "engagement":
            return math.nan if person.seconds is None else person.seconds
        units = {
            "views": lambda view: id(view),
            "sessions": lambda view: view.session,
            "days": lambda view: view.when.date(),
            "pages": lambda view: view.page,
        }
        return len({units[what](view) for view in views})

    def _called(self, person: Person, dimension: str, period: Any) -> str | None:  # noqa: ANN401
        if dimension in person.known:
            return person.known[dimension]
        sessions = int(self._count(person, "sessions", period))
        if dimension == "visitor":
            return "came again" if sessions > 1 else "came once"
        return None if sessions == 0 else str(sessions) if sessions < 5 else "5 or more"

    def _makes(self, moment: Moment, step: Any) -> bool:  # noqa: ANN401
        if step.kind == "event":
            return bool(moment.name) and any(_is_like(moment.name, one) for one in step.any_of)
        return bool(moment.page) and any(
            _is_like(self._page_called(moment.page, step.kind), one) for one in step.any_of
        )

    def _page_called(self, page: str, dimension: str) -> str:
        if dimension == "page":
            return page
        if dimension == "folder":
            return f"/{page.split('/')[1]}/" if page.count("/") > 1 else "/"
        template, theme, kind = self.pages[page]
        return {"template": template, "theme": theme, "type": kind}[dimension]

    def _done(self, person: Person, did: Any, period: Any) -> list[Moment]:  # noqa: ANN401
        """The moments in a period that make a single step."""
        inside = _within(period)
        ends = {} if did.at == "any" else self._ends(person, did.at)
        return [
            m
            for m in person.moments
            if inside(m) and self._makes(m, did.steps[0]) and (did.at == "any" or ends[m.session] is m)
        ]

    def _ends(self, person: Person, at: str) -> dict[str, Moment]:
        views = person.views if at == "exit" else person.views[::-1]
        return {view.session: view for view in views}

    def _reached(self, person: Person, did: Any, period: Any) -> int:  # noqa: ANN401
        """Steps that are reached, by trying every first step."""
        inside, best = _within(period), 0
        limit = None if did.within in ("user", "session") else _microseconds(did.within)
        for moments in self._stretches(person, did.within):
            for start, first in enumerate(moments):
                if not (inside(first) and self._makes(first, did.steps[0])):
                    continue
                reached, here = 1, {start}
                while here and reached < len(did.steps):
                    step = did.steps[reached]
                    here = {
                        later
                        for place in here
                        for later in range(place + 1, len(moments))
                        if inside(moments[later])
                        and self._makes(moments[later], step)
                        and (limit is None or moments[later].at - first.at <= limit)
                        and (did.order == "loose" or not any(m.page for m in moments[place + 1 : later]))
                    }
                    reached += bool(here)
                best = max(best, reached)
        return best

    def _stretches(self, person: Person, within: str) -> list[list[Moment]]:
        if within != "session":
            return [person.moments]
        sessions: dict[str, list[Moment]] = defaultdict(list)
        for moment in person.moments:
            sessions[moment.session].append(moment)
        return list(sessions.values())

    # rows

    def _names(self, query: Query) -> list[str]:
        """The rows that are possible, in their own order."""
        by = query.by
        if by in self._attribute_order:
            return self._attribute_order[by]
        if by in OF_PAGES:
            return list(dict.fromkeys(self._page_called(page, by) for page in self.in_order))
        days = [self.first + timedelta(n) for n in range((self.last - self.first).days + 1)]
        return {
            None: [""],
            "segment": ["segment:0", "segment:1", "segment:2"],
            "visitor": ["came once", "came again"],
            "n_sessions": ["1", "2", "3", "4", "5 or more"],
            "entry": self.in_order,
            "exit": self.in_order,
            "next": [*self.in_order, "(end of the session)"],
            "previous": [*self.in_order, "(start of the session)"],
            "event": self.events,
            "weekday": list(WEEKDAYS),
            "hour": [f"{hour:02d}:00" for hour in range(24)],
            "session_channel": sorted({*self.channels.values()}),
            "day": [day.isoformat() for day in days],
            "month": list(dict.fromkeys(f"{day:%Y-%m}" for day in days)),
            "week": list(dict.fromkeys(_monday(day).isoformat() for day in days)),
        }[by]

    def _row_of(self, query: Query, person: Person, moment: Moment) -> str | None:
        """The row of a page view, or of an event where rows are of moments."""
        by = query.by
        if by is None:
            return ""
        if by in OF_USERS:
            return self._called(person, by, query.period)
        if by in OF_PAGES:
            return self._page_called(moment.page, by)
        if by in ("entry", "exit"):
            return self._ends(person, by)[moment.session].page
        if by == "session_channel":
            has_view = any(view.session == moment.session for view in person.views)
            return self.channels.get(moment.session) if has_view else None
        day = moment.when.date()
        return {
            "day": day.isoformat(),
            "week": _monday(day).isoformat(),
            "month": f"{day:%Y-%m}",
            "weekday": WEEKDAYS[day.weekday()],
            "hour": f"{moment.when.hour:02d}:00",
        }[by]

    def _lines(self, query: Query, base: Mapping[str, Person], chosen: Mapping[str, Person]) -> list[Line]:
        special = {"funnel": self._funnel, "retention": self._retention, "time_to": self._time_to}
        if query.measure in special:
            return special[query.measure](query, chosen)
        if query.by in ("next", "previous"):
            return self._beside(query, chosen)
        if query.by == "event" and query.measure == "events":
            return self._by_event(query, chosen)
        return self._counted(query, base, chosen)

    def _counted(self, query: Query, base: Mapping[str, Person], chosen: Mapping[str, Person]) -> list[Line]:
        inside = _within(query.period)
        rows: dict[str, dict[str, list[Moment]]] = defaultdict(lambda: defaultdict(list))
        for name, person in chosen.items():
            for moment in person.moments:
                if query.by == "event" and moment.name and inside(moment):
                    rows[moment.name][name].append(moment)
                elif query.by != "event" and moment.page and inside(moment):
                    rows[self._row_of(query, person, moment)][name].append(moment)
                elif query.by in OF_MOMENTS and inside(moment) and self._is_counted(query, moment):
                    rows[self._row_of(query, person, moment)].setdefault(name, [])  # without page views
        return [self._line(query, name, rows[name], base, chosen) for name in self._names(query)]

    def _is_counted(self, query: Query, moment: Moment) -> bool:
        """Whether a moment is one of the events that are counted, or a purchase whose money or items are."""
        if query.measure in OF_PURCHASES:
            return moment.name == "purchase"
        return query.measure in ("events", "events_per_user") and self._makes(moment, query.of.steps[0])

    def _line(
        self,
        query: Query,
        row: str,
        units: Mapping[str, list[Moment]],
        base: Mapping[str, Person],
        chosen: Mapping[str, Person],
    ) -> Line:
        measure = query.measure
        if measure == "users" and query.of is not None:
            done = {name: self._done(self.people[name], query.of, query.period) for name in units}
            units = {
                name: views for name, views in units.items() if any(view in done[name] for view in views)
            }
        n = len(units)
        if measure == "share":
            return self._share(query, row, units, len(chosen) if query.by else len(base))
        if measure == "lift":
            does = {name for name, person in base.items() if self.holds(person, query.of, query.period)}
            rest, rest_n = len(does - {*units}), len(base) - n
            share = _over(len(does & {*units}), n)
            lift = _over(share, _over(rest, rest_n))
            return Line(row, lift, n, n)
        pairs = [self._parts(query, row, name, views) for name, views in units.items()]
        pairs = [pair for pair in pairs if pair is not None]
        part, whole = (sum(pair[place] for pair in pairs) for place in (0, 1))
        if measure in ("users", "sessions", "views", "events", "revenue", "net_revenue", "refunds", "items"):
            return Line(row, part, n, sum(1 for pair in pairs if pair[0]))
        return Line(row, _over(part, whole), round(whole), sum(1 for pair in pairs if pair[1]))

    def _share(self, query: Query, row: str, units: Mapping[str, list[Moment]], everybody: int) -> Line:
        n = len(units)
        if query.of is None:
            return Line(row, _over(n, everybody), everybody, n)
        do = sum(self._holds_in_row(self.people[name], query.of, query, row) for name in units)
        return Line(row, _over(do, n), n, n)

    def _holds_in_row(self, person: Person, condition: Any, query: Query, row: str) -> bool:  # noqa: ANN401
        """Of a day (hour, …) single steps must be taken on that day; all else holds of the whole period."""
        if query.by not in OF_MOMENTS:
            return self.holds(person, condition, query.period)
        if condition.kind in ("all", "any"):
            parts = [self._holds_in_row(person, part, query, row) for part in condition.of]
            return all(parts) if condition.kind == "all" else any(parts)
        if condition.kind == "not":
            return not self._holds_in_row(person, condition.of, query, row)
        if condition.kind != "did" or len(condition.steps) > 1:
            return self.holds(person, condition, query.period)
        times = sum(
            self._row_of(query, person, m) == row for m in self._done(person, condition, query.period)
        )
        return times > 0 if condition.times is None else _is_in(condition.times, times)

    def _parts(  # noqa: C901 - a measure a line
        self, query: Query, row: str, name: str, views: list[Moment]
    ) -> tuple[float, float] | None:
        """A user's part and whole of a measure in a row; None where the user does not count."""
        person, measure = self.people[name], query.measure
        sales = self._sales(query, row, person)
        paid, items = sum(m.paid for m in sales), [m.items for m in sales if m.items is not None]
        if query.of is not None:
            done = self._done(person, query.of, query.period)
            if measure in ("views", "views_per_user") and query.of.steps[0].kind == "event":
                raise Impossible
            if measure in ("views", "views_per_user"):
                views = [view for view in views if view in done]
        if measure in ("sessions", "sessions_per_user", "session_rate", "bounce_rate", "views_per_session"):
            sessions = {view.session for view in views}
            if query.by in OF_MOMENTS:  # a session is of the time at which it began
                counted = [view for view in person.views if _within(query.period)(view)]
                first = {view.session: view for view in counted[::-1]}
                sessions = {s for s in sessions if self._row_of(query, person, first[s]) == row}
        match measure:
            case "users":
                return 1, 1
            case "sessions" if query.of is not None:
                return len(sessions & {moment.session for moment in done}), 1
            case "sessions" | "sessions_per_user":
                return len(sessions), 1
            case "session_rate":
                return len(sessions & {moment.session for moment in done}), len(sessions)
            case "bounce_rate":
                seen = [view.session for view in person.views]
                return sum(seen.count(session) == 1 for session in sessions), len(sessions)
            case "views" | "views_per_user":
                return len(views), 1
            case "views_per_session":
                return len(views), len(sessions)
            case "pages_per_user":
                return len({view.page for view in views}), 1
            case "events" | "events_per_user":
                same = query.by in OF_MOMENTS
                return sum(not same or self._row_of(query, person, m) == row for m in done), 1
            case "engagement":
                return None if person.seconds is None else (person.seconds, 1)
            case "revenue" | "revenue_per_user":
                return paid, 1
            case "net_revenue":
                return paid - person.returned, 1
            case "refunds":
                return person.returned, 1
            case "refund_share":
                return person.returned, paid
            case "net_revenue_per_user":
                return paid - person.returned, 1
            case "net_order_value":
                return paid - person.returned, len(sales)
            case "order_value":
                return paid, len(sales)
            case "items":
                return sum(items), 1
            case "items_per_purchase":
                return (sum(items), len(sales)) if items else None
        raise AssertionError(measure)

    def _sales(self, query: Query, row: str, person: Person) -> list[Moment]:
        """The purchases of a user in the period, in rows of moments those of the row."""
        inside = _within(query.period)
        sold = [m for m in person.moments if m.name == "purchase" and inside(m)]
        return [m for m in sold if query.by not in OF_MOMENTS or self._row_of(query, person, m) == row]

    # measures with rows of their own

    def _by_event(self, query: Query, chosen: Mapping[str, Person]) -> list[Line]:
        inside, lines = _within(query.period), []
        for name in self.events:
            times = [
                sum(
                    m.name == name and inside(m) and (query.of is None or self._makes(m, query.of.steps[0]))
                    for m in person.moments
                )
                for person in chosen.values()
            ]
            lines.append(Line(name, sum(times), sum(times), sum(map(bool, times))))
        return lines

    def _beside(self, query: Query, chosen: Mapping[str, Person]) -> list[Line]:
        if query.of.steps[0].kind == "event":
            raise Impossible
        edge = "(end of the session)" if query.by == "next" else "(start of the session)"
        found: dict[str, list[str]] = defaultdict(list)
        for name, person in chosen.items():
            done = self._done(person, query.of, query.period)
            for views in self._stretches(person, "session"):
                views = [m for m in views if m.page]
                views = views if query.by == "next" else views[::-1]
                for place, view in enumerate(views):
                    if view in done:
                        found[views[place + 1].page if place + 1 < len(views) else edge].append(name)
        total = sum(map(len, found.values()))
        lines = []
        for row in self._names(query):
            times, users = len(found[row]), len({*found[row]})
            if query.measure == "share":
                lines.append(Line(row, _over(times, total), total, users))
            else:
                lines.append(
                    Line(row, *([users, users] if query.measure == "users" else [times, times]), users)
                )
        return lines

    def _funnel(self, query: Query, chosen: Mapping[str, Person]) -> list[Line]:
        reached = [self._reached(person, query.of, query.period) for person in chosen.values()]
        lines = []
        for number, step in enumerate(query.of.steps, start=1):
            users = sum(depth >= number for depth in reached)
            lines.append(Line(" or ".join(step.any_of), users, len(reached), users))
        return lines

    def _retention(self, query: Query, chosen: Mapping[str, Person]) -> list[Line]:
        days = 1 if query.by == "day" else 7
        start = self.first if days == 1 else _monday(self.first)

        def number(day: date) -> int:
            return (day - start).days // days

        def is_whole(period: int) -> bool:
            begins = start + timedelta(days * period)
            return self.first <= begins and begins + timedelta(days - 1) <= self.last

        came = [{number(view.when.date()) for view in person.views} for person in chosen.values()]
        lines = []
        for later in range(1, number(self.last) + 1):
            able = [one for one in came if is_whole(min(one)) and is_whole(min(one) + later)]
            if able:
                again = sum(min(one) + later in one for one in able)
                name = f"{'day' if days == 1 else 'week'} {later} after the first"
                lines.append(Line(name, again / len(able), len(able), len(able)))
        if not lines:
            raise Impossible
        return lines

    def _time_to(self, query: Query, chosen: Mapping[str, Person]) -> list[Line]:
        taken: dict[str | None, list[float]] = defaultdict(list)
        for person in chosen.values():
            done = self._done(person, query.of, query.period)
            first = next(view for view in person.views if _within(query.period)(view))
            if done:
                taken[self._row_of(query, person, first)].append(max(0, done[0].at - first.at) / 1e6)
        lines = []
        for name in self._names(query):
            seconds = taken[name]
            lines.append(Line(name, median(seconds) if seconds else math.nan, len(seconds), len(seconds)))
        return lines


def _in_sessions(moments: list[Moment]) -> list[Moment]:
    """Give a page view after the start of a later session to that session."""
    first: dict[str, int] = {}
    for moment in moments:
        if moment.page:
            first.setdefault(moment.session, len(first))
    order, latest, found = list(first), 0, []
    for moment in moments:
        if moment.page:
            latest = max(latest, first[moment.session])
            moment = Moment(moment.at, moment.when, order[latest], "", moment.page)
        found.append(moment)
    return found


def _shown(query: Query, lines: list[Line]) -> tuple[list[Line], int, int]:
    """The rows that are shown, in their order, and the numbers of those of few and of those cut off."""
    if query.by is None:
        return lines, 0, 0
    totals = ("users", "sessions", "views", "events", "revenue", "net_revenue", "refunds", "items")
    lines = [line for line in lines if math.isfinite(line.value)]
    lines = [line for line in lines if (line.n if query.measure in totals else line.users)]
    own_order = query.order is None and (query.by in (*OF_TIME, "segment", "visitor", "n_sessions"))
    few = 0
    if not own_order and query.measure not in totals and any(line.n >= FEW for line in lines):
        few = sum(line.n < FEW for line in lines)
        lines = [line for line in lines if line.n >= FEW]
    if query.keep is not None:
        lines = [line for line in lines if _is_in(query.keep, line.value)]
    if not own_order:
        places = {line.name: place for place, line in enumerate(lines)}
        sign = 1 if query.order == "least" else -1
        lines = sorted(lines, key=lambda line: (sign * line.value, places[line.name]))
    every = query.by in (*OF_TIME, "segment", "visitor", "n_sessions")
    most = query.limit or (len(lines) if every else 100 if query.keep else 10)
    edges = ("(end of the session)", "(start of the session)")  # no pages
    steps = [line for line in lines if line.name not in edges]
    ends = [line for line in lines if line.name in edges]
    return [*steps[:most], *ends], few, max(0, len(steps) - most)


def _parts_of(condition: Any) -> list[Any]:  # noqa: ANN401
    """A condition and all within it."""
    if condition is None or condition.kind == "others":
        return []
    inner = {"not": lambda: [condition.of], "all": lambda: condition.of, "any": lambda: condition.of}
    return [condition, *(part for one in inner.get(condition.kind, list)() for part in _parts_of(one))]


def _within(period: Any) -> Callable[[Moment], bool]:  # noqa: ANN401
    def inside(moment: Moment) -> bool:
        day = moment.when.date()
        return period is None or (
            (period.first_day is None or day >= period.first_day)
            and (period.last_day is None or day <= period.last_day)
            and (not period.weekdays or day.isoweekday() in period.weekdays)
            and (not period.hours or moment.when.hour in period.hours)
        )

    return inside


def _is_in(limits: Any, value: float) -> bool:  # noqa: ANN401
    return not math.isnan(value) and (
        (limits.above is None or value > limits.above)
        and (limits.at_least is None or value >= limits.at_least)
        and (limits.below is None or value < limits.below)
        and (limits.at_most is None or value <= limits.at_most)
    )


def _is_like(name: str, pattern: str) -> bool:
    escaped = pattern.lower().replace("[", "[[]").replace("?", "[?]")
    return fnmatchcase(name.lower(), escaped)


def _monday(day: date) -> date:
    return day - timedelta(day.weekday())


def _microseconds(text: str) -> int:
    number, unit = text.split()
    return int(number) * {"minute": 60, "hour": 3600, "day": 86400}[unit.rstrip("s")] * 1_000_000


def _over(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _by_frequency(values: Iterable[str | None]) -> list[str]:
    counts = pd.Series([value for value in values if value is not None]).value_counts()
    return sorted(counts.index, key=lambda value: (-counts[value], value))
