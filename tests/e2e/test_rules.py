"""Rules in a real browser: what is copied is what a run leaves, and a rule of one's own is a segment."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage, Server, choose, still

pytestmark = pytest.mark.e2e


def test_what_is_copied_is_what_the_file_says(trained_shop: tuple[Server, str], new_page: OpenPage) -> None:
    server, keys = trained_shop
    page = new_page(f"{server.url}/rules?{keys}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    found = page.locator(".st-key-rule-found")
    expect(found.get_by_text("Precision", exact=True)).to_be_visible()
    with page.expect_download() as started:
        page.get_by_role("button", name="All rules of all segments as JSON").click()
    records = json.loads(started.value.path().read_text())
    told = next(record for record in records if record["segment"] == 0 and record["recommended"])
    for language, column in (("English", "text"), ("BigQuery", "sql_bigquery"), ("DuckDB", "sql_duckdb")):
        found.get_by_role("tab", name=language).click()
        code = found.get_by_role("tabpanel", name=language).get_by_test_id("stCode")
        code.hover()
        code.get_by_role("button", name="Copy to clipboard").click()
        assert page.evaluate("navigator.clipboard.readText()") == told[column]


def test_a_rule_of_one_s_own_is_judged_and_becomes_a_segment_that_undo_takes_back(
    trained_shop: tuple[Server, str], new_page: OpenPage
) -> None:
    server, keys = trained_shop
    page = new_page(f"{server.url}/rules?{keys}")
    expect(page.locator(".st-key-rule-found").get_by_text("Precision", exact=True)).to_be_visible()
    still(page)
    fields = page.locator(".st-key-rule-field").get_by_role("button", name="Open")
    choose(fields, page.get_by_role("option", name="Main device", exact=True))
    expect(page.locator(".st-key-rule-value-device")).to_be_visible()
    still(page)
    page.get_by_role("button", name="Add condition").click()
    own = page.locator(".st-key-rule-own")
    expect(own.get_by_text("Precision", exact=True)).to_be_visible()
    page.get_by_role("button", name="Make it a segment").click()
    undo = page.get_by_role("button", name="Undo", exact=True)
    expect(page.get_by_role("button", name="Make it a segment")).to_have_count(0)
    still(page)
    page.get_by_test_id("stSidebarNav").get_by_text("Segments", exact=True).click()
    expect(undo).to_be_visible()
    undo.click()
    expect(page.get_by_text("in 3 segments")).to_be_visible()
    expect(undo).to_have_count(0)
