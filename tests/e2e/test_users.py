"""Users in a real browser: searched for, like a pasted list, and why one is where they are."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage, Server, still
from tests.pages.fixtures_segments import FLOAT_LIKE_ID

pytestmark = pytest.mark.e2e


def test_users_are_searched_for_and_who_is_like_a_pasted_list_is_taken(
    trained_shop: tuple[Server, str], new_page: OpenPage
) -> None:
    server, keys = trained_shop
    page = new_page(f"{server.url}/users?{keys}")
    page.get_by_role("radio", name="Search", exact=True).click()
    page.get_by_role("combobox", name="Saw").fill("/cart")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")  # the list of pages
    expect(page.locator(".st-key-searched").get_by_test_id("stDataFrame")).to_be_visible()
    still(page)
    page.get_by_role("radio", name="Look-alikes", exact=True).click()
    page.get_by_role("radio", name="A list of ids", exact=True).click()
    page.get_by_label("Paste ids").fill(f"{FLOAT_LIKE_ID}\n'nobody 1', {FLOAT_LIKE_ID}")
    page.get_by_label("Paste ids").press("Control+Enter")
    expect(page.get_by_text("1 known user, 2 unknown, 1 more than once")).to_be_visible()
    with page.expect_download() as started:
        page.get_by_role("button", name="look-alikes as CSV").click()
    head, *lines = started.value.path().read_text().splitlines()
    assert "score" in head
    assert len(lines) > 10
    assert FLOAT_LIKE_ID not in "".join(lines)


def test_why_a_user_is_here_is_computed_by_the_model_and_drawn(
    trained_shop: tuple[Server, str], new_page: OpenPage
) -> None:
    server, keys = trained_shop
    page = new_page(f"{server.url}/users?{keys}")
    field = page.get_by_placeholder("Paste an id")
    field.fill(FLOAT_LIKE_ID)
    field.press("Enter")
    page.get_by_text("Why is this user here?").click()
    chart = page.locator(".st-key-figure-why_page").get_by_test_id("stVegaLiteChart")
    expect(chart.locator("canvas, svg").first).to_be_visible()
    expect(page.get_by_text("from its middle")).to_be_visible()
