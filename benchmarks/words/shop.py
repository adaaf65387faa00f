"""Made profile tables of shops, and every fact that each gives: one by hand, others drawn from a seed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import permutations
from typing import Final

import numpy as np

from core.facts.answer import Fact, Unit
from core.facts.fact_book import FactBook
from core.facts.measures import BY_KEY, N_OF
from core.profiles.wilson import wilson

RATIOS: Final = (
    "users", "outcome_rate", "sessions_mean", "page_views_mean", "engagement_s_mean", "revenue_per_user",
    "different_pages_mean",
)  # fmt: skip
LABELS: Final = {
    "view_share:theme": "share of page views", "view_lift:theme": "times the others' share of page views",
    "view_share:type": "share of page views", "view_lift:type": "times the others' share of page views",
    "share:device": "share of users with this device", "share:browser": "share of users with this browser",
    "share:country": "share of users with this country", "share:source": "share of users with this source",
    "entry:page": "share of sessions that begin there", "exit:page": "share of sessions that end there",
    "step:type": "share of steps",
}  # fmt: skip
"""What the app calls the metrics of items."""


@dataclass(frozen=True, eq=False)
class Shop:
    """What is known of a shop.

    Args:
        names: Of its segments.
        table: Measure → its value in each segment, then of one-page users, then of all users.
        pages: Page → in each segment the share of users that saw it, and the lift of that.
        items: Other metric → theme, device or the like → its value in each segment.
    """

    names: tuple[str, ...]
    table: dict[str, tuple[float, ...]]
    pages: dict[str, tuple[tuple[float, float], ...]]
    items: dict[str, dict[str, tuple[float, ...]]] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the segments."""
        return tuple(f"segment:{number}" for number in range(len(self.names)))

    @property
    def rows(self) -> tuple[str, ...]:
        """Keys of the rows of the table."""
        return (*self.keys, "group:one_page", "all")

    @property
    def segments(self) -> dict[str, tuple[str, ...]]:
        """Key of each row → what it is called."""
        named = zip(self.keys, self.names, strict=True)
        return {
            **{key: (f"Segment {place}", name) for place, (key, name) in enumerate(named, start=1)},
            "group:one_page": ("One-page users",),
            "all": ("All users",),
        }

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """Every fact of the table: the measures, the pages, and all pairs compared."""
        book = FactBook("shop")
        self._add_measures(book)
        self._add_pages(book)
        self._add_items(book)
        for one, other in permutations(range(len(self.names)), 2):
            self._compare(book, one, other)
        return book.all()

    def _add_measures(self, book: FactBook) -> None:
        for metric, values in self.table.items():
            measure = BY_KEY[metric]
            of = N_OF[metric]
            n = self.table[of if of in self.table else "users"]
            for place, (key, value) in enumerate(zip(self.rows, values, strict=True)):
                if math.isnan(value):
                    continue
                interval = self.interval(place) if metric == "outcome_rate" else None
                book.add(
                    metric, measure.label, (key,), value, measure.unit,
                    digits=measure.digits, interval=interval, n=n[place],
                )  # fmt: skip

    def _add_pages(self, book: FactBook) -> None:
        for page, pairs in self.pages.items():
            for key, n, (share, lift) in zip(self.keys, self.table["users"], pairs, strict=False):
                seen, likely = "share of users that saw it", "times as likely as the rest"
                book.add("share:page", seen, (key,), share, Unit.SHARE, item=page, n=n)
                book.add("lift:page", likely, (key,), lift, Unit.RATIO, item=page, n=n)

    def _add_items(self, book: FactBook) -> None:
        for metric, items in self.items.items():
            unit = Unit.RATIO if metric.startswith("view_lift") else Unit.SHARE
            for item, values in items.items():
                for key, value in zip(self.keys, values, strict=True):
                    label, compares = LABELS[metric], unit is Unit.RATIO
                    book.add(metric, label, (key,), value, unit, item=item, comparison=compares)

    def _compare(self, book: FactBook, one: int, other: int) -> None:
        pair = (self.keys[one], self.keys[other])
        for metric in (name for name in RATIOS if name in self.table):
            ratio = self.table[metric][one] / self.table[metric][other]
            label = f"{BY_KEY[metric].label} compared"
            book.add(f"ratio:{metric}", label, pair, ratio, Unit.RATIO, comparison=True)
        points = self.table["outcome_rate"][one] - self.table["outcome_rate"][other]
        label = "outcome rate, difference"
        book.add("difference:outcome_rate", label, pair, points, Unit.POINTS, comparison=True)

    def interval(self, row: int) -> tuple[float, float]:
        """95 % interval of an outcome rate."""
        low, high = wilson(*(np.asarray(self.table[name][row]) for name in ("outcome_users", "users")))
        return float(low), float(high)


BY_HAND: Final = Shop(
    (
        "Bargain hunters", "Loyal buyers", "Window shoppers", "Blog readers", "Support seekers",
        "Gift givers",
    ),
    {
        "users": (4812, 1237, 9364, 2651, 743, 1908, 6120, 26835),
        "share": (0.17932, 0.0461, 0.34895, 0.09879, 0.02769, 0.0711, 0.22806, 1.0),
        "outcome_users": (302, 417, 121, 37, 19, 268, 0, 1164),
        "outcome_rate": (0.06276, 0.3371, 0.01292, 0.01396, 0.02557, 0.14046, 0.0, 0.04338),
        "sessions": (11549, 7793, 13110, 5037, 1040, 3244, 6120, 47893),
        "sessions_mean": (2.4, 6.3, 1.4, 1.9, 1.1, 1.7, 1.0, 1.78),
        "page_views_mean": (13.7, 41.6, 5.2, 8.9, 3.8, 10.4, 1.0, 8.6),
        "pages_per_session": (5.7, 6.6, 3.7, 4.7, 3.5, 6.1, 1.0, 4.8),
        "engagement_s_mean": (184, 655, 47, 312, 98, 141, 9, 127),
        "revenue_per_user": (3.91, 28.44, 0.62, 0.77, 1.25, 11.08, 0.0, 3.14),
    },
    {
        "/sale": ((0.712, 3.4), (0.221, 0.8), (0.153, 0.5), (0.041, 0.2), (0.026, 0.1), (0.184, 0.7)),
        "/cart": ((0.384, 1.5), (0.873, 4.1), (0.092, 0.3), (0.053, 0.2), (0.118, 0.4), (0.467, 1.9)),
        "/blog": ((0.064, 0.3), (0.135, 0.6), (0.207, 0.9), (0.941, 7.2), (0.077, 0.4), (0.049, 0.2)),
        "Home": ((0.556, 1.1), (0.618, 1.2), (0.681, 1.6), (0.333, 0.6), (0.291, 0.5), (0.429, 0.8)),
    },
)  # fmt: skip
_DRAWN_NAMES: Final = (
    "Weekend climbers", "First-time visitors", "Tent researchers", "Returning members", "Night browsers",
    "Voucher users", "Store locators", "Outlet fans",
)  # fmt: skip
_DRAWN_PAGES: Final = ("/shop/tents", "/checkout", "Trail guide", "/account/orders", "Winter jackets")


def drawn(seed: int, names: Sequence[str] = _DRAWN_NAMES, pages: Sequence[str] = _DRAWN_PAGES) -> Shop:
    """A shop of random size, in which everything else follows from what is drawn for each segment."""
    rng = np.random.default_rng(seed)
    n = len(names)
    users = np.append(rng.integers(300, 30_000, n), rng.integers(2_000, 9_000))
    buyers = np.append(rng.binomial(users[:-1], rng.uniform(0.01, 0.35, n)), 0)
    sessions = np.append(np.round(users[:-1] * rng.uniform(1.2, 7, n)), users[-1])
    views = np.append(np.round(sessions[:-1] * rng.uniform(2, 9, n)), users[-1])
    seconds = users * np.append(rng.uniform(30, 900, n), 8)
    revenue = buyers * np.append(rng.uniform(20, 120, n), 0)
    counted = {"users": users, "outcome_users": buyers, "sessions": sessions}
    whole = {name: np.append(one, one.sum()) for name, one in counted.items()}
    sums = [np.append(one, one.sum()) for one in (views, seconds, revenue)]
    table = {
        **whole,
        "share": whole["users"] / whole["users"][-1],
        "outcome_rate": whole["outcome_users"] / whole["users"],
        "sessions_mean": whole["sessions"] / whole["users"],
        "page_views_mean": sums[0] / whole["users"],
        "pages_per_session": sums[0] / whole["sessions"],
        "engagement_s_mean": sums[1] / whole["users"],
        "revenue_per_user": sums[2] / whole["users"],
    }
    return Shop(
        tuple(names),
        {name: tuple(float(one) for one in values) for name, values in table.items()},
        {page: _page(rng, users[:-1]) for page in pages},
    )


def _page(rng: np.random.Generator, users: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Share of each segment that saw a page, and how that compares with the other segments."""
    seen = np.round(users * rng.uniform(0.02, 0.9, len(users)))
    rest = (seen.sum() - seen) / (users.sum() - users)
    return tuple(
        (float(share), float(lift)) for share, lift in zip(seen / users, seen / users / rest, strict=True)
    )


def wide(shop: Shop, seed: int, items: Mapping[str, Sequence[str]]) -> Shop:
    """A drawn shop with the other figures of a profile: medians, converting sessions, themes, devices.

    Args:
        shop: Whose figures they go with.
        seed: Of what is drawn.
        items: Theme, type, device, …, step → those that there are.
    """
    rng = np.random.default_rng(seed)
    n, known = len(shop.names), {name: np.array(values) for name, values in shop.table.items()}
    views, different = known["page_views_mean"] * known["users"], np.append(rng.uniform(0.55, 0.9, n), 1)
    timed = np.round(known["users"][:-1] * rng.uniform(0.9, 0.995, n + 1))
    buying = np.round(known["outcome_users"][:-1] * np.append(rng.uniform(1, 1.2, n), 0))
    engaged, buying = np.append(timed, timed.sum()), np.append(buying, buying.sum())
    different = different * known["page_views_mean"][:-1]
    different = np.append(different, different @ known["users"][:-1] / known["users"][-1])
    middle = np.append(rng.uniform(0.5, 0.9, n), (1, 0.5))
    more = {
        "share_clustered": np.append(known["users"][:n] / known["users"][:n].sum(), (np.nan, np.nan)),
        "page_views": np.round(views), "page_views_median": np.round(known["page_views_mean"] * middle),
        "different_pages_mean": different, "engagement_users": engaged,
        "engagement_none_share": 1 - engaged / known["users"],
        "engagement_s_median": known["engagement_s_mean"] * middle * 0.7, "outcome_sessions": buying,
        "session_rate": buying / known["sessions"], "revenue": known["revenue_per_user"] * known["users"],
    }  # fmt: skip
    figures: dict[str, dict[str, tuple[float, ...]]] = {}
    for metric in LABELS:
        kind, _, of = metric.partition(":")
        names = tuple(shop.pages) if kind in ("entry", "exit") else items["step" if kind == "step" else of]
        shares = rng.dirichlet(np.ones(len(names) + 1) * 2, n)[:, :-1] + 0.002
        if kind == "view_lift":
            shares = np.array(list(figures[f"view_share:{of}"].values())).T
            counts = shares * views[:n, None]
            shares = shares / ((counts.sum(0) - counts) / (views[:n].sum() - views[:n, None]))
        figures[metric] = {name: tuple(map(float, one)) for name, one in zip(names, shares.T, strict=True)}
    table = shop.table | {name: tuple(map(float, values)) for name, values in more.items()}
    return replace(shop, table=table, items=figures)
