"""Every view for those who see little, use no mouse, or want nothing to move: axe-core, keys, and motion."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from pages.ui.shell.links import PAGES, Screen
from tests.e2e.conftest import PATIENCE_MS, TRIES, OpenPage, Server, still
from tests.e2e.test_start import EXPORT, MINUTE_MS

pytestmark = pytest.mark.e2e

SCREENS = [screen for screens in PAGES.values() for screen in screens]
GRAVE = ("serious", "critical")


def faults(page: Page) -> list[str]:
    """What axe-core finds that keeps people out: rule, place and reason."""
    still(page)
    page.wait_for_timeout(1000)  # charts are drawn after the run, and tables fade in
    return [
        f"{fault['id']}: {node['html'][:200]} {[check['message'] for check in node['any'] + node['none']]}"
        for fault in Axe().run(page).response["violations"]
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.url_path)
def test_axe_finds_nothing_grave(
    trained_shop: tuple[Server, str], new_page: OpenPage, screen: Screen
) -> None:
    server, link = trained_shop
    page = new_page(f"{server.url}/{'' if screen.default else screen.url_path}?{link}")
    expect(page.locator("h1")).to_be_visible()
    light = faults(page)
    page.emulate_media(color_scheme="dark")
    assert (light, faults(page)) == ([], [])


def test_axe_finds_what_cannot_be_read(server: Server, new_page: OpenPage) -> None:
    page = new_page(server.url)
    expect(page.locator("h1")).to_be_visible()
    assert faults(page) == []
    page.evaluate("document.querySelector('h1').style.color = '#eee'")
    assert {fault.split(":")[0] for fault in faults(page)} == {"color-contrast"}


FARTHEST = 100
"""Presses of the tab key after which a control counts as out of reach."""


def reach(page: Page, control: Locator) -> None:
    """Move the focus to a control by the tab key alone."""
    expect(control).to_be_visible(timeout=5 * MINUTE_MS)
    still(page)
    for _ in range(FARTHEST):
        if control.evaluate("it => it.getRootNode().activeElement === it"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{control} is not reached by {FARTHEST} tabs")


def press(page: Page, control: Locator) -> None:
    """Press a button by the keyboard until it is gone; one that is drawn anew loses the focus and the key."""
    for _ in range(TRIES):
        reach(page, control)
        page.keyboard.press("Enter")
        with suppress(AssertionError):
            return expect(control).to_be_hidden(timeout=PATIENCE_MS / TRIES)
    raise AssertionError(f"{control} could not be pressed in {TRIES} tries")


def choose(page: Page, control: Locator, file: Path) -> None:
    """Choose a file by the keyboard; a control that is drawn anew loses the focus and the key."""
    for _ in range(TRIES):
        reach(page, control)
        with suppress(PlaywrightTimeout):
            with page.expect_file_chooser(timeout=PATIENCE_MS / TRIES) as chooser:
                page.keyboard.press("Enter")
            return chooser.value.set_files(file)
    raise AssertionError(f"{control} opened no file chooser in {TRIES} tries")


def test_the_way_from_a_file_to_segments_needs_no_mouse(
    server: Server, new_page: OpenPage, tmp_path: Path
) -> None:
    export = tmp_path / "by keyboard.csv"
    export.write_text(EXPORT)
    page = new_page(server.url)
    expect(page.locator("h1")).to_be_visible()  # the first run has begun
    choose(page, page.locator(".st-key-dropped input[type=file]"), export)
    for step in ("Prepare the data", "Find the segments"):
        press(page, page.get_by_role("button", name=step, exact=True))
    expect(page.get_by_role("heading", name="Segments")).to_be_visible(timeout=5 * MINUTE_MS)
    assert "model=" in page.url


def test_nothing_moves_for_those_who_asked_for_that(server: Server, new_page: OpenPage) -> None:
    page = new_page(server.url)
    page.emulate_media(reduced_motion="reduce")
    still_page = """() => Math.max(...[...document.querySelectorAll("*")].map(it => {
        const {animationDuration, transitionDuration} = getComputedStyle(it)
        return Math.max(parseFloat(animationDuration), parseFloat(transitionDuration))
    })) < 0.001"""
    expect(page.locator("h1")).to_be_visible()
    page.wait_for_function(still_page)  # the style may arrive after the title
