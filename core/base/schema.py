"""Names of all tables, columns, groups and views: the only place where they are spelt.

Three table shapes cross a stage:

* ``Raw``      one row a record of the input, every value still text (``None`` where absent).
* ``Users``    one row a user with at least one page view that was not excluded, ordered by ``user_id``.
               The row number is the user's index everywhere else.
* ``Pages``    one row a canonical page, ordered by views (most first), then by URL. The row number
               is the page's index everywhere else.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple


class Raw:
    """Columns of the raw table: GA4's field names in BigQuery, flattened; the first three are our own."""

    FILE_NO: Final = "file_no"  # int32, index into the receipt's list of files
    LINE: Final = "line"  # int64, 1-based line of the file (record number for Parquet)
    USER_KEY: Final = "user_key"  # the column the analyst chose as the user's identity
    EVENT_TIMESTAMP: Final = "event_timestamp"
    EVENT_DATE: Final = "event_date"
    EVENT_NAME: Final = "event_name"
    PAGE_LOCATION: Final = "page_location"
    PAGE_TITLE: Final = "page_title"
    ENGAGEMENT_TIME_MSEC: Final = "engagement_time_msec"
    GA_SESSION_ID: Final = "ga_session_id"
    DEVICE_BROWSER: Final = "device_browser"
    DEVICE_CATEGORY: Final = "device_category"
    GEO_COUNTRY: Final = "geo_country"
    TRAFFIC_SOURCE: Final = "traffic_source_source"  # the user's FIRST touch; absent in intraday tables
    TRAFFIC_MEDIUM: Final = "traffic_source_medium"
    TRAFFIC_CAMPAIGN: Final = "traffic_source_name"
    SESSION_CHANNEL: Final = "session_traffic_source_last_click_cross_channel_campaign_default_channel_group"
    SESSION_SOURCE: Final = "session_traffic_source_last_click_cross_channel_campaign_source"
    SESSION_MEDIUM: Final = "session_traffic_source_last_click_cross_channel_campaign_medium"
    SESSION_CAMPAIGN: Final = "session_traffic_source_last_click_cross_channel_campaign_campaign_name"
    TAGGED_SOURCE: Final = "session_traffic_source_last_click_manual_campaign_source"
    TAGGED_MEDIUM: Final = "session_traffic_source_last_click_manual_campaign_medium"
    TAGGED_CAMPAIGN: Final = "session_traffic_source_last_click_manual_campaign_campaign_name"
    COLLECTED_SOURCE: Final = "collected_traffic_source_manual_source"
    COLLECTED_MEDIUM: Final = "collected_traffic_source_manual_medium"
    COLLECTED_CAMPAIGN: Final = "collected_traffic_source_manual_campaign_name"
    ADS_CLICK: Final = "collected_traffic_source_gclid"
    EVENT_SOURCE: Final = "source"  # a parameter of the event
    EVENT_MEDIUM: Final = "medium"
    EVENT_CAMPAIGN: Final = "campaign"
    TRANSACTION_ID: Final = "transaction_id"
    PURCHASE_REVENUE: Final = "purchase_revenue"
    REFUND_VALUE: Final = "refund_value"
    ITEM_QUANTITY: Final = "total_item_quantity"
    CURRENCY: Final = "currency"  # of the revenue, or of what is refunded
    TRAFFIC_TYPE: Final = "traffic_type"
    DEBUG_MODE: Final = "debug_mode"
    BATCH_PAGE_ID: Final = "batch_page_id"
    BATCH_ORDERING_ID: Final = "batch_ordering_id"
    BATCH_EVENT_INDEX: Final = "batch_event_index"
    BROWSER_ID: Final = "user_pseudo_id"  # read only where another column identifies users
    LOGIN: Final = "user_id"  # of a signed-in user; read only where logins are joined
    ANALYTICS_STORAGE: Final = "analytics_storage"  # whether the visitor agreed to it: Yes, No or Unset
    PLATFORM: Final = "platform"  # WEB, ANDROID or IOS
    STREAM_ID: Final = "stream_id"
    IS_ACTIVE_USER: Final = "is_active_user"  # GA4's verdict of the user's day, since July 2023
    SESSION_ENGAGED: Final = "session_engaged"


DIMENSION_FIELDS: Final = tuple(f"dimension_{number}" for number in range(10))
"""Fields of the columns that the analyst chose as dimensions, in the order of the settings."""


class SourceBasis(StrEnum):
    """Which data a user's traffic source was taken from, the most reliable first."""

    FIRST_TOUCH = "first_touch"
    """The user's first touch, which GA4 writes beside every event of a daily table."""
    SESSION = "session_last_click"
    """The last click of the session."""
    COLLECTED = "collected"
    """Collected with an event: its parameters, or the tags of the link."""


class SourceFields(NamedTuple):
    """A place where an export can have a source of traffic: what it is, and its fields."""

    basis: SourceBasis
    source: str
    medium: str
    campaign: str


SOURCES: Final = (
    SourceFields(SourceBasis.FIRST_TOUCH, Raw.TRAFFIC_SOURCE, Raw.TRAFFIC_MEDIUM, Raw.TRAFFIC_CAMPAIGN),
    SourceFields(SourceBasis.SESSION, Raw.SESSION_SOURCE, Raw.SESSION_MEDIUM, Raw.SESSION_CAMPAIGN),
    SourceFields(SourceBasis.SESSION, Raw.TAGGED_SOURCE, Raw.TAGGED_MEDIUM, Raw.TAGGED_CAMPAIGN),
    SourceFields(SourceBasis.COLLECTED, Raw.COLLECTED_SOURCE, Raw.COLLECTED_MEDIUM, Raw.COLLECTED_CAMPAIGN),
    SourceFields(SourceBasis.COLLECTED, Raw.EVENT_SOURCE, Raw.EVENT_MEDIUM, Raw.EVENT_CAMPAIGN),
)
"""All such places, the best first: a user's source is taken from the first that has one."""


class ChannelBasis(StrEnum):
    """Which data a session's channel was taken from, the most reliable first."""

    EXPORTED = "exported"
    """The channel that GA4 exports of the last click."""
    SESSION = "session_last_click"
    """GA4's default rules, on source, medium and campaign of the last click."""
    COLLECTED = "collected"
    """GA4's default rules, on the first source, medium, campaign or ads click that came with an event."""
    NOTHING = "nothing_collected"
    """Direct, as nothing came with any event."""
    FIRST_TOUCH = "first_touch"
    """GA4's default rules on the first touch, where files have no source of sessions: it gives the first
    channel alone."""


REMOVED_FIELDS: Final = frozenset({"page_referrer"})
"""Fields that are no longer read; mappings of earlier versions may name them."""

REQUIRED_FIELDS: Final[tuple[str, ...]] = (Raw.USER_KEY, Raw.EVENT_TIMESTAMP, Raw.PAGE_LOCATION)
"""Fields that every input needs. A file without ``event_name`` is read as page views only."""

PAGE_VIEW: Final = "page_view"


class IdKind(StrEnum):
    """What the id of a user is, where the cookies of signed-in users were joined."""

    COOKIE = "cookie"
    LOGIN = "login"


class Users:
    """Columns of ``users`` (one row a user, ordered by ``user_id``)."""

    USER_ID: Final = "user_id"  # text, exactly as in the file
    GROUP: Final = "group"  # a Group
    PAGE_VIEWS: Final = "page_views"  # int32
    SESSIONS: Final = "sessions"  # int32, sessions with at least one page view
    FIRST_TS: Final = "first_ts"  # int64, microseconds UTC
    LAST_TS: Final = "last_ts"
    ENGAGEMENT_MSEC: Final = "engagement_msec"  # int64, summed over ALL events; null when none was sent
    BROWSER: Final = "browser"  # most frequent value of the user; null when never sent
    DEVICE: Final = "device"
    COUNTRY: Final = "country"
    STREAM_ID: Final = "stream_id"  # of most events
    ID_KIND: Final = "id_kind"  # an IdKind; the column is there only where logins were joined
    SOURCE: Final = "source"  # "source / medium", the earliest of the best basis
    SOURCE_BASIS: Final = "source_basis"  # a SourceBasis; null where there is no source
    # added by later stages
    CLUSTER: Final = "cluster"  # int32, OUTSIDE for users in no segment
    EMBEDDING: Final = "embedding"  # fixed-size list of float32


CHANNEL: Final = "channel"
"""Column of ``users`` beside the dimensions: the channel of most sessions."""
FIRST_CHANNEL: Final = "first_channel"
"""The channel of the first session; both columns are there where a file has sources."""
RESERVED_KEYS: Final = frozenset({
    CHANNEL, FIRST_CHANNEL,
    "measure", "outcome", "page", "folder", "word", "template", "theme", "type", "entry", "exit", "hour",
    "weekday", "interest", "stage", "rhythm", "level", "segment", "visitor", "n_sessions", "next", "previous",
    "event", "day", "week", "month", "session_channel", "last_days",
})  # fmt: skip
"""Names of what is counted of users beside their attributes; no dimension has one as its key."""


def dimensions_in(columns: Iterable[str]) -> tuple[str, ...]:
    """Return the columns of ``users`` that are not in :class:`Users`: the dimensions the analyst chose."""
    fixed = {value for name, value in vars(Users).items() if not name.startswith("_")}
    return tuple(column for column in columns if column not in fixed)


class Pages:
    """Columns of ``pages`` (one row a canonical page, most viewed first)."""

    PAGE: Final = "page"  # int32, equal to the row number
    PAGE_LOCATION: Final = "page_location"  # canonical, masked
    PAGE_TITLE: Final = "page_title"  # most frequent title, masked; null when never sent
    VIEWS: Final = "views"  # int64
    USERS: Final = "users"  # int64


class PageEvents:
    """Columns of ``page_events``: one row per page and GA4 event that shows what the page is for."""

    PAGE: Final = "page"  # int32, row in ``pages``
    EVENT_NAME: Final = "event_name"
    EVENTS: Final = "events"  # int64


ITEM_CATEGORY: Final = "item_category:"
"""Prefix, among the events of pages, of a category: how many events with such items fired on the page."""
PAGE_EVENTS: Final[tuple[str, ...]] = (
    "view_item", "view_item_list", "select_item", "view_search_results", "add_to_cart", "view_cart",
    "begin_checkout", "add_shipping_info", "add_payment_info", "purchase", "login", "sign_up",
)  # fmt: skip
"""Recommended events of GA4 that fire on the page they describe."""


class PageLabels:
    """Columns of ``labels``: one row a page, in the order of ``pages``."""

    PAGE: Final = "page"  # int32
    TEMPLATE: Final = "template"  # path template
    THEME: Final = "theme"  # name; "Unknown" where nothing decided, "No theme" of functional pages
    THEME_RUNG: Final = "theme_rung"  # a Rung; null where nothing decided
    THEME_SCORE: Final = "theme_score"  # float64; null where nothing decided
    THEME_MARGIN: Final = "theme_margin"
    THEME_EVIDENCE: Final = "theme_evidence"
    TYPE: Final = "type"
    TYPE_RUNG: Final = "type_rung"
    TYPE_SCORE: Final = "type_score"
    TYPE_MARGIN: Final = "type_margin"
    TYPE_EVIDENCE: Final = "type_evidence"


UNKNOWN: Final = "Unknown"
"""Label of a page that no classifier decides."""
NO_THEME: Final = "No theme"
"""Theme of pages that serve a function: cart, account, search, policies."""
RESERVED: Final = (UNKNOWN, NO_THEME)
"""Labels of pages without a class; no class may have these names."""


class Outcomes:
    """Columns of ``outcomes``: one row a user and event other than page_view (purchases deduplicated).

    Users without a used page view are numbered after those of ``users``: their index is no row there. A user
    who paid in several currencies has a row for each; what is not money is in the first, with zeros below.
    """

    USER: Final = "user"  # int32 user index
    EVENT_NAME: Final = "event_name"
    EVENTS: Final = "events"  # int64
    SESSIONS: Final = "sessions"  # int32, sessions of the user with at least one
    FIRST_TS: Final = "first_ts"  # int64
    REVENUE: Final = "revenue"  # float64, gross, in ``currency``; null when never sent
    REFUNDS: Final = "refunds"  # float64, of purchases: what was given back of them; null where nothing was
    CURRENCY: Final = "currency"  # three letters; null when never sent
    ITEMS: Final = "items"  # int64, of purchases; null when never sent


class EventTimes:
    """Columns of ``events``: one row an event other than page_view of a user in ``users``, in order."""

    USER: Final = "user"  # int32 user index
    EVENT_NAME: Final = "event_name"  # as in ``outcomes``, so views of pages that were left out, too
    TIMESTAMP: Final = "event_timestamp"  # int64, microseconds UTC
    SESSION: Final = "session"  # int32, that of the page views; sessions without one are numbered after them
    AFTER: Final = "after"  # int32, page views of the user that come before
    REVENUE: Final = "revenue"  # float64, gross; null where nothing was paid
    CURRENCY: Final = "currency"  # three letters; null when never sent
    ITEMS: Final = "items"  # int64, of purchases; null when never sent


class SessionColumns:
    """Columns of ``session_channels``: one row a session with page views whose channel is known, in order."""

    USER: Final = "user"  # int32 user index
    SESSION: Final = "session"  # int32, that of the page views
    CHANNEL: Final = "channel"


PAGE_OUTCOME: Final = "page:"
"""Prefix of an outcome that is a page."""
TEMPLATE_OUTCOME: Final = "template:"
"""Prefix of an outcome that is a path template; an outcome without a prefix is the name of an event."""


def page_outcome(page: str) -> str:
    """Return the name of the outcome "viewed this page": ``page:`` and the page."""
    return PAGE_OUTCOME + page


class Rejects:
    """Columns of ``rejects``: one row a record that could not be used."""

    FILE: Final = "file"
    LINE: Final = "line"
    COLUMN: Final = "column"
    VALUE: Final = "value"
    REASON: Final = "reason"


class Group(StrEnum):
    """Why a user is, or is not, part of the clustering."""

    SEGMENT = "segment"
    """Part of the clustering."""
    ONE_PAGE = "one_page"
    """A single page view: nothing about behaviour to learn; a group made by rule."""
    BOT_LIKE = "bot_like"
    """Looks automated; kept, shown, not clustered."""
    SET_ASIDE = "set_aside"
    """Clustered, and taken out by hand: said beside segments, never in ``users``."""


OUTSIDE: Final = -1
"""The ``cluster`` of a user who is in no segment; ``group`` says why."""
SET_ASIDE: Final = -3
"""Internal label of a user whose segment was set aside by hand; exported as :data:`OUTSIDE`."""
RARE_BELOW_USERS: Final = 3
"""Fewest users of a page that is named in a model folder: the address of a rarer one may name a person."""


class View(StrEnum):
    """What a user vector describes. A learned view is present only when its labels are."""

    URL = "url"
    THEME = "theme"
    TYPE = "type"
    ACTIVITY = "activity"
    """Counted from all that a user viewed, not learned; present only where it has a weight."""


LEARNED_VIEWS: Final = (View.URL, View.THEME, View.TYPE)
"""Views whose vectors a model learns."""
