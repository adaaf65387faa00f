"""The scorecard in a real browser: cancelled, measured, kept, linked to; and the fast mode beside it."""

from __future__ import annotations

import shutil
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from core.runs.stages import SCORECARD
from tests.e2e.conftest import OpenPage, Server, still

pytestmark = pytest.mark.e2e

MINUTE_MS = 60_000


def test_the_scorecard_is_cancelled_measured_kept_and_linked_to(
    trained_shop: tuple[Server, str], new_page: OpenPage
) -> None:
    server, keys = trained_shop
    shutil.rmtree(server.cache / SCORECARD.name, ignore_errors=True)  # another test may have been here
    page = new_page(f"{server.url}/trust?{keys}")
    page.get_by_role("button", name="Cancel").click(timeout=MINUTE_MS)  # the first visit measures by itself
    page.get_by_role("button", name="Measure").click(timeout=MINUTE_MS)
    verdict = page.locator(".st-key-verdict")
    expect(verdict).to_contain_text("the model learned from", timeout=2 * MINUTE_MS)
    said = verdict.inner_text()
    other = new_page("about:blank", scheme="dark", width=390)
    problems: list[str] = []
    other.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    other.goto(f"{server.url}/trust?{keys}")
    expect(other.locator(".st-key-verdict")).to_contain_text(said.splitlines()[-1], timeout=MINUTE_MS)
    expect(other.get_by_role("button", name="Cancel")).to_have_count(0)  # kept, not measured again
    still(other)
    assert other.evaluate("document.documentElement.scrollWidth > window.innerWidth") is False
    assert [problem for problem in problems if "404" not in problem] == []
    expect(other.get_by_test_id("stException")).to_have_count(0)


def test_the_fast_mode_makes_segments_without_a_training(
    trained_shop: tuple[Server, str], new_page: OpenPage
) -> None:
    server, keys = trained_shop
    page = new_page(f"{server.url}/training?{keys}")
    bag = page.get_by_role("radio", name="Bag of pages")
    expect(bag).to_be_visible(timeout=MINUTE_MS)
    still(page)
    bag.click()
    expect(page.get_by_text("The quickest, as nothing is trained")).to_be_visible(timeout=MINUTE_MS)
    still(page)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("Bag of pages: nothing was trained")).to_be_visible(timeout=MINUTE_MS)
    made = parse_qs(urlsplit(page.url).query)
    # to a bag of pages these visitors are five different users, so six segments cannot be made of them
    page.goto(f"{server.url}/explore?data={made['data'][0]}&model={made['model'][0]}&k=3")
    expect(page.get_by_text("in 3 segments")).to_be_visible(timeout=MINUTE_MS)
    page.get_by_role("radio", name="Trust").click()
    expect(page.locator(".st-key-verdict")).to_contain_text("made of a bag of pages", timeout=2 * MINUTE_MS)
