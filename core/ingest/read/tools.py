"""Analytics tools whose exports are read: identifying columns, columns of fields, and names of page views.

Names are normalised (:func:`core.ingest.read.headers.normalise_header`). A name with a clear meaning is
searched in every table, so that parts of an export and custom tables are read too; a name that may mean
anything elsewhere counts only in the exports of its tool.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from core.base.schema import PAGE_VIEW, Raw

_UNTOLD: Final = "GA4 or a table of one's own"
"""Name for files with the columns of no other tool."""


@dataclass(frozen=True)
class AnalyticsTool:
    """The columns and names in the exports of an analytics tool.

    Args:
        name: Name of the tool.
        told_by: Alternative sets of columns that identify its exports: all names of a set, separated by
            blanks, must be there; ``context_*`` is any that begins so, one after ``!`` must not be there.
        columns: Field → names, separated by blanks, best first, that mean the same in any table.
        only_here: Field → names, likewise, that are searched in its exports instead of all others.
        page_views: Names of its page views, the tool's standard name first.
    """

    name: str
    told_by: tuple[str, ...]
    columns: Mapping[str, str] = field(default_factory=dict)
    only_here: Mapping[str, str] = field(default_factory=dict)
    page_views: tuple[str, ...] = ()

    def wrote(self, names: Collection[str]) -> bool:
        """Whether the normalised columns of a table identify it as an export of the tool."""
        return any(all(_has(names, sign) for sign in way.split()) for way in self.told_by)


TOOLS: Final = (
    AnalyticsTool(  # docs.snowplow.io/docs/fundamentals/canonical-event
        "Snowplow",
        ("domain_userid derived_tstamp", "domain_userid collector_tstamp"),
        {
            Raw.USER_KEY: "domain_userid",
            Raw.EVENT_TIMESTAMP: "derived_tstamp collector_tstamp",
            Raw.GA_SESSION_ID: "domain_sessionid",
            Raw.DEVICE_BROWSER: "br_family",
            Raw.DEVICE_CATEGORY: "dvce_type",
            Raw.EVENT_SOURCE: "mkt_source",
            Raw.EVENT_MEDIUM: "mkt_medium",
            Raw.EVENT_CAMPAIGN: "mkt_campaign",
        },
        page_views=(PAGE_VIEW,),
    ),
    AnalyticsTool(  # segment.com/docs/connections/spec/common, rudderstack.com/docs/event-spec
        "Segment or RudderStack",
        (
            "anonymousid context_*",
            "anonymous_id context_* event",
            "anonymous_id context_* !type",
            "anonymous_id context_* !name !event_type",
        ),
        {
            Raw.USER_KEY: "anonymous_id anonymousid",
            Raw.PAGE_LOCATION: "context_page_url properties_url",
            Raw.PAGE_TITLE: "context_page_title properties_title",
            Raw.EVENT_SOURCE: "context_campaign_source",
            Raw.EVENT_MEDIUM: "context_campaign_medium",
            Raw.EVENT_CAMPAIGN: "context_campaign_name",
        },
        # `type` is the call, `event` the name of a track, and `name` that of a page
        {Raw.EVENT_NAME: "event_name type event event_type"},
        ("page", "Page Viewed", "Page viewed"),
    ),
    AnalyticsTool(  # posthog.com/docs/cdp/batch-exports/s3
        "PostHog",
        ("distinct_id event timestamp",),
        {
            Raw.USER_KEY: "distinct_id",
            Raw.PAGE_LOCATION: "properties_$current_url",
            Raw.GA_SESSION_ID: "properties_$session_id",
            Raw.DEVICE_BROWSER: "properties_$browser",
            Raw.DEVICE_CATEGORY: "properties_$device_type",
            Raw.GEO_COUNTRY: "properties_$geoip_country_name",
            Raw.EVENT_SOURCE: "properties_utm_source",
            Raw.EVENT_MEDIUM: "properties_utm_medium",
            Raw.EVENT_CAMPAIGN: "properties_utm_campaign",
        },
        page_views=("$pageview",),
    ),
    AnalyticsTool(  # developer.matomo.org/guides/database-schema
        "Matomo",
        ("idvisitor idvisit", "visitorid idvisit"),
        {
            Raw.USER_KEY: "idvisitor visitorid",
            Raw.EVENT_TIMESTAMP: "server_time",
            Raw.GA_SESSION_ID: "idvisit",
            Raw.DEVICE_CATEGORY: "devicetype",
        },
    ),
    AnalyticsTool(  # docs.mixpanel.com/reference/raw-event-export, …/docs/data-pipelines/json-pipelines
        "Mixpanel",
        ("event properties_distinct_id properties_time", "event_name distinct_id insert_id"),
        {
            Raw.USER_KEY: "properties_distinct_id",
            Raw.EVENT_TIMESTAMP: "properties_time",
            Raw.PAGE_TITLE: "properties_current_page_title",
            Raw.GEO_COUNTRY: "properties_mp_country_code",
        },
        page_views=("$mp_web_page_view",),
    ),
    AnalyticsTool(  # amplitude.com/docs/apis/analytics/export, …/docs/data/autocapture-events-and-properties
        "Amplitude",
        ("amplitude_id event_type event_time", "device_id event_type event_time server_upload_time"),
        {
            Raw.PAGE_LOCATION: (
                "event_properties_[amplitude]_page_location event_properties_[amplitude]_page_url "
                "event_properties_page_location event_properties_page_url"
            ),
            Raw.PAGE_TITLE: "event_properties_[amplitude]_page_title event_properties_page_title",
        },
        {Raw.USER_KEY: "user_pseudo_id device_id"},
        ("[Amplitude] Page Viewed",),
    ),
)
PAGE_VIEWS: Final = tuple(
    dict.fromkeys((PAGE_VIEW, *(name for tool in TOOLS for name in tool.page_views), "pageview"))
)
"""Known names of page views: GA4's, those of the other tools, and ``pageview``."""


def tool_of(names: Collection[str]) -> AnalyticsTool | None:
    """Identify the tool of an export by its columns; None if it is GA4 or unknown."""
    return next((tool for tool in TOOLS if tool.wrote(names)), None)


def different_tools(files: Sequence[tuple[str, str]]) -> list[str]:
    """Warn about files that come from different tools.

    Args:
        files: Name of each file and of its tool, empty where none is identified.
    """
    of_tool: dict[str, list[str]] = {}
    for name, tool in files:
        of_tool.setdefault(tool or _UNTOLD, []).append(name)
    if len(of_tool) < 2:
        return []
    groups = [f"{_listed(names)}: {tool}" for tool, names in of_tool.items()]
    return [
        f"These files have the columns of different tools ({'; '.join(groups)}). One choice of columns and "
        "one name of page views count for all files: prepare those of each tool apart"
    ]


def _listed(names: Sequence[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _has(names: Collection[str], sign: str) -> bool:
    if sign.startswith("!"):
        return sign[1:] not in names
    if sign.endswith("*"):
        return any(name.startswith(sign[:-1]) for name in names)
    return sign in names
