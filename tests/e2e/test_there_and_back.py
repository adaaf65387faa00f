"""From one data set to another and back in a real browser: nothing leaks, nothing is lost."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import OpenPage, Server, adjust
from tests.pages.fixtures_segments import FinishedRun, keep_what_jobs_make, write_run

pytestmark = pytest.mark.e2e

Two = tuple[Server, FinishedRun, FinishedRun]


@pytest.fixture(scope="module")
def two(trained_shop: tuple[Server, str]) -> Two:
    """Two more finished runs of the same file name: 120 visitors, and 60 in two views."""
    server, _ = trained_shop
    other = write_run(server.cache, views=("url", "theme"), per_kind=20)
    one = write_run(server.cache, per_kind=40)
    return server, keep_what_jobs_make(one, 9), keep_what_jobs_make(other, 6)


def thumb(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key} input[type=range]").first


def turn_to(page: Page, title: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()


def open_data(page: Page, run: FinishedRun) -> None:
    turn_to(page, "Data")
    page.locator(f".st-key-open-{run.dataset} button").first.click()
    expect(page).to_have_url(re.compile(f"data={run.dataset}"))
    turn_to(page, "Segments")


def test_what_is_set_stays_with_its_data_and_a_link_carries_it(two: Two, new_page: OpenPage) -> None:
    server, one, other = two
    page = new_page(f"{server.url}/explore?data={one.dataset}&k=9")
    expect(page.get_by_text("in 9 segments")).to_be_visible()
    adjust(page)
    thumb(page, "k").press("ArrowRight")
    expect(page.get_by_text("in 10 segments · the last move changed")).to_be_visible()
    open_data(page, other)
    expect(page.get_by_text("61 users in 6 segments")).to_be_visible()
    expect(page.get_by_text("the last move changed")).to_have_count(0)
    adjust(page)
    expect(thumb(page, "k")).to_have_value("6")
    expect(thumb(page, "w_theme")).to_have_value("37")
    thumb(page, "w_theme").press("End")
    expect(thumb(page, "w_url")).to_have_value("0")
    thumb(page, "w_theme").press("Home")  # all at zero cannot be reached
    expect(thumb(page, "w_url")).to_have_value("100")
    expect(page).to_have_url(re.compile("url=100&theme=0"))
    link = page.url
    open_data(page, one)
    expect(page.get_by_text("in 10 segments")).to_be_visible()
    expect(page).to_have_url(re.compile("k=10"))
    page.reload()
    expect(page.get_by_text("in 10 segments")).to_be_visible()
    elsewhere = new_page(link)
    expect(elsewhere.get_by_text("61 users in 6 segments")).to_be_visible()
    adjust(elsewhere)
    expect(thumb(elsewhere, "w_url")).to_have_value("100")
    for tab in (page, elsewhere):
        expect(tab.get_by_test_id("stException")).to_have_count(0)
