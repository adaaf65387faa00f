"""Training in a real browser: watched live, killed, gone on with, and found again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from core.runs import job_process, jobs
from tests.e2e.conftest import OpenPage, Server, adjust

pytestmark = pytest.mark.e2e

MINUTE_MS = 60_000


def prepared_demo(server: Server, new_page: OpenPage) -> Page:
    page = new_page(server.url)
    page.get_by_text("2k users", exact=True).click()
    page.get_by_role("button", name="Make the demo shop").click()
    page.get_by_role("link", name="Choose how to train").click(timeout=2 * MINUTE_MS)
    expect(page.get_by_text("How thorough?")).to_be_visible()
    return page


def test_from_the_demo_to_the_first_sentence_are_two_clicks(server: Server, new_page: OpenPage) -> None:
    page = new_page(server.url)
    page.get_by_role("button", name="Make the demo shop").click()
    page.get_by_role("button", name="Find the segments").click(timeout=2 * MINUTE_MS)
    expect(page.locator(".st-key-job-train")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Segments")).to_be_visible(timeout=5 * MINUTE_MS)
    expect(page.get_by_text("What lasts from visit to visit")).to_be_visible(timeout=MINUTE_MS)
    assert "/explore?" in page.url and "model=" in page.url


def kill_training(server: Server) -> None:
    (training,) = [job for job in jobs.recent(server.cache) if job.task == "train" and job.active]
    job_process.kill(server.cache / "jobs" / training.id)


def test_a_training_is_watched_killed_gone_on_with_and_found_again(
    server: Server, new_page: OpenPage
) -> None:
    page = prepared_demo(server, new_page)
    page.get_by_role("button", name="Train", exact=True).click()
    panel = page.locator(".st-key-job-train")
    expect(panel.get_by_text("Users a second")).to_be_visible(timeout=MINUTE_MS)
    expect(panel.get_by_text("Loss in training")).to_be_visible(timeout=MINUTE_MS)
    kill_training(server)
    expect(page.get_by_test_id("stAlert")).to_contain_text("ended without a result", timeout=MINUTE_MS)
    page.reload()
    page.get_by_role("button", name="Go on with it").click()
    expect(panel).to_be_visible()
    page.reload()
    second = new_page(page.url)
    for tab in (page, second):
        expect(tab.get_by_role("heading", name="The current model")).to_be_visible(timeout=5 * MINUTE_MS)
        expect(tab.get_by_test_id("stException")).to_have_count(0)
    assert "model=" in page.url
    page.get_by_role("button", name="See the segments").click()
    expect(page.get_by_role("heading", name="Segments")).to_be_visible(timeout=MINUTE_MS)
    said = re.compile("^(These users support|No separate segments|No stable segments)")
    expect(page.get_by_text(said).first).to_be_visible(timeout=MINUTE_MS)  # the training compared users
    adjust(page)
    expect(page.locator(".st-key-choose_k").get_by_test_id("stVegaLiteChart")).to_have_count(1)
