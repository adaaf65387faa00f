"""Labels in a real browser: a type is corrected in the table, and the segments follow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from core.base.progress import silent
from core.base.settings import Preset, TrainSettings
from core.labels.label_settings import LabelSettings
from core.runs import tasks
from core.saved import saved_work
from core.storage.store import Store
from tests.core.cli.calls import few_shuffles
from tests.e2e.conftest import OpenPage, Server, adjust, running_server

pytestmark = pytest.mark.e2e

MINUTE_MS = 60_000
USERS = 1_500
TYPE_COLUMN_PX, FIRST_ROW_PX = 245, 55
"""Where the first row's type is in the table's canvas."""
TRIES = 6


@dataclass(frozen=True)
class Shop:
    """A server with a trained demo shop."""

    server: Server
    dataset: str
    model: str

    def page(self, name: str) -> str:
        return f"{self.server.url}/{name}?data={self.dataset}"

    @property
    def store(self) -> Store:
        return Store(self.server.cache)

    def segments(self) -> list[int]:
        kept = saved_work.load_segments(self.store, self.model, self.n_users)
        assert kept is not None
        return kept.partition.labels.tolist()

    @property
    def n_users(self) -> int:
        from core.runs import artifacts

        return len(artifacts.open_dataset(self.store, self.dataset).users)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with running_server(tmp_path_factory.mktemp("labelled")) as server:
        root, label = server.cache, LabelSettings().model_dump(mode="json")
        asked = {"users": USERS, "seed": 3, "input_dir": str(server.inputs)}
        dataset = tasks.run("demo", root, asked, silent)["dataset"]
        settings = TrainSettings.preset(Preset.FAST, epochs=1).model_dump(mode="json")
        request = {"dataset": dataset, "label": label, "settings": settings}
        with few_shuffles():
            model = tasks.run("train", root, request, silent)["model"]
        yield Shop(server, dataset, model)


def choose_type(page: Page, name: str) -> None:
    """Choose a type in the first row of the table, as a person would: open the cell, click on the name.

    What is above the table may still be growing, so that the cell is not where it was a moment ago.
    """
    table = page.get_by_role("tabpanel", name="Pages alike").locator(".stDataFrameGlideDataEditor").first
    option = page.locator("#portal").get_by_text(name, exact=True)
    for _ in range(TRIES):
        table.scroll_into_view_if_needed()
        box = table.bounding_box()
        assert box is not None
        page.mouse.dblclick(box["x"] + TYPE_COLUMN_PX, box["y"] + FIRST_ROW_PX)
        with suppress(TimeoutError):
            option.click(timeout=5_000)
            return
        page.keyboard.press("Escape")
    pytest.fail(f"The cell did not open, or does not offer {name}")


def test_a_corrected_type_moves_users_and_can_be_undone(shop: Shop, new_page: OpenPage) -> None:
    page = new_page(shop.page("explore"))
    expect(page.get_by_test_id("stEChartsChart").first).to_be_visible(timeout=MINUTE_MS)
    adjust(page)
    expect(page.get_by_text("Page types", exact=True)).to_be_visible(timeout=MINUTE_MS)
    before, vectors = shop.segments(), saved_work.chosen_vectors(shop.store, shop.model)

    page.goto(shop.page("labels"))
    expect(page.get_by_text("Who decided")).to_be_visible(timeout=MINUTE_MS)
    choose_type(page, "Blog")
    undo = page.get_by_role("button", name="Undo: Blog")
    expect(undo).to_be_visible(timeout=MINUTE_MS)
    expect(page.locator(".st-key-job-label")).to_have_count(0, timeout=MINUTE_MS)
    expect(page.get_by_text("You", exact=True).first).to_be_attached(timeout=MINUTE_MS)
    corrected = saved_work.chosen_vectors(shop.store, shop.model)
    assert corrected != vectors

    page.goto(shop.page("explore"))
    expect(page.get_by_test_id("stEChartsChart").first).to_be_visible(timeout=MINUTE_MS)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    after = shop.segments()
    assert after != before
    same = sum(one == other for one, other in zip(before, after, strict=True))
    assert same > 0.5 * len(before)  # the segments keep their numbers

    page.goto(shop.page("labels"))
    undo.click(timeout=MINUTE_MS)
    expect(undo).to_have_count(0, timeout=MINUTE_MS)
    expect(page.locator(".st-key-job-label")).to_have_count(0, timeout=MINUTE_MS)
    page.wait_for_timeout(1_000)
    assert saved_work.chosen_vectors(shop.store, shop.model) not in ("", corrected)
    expect(page.get_by_test_id("stException")).to_have_count(0)
