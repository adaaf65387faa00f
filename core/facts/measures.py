"""The figures that can be asked for, what each is called, and how it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.base import wording
from core.facts.answer import Unit
from core.profiles import formats
from core.profiles.profile_columns import FIELDS, Col


@dataclass(frozen=True)
class Measure:
    """A column of the segments table, in words.

    Args:
        key: The column.
        label: What it is called in a sentence, without an article.
        unit: How its values are written.
        words: What people call it; the label is understood as well.
    """

    key: str
    label: str
    unit: Unit
    words: tuple[str, ...]

    @property
    def digits(self) -> int:
        """Digits after the point, as everywhere (:mod:`core.base.wording`)."""
        return formats.DIGITS.get(self.key, 0)


MEASURES: Final = (
    Measure(Col.USERS, "users", Unit.COUNT, (
        "size", "number of users", "number of people", "number of visitors", "number of customers",
        "user count", "headcount", "how big", "how large",
    )),
    Measure(Col.SHARE, "share of all users", Unit.SHARE, (
        "share of users", "percentage of users", "percentage of all users", "proportion of users",
        "proportion of all users", "part of all users", "user share", "share of the users",
        "percent of users", "percent of all users", "share of visitors", "fraction of users",
        "percentage of the users", "proportion of the users", "share of all visitors", "share of customers",
    )),
    Measure(Col.SHARE_CLUSTERED, "share of clustered users", Unit.SHARE, (
        "percentage of clustered users", "proportion of clustered users", "percent of clustered users",
    )),
    Measure(Col.PAGE_VIEWS, "page views", Unit.COUNT, (
        "pageviews", "views", "number of page views", "page view count", "hits",
    )),
    Measure(Col.PAGE_VIEWS_MEAN, "page views a user", Unit.NUMBER, (
        "page views per user", "pageviews per user", "views per user", "views a user", "average page views",
        "mean page views", "average views", "pages per user", "average number of page views",
        "page views per person",
        "number of page views per user", "page views per visitor", "pages a user",
    )),
    Measure(Col.PAGE_VIEWS_MEDIAN, "median page views", Unit.NUMBER, (
        "page views of the middle user", "median pageviews", "median views", "median number of page views",
    )),
    Measure(Col.SESSIONS, "sessions", Unit.COUNT, (
        "visits", "number of sessions", "session count", "number of visits",
    )),
    Measure(Col.SESSIONS_MEAN, "sessions a user", Unit.NUMBER, (
        "sessions per user", "visits per user", "average sessions", "mean sessions", "visits a user",
        "average number of sessions", "average number of visits", "average visits", "mean visits",
        "sessions per person", "sessions per visitor", "visit frequency",
    )),
    Measure(Col.PAGES_PER_SESSION, "page views a session", Unit.NUMBER, (
        "pages per session", "page views per session", "pageviews per session", "views per session",
        "session depth", "pages a session", "pages per visit", "page views per visit", "visit depth",
    )),
    Measure(Col.DIFFERENT_PAGES_MEAN, "different pages a user", Unit.NUMBER, (
        "different pages", "unique pages", "distinct pages", "different pages per user",
        "unique pages per user", "distinct pages per user",
    )),
    Measure(Col.ENGAGEMENT_USERS, "users with an engagement time", Unit.COUNT, (
        "users with engagement time", "users with engagement",
    )),
    Measure(Col.ENGAGEMENT_NONE_SHARE, "share of users without an engagement time", Unit.SHARE, (
        "users without an engagement time", "users without engagement time", "users without engagement",
    )),
    Measure(Col.ENGAGEMENT_MEAN, "engagement time a user", Unit.SECONDS, (
        "engagement time", "engagement", "engaged time", "engaged",
        "engagement time per user", "average engagement",
        "average engagement time", "mean engagement time", "mean engagement", "time on site",
        "time on the site", "time on our site", "time on the website", "average time on site",
        "engagement per user", "time spent",
    )),
    Measure(Col.ENGAGEMENT_MEDIAN, "median engagement time", Unit.SECONDS, (
        "median engagement", "engagement time of the middle user", "median engaged time",
    )),
    Measure(Col.OUTCOME_USERS, "converted users", Unit.COUNT, (
        "buyers", "purchasers", "converters", "converted", "converting users", "paying customers",
        "users who bought", "users who converted", "users that converted", "users that bought", "bought",
    )),
    Measure(Col.OUTCOME_RATE, "outcome rate", Unit.SHARE, (
        "conversion rate", "conversion", "purchase rate", "converts", "convert", "buying rate", "cvr",
        "user conversion rate", "outcome rate of users", "conversion rate of users", "outcome",
        "share of users who bought",
    )),
    Measure(Col.OUTCOME_SESSIONS, "converting sessions", Unit.COUNT, (
        "sessions that converted", "converted sessions", "sessions with a purchase",
    )),
    Measure(Col.SESSION_RATE, "outcome rate of sessions", Unit.SHARE, (
        "session conversion rate", "conversion rate of sessions", "session outcome rate",
        "conversion rate per session",
    )),
    Measure(Col.REVENUE, "revenue", Unit.MONEY, (
        "sales", "turnover", "income", "earnings",
    )),
    Measure(Col.REVENUE_PER_USER, "revenue a user", Unit.MONEY, (
        "revenue per user", "arpu", "revenue per visitor", "average revenue", "revenue per customer",
        "value per user", "spend per user", "average revenue per user", "mean revenue",
    )),
)  # fmt: skip
"""Every column of the segments table but the ends of the interval, which go with the outcome rate."""

BY_KEY: Final = {measure.key: measure for measure in MEASURES}
N_OF: Final = {field.field: field.n or Col.USERS for field in FIELDS}
"""Column with the number that a value is of."""


def write(value: float, unit: Unit, digits: int = 1, currency: str = "") -> str:
    """A value as it is written everywhere, unit included.

    Args:
        value: The figure.
        unit: How it is written.
        digits: After the point, where the unit leaves it open; whole medians are written without.
        currency: Of money; empty where it is not known.
    """
    if unit is Unit.SHARE:
        return wording.percent(value, digits)
    if unit is Unit.RATIO:
        return wording.lift(value)
    if unit is Unit.POINTS:
        return f"{value * 100:+.{digits}f} percentage points".replace("-", "−")
    if unit is Unit.SECONDS:
        return f"−{wording.duration(-value)}" if value < 0 else wording.duration(value)
    return f"{wording.number(value, 0 if unit is Unit.COUNT else digits)} {currency}".rstrip()
