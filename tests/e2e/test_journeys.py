"""Journeys in a real browser: its parts are drawn, and a funnel is built and sent as a link."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage, Server, still

pytestmark = pytest.mark.e2e


def show(page: Page, part: str, figure: str) -> None:
    """A part of the page, and a chart in it."""
    page.get_by_role("radio", name=part, exact=True).click()
    chart = page.locator(f".st-key-figure-{figure}").get_by_test_id("stVegaLiteChart")
    expect(chart.locator("canvas, svg").first).to_be_visible()
    still(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_a_funnel_of_two_steps_is_built_and_its_link_brings_it_to_another_tab(
    trained_shop: tuple[Server, str], new_page: OpenPage
) -> None:
    server, keys = trained_shop
    page = new_page(f"{server.url}/journeys?{keys}&outcome=purchase")
    show(page, "Ways", "routes")
    show(page, "Funnel", "funnel")
    page.get_by_role("button", name="Add a step").click()
    page.get_by_role("combobox", name="What makes step 2").fill("/cart*")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("funnel=.*cart"))
    steps = re.compile("2 steps, one step after the other")
    expect(page.get_by_text(steps)).to_be_visible()
    counts = page.get_by_text(re.compile(r"reach /cart\*")).inner_text()

    other = new_page(page.url)
    show(other, "Funnel", "funnel")
    expect(other.get_by_text(steps)).to_be_visible()
    expect(other.get_by_text(counts)).to_be_visible()
    show(other, "Time to outcome", "time-to-outcome")
