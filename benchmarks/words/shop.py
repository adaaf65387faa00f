"""A made profile table of a shop with six segments, and every fact that it gives."""

from __future__ import annotations

from itertools import permutations
from typing import Final

from core.profiles.intervals import wilson
from core.words.contract import Fact, Unit
from core.words.facts import FactBook
from core.words.measures import BY_KEY, N_OF

NAMES: Final = (
    "Bargain hunters", "Loyal buyers", "Window shoppers", "Blog readers", "Support seekers", "Gift givers",
)  # fmt: skip
KEYS: Final = tuple(f"segment:{number}" for number in range(6))
SEGMENTS: Final = {
    **{key: (f"Segment {place}", name) for place, (key, name) in enumerate(zip(KEYS, NAMES, strict=True), 1)},
    "group:one_page": ("One-page users",),
    "all": ("All users",),
}
_ROWS: Final = (*KEYS, "group:one_page", "all")
TABLE: Final[dict[str, tuple[float, ...]]] = {
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
}
PAGES: Final[dict[str, tuple[tuple[float, float], ...]]] = {
    "/sale": ((0.712, 3.4), (0.221, 0.8), (0.153, 0.5), (0.041, 0.2), (0.026, 0.1), (0.184, 0.7)),
    "/cart": ((0.384, 1.5), (0.873, 4.1), (0.092, 0.3), (0.053, 0.2), (0.118, 0.4), (0.467, 1.9)),
    "/blog": ((0.064, 0.3), (0.135, 0.6), (0.207, 0.9), (0.941, 7.2), (0.077, 0.4), (0.049, 0.2)),
    "Home": ((0.556, 1.1), (0.618, 1.2), (0.681, 1.6), (0.333, 0.6), (0.291, 0.5), (0.429, 0.8)),
}
RATIOS: Final = (
    "users",
    "outcome_rate",
    "sessions_mean",
    "page_views_mean",
    "engagement_s_mean",
    "revenue_per_user",
)


def facts() -> tuple[Fact, ...]:
    """Every fact of the table: the measures, the pages, and all pairs compared."""
    book = FactBook("shop")
    for metric, values in TABLE.items():
        measure = BY_KEY[metric]
        for place, (key, value) in enumerate(zip(_ROWS, values, strict=True)):
            interval = _interval(place) if metric == "outcome_rate" else None
            book.add(
                metric, measure.label, (key,), value, measure.unit,
                digits=measure.digits, interval=interval, n=_n(metric, place),
            )  # fmt: skip
    for page, pairs in PAGES.items():
        for place, (share, lift) in enumerate(pairs):
            n = TABLE["users"][place]
            book.add(
                "share:page", "share of users that saw it", (KEYS[place],), share, Unit.SHARE, item=page, n=n
            )
            book.add(
                "lift:page", "times as likely as the rest", (KEYS[place],), lift, Unit.RATIO, item=page, n=n
            )
    _compare(book)
    return book.all()


def _n(metric: str, place: int) -> float:
    of = N_OF[metric]
    return TABLE[of if of in TABLE else "users"][place]


def _interval(place: int) -> tuple[float, float]:
    low, high = wilson(TABLE["outcome_users"][place], TABLE["users"][place])
    return float(low), float(high)


def _compare(book: FactBook) -> None:
    for one, other in permutations(range(6), 2):
        pair = (KEYS[one], KEYS[other])
        for metric in RATIOS:
            ratio = TABLE[metric][one] / TABLE[metric][other]
            label = f"{BY_KEY[metric].label} compared"
            book.add(f"ratio:{metric}", label, pair, ratio, Unit.RATIO, comparison=True)
        points = TABLE["outcome_rate"][one] - TABLE["outcome_rate"][other]
        book.add(
            "difference:outcome_rate", "outcome rate, difference", pair, points, Unit.POINTS, comparison=True
        )
