"""Every field that is read of an export, a row each: its title, where GA4 has it, and its other names."""

from __future__ import annotations

from typing import Final, NamedTuple

from core.base.schema import DIMENSION_FIELDS, Raw

_PARAM: Final = "event_params."
_CLICK: Final = "session_traffic_source_last_click."
_IN_USD: Final = "_in_usd"


class RawField(NamedTuple):
    """A field of the raw table.

    Args:
        name: Its column, of :class:`core.base.schema.Raw`.
        title: What it is, for people; empty where nobody chooses its column by hand.
        path: Its name in GA4's BigQuery export; empty where the analyst chooses the column.
        aliases: Normalised names of its column in flat files and other tables, best first, between spaces.
        note: When it is there, or when it is read.
    """

    name: str
    title: str = ""
    path: str = ""
    aliases: str = ""
    note: str = ""


RAW_FIELDS: Final = (
    RawField(Raw.USER_KEY, "", "", "user_pseudo_id client_id clientid pseudo_id fullvisitorid"),
    RawField(
        Raw.EVENT_TIMESTAMP, "Time of the event", "event_timestamp",
        "event_timestamp timestamp event_time event_at event_dt hit_timestamp ts",
    ),
    RawField(Raw.PAGE_LOCATION, "Page", f"{_PARAM}page_location", "page_location page_url url"),
    RawField(Raw.EVENT_NAME, "Event name", "event_name", "event_name name event_type event"),
    RawField(Raw.EVENT_DATE, "Day of the event", "event_date", "event_date"),
    RawField(Raw.PAGE_TITLE, "Page title", f"{_PARAM}page_title", "page_title pagetitle"),
    RawField(
        Raw.ENGAGEMENT_TIME_MSEC, "Engagement time", f"{_PARAM}engagement_time_msec", "engagement_time_msec"
    ),
    RawField(Raw.GA_SESSION_ID, "Session", f"{_PARAM}ga_session_id", "ga_session_id session_id visitid"),
    RawField(
        Raw.DEVICE_BROWSER, "Browser", "device.web_info.browser",
        "device_browser device_web_info_browser browser",
    ),
    RawField(Raw.DEVICE_CATEGORY, "Device", "device.category", "device_category device_type"),
    RawField(Raw.GEO_COUNTRY, "Country", "geo.country", "geo_country country"),
    RawField(
        Raw.TRAFFIC_SOURCE, "First-touch source", "traffic_source.source", Raw.TRAFFIC_SOURCE,
        "not in intraday tables",
    ),
    RawField(Raw.TRAFFIC_MEDIUM, "First-touch medium", "traffic_source.medium", Raw.TRAFFIC_MEDIUM),
    RawField(Raw.TRAFFIC_CAMPAIGN, "", "traffic_source.name", Raw.TRAFFIC_CAMPAIGN),
    RawField(Raw.EVENT_SOURCE, "Source of an event", f"{_PARAM}source", "source utm_source"),
    RawField(Raw.EVENT_MEDIUM, "Medium of an event", f"{_PARAM}medium", "medium utm_medium"),
    RawField(Raw.EVENT_CAMPAIGN, "Campaign of an event", f"{_PARAM}campaign", "campaign utm_campaign"),
    RawField(
        Raw.SESSION_CHANNEL, "Channel of the session",
        f"{_CLICK}cross_channel_campaign.default_channel_group", Raw.SESSION_CHANNEL, "since July 2024",
    ),
    RawField(Raw.SESSION_SOURCE, "", f"{_CLICK}cross_channel_campaign.source", Raw.SESSION_SOURCE),
    RawField(Raw.SESSION_MEDIUM, "", f"{_CLICK}cross_channel_campaign.medium", Raw.SESSION_MEDIUM),
    RawField(Raw.SESSION_CAMPAIGN, "", f"{_CLICK}cross_channel_campaign.campaign_name", Raw.SESSION_CAMPAIGN),
    RawField(Raw.TAGGED_SOURCE, "", f"{_CLICK}manual_campaign.source", Raw.TAGGED_SOURCE),
    RawField(Raw.TAGGED_MEDIUM, "", f"{_CLICK}manual_campaign.medium", Raw.TAGGED_MEDIUM),
    RawField(Raw.TAGGED_CAMPAIGN, "", f"{_CLICK}manual_campaign.campaign_name", Raw.TAGGED_CAMPAIGN),
    RawField(Raw.COLLECTED_SOURCE, "", "collected_traffic_source.manual_source", Raw.COLLECTED_SOURCE),
    RawField(Raw.COLLECTED_MEDIUM, "", "collected_traffic_source.manual_medium", Raw.COLLECTED_MEDIUM),
    RawField(
        Raw.COLLECTED_CAMPAIGN, "", "collected_traffic_source.manual_campaign_name", Raw.COLLECTED_CAMPAIGN
    ),
    RawField(
        Raw.ADS_CLICK, "Click on a Google ad", "collected_traffic_source.gclid",
        "collected_traffic_source_gclid gclid",
    ),
    RawField(
        Raw.TRANSACTION_ID, "Transaction", f"{_PARAM}transaction_id",
        "transaction_id ecommerce_transaction_id",
    ),
    RawField(
        Raw.PURCHASE_REVENUE, "Gross revenue", "ecommerce.purchase_revenue",
        f"purchase_revenue ecommerce_purchase_revenue purchase_revenue{_IN_USD}"
        f" ecommerce_purchase_revenue{_IN_USD}",
    ),
    RawField(
        Raw.REFUND_VALUE, "Refund", "ecommerce.refund_value",
        f"refund_value ecommerce_refund_value refund_value{_IN_USD} ecommerce_refund_value{_IN_USD}",
    ),
    RawField(
        Raw.ITEM_QUANTITY, "Items of a purchase", "ecommerce.total_item_quantity",
        "total_item_quantity ecommerce_total_item_quantity",
    ),
    RawField(
        Raw.CURRENCY, "Currency of the revenue", f"{_PARAM}currency",
        "currency ecommerce_currency currency_code",
    ),
    RawField(Raw.TRAFFIC_TYPE, "Traffic type (internal)", f"{_PARAM}traffic_type", "traffic_type"),
    RawField(Raw.DEBUG_MODE, "Debug mode", f"{_PARAM}debug_mode", "debug_mode"),
    RawField(Raw.BATCH_PAGE_ID, "Order in a batch: page", f"{_PARAM}batch_page_id", "batch_page_id"),
    RawField(
        Raw.BATCH_ORDERING_ID, "Order in a batch: request", f"{_PARAM}batch_ordering_id", "batch_ordering_id"
    ),
    RawField(
        Raw.BATCH_EVENT_INDEX, "Order in a batch: event", f"{_PARAM}batch_event_index", "batch_event_index"
    ),
    RawField(Raw.BROWSER_ID, note="read only where another column identifies users"),
    RawField(Raw.LOGIN, note="of a signed-in user; read only where logins are joined"),
    RawField(
        Raw.ANALYTICS_STORAGE, "Consent to analytics storage", "privacy_info.analytics_storage",
        "privacy_info_analytics_storage analytics_storage",
    ),
    RawField(Raw.PLATFORM, "Platform", "platform", "platform"),
    RawField(Raw.STREAM_ID, "Data stream", "stream_id", "stream_id"),
    RawField(
        Raw.IS_ACTIVE_USER, "Active user, by GA4", "is_active_user", "is_active_user", "since July 2023"
    ),
    RawField(Raw.SESSION_ENGAGED, "Engaged session", f"{_PARAM}session_engaged", "session_engaged"),
)  # fmt: skip
"""The fields with a meaning of their own, which the header rule finds; readers, forms, the query of BigQuery
and the reference are made from them."""
FIELDS: Final = tuple(field.name for field in RAW_FIELDS)
RAW_TEXT_COLUMNS: Final = (*FIELDS, *DIMENSION_FIELDS)
"""Every raw column but ``file_no`` and ``line``: text, nullable, always present (all-null when absent)."""
RECORD_FIELDS: Final = {field.name: field.path for field in RAW_FIELDS if field.path}
"""Field → its name in the BigQuery export, for every field but the user key and other ids of users."""
PARAM_FIELDS: Final = {name: path for name, path in RECORD_FIELDS.items() if path.startswith(_PARAM)}
"""Field → its usual GA4 parameter, searched even if no record of the sample has it."""
TITLES: Final = {field.name: field.title for field in RAW_FIELDS if field.title}
"""Field → what it is, for people."""
