"""Columns of the profile tables: names, descriptions of the segments table's, and how values are written.

The same formatting is used on the pages, in answers and in the report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import pandas as pd

from core.base import wording


class RowKind(StrEnum):
    """What a row of a profile table describes."""

    SEGMENT = "segment"
    """A segment of clustered users."""
    GROUP = "group"
    """A group by rule of users outside clustering."""
    ONE_PAGE = "one_page"
    """A segment by rule of the users with a single page view; part of their group."""
    ALL = "all"
    """Every user of the data set."""


class MetricRole(StrEnum):
    """How a number relates to what made the segments."""

    INPUT = "input"
    """The model saw it: segments differ in it by construction, which proves nothing."""
    DERIVED = "derived"
    """It follows from what the model saw."""
    HELD_OUT = "held out"
    """It had no part in making the rows: a difference is a finding."""
    RULE = "rule"
    """It is the rule that made the row, so true of its users by definition, and not listed."""


class PageRanking(StrEnum):
    """Rankings by which pages are listed."""

    OVER = "over"
    """Pages that more of these users saw than of the rest."""
    UNDER = "under"
    """Pages that fewer of these users saw than of the rest."""
    MOST_VIEWED = "most_viewed"


class Col:
    """Names of the columns of all profile tables."""

    # what a row describes; the first columns of every table
    KEY: Final = "key"  # "segment:0", "group:one_page", "all"
    KIND: Final = "kind"  # a RowKind
    SEGMENT: Final = "segment"  # id, or −1 for groups and all
    LABEL: Final = "label"  # "Segment 1", "One-page users", …
    # sizes, rest and evidence
    USERS: Final = "users"
    SHARE: Final = "share"
    LOW: Final = "low"  # of the 95 % interval of the share
    HIGH: Final = "high"
    REST_SHARE: Final = "rest_share"
    N: Final = "n"  # users (or sessions) that a share or a mean is of
    REST_N: Final = "rest_n"
    EVIDENCE: Final = "evidence"  # a MetricRole
    # segments
    SHARE_CLUSTERED: Final = "share_clustered"
    PAGE_VIEWS: Final = "page_views"
    PAGE_VIEWS_MEAN: Final = "page_views_mean"
    PAGE_VIEWS_MEDIAN: Final = "page_views_median"
    SESSIONS: Final = "sessions"
    SESSIONS_MEAN: Final = "sessions_mean"
    PAGES_PER_SESSION: Final = "pages_per_session"
    DIFFERENT_PAGES_MEAN: Final = "different_pages_mean"
    ENGAGEMENT_USERS: Final = "engagement_users"
    ENGAGEMENT_NONE_SHARE: Final = "engagement_none_share"
    ENGAGEMENT_MEAN: Final = "engagement_s_mean"
    ENGAGEMENT_MEDIAN: Final = "engagement_s_median"
    OUTCOME_USERS: Final = "outcome_users"
    OUTCOME_RATE: Final = "outcome_rate"
    OUTCOME_LOW: Final = "outcome_low"
    OUTCOME_HIGH: Final = "outcome_high"
    OUTCOME_SESSIONS: Final = "outcome_sessions"
    SESSION_RATE: Final = "session_rate"
    OUTCOME: Final = "outcome"  # the text of one, or of any of several
    REVENUE: Final = "revenue"  # gross
    REFUNDS: Final = "refunds"
    NET_REVENUE: Final = "net_revenue"
    REVENUE_PER_USER: Final = "revenue_per_user"
    CURRENCY: Final = "currency"  # of the revenue; null where none was sent
    # top pages
    RANKING: Final = "ranking"  # a PageRanking
    RANK: Final = "rank"  # from 1
    PAGE: Final = "page"
    PAGE_LOCATION: Final = "page_location"
    PAGE_TITLE: Final = "page_title"
    REST_USERS: Final = "rest_users"
    LIFT: Final = "lift"
    DIFFERENCE: Final = "difference"
    SCORE: Final = "score"
    VIEWS: Final = "views"
    # shares
    ATTRIBUTE: Final = "attribute"
    VALUE: Final = "value"
    IS_OTHER: Final = "is_other"
    ABSENT: Final = "absent"
    # heat-map
    METRIC: Final = "metric"
    Z: Final = "z"
    # fields
    FIELD: Final = "field"
    DEFINITION: Final = "definition"


ROW: Final = (Col.KEY, Col.KIND, Col.SEGMENT, Col.LABEL)


@dataclass(frozen=True)
class Field:
    """Description of a column of the segments table.

    Args:
        field: Name of the column.
        label: Title on screen.
        unit: Unit; empty for a share from 0 to 1.
        evidence: How it relates to what made the segments.
        n: The column with the number that it is a mean or share of; empty for a plain count.
        definition: One or two sentences.
    """

    field: str
    label: str
    unit: str
    evidence: MetricRole
    n: str
    definition: str


FIELDS: Final = (
    Field(Col.USERS, "Users", "users", MetricRole.DERIVED, "", "Users with at least one page view."),
    Field(Col.SHARE, "Share of all users", "", MetricRole.DERIVED, "", "Of every user of the data set."),
    Field(
        Col.SHARE_CLUSTERED, "Share of clustered users", "", MetricRole.DERIVED, "",
        "Of the users that took part in clustering; absent for the groups made by rule.",
    ),
    Field(Col.PAGE_VIEWS, "Page views", "views", MetricRole.DERIVED, "", "All page views of these users."),
    Field(
        Col.PAGE_VIEWS_MEAN, "Page views a user", "views", MetricRole.DERIVED, Col.USERS,
        "Mean over users; a few very active users raise it, so read it with the median.",
    ),
    Field(
        Col.PAGE_VIEWS_MEDIAN, "Page views of the middle user", "views", MetricRole.DERIVED, Col.USERS,
        "Half of the users have no more, half no fewer.",
    ),
    Field(
        Col.SESSIONS, "Sessions", "sessions", MetricRole.DERIVED, "", "Sessions with at least one page view."
    ),
    Field(
        Col.SESSIONS_MEAN, "Sessions a user", "sessions", MetricRole.DERIVED, Col.USERS, "Mean over users.",
    ),
    Field(
        Col.PAGES_PER_SESSION, "Page views a session", "views", MetricRole.DERIVED, Col.SESSIONS,
        "All page views over all sessions of these users.",
    ),
    Field(
        Col.DIFFERENT_PAGES_MEAN, "Different pages a user", "pages", MetricRole.DERIVED, Col.USERS,
        "Mean over users of the number of different pages seen.",
    ),
    Field(
        Col.ENGAGEMENT_USERS, "Users with an engagement time", "users", MetricRole.HELD_OUT, "",
        "Users that sent engagement_time_msec at least once.",
    ),
    Field(
        Col.ENGAGEMENT_NONE_SHARE, "Users without an engagement time", "", MetricRole.HELD_OUT, Col.USERS,
        "Share of users that never sent one. They are not counted as 0.",
    ),
    Field(
        Col.ENGAGEMENT_MEAN, "Engagement time a user", "seconds", MetricRole.HELD_OUT, Col.ENGAGEMENT_USERS,
        "engagement_time_msec summed over ALL events of a user, then the mean over users that sent any. "
        "Absent where the file has none: it cannot be computed from it.",
    ),
    Field(
        Col.ENGAGEMENT_MEDIAN, "Engagement time of the middle user", "seconds", MetricRole.HELD_OUT,
        Col.ENGAGEMENT_USERS, "Like the mean, but half of the users have no more, half no less.",
    ),
    Field(
        Col.OUTCOME_USERS, "Converted users", "users", MetricRole.HELD_OUT, "",
        "Users with at least one of the outcomes.",
    ),
    Field(
        Col.OUTCOME_RATE, "Outcome rate (users)", "", MetricRole.HELD_OUT, Col.USERS,
        "Converted users over all users of the row.",
    ),
    Field(
        Col.OUTCOME_LOW, "Outcome rate, low end", "", MetricRole.HELD_OUT, Col.USERS,
        "Lower end of the 95 % Wilson interval.",
    ),
    Field(
        Col.OUTCOME_HIGH, "Outcome rate, high end", "", MetricRole.HELD_OUT, Col.USERS,
        "Upper end of the 95 % Wilson interval.",
    ),
    Field(
        Col.OUTCOME_SESSIONS, "Converting sessions", "sessions", MetricRole.HELD_OUT, "",
        "Sessions with at least one. Absent where several outcomes may share one.",
    ),
    Field(
        Col.SESSION_RATE, "Outcome rate (sessions)", "", MetricRole.HELD_OUT, Col.SESSIONS,
        "Converting sessions over sessions with a page view: not the user rate. Absent where more sessions "
        "convert than have a page view.",
    ),
    Field(
        Col.REVENUE, "Gross revenue", "currency of the file", MetricRole.HELD_OUT, "",
        "Summed over outcome events, purchases counted once a transaction, refunds not taken off. Absent "
        "where none was sent.",
    ),
    Field(
        Col.NET_REVENUE, "Net revenue", "currency of the file", MetricRole.HELD_OUT, "",
        "Gross revenue less what was refunded of these purchases.",
    ),
    Field(
        Col.REVENUE_PER_USER, "Gross revenue a user", "currency of the file", MetricRole.HELD_OUT, Col.USERS,
        "Gross revenue over all users of the row, converted or not.",
    ),
)  # fmt: skip
"""Descriptions of the columns of the segments table, without those that say what a row is."""

HEAT_MAP: Final = (
    Col.PAGE_VIEWS_MEAN,
    Col.SESSIONS_MEAN,
    Col.PAGES_PER_SESSION,
    Col.DIFFERENT_PAGES_MEAN,
    Col.ENGAGEMENT_MEAN,
    Col.OUTCOME_RATE,
    Col.REVENUE_PER_USER,
)
"""Metrics of the heat-map; one that is absent for all users is left out."""


DIGITS: Final = {
    Col.SHARE: 1, Col.SHARE_CLUSTERED: 1, Col.ENGAGEMENT_NONE_SHARE: 1,
    Col.PAGE_VIEWS_MEAN: 1, Col.PAGE_VIEWS_MEDIAN: 1, Col.PAGES_PER_SESSION: 1, Col.DIFFERENT_PAGES_MEAN: 1,
    Col.SESSIONS_MEAN: 2, Col.OUTCOME_RATE: 2, Col.OUTCOME_LOW: 2, Col.OUTCOME_HIGH: 2, Col.SESSION_RATE: 2,
    Col.REVENUE: 2, Col.NET_REVENUE: 2, Col.REVENUE_PER_USER: 2,
}  # fmt: skip
"""Column of the segments table → digits after the decimal point; others are whole numbers and times."""
_UNITS: Final = {field.field: field.unit for field in FIELDS}
_N: Final = {field.field: field.n for field in FIELDS}


def figure(field: str, value: float | None, n: float | None = None) -> str:
    """Format a value of the segments table by its unit and digits; a dash for an absent one.

    Args:
        field: The column.
        value: The value.
        n: Number that a share is of; a share of few has fewer digits.
    """
    if _UNITS[field] == "seconds":
        return wording.duration(value)
    if is_share(field):
        return wording.percent(value, digits(field, value), n)
    return wording.number(value, digits(field, value))


def of_row(row: Mapping[Any, Any] | pd.Series, field: str) -> str:
    """Format a column of a row of the segments table, a share with the digits that its n allows."""
    n = _N.get(field)
    return figure(field, row[field], row[n] if n else None)


def is_share(field: str) -> bool:
    """Whether a column is written in per cent."""
    return not _UNITS[field]


def digits(field: str, value: float | None) -> int:
    """Number of digits after the decimal point of a value; 0 for a whole median."""
    whole = field == Col.PAGE_VIEWS_MEDIAN and value is not None and float(value).is_integer()
    return 0 if whole else DIGITS.get(field, 0)
