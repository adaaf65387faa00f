"""Values of the segments table as they are written everywhere: on the pages, in answers, in the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from core.base import wording
from core.profiles.profile_columns import FIELDS, Col

DIGITS: Final = {
    Col.SHARE: 1, Col.SHARE_CLUSTERED: 1, Col.ENGAGEMENT_NONE_SHARE: 1,
    Col.PAGE_VIEWS_MEAN: 1, Col.PAGE_VIEWS_MEDIAN: 1, Col.PAGES_PER_SESSION: 1, Col.DIFFERENT_PAGES_MEAN: 1,
    Col.SESSIONS_MEAN: 2, Col.OUTCOME_RATE: 2, Col.OUTCOME_LOW: 2, Col.OUTCOME_HIGH: 2, Col.SESSION_RATE: 2,
    Col.REVENUE: 2, Col.NET_REVENUE: 2, Col.REVENUE_PER_USER: 2,
}  # fmt: skip
"""Column of the segments table → digits after the point; the others are whole numbers and times."""
_UNITS: Final = {field.field: field.unit for field in FIELDS}
_N: Final = {field.field: field.n for field in FIELDS}


def figure(field: str, value: float | None, n: float | None = None) -> str:
    """A value of the segments table, by its unit and with its digits; a dash for an absent one.

    Args:
        field: The column.
        value: The value.
        n: What it is of: a share of few has few digits.
    """
    if _UNITS[field] == "seconds":
        return wording.duration(value)
    if is_share(field):
        return wording.percent(value, digits(field, value), n)
    return wording.number(value, digits(field, value))


def of_row(row: Mapping[Any, Any] | pd.Series, field: str) -> str:
    """A value of a row of the segments table, a share with the digits that its number allows."""
    n = _N.get(field)
    return figure(field, row[field], row[n] if n else None)


def is_share(field: str) -> bool:
    """Whether a column is written in per cent."""
    return not _UNITS[field]


def digits(field: str, value: float | None) -> int:
    """Digits after the point; a whole median has none."""
    whole = field == Col.PAGE_VIEWS_MEDIAN and value is not None and float(value).is_integer()
    return 0 if whole else DIGITS.get(field, 0)
