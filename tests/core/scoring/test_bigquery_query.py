"""The query of a day: BigQuery's grammar, the columns that are used and no others, users that are drawn."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from core.base.errors import InputError
from core.base.raw_fields import FIELDS
from core.base.schema import Raw
from core.scoring.bigquery import names_of, query_of
from core.scoring.bigquery_request import BigQueryRequest, DayTable

COLUMNS = (
    "event_date", "event_timestamp", "event_name", "event_params", "user_id", "user_pseudo_id",
    "user_properties", "batch_page_id", "device.category", "device.web_info.browser", "geo.country",
    "geo.city", "traffic_source.source", "traffic_source.medium", "traffic_source.name",
    "collected_traffic_source.manual_source",
    "collected_traffic_source.manual_medium", "collected_traffic_source.gclid",
    "collected_traffic_source.manual_campaign_name",
    "session_traffic_source_last_click.cross_channel_campaign.default_channel_group",
    *(f"session_traffic_source_last_click.{of}_campaign.{name}"
      for of in ("cross_channel", "manual") for name in ("source", "medium", "campaign_name")),
    "ecommerce.purchase_revenue", "ecommerce.purchase_revenue_in_usd", "ecommerce.transaction_id",
    "ecommerce.refund_value", "ecommerce.refund_value_in_usd", "privacy_info.analytics_storage", "platform",
    "is_active_user", "stream_id", "ecommerce.total_item_quantity",
)  # fmt: skip


def table(*columns: str) -> DayTable:
    name = "my-project.analytics_1.events_20261001"
    return DayTable(day=date(2026, 10, 1), name=name, modified="", rows=1, columns=columns)


def request(**settings: Any) -> BigQueryRequest:  # noqa: ANN401
    day = date(2026, 10, 1)
    return BigQueryRequest.checked(table="my-project.analytics_1.events_*", first=day, last=day, **settings)


def test_names_are_those_of_a_nested_file() -> None:
    names = names_of(request(), table(*COLUMNS))
    assert list(names)[:2] == [Raw.EVENT_TIMESTAMP, Raw.USER_KEY]
    assert set(names) == {*FIELDS} - {Raw.BROWSER_ID, Raw.LOGIN}  # the first is the key
    assert names_of(request(join_logins=True), table(*COLUMNS))[Raw.LOGIN] == "user_id"
    assert names[Raw.USER_KEY] == "user_pseudo_id"
    assert names[Raw.BATCH_PAGE_ID] == "batch_page_id"  # GA4 has moved it out of the parameters
    assert names[Raw.BATCH_ORDERING_ID] == "event_params.batch_ordering_id"
    assert names[Raw.TRANSACTION_ID] == "event_params.transaction_id"
    assert names[Raw.TRAFFIC_SOURCE] == "traffic_source.source"
    assert names[Raw.PURCHASE_REVENUE] == "ecommerce.purchase_revenue"
    assert names[Raw.REFUND_VALUE] == "ecommerce.refund_value"


def test_the_query_is_bigquery_s_and_names_one_table_and_no_other_column() -> None:
    parsed = sqlglot.parse_one(query_of(request(), table(*COLUMNS)), read="bigquery")
    assert [one.name for one in parsed.find_all(exp.Table)] == ["events_20261001"]
    assert parsed.args.get("limit") is None
    assert parsed.args.get("where") is None
    read = {column.sql(dialect="bigquery").split(".")[0] for column in parsed.find_all(exp.Column)}
    assert not read & {"user_id", "user_properties", "items"}
    assert "geo.city" not in query_of(request(), table(*COLUMNS))


def test_a_sample_is_drawn_by_the_id_that_users_have() -> None:
    query = query_of(request(user_share=0.25, user_key="user_id"), table(*COLUMNS))
    assert query.endswith("WHERE ABS(MOD(FARM_FINGERPRINT(CAST(user_id AS STRING)), 1000)) < 250")
    assert sqlglot.parse_one(query, read="bigquery").args.get("limit") is None


def test_the_analyst_s_word_over_names_and_a_key_that_would_end_the_text() -> None:
    mapped = request(
        mapping={"page_location": "event_params.it's", "geo_country": ""}, user_key="user_properties.crm"
    )
    names = names_of(mapped, table(*COLUMNS))
    assert Raw.GEO_COUNTRY not in names
    query = query_of(mapped, table(*COLUMNS))
    assert r"WHERE p.key = 'it\'s'" in query
    keys = [
        one.this for one in sqlglot.parse_one(query, read="bigquery").find_all(exp.Literal) if one.is_string
    ]
    assert "it's" in keys


def test_a_table_without_what_is_needed() -> None:
    with pytest.raises(InputError, match="has no event_timestamp"):
        query_of(request(), table("user_pseudo_id", "event_params"))
    with pytest.raises(InputError, match=r"has no event_params\.page_location, which is to be page_location"):
        query_of(request(), table("user_pseudo_id", "event_timestamp"))
