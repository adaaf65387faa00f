"""Segments in a real browser: steer them, draw around users, name them, take them away."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Download, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from core.saved import saved_work
from core.storage.store import Store
from tests.core.segments.made_levels import supported
from tests.e2e.conftest import PATIENCE_MS, TRIES, OpenPage, Server, adjust, choose, running_server, still
from tests.pages.fixtures_segments import FLOAT_LIKE_ID, FinishedRun, keep_levels, write_run

pytestmark = pytest.mark.e2e

MINUTE_MS = 60_000
LASSO_FROM_RIGHT, LASSO_FROM_TOP = 142, 25
"""Where the lasso's icon is in the map's canvas, in pixels."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, FinishedRun]]:
    """A server with a finished run: 120 visitors of three plain kinds, in two views."""
    with running_server(tmp_path_factory.mktemp("shop")) as server:
        run = write_run(server.cache, views=("url", "theme"), per_kind=40)
        keep_levels(run, supported(6))
        yield server, run


def address(shop: tuple[Server, FinishedRun], page: str, **link: str) -> str:
    server, run = shop
    extra = "".join(f"&{name}={value}" for name, value in link.items())
    return f"{server.url}/{page}?data={run.dataset}{extra}"


def slider(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key} [role=slider], .st-key-{key} input").first


def canvas(page: Page) -> Locator:
    return page.get_by_test_id("stEChartsChart").locator("canvas").first


EVERYBODY = [(0.01, 0.10), (0.99, 0.10), (0.99, 0.92), (0.01, 0.92), (0.01, 0.12)]


def draw_around(page: Page, corners: list[tuple[float, float]]) -> None:
    """Draw a lasso, its corners as shares of the map's width and height.

    It is drawn again where a background task that ended meanwhile drew the map anew.
    """
    for _ in range(TRIES):
        still(page)
        _draw_once(page, corners)
        try:
            page.get_by_text("users selected").wait_for(timeout=PATIENCE_MS / TRIES)
        except PlaywrightTimeout:
            continue
        return
    raise AssertionError(f"no lasso selected users in {TRIES} tries")


def _draw_once(page: Page, corners: list[tuple[float, float]]) -> None:
    canvas(page).scroll_into_view_if_needed()
    box = canvas(page).bounding_box()
    assert box is not None
    left, top, wide, high = box["x"], box["y"], box["width"], box["height"]
    page.mouse.click(left + wide - LASSO_FROM_RIGHT, top + LASSO_FROM_TOP)
    page.mouse.move(left + wide * corners[0][0], top + high * corners[0][1])
    page.mouse.down()
    for across, down in corners[1:]:
        page.mouse.move(left + wide * across, top + high * down, steps=8)
    page.mouse.up()


def text_of(download: Download, folder: Path) -> str:
    path = folder / download.suggested_filename
    download.save_as(path)
    return path.read_text()


def test_a_slider_moves_the_segments_and_the_page_says_how_many_users(
    shop: tuple[Server, FinishedRun], new_page: OpenPage
) -> None:
    page = new_page(address(shop, "explore"))
    expect(page.get_by_text("in 6 segments")).to_be_visible()
    adjust(page)
    slider(page, "k").press("ArrowRight")
    expect(page.get_by_text("in 7 segments · the last move changed")).to_be_visible()
    expect(page.get_by_text("Quick fit").first).to_be_visible()
    expect(page).to_have_url(re.compile("k=7"))
    page.reload()
    expect(page.get_by_text("in 7 segments")).to_be_visible()


def test_segments_that_stay_on_screen_are_measured_and_another_number_is_read_before_it_is_chosen(
    shop: tuple[Server, FinishedRun], new_page: OpenPage
) -> None:
    page = new_page(address(shop, "explore", k="4"))
    measuring = page.get_by_text("Measuring how stable each segment is")
    expect(measuring.first).to_be_visible()
    expect(page.get_by_text("Highly stable").first).to_be_visible(timeout=MINUTE_MS)
    expect(measuring).to_have_count(0, timeout=60_000)
    adjust(page)
    expect(page.get_by_text("in 4 segments")).to_be_visible()
    three = page.locator(".st-key-choose_k").get_by_role("radio", name="3", exact=True)
    choose(three, page.get_by_role("button", name="Use 3"))
    expect(page.get_by_text("in 3 segments")).to_be_visible()


def test_a_link_carries_several_outcomes_and_segments_and_that_there_is_none(
    shop: tuple[Server, FinishedRun], new_page: OpenPage
) -> None:
    page = new_page(
        address(shop, "explore", k="3", segment="segment:1") + "&outcome=purchase&outcome=page:/cart"
    )
    adjust(page)
    outcome = page.get_by_test_id("stMultiSelect")
    expect(outcome.get_by_text("a view of /cart")).to_be_visible()
    expect(page.get_by_text("purchase or a view of /cart").first).to_be_visible()
    page.get_by_test_id("stSidebarNav").get_by_text("Profiles", exact=True).click()
    page.get_by_role("radio", name="One or two").click()
    expect(page.locator(".st-key-compare-first input")).to_have_value(re.compile("^(Segment )?2"))
    page.get_by_test_id("stSidebarNav").get_by_text("Segments", exact=True).click()
    adjust(page)
    outcome.get_by_role("button", name="Clear all").click()
    expect(page).to_have_url(re.compile("outcome=none"))
    page.reload()
    expect(page.get_by_text("in 3 segments")).to_be_visible()
    adjust(page)
    expect(outcome.get_by_text("purchase")).to_have_count(0)


def test_charts_that_lack_room_for_two_come_below_each_other(
    shop: tuple[Server, FinishedRun], new_page: OpenPage
) -> None:
    """Beside the sidebar, half a tablet is all names of segments, and every bar is drawn at one place."""
    page = new_page(address(shop, "profiles", k="3", outcome="purchase"))
    page.set_viewport_size({"width": 900, "height": 900})
    charts = page.get_by_test_id("stVegaLiteChart")
    expect(charts.nth(2)).to_be_visible()  # of conversion and of sizes, below the heat-map
    page.wait_for_function(  # a chart grows while it is drawn, and the frame still narrows
        "() => { const [, above, below] = [...document.querySelectorAll('[data-testid=stVegaLiteChart]')]"
        ".map(chart => chart.getBoundingClientRect());"
        "return below.top > above.bottom && above.width > 300 }"
    )


def test_a_lasso_lists_the_users_inside_and_their_ids_can_be_taken(
    shop: tuple[Server, FinishedRun], new_page: OpenPage, tmp_path: Path
) -> None:
    page = new_page(address(shop, "explore", k="3"))
    expect(page.get_by_text("laid out by PaCMAP")).to_be_visible()  # which takes the quick map's place
    draw_around(page, EVERYBODY)
    selection = page.locator(".st-key-selection")
    expect(selection.get_by_text("users selected")).to_be_visible()
    expect(selection.get_by_test_id("stDataFrame")).to_have_count(2)
    with page.expect_download() as started:
        selection.get_by_role("button", name="Download their ids").click()
    lines = text_of(started.value, tmp_path).splitlines()
    n_users = int(selection.locator("h3").inner_text().split()[0].replace(",", ""))
    assert n_users > 100
    assert len(lines) == n_users + 1
    assert f'"{FLOAT_LIKE_ID}"' in lines


def test_users_inside_a_lasso_become_a_segment_that_a_reload_keeps_and_undo_takes_back(
    shop: tuple[Server, FinishedRun], new_page: OpenPage
) -> None:
    page = new_page(address(shop, "explore", k="4"))
    expect(page.get_by_text("laid out by PaCMAP")).to_be_visible()
    draw_around(page, [(0.01, 0.10), (0.6, 0.10), (0.6, 0.92), (0.01, 0.92), (0.01, 0.12)])
    page.get_by_role("button", name="Make it a segment").click()
    expect(page.get_by_text("chosen on the map")).to_be_visible()
    page.reload()
    expect(page.get_by_text("chosen on the map")).to_be_visible()
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text("in 4 segments")).to_be_visible()
    expect(page.get_by_text("chosen on the map")).to_have_count(0)


def test_segments_are_merged_in_a_few_clicks(shop: tuple[Server, FinishedRun], new_page: OpenPage) -> None:
    page = new_page(address(shop, "explore", k="5"))
    expect(page.get_by_text("in 5 segments")).to_be_visible()
    menu = page.get_by_test_id("stPopoverBody")
    for _ in range(2):
        still(page)
        if not menu.is_visible():  # it closes again where the page is drawn anew
            page.get_by_role("button", name="Change by hand").click()
        choose(menu.get_by_role("combobox"), page.get_by_role("option").nth(1))
    expect(menu.get_by_text("4 segments in all")).to_be_visible()
    page.keyboard.press("Escape")  # the list of segments
    menu.get_by_role("button", name="Merge").click()
    expect(page.get_by_text("in 4 segments")).to_be_visible()
    expect(menu).to_have_count(0)
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text("in 5 segments")).to_be_visible()


def test_a_name_survives_a_reload_and_is_on_every_page(
    shop: tuple[Server, FinishedRun], new_page: OpenPage
) -> None:
    page = new_page(address(shop, "explore", k="3"))
    field = page.get_by_placeholder("Segment 2")
    field.fill("Readers *of* guides")
    field.press("Enter")
    expect(page.get_by_test_id("stToast")).to_contain_text("Saved: Readers *of* guides", timeout=MINUTE_MS)
    assert "Readers *of* guides" in saved_work.names(Store(shop[0].cache), shop[1].model).values()
    page.reload()
    expect(page.get_by_placeholder("Segment 2")).to_have_value("Readers *of* guides")
    page.get_by_test_id("stSidebarNav").get_by_text("Profiles", exact=True).click()
    page.get_by_role("radio", name="One or two").click()
    named = page.get_by_role("option", name="2 · Readers *of* guides", exact=True)
    choose(page.locator(".st-key-compare-first").get_by_role("combobox"), named)
    expect(page).to_have_url(re.compile("segment=segment:1|segment=segment%3A1"))


def test_every_file_can_be_taken(
    shop: tuple[Server, FinishedRun], new_page: OpenPage, tmp_path: Path
) -> None:
    page = new_page(address(shop, "export", k="3", outcome="purchase"))  # others chose none
    taken = {}
    for name in ("users.csv", "profiles.json", "receipt.json", "clusters.json", "report.html"):
        key = f".st-key-get-{name.replace('.', '-')} button"
        still(page)  # the page is drawn anew once the segments are measured
        with page.expect_download(timeout=MINUTE_MS) as started:
            page.locator(key).first.click()
        assert started.value.suggested_filename == name
        taken[name] = text_of(started.value, tmp_path)
    assert f'"{FLOAT_LIKE_ID}"' in taken["users.csv"]
    assert len(json.loads(taken["clusters.json"])["segments"]) == 3
    assert json.loads(taken["profiles.json"])["outcome"] == "purchase"
    assert "<script>alert" not in taken["report.html"]
    assert FLOAT_LIKE_ID not in taken["report.html"]


def test_a_report_is_moved_offline_to_the_segments_of_the_app(
    shop: tuple[Server, FinishedRun], new_page: OpenPage, tmp_path: Path
) -> None:
    def taken(name: str, k: str) -> str:
        page = new_page(address(shop, "export", k=k, outcome="purchase"))
        still(page)
        with page.expect_download(timeout=MINUTE_MS) as started:
            page.locator(f".st-key-get-{name.replace('.', '-')} button").first.click()
        return text_of(started.value, tmp_path)

    (tmp_path / "moved.html").write_text(taken("report.html", "3"), encoding="utf-8")
    report = new_page((tmp_path / "moved.html").as_uri())
    report.context.set_offline(True)
    table = report.locator("#segments tbody")
    before = table.inner_text()
    assert len(table.locator("tr").all()) == 3
    report.get_by_label("Segments").fill("0")  # the first number, 2
    app = json.loads(taken("clusters.json", "2"))["segments"]
    sizes = [str(one["users"]) for one in app if one["kind"] == "segment"]
    expect(table.locator("td:nth-child(2)")).to_have_text(sizes)
    expect(report.locator("#moved")).to_be_visible()
    report.locator("#map summary").click()
    expect(report.locator("#map .traces")).to_have_count(len(sizes) + 1)  # and users in no segment
    report.get_by_role("button", name="As in this report").click()
    expect(table.locator("tr")).to_have_count(3)  # no longer 2: the first name is the same in both
    assert table.inner_text() == before


def test_a_user_is_found_and_read(shop: tuple[Server, FinishedRun], new_page: OpenPage) -> None:
    page = new_page(address(shop, "users"))
    field = page.get_by_placeholder("Paste an id")
    field.fill(FLOAT_LIKE_ID)
    field.press("Enter")
    timeline = page.locator(".st-key-timeline").first
    expect(timeline.get_by_text("5 page views in 2 sessions")).to_be_visible()
    expect(timeline.get_by_test_id("stVegaLiteChart")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", ["explore", "profiles", "users", "export"])
def test_no_screen_breaks_the_policy_or_runs_over_a_narrow_page(
    shop: tuple[Server, FinishedRun], new_page: OpenPage, screen: str, scheme: str
) -> None:
    page = new_page("about:blank", scheme=scheme, width=400)
    problems: list[str] = []
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    page.goto(address(shop, screen, k="3"))
    expect(page.locator("h1")).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    assert page.evaluate("document.documentElement.scrollWidth > window.innerWidth") is False
    assert [problem for problem in problems if "404" not in problem] == []
    expect(page.get_by_test_id("stException")).to_have_count(0)
