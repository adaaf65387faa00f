"""Five users whose figures can be counted by eye, and a sixth without a page view who bought.

A line is a visit: day of September 2025 (the 1st is a Monday), time, then page views and, with a ``+``,
events, a minute apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa

from core.base.schema import EventTimes, Group, Outcomes, Pages, Users
from core.base.settings import AnalyzeSettings, ClusterSettings
from core.facts.context import Basis, Tables
from core.profiles.data import ProfileData
from core.profiles.metrics import profile
from core.segments.partition import Partition
from core.storage.dataset import TimedEvents
from core.storage.sequences import UserSequences


@dataclass(frozen=True)
class Visitor:
    """A user: visits, attributes, segment (−1 for none), engagement in seconds, money paid and returned."""

    visits: Sequence[str]
    device: str
    source: str | None
    segment: int
    seconds: float | None = None
    paid: float | None = None
    returned: float | None = None
    currency: str = "EUR"


VISITORS: Mapping[str, Visitor] = {
    "ann": Visitor(
        ["1 09:00 / /sale +add /cart +purchase", "2 09:00 /"], "mobile", "google / organic", 0, 60.0, 30.0
    ),
    "bob": Visitor(["1 09:30 / /sale", "8 22:00 /sale /cart"], "mobile", "google / organic", 0, 20.0),
    "cat": Visitor(["1 10:00 / /blog/knots"], "desktop", "news / email", 1),
    "dan": Visitor(
        ["2 10:00 /blog/knots +add /blog/knots", "9 10:00 / /sale +purchase"],
        "desktop", "news / email", 1, 10.0, 10.0, 10.0,
    ),
    "eve": Visitor(["2 23:59 / /cart"], "desktop", None, -1),
}  # fmt: skip
PAGES = ("/", "/sale", "/cart", "/blog/knots")
TYPES = ("Homepage", "Category", "Cart & checkout", "Article")
THEMES = ("No theme", "Deals", "No theme", "Hiking")
TEMPLATES = ("/", "/sale", "/cart", "/blog/:slug")
EVENTS = ("add", "purchase")
_MINUTE = 60_000_000


@cache
def five_users() -> Tables:
    """What is counted of them; it must not be changed."""
    return tables_of(VISITORS)


def tables_of(visitors: Mapping[str, Visitor]) -> Tables:
    """Lay out users as a data set with two segments."""
    people, views, events = list(visitors.values()), [], []
    for user, visitor in enumerate(people):
        seen = 0
        for session, visit in enumerate(visitor.visits):
            day, time, *moments = visit.split()
            begin = datetime.fromisoformat(f"2025-09-{int(day):02d}T{time}").replace(tzinfo=UTC)
            for minute, what in enumerate(moments):
                at = int(begin.timestamp()) * 1_000_000 + minute * _MINUTE
                if what.startswith("+"):
                    events.append((user, EVENTS.index(what[1:]), at, session, seen))
                else:
                    views.append((user, PAGES.index(what), at, session))
                    seen += 1
    user, page, time_of, session_of = (np.array(column) for column in zip(*views, strict=True))
    lengths = np.bincount(user, minlength=len(people))
    sequences = UserSequences(
        pa.array(list(visitors)), np.cumsum([0, *lengths]), page.astype(np.int32), time_of,
        session_of.astype(np.int32),
    )  # fmt: skip
    columns = [np.array(column, dtype=np.int64) for column in zip(*events, strict=True)]
    who, name, at_time, inside, after = columns
    timed = TimedEvents(
        who.astype(np.int32), name.astype(np.int32), at_time, inside.astype(np.int32), after.astype(np.int32),
        EVENTS, _payments(people, who, name),
    )  # fmt: skip
    data = ProfileData.from_tables(
        _users(visitors, lengths), _pages(page), _outcomes(people, columns), sequences
    )
    names = {"template": TEMPLATES, "theme": THEMES, "type": TYPES}
    basis = Basis.from_tables("five", data, _pages(page), sequences, names)
    labels = np.array([visitor.segment for visitor in people], dtype=np.int32)
    partition = Partition(
        labels, np.eye(2, dtype=np.float32), np.arange(2, dtype=np.int32), 0.0, 1, False,
        ClusterSettings(n_clusters=2),
    )  # fmt: skip
    profiles = profile(data, labels, AnalyzeSettings(outcome=("purchase",)))
    return Tables(replace(basis, events=lambda: timed), profiles, partition)


def _payments(people: Sequence[Visitor], who: np.ndarray, name: np.ndarray) -> pd.DataFrame:
    """The purchases: all that a visitor paid with the first, two items each."""
    bought = np.flatnonzero(name == EVENTS.index("purchase"))
    first = np.r_[True, np.diff(who[bought]) > 0]
    visitors = [people[user] for user in who[bought]]
    paid = [one.paid if is_first else None for one, is_first in zip(visitors, first, strict=True)]
    columns = {
        EventTimes.REVENUE: pd.array(paid, dtype="Float64").astype("float64"),
        EventTimes.CURRENCY: [one.currency for one in visitors],
        EventTimes.ITEMS: 2,
    }
    return pd.DataFrame(columns, index=bought)


def _users(visitors: Mapping[str, Visitor], lengths: np.ndarray) -> pd.DataFrame:
    people = visitors.values()
    seconds = [None if one.seconds is None else round(1000 * one.seconds) for one in people]
    texts = {
        Users.BROWSER: ["Chrome" for _ in people], Users.DEVICE: [one.device for one in people],
        Users.COUNTRY: [None for _ in people], Users.SOURCE: [one.source for one in people],
    }  # fmt: skip
    return pd.DataFrame(
        {
            Users.USER_ID: list(visitors),
            Users.GROUP: [Group.SEGMENT if one.segment >= 0 else Group.BOT_LIKE for one in people],
            Users.PAGE_VIEWS: lengths.astype(np.int32),
            Users.SESSIONS: np.array([len(one.visits) for one in people], dtype=np.int32),
            Users.ENGAGEMENT_MSEC: pd.array(seconds, dtype="Int64"),
            **{name: pd.array(values, dtype="str") for name, values in texts.items()},
        }
    )


def _pages(page: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            Pages.PAGE: np.arange(len(PAGES), dtype=np.int32),
            Pages.PAGE_LOCATION: [f"https://shop.example{path}" for path in PAGES],
            Pages.PAGE_TITLE: None,
            Pages.VIEWS: np.bincount(page, minlength=len(PAGES)),
            Pages.USERS: 0,
        }
    )


def _outcomes(people: Sequence[Visitor], events: Sequence[np.ndarray]) -> pd.DataFrame:
    """Who did what; the user after the last one has no page view, and bought for 99 on the 1st."""
    rows = []
    for user, visitor in enumerate(people):
        for name, event in enumerate(EVENTS):
            mine = (events[0] == user) & (events[1] == name)
            if mine.any():
                money = (visitor.paid, visitor.returned) if event == "purchase" else (None, None)
                first = int(events[2][mine].min())
                items = 2 * int(mine.sum()) if event == "purchase" else None
                rows.append((user, event, int(mine.sum()), 1, first, *money, visitor.currency, items))
    first = int(datetime(2025, 9, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000
    rows.append((len(people), "purchase", 1, 1, first, 99.0, None, "EUR", None))
    columns = [
        Outcomes.USER, Outcomes.EVENT_NAME, Outcomes.EVENTS, Outcomes.SESSIONS, Outcomes.FIRST_TS,
        Outcomes.REVENUE, Outcomes.REFUNDS, Outcomes.CURRENCY, Outcomes.ITEMS,
    ]  # fmt: skip
    made = pd.DataFrame(rows, columns=columns)
    money = {Outcomes.REVENUE: "float64", Outcomes.REFUNDS: "float64"}
    return made.astype(
        {Outcomes.USER: "int32", Outcomes.EVENT_NAME: "str", Outcomes.CURRENCY: "str", **money}
    )
