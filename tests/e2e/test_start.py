"""The first minute in a real browser: deep links, the ways in, and what survives a reload."""

from __future__ import annotations

import re
import struct
import zlib
from itertools import chain, repeat
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page, Request, Route, expect

from pages.ui.shell.links import PAGES, Screen
from tests.e2e.conftest import OpenPage, Server

pytestmark = pytest.mark.e2e

SCREENS = [screen for screens in PAGES.values() for screen in screens]
MINUTE_MS = 60_000


@pytest.mark.parametrize("screen", (SCREENS[0], SCREENS[-1]), ids=lambda screen: screen.url_path)
def test_a_deep_link_may_be_the_first_request_of_a_fresh_server(
    fresh_server: Server, new_page: OpenPage, screen: Screen
) -> None:
    page = new_page(fresh_server.url + ("/" if screen.default else f"/{screen.url_path}"))
    expect(page.locator("h1")).to_be_visible()
    shown = page.get_by_test_id("stSidebarNav").get_by_role("link")
    expect(shown).to_have_text([re.compile(name) for name in [*PAGES][:7]])
    expect(page.get_by_test_id("stSidebar").get_by_text("No data set yet")).to_be_visible()
    expect(page.get_by_text("Page not found")).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def watch(page: Page) -> tuple[list[str], list[str]]:
    """Requests to other hosts, and errors on the console that are not the usual ones."""
    foreign: list[str] = []
    errors: list[str] = []

    def on_request(request: Request) -> None:
        if not request.url.startswith((page.url.split("/")[0], "http://127.0.0.1", "data:", "blob:")):
            foreign.append(request.url)

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and "404" not in message.text:
            errors.append(message.text)

    page.on("request", on_request)
    page.on("console", on_console)
    return foreign, errors


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_screen_asks_no_other_host_and_breaks_no_policy(
    server: Server, new_page: OpenPage, scheme: str
) -> None:
    page = new_page("about:blank", scheme=scheme)
    foreign, errors = watch(page)
    answer = page.goto(server.url)
    assert answer is not None
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for way in ("Try the demo shop", "Drop your export", "Pick a file"):
        expect(page.get_by_text(way)).to_be_visible()
    expect(page.get_by_text("Drop files here, or click to choose")).to_be_visible()
    assert (foreign, errors) == ([], [])


def test_the_three_ways_fit_a_narrow_screen(server: Server, new_page: OpenPage) -> None:
    page = new_page(server.url, width=400)
    expect(page.get_by_text("Drop files here, or click to choose")).to_be_visible()
    wider = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    assert wider is False


def test_the_demo_shop_is_one_click_away_and_its_link_is_kept(server: Server, new_page: OpenPage) -> None:
    page = new_page(server.url)
    page.get_by_text("2k users", exact=True).click()
    page.get_by_role("button", name="Make the demo shop").click()
    expect(page.get_by_text("Where every record went")).to_be_visible(timeout=2 * MINUTE_MS)
    expect(page.get_by_test_id("stSidebar").get_by_text("Demo shop", exact=True)).to_be_visible()
    assert "data=" in page.url
    assert "job=" not in page.url
    page.reload()
    expect(page.get_by_text("Where every record went")).to_be_visible()
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Segments").click()
    page.get_by_role("button", name="Train a model").click()
    expect(page.get_by_text("How thorough?")).to_be_visible()
    assert "data=" in page.url


def test_a_job_survives_a_reload_is_seen_from_a_second_tab_and_can_be_cancelled(
    server: Server, new_page: OpenPage
) -> None:
    page = new_page(server.url)
    page.get_by_text("50k", exact=True).click()
    page.get_by_role("button", name="Make the demo shop").click()
    panel = page.locator(".st-key-job-demo")
    expect(panel).to_be_visible()
    page.reload()
    expect(panel).to_be_visible()
    second = new_page(server.url)
    expect(second.locator(".st-key-job-demo")).to_be_visible()
    elsewhere = new_page(server.url + "/training")
    expect(
        elsewhere.get_by_test_id("stSidebar").get_by_role("link", name="Making the demo shop")
    ).to_be_visible()
    second.locator(".st-key-job-demo").get_by_role("button", name="Cancel").click()
    for tab in (page, second):
        expect(tab.get_by_text("Drop your export")).to_be_visible(timeout=MINUTE_MS)
        expect(tab.get_by_test_id("stException")).to_have_count(0)


SHOP = "https://shop.example"
EXPORT = "event_name,event_timestamp,user_pseudo_id,page_location\n" + "".join(
    f"page_view,{1_700_000_000_000_000 + view * 60_000_000},u{user},{SHOP}/{(user + view) % 7}\n"
    for user in range(60)
    for view in range(4)
)


def drop(page: Page, path: Path) -> None:
    page.locator(".st-key-dropped input[type=file]").set_input_files(path)


def test_a_dropped_file_is_uploaded_looked_into_and_prepared(
    server: Server, new_page: OpenPage, tmp_path: Path
) -> None:
    export = tmp_path / "my export.csv"
    export.write_text(EXPORT)
    page = new_page(server.url)
    drop(page, export)
    expect(page.get_by_text("Check what was found")).to_be_visible(timeout=MINUTE_MS)
    assert (server.inputs / "my export.csv").read_text() == EXPORT
    page.get_by_role("button", name="Prepare the data").click()
    expect(page.get_by_text("Where every record went")).to_be_visible(timeout=2 * MINUTE_MS)
    expect(page.get_by_test_id("stMetricValue").first).to_have_text("60")


def test_an_upload_that_was_cut_off_goes_on(server: Server, new_page: OpenPage, tmp_path: Path) -> None:
    export = tmp_path / "large.csv"
    export.write_bytes(b"user_pseudo_id,event_timestamp,page_location\n" + b"u1,1700000000,/a\n" * 1_200_000)
    page = new_page(server.url)
    second, third = "**/api/upload/**offset=8388608**", "**/api/upload/**offset=16777216**"
    refusals, held = chain((423,), repeat(503)), list[Route]()
    page.route(second, lambda route: route.fulfill(status=next(refusals)))
    page.route(third, lambda route: held.append(route))
    drop(page, export)
    told = page.locator(".st-key-dropped [role=status]")
    expect(told).to_have_text(re.compile(r"The server is not ready\. It is tried again in [248] s\."))
    assert sum(path.suffix == ".part" for path in server.inputs.iterdir()) == 1
    with page.expect_request(second):
        page.unroute(second)  # by itself
    expect(told).to_have_text(re.compile(r"large\.csv: 16\.8 of 20\.4 MB, \d+\.\d MB/s, \d+ s left"))
    while not held:  # it is on its way
        page.wait_for_timeout(50)
    held.pop(0).abort()
    expect(told).to_contain_text("The connection was lost. It is tried again in")
    page.unroute_all()
    page.reload()  # in the middle of it
    with page.expect_request(third):
        drop(page, export)
    expect(page.get_by_text("Check what was found")).to_be_visible(timeout=MINUTE_MS)
    assert (server.inputs / "large.csv").read_bytes() == export.read_bytes()


def picture() -> bytes:
    """The smallest PNG."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_a_picture_in_disguise_is_said_in_words(server: Server, new_page: OpenPage, tmp_path: Path) -> None:
    fake = tmp_path / "holiday.csv"
    fake.write_bytes(picture())
    page = new_page(server.url)
    drop(page, fake)
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_contain_text("holiday.csv", timeout=MINUTE_MS)
    expect(alert).to_contain_text("PNG")
    assert not any(path.name.startswith("holiday") for path in server.inputs.iterdir())
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("Drop your export")).to_be_visible()


def test_a_file_of_another_kind_is_refused_before_it_is_sent_whole(
    server: Server, new_page: OpenPage, tmp_path: Path
) -> None:
    program = tmp_path / "run.exe"
    program.write_bytes(b"MZ" * 10)
    page = new_page(server.url)
    drop(page, program)
    expect(page.locator(".st-key-dropped [role=status]")).to_contain_text("cannot be used")
    assert not any(path.name.startswith("run") for path in server.inputs.iterdir())
