"""What is asked for, as data: limits, sizes, days."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from core.base.errors import SettingsError
from core.scoring.bigquery_request import (
    BigQueryEstimate,
    BigQueryRequest,
    in_gigabytes,
    money,
    require_possible,
)

OCTOBER = {"table": "my-project.analytics_1.events_*", "first": date(2026, 10, 1), "last": date(2026, 10, 31)}


def request(**settings: Any) -> BigQueryRequest:  # noqa: ANN401
    return BigQueryRequest.checked(**OCTOBER | settings)


@pytest.mark.parametrize(
    "table",
    [
        "my-project.analytics_1.events_*",
        "example.com:my-project.ga4.events_*",
        "my-project.x.events_intraday_*",
    ],
)
def test_tables_that_are_possible(table: str) -> None:
    require_possible(request(table=table))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"table": "analytics_1.events_*"}, "The table 'analytics_1.events_.' is not possible"),
        ({"table": "my-project.analytics_1.events_20261001"}, "PROJECT.DATASET.events_"),
        ({"table": "my-project.analytics_1.events_*` WHERE true; --"}, "is not possible"),
        ({"table": "my-project.analytics_1.*"}, "is not possible"),
        ({"billing_project": "mine/../other"}, "project that pays, .mine/../other., is not possible"),
        ({"first": date(2026, 11, 1)}, "2026-11-01, comes after the last one, 2026-10-31"),
        ({"first": date(2016, 10, 1)}, "3,683 days are too many"),
        ({"user_share": 0.0004}, "share of 0.0004 of the users is too small"),
    ],
)
def test_what_is_not_possible_is_said(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        require_possible(request(**settings))


@pytest.mark.parametrize("settings", [{"user_share": 1.5}, {"max_bytes": 5}, {"price_per_tib": -1.0}])
def test_values_out_of_their_limits(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        request(**settings)


def test_parts_of_the_name() -> None:
    legacy = request(table="example.com:my-project.ga4.events_intraday_*")
    assert (legacy.dataset, legacy.prefix) == ("example.com:my-project.ga4", "events_intraday_")
    assert legacy.pays == "example.com:my-project"
    assert request(billing_project="mine").pays == "mine"
    assert len(request().days) == 31


def test_amounts_in_words() -> None:
    assert (in_gigabytes(1_234_500_000), in_gigabytes(2 * 10**12)) == ("1.23 GB", "2.000 TB")
    assert (money(0.0), money(0.004), money(1234.5)) == ("about $0.00", "less than $0.01", "about $1,234.50")


def test_a_share_of_the_users_says_that_cookies_are_drawn_where_logins_are_joined() -> None:
    told = {
        join: BigQueryEstimate(
            request=request(user_share=0.1, join_logins=join), tables=(), bytes_billed=0
        ).sentences()
        for join in (False, True)
    }
    assert told[True][:-1] == told[False]
    assert (
        told[True][-1]
        == "Cookies are drawn, not signed-in users: of a user with several some may be left out"
    )
