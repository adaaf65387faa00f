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
    """

    key: str
    label: str
    unit: Unit

    @property
    def digits(self) -> int:
        """Digits after the point, as everywhere (:mod:`core.base.wording`)."""
        return formats.DIGITS.get(self.key, 0)


MEASURES: Final = (
    Measure(Col.USERS, "users", Unit.COUNT),
    Measure(Col.SHARE, "share of all users", Unit.SHARE),
    Measure(Col.SHARE_CLUSTERED, "share of clustered users", Unit.SHARE),
    Measure(Col.PAGE_VIEWS, "page views", Unit.COUNT),
    Measure(Col.PAGE_VIEWS_MEAN, "page views a user", Unit.NUMBER),
    Measure(Col.PAGE_VIEWS_MEDIAN, "median page views", Unit.NUMBER),
    Measure(Col.SESSIONS, "sessions", Unit.COUNT),
    Measure(Col.SESSIONS_MEAN, "sessions a user", Unit.NUMBER),
    Measure(Col.PAGES_PER_SESSION, "page views a session", Unit.NUMBER),
    Measure(Col.DIFFERENT_PAGES_MEAN, "different pages a user", Unit.NUMBER),
    Measure(Col.ENGAGEMENT_USERS, "users with an engagement time", Unit.COUNT),
    Measure(Col.ENGAGEMENT_NONE_SHARE, "share of users without an engagement time", Unit.SHARE),
    Measure(Col.ENGAGEMENT_MEAN, "engagement time a user", Unit.SECONDS),
    Measure(Col.ENGAGEMENT_MEDIAN, "median engagement time", Unit.SECONDS),
    Measure(Col.OUTCOME_USERS, "converted users", Unit.COUNT),
    Measure(Col.OUTCOME_RATE, "outcome rate", Unit.SHARE),
    Measure(Col.OUTCOME_SESSIONS, "converting sessions", Unit.COUNT),
    Measure(Col.SESSION_RATE, "outcome rate of sessions", Unit.SHARE),
    Measure(Col.REVENUE, "gross revenue", Unit.MONEY),
    Measure(Col.NET_REVENUE, "net revenue", Unit.MONEY),
    Measure(Col.REVENUE_PER_USER, "gross revenue a user", Unit.MONEY),
)
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
