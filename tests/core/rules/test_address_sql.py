"""An address and the page that cleaning made of it have one key in both databases, or cleaning says why."""

from __future__ import annotations

from functools import cache

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from core.base.settings import UrlSettings
from core.ingest.clean import urls
from core.rules.raw_events import key_of
from core.rules.rule_sql import BIGQUERY, DUCKDB, REPEATED, AddressSql
from tests.core.ingest.clean.test_urls import LIKE_URLS

CHOSEN = st.builds(
    UrlSettings,
    merge_hosts=st.booleans(),
    lower_path=st.booleans(),
    keep_fragment=st.booleans(),
    collapse_ids=st.just(False),
)


@cache
def database() -> duckdb.DuckDBPyConnection:
    """What runs both, BigQuery's SQL translated."""
    made = duckdb.connect()
    made.execute("CREATE MACRO safe_convert_bytes_to_string(bytes) AS decode(bytes)")
    return made


def keys(raw: list[str], pages: list[str], chosen: UrlSettings) -> list[list[str]]:
    """What each of the databases makes of addresses."""
    told = (AddressSql(dialect, chosen, pages).key() for dialect in (DUCKDB, BIGQUERY))
    ours, theirs = told
    translated = sqlglot.transpile(f"SELECT {theirs} FROM raw", read="bigquery", write="duckdb")[0]
    found = []
    for sql in (f"SELECT {ours} FROM raw", translated):
        source = "(SELECT unnest($1::VARCHAR[]) AS page_location) AS raw"
        rows = database().execute(sql.removesuffix("raw") + source, [raw]).fetchall()
        found.append([key for (key,) in rows])
    return found


@settings(max_examples=40, deadline=None)
@given(st.lists(LIKE_URLS, min_size=1, max_size=40), CHOSEN)
def test_an_address_and_its_page_meet(raw: list[str], chosen: UrlSettings) -> None:
    made = {one: urls.canonicalise([one], chosen) for one in raw}
    repeated = [one for one in raw if set(made[one].by_rule) <= REPEATED - {urls.MASKED}]
    pages = [made[one].pages[0] for one in repeated]
    wanted = [key_of(page, chosen) for page in pages]
    for found in keys(repeated, pages, chosen):
        assert dict(zip(repeated, found, strict=True)) == dict(zip(repeated, wanted, strict=True))


@pytest.mark.parametrize(
    "raw",
    [
        "https://s.example/a&kind=x?q=1",
        "https://s.example/a\\b",
        "https://s.example/a\tb",
        "https://s.example/{x}/%7Bid%7d",
        "https://s.example/100%-wool?q=50%",
        "https://s.example/%E9t%C3%A9",
        "https://s.example/ΛΌΓΟΣ/İ/商品?Q=%E5%95%86+品",
        "https://s.example/a;jsessionid=9/b/index.php/?s=x%26y&cat=2&s=a",
    ],
)
def test_one_address(raw: str) -> None:
    (page,) = urls.canonicalise([raw], UrlSettings()).pages
    assert keys([raw], [page], UrlSettings()) == [[key_of(page, UrlSettings())]] * 2


@pytest.mark.parametrize(
    "raw",
    ["https://s.example:443/a", "https://u:p@s.example/a", "https://s.example/a/../b", "https://é.example"],
)
def test_what_is_not_repeated_is_counted(raw: str) -> None:
    assert urls.REWRITTEN in urls.canonicalise([raw], UrlSettings()).by_rule
