"""The chat in a real browser: an answer in pieces that nothing loses, and everything without any network."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from core.facts.answer import Answer, Comment, Note
from core.llm.llm_settings import VARIABLES
from core.saved import conversations, preferences
from core.storage.store import Store
from tests.e2e.conftest import OpenPage, Server, adjust, running_server
from tests.llm_simulator import Simulator, simulating
from tests.pages.fixtures_segments import FinishedRun, keep_what_jobs_make, write_run
from tests.pages.simulated_writer import MODEL, UNKNOWN, writer

pytestmark = pytest.mark.e2e

WORD_S = 0.6
FIGURES = 200
"""More than can come while somebody watches: only Stop ends it."""
ANOTHER = "Which newsletter suits segment 2?"
GUARD = """
import pathlib, socket
real = socket.socket.connect
def connect(self, address):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        with pathlib.Path({record!r}).open("a") as file:
            file.write(f"{{address}}\\n")
        raise OSError("the network is cut")
    return real(self, address)
socket.socket.connect = connect
"""
"""A sitecustomize module: the app and its children reach this machine only, and every attempt is noted."""


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with simulating(writer(WORD_S, FIGURES)) as running:
        yield running


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, simulator: Simulator
) -> Iterator[tuple[Server, FinishedRun]]:
    """A server with a finished run and a model that is named in the environment."""
    variables = {"BEHA2VEC_MODEL": MODEL, "OPENAI_BASE_URL": simulator.base_url}
    with running_server(tmp_path_factory.mktemp("shop"), **variables) as server:
        preferences.change(Store(server.cache), wall_s=300)  # a busy machine comes to Stop late
        yield server, keep_what_jobs_make(write_run(server.cache, views=("url", "theme"), per_kind=40))


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A server without a model and without a network, and where its attempts to leave are noted."""
    folder = tmp_path_factory.mktemp("offline")
    record, guard = folder / "attempts", folder / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(GUARD.format(record=str(record)))
    variables = {"PYTHONPATH": str(guard), **dict.fromkeys(VARIABLES, "")}
    outwards = "import socket; socket.create_connection(('192.0.2.1', 9))"
    subprocess.run([sys.executable, "-c", outwards], env=os.environ | variables, capture_output=True)
    assert "192.0.2.1" in record.read_text()  # the guard notices
    record.unlink()
    with running_server(folder / "app", **variables) as server:
        yield server, record


def address(shop: tuple[Server, FinishedRun], page: str) -> str:
    server, run = shop
    return f"{server.url}/{page}?data={run.dataset}&k=3"


def ask(page: Page, question: str) -> None:
    field = page.get_by_test_id("stChatInputTextArea")
    field.fill(question)
    field.press("Enter")


def log(page: Page) -> Locator:
    return page.locator(".st-key-chat-log")


def stop(page: Page) -> Locator:
    return page.get_by_role("button", name="Stop").first


def written(page: Page) -> int:
    """How many sentences are there."""
    return log(page).inner_text().count(" has ")


def grows(page: Page) -> None:
    """Wait until more is written than now."""
    now = written(page)
    page.wait_for_function(
        "now => document.querySelector('.st-key-chat-log').innerText.split(' has ').length - 1 > now",
        arg=now,
    )


def test_an_answer_survives_a_slider_another_page_a_reload_and_ends_with_stop(
    shop: tuple[Server, FinishedRun], new_page: OpenPage, simulator: Simulator
) -> None:
    # .first: what is drawn anew stands beside what it replaces for a moment
    page = new_page(address(shop, "explore"))
    expect(page.get_by_text("in 3 segments")).to_be_visible()
    ask(page, UNKNOWN)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("127.0.0.1")).to_be_visible()
    expect(dialog.get_by_text(UNKNOWN).first).to_be_visible()
    assert not any(UNKNOWN in str(request) for request in simulator.requests)
    dialog.get_by_role("button", name="Agree for this session").click()
    expect(log(page).get_by_text("(segment 1):").first).to_be_visible()

    adjust(page)
    page.locator(".st-key-k [role=slider], .st-key-k input").first.press("ArrowRight")
    expect(page.get_by_text("in 4 segments")).to_be_visible()
    grows(page)

    page.get_by_test_id("stSidebarNav").get_by_text("Share", exact=True).click()
    expect(page.get_by_role("heading", name="Share")).to_be_visible()
    grows(page)

    page.reload()
    expect(page.get_by_role("heading", name="Share")).to_be_visible()
    expect(log(page).get_by_text(UNKNOWN).first).to_be_visible()
    expect(stop(page)).to_be_visible()
    grows(page)

    ask(page, ANOTHER)
    expect(log(page).get_by_text("Waits its turn")).to_have_count(1)
    ask(page, "How many users are in segment 3?")
    expect(log(page).get_by_text("Waits its turn")).to_have_count(2)
    page.reload()
    expect(log(page).get_by_text("Waits its turn")).to_have_count(2)
    stop(page).click()
    expect(log(page).get_by_text("Waits its turn")).to_have_count(1)
    expect(log(page).get_by_text("Broken off").first).to_be_visible()  # what came is kept below the next one
    expect(log(page).get_by_text("The model's reading, not counted").first).to_be_visible()
    agreed = page.get_by_role("dialog").get_by_role("button", name="Agree for this session").first
    agreed.click()  # a new session
    stop(page).click()
    expect(stop(page)).to_have_count(0)
    expect(log(page).get_by_text("How many users are in segment 3?").first).to_be_visible()
    expect(log(page).get_by_text("(segment 3), all days:").first).to_be_visible()
    page.reload()
    expect(log(page).get_by_text("(segment 3), all days:").first).to_be_visible()
    page.get_by_text("2 earlier questions").first.click()
    expect(page.locator(".st-key-chat-earlier").get_by_text(UNKNOWN).first).to_be_visible()


def test_a_follow_up_and_a_question_that_is_offered_are_answered_at_once(
    offline: tuple[Server, Path], new_page: OpenPage
) -> None:
    server, _ = offline
    run = keep_what_jobs_make(write_run(server.cache, views=("url", "theme"), per_kind=40))
    page = new_page(f"{server.url}/explore?data={run.dataset}&k=3")
    expect(page.get_by_text("in 3 segments")).to_be_visible()
    ask(page, "How many users are in segment 1?")
    expect(log(page).get_by_text("(segment 1), all days:")).to_be_visible()
    ask(page, "and segment 2?")
    expect(log(page).get_by_text("(segment 2), all days:")).to_be_visible()
    ask(page, "What is the weather like?")
    expect(log(page).get_by_text("I do not understand")).to_be_visible()
    offered = log(page).get_by_role("button", name="Which segment has the highest conversion rate?")
    offered.click()
    expect(log(page).get_by_text("by segment, most first, all days:")).to_be_visible()
    expect(offered).to_have_count(0)
    adjust(page)
    page.locator(".st-key-k [role=slider], .st-key-k input").first.press("ArrowRight")
    expect(log(page).get_by_text("About earlier segments (K = 3)")).to_be_visible()


SIGNS = "is 3 < 5, 7 >= 2, a<b>c</b>, x &lt; y, <script>alert(1)</script> <img src=x>"


def test_what_is_typed_and_what_a_model_writes_is_shown_sign_by_sign(
    shop: tuple[Server, FinishedRun], new_page: OpenPage
) -> None:
    server, run = shop
    store, said = Store(server.cache), Answer((Note(text=SIGNS), Comment(text=SIGNS)), source=MODEL)
    conversations.answer(
        store, conversations.ask(store, conversations.begin(run.model), SIGNS), 0, said, None
    )
    page = new_page(address(shop, "export"))
    for place in (0, 1, 3):  # the question, the app's words, the model's; a heading between them
        shown = log(page).get_by_test_id("stMarkdown").nth(place)
        expect(shown).to_contain_text("x &lt; y", timeout=20_000)
        assert SIGNS in shown.inner_text().replace("\u2060", "")
    assert log(page).locator("script, img, b").count() == 0


def test_a_whole_answer_has_figures_to_look_up_and_says_what_it_used(
    new_page: OpenPage, tmp_path: Path
) -> None:
    with simulating(writer(figures=3)) as quick:
        variables = {"BEHA2VEC_MODEL": MODEL, "OPENAI_BASE_URL": quick.base_url}
        with running_server(tmp_path / "quick", **variables) as server:
            run = keep_what_jobs_make(write_run(server.cache, views=("url", "theme"), per_kind=40))
            page = new_page(f"{server.url}/settings?data={run.dataset}&k=3")
            page.locator(".st-key-connect button").first.click()  # in the middle of the page's first run
            expect(page.get_by_text("Connected in")).to_be_visible()
            for name, value in (("fewest_users", "20"), ("max_tool_calls", "6"), ("wall_s", "60")):
                expect(page.locator(f".st-key-pref-{name} input")).to_have_value(value)
            assert not (server.cache / "preferences.json").exists()
            ask(page, UNKNOWN)
            page.get_by_role("dialog").get_by_role("button", name="Agree for this session").click()
            expect(log(page).get_by_text(f"{MODEL} · 100 tokens")).to_be_visible()
            expect(log(page).get_by_text("The model's reading, not counted")).to_be_visible()
            expect(log(page).get_by_text("was said already: 1 part")).to_be_visible()
            log(page).get_by_text("3 figures").click()
            page.get_by_role("link", name="How large they are").click()
            expect(page.get_by_role("heading", name="Profiles", exact=True)).to_be_visible()
            expect(page.get_by_text("How large they are").first).to_be_visible()


def test_everything_works_with_the_network_cut_and_nobody_asks_for_a_model(
    offline: tuple[Server, Path], new_page: OpenPage
) -> None:
    server, record = offline
    run = write_run(server.cache, views=("url", "theme"), per_kind=30)  # its jobs start by themselves too
    page = new_page("about:blank")
    outside: list[str] = []
    page.on("request", lambda asked: outside.append(asked.url) if server.url not in asked.url else None)
    page.goto(f"{server.url}/explore?data={run.dataset}&k=3")
    expect(page.get_by_text("in 3 segments")).to_be_visible()
    ask(page, "How many users are in segment 1?")
    expect(log(page).get_by_text("users").first).to_be_visible()
    ask(page, UNKNOWN)
    expect(log(page).get_by_text("I do not understand")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    for screen in ("Profiles", "Settings"):
        page.get_by_test_id("stSidebar").get_by_role("link", name=screen, exact=True).click()
        expect(page.get_by_role("heading", name=screen, exact=True)).to_be_visible()
    expect(page.get_by_text("No model, nothing to agree to")).to_be_visible()
    expect(page.get_by_role("button", name="Describe with")).to_have_count(0)
    assert not record.exists(), record.read_text()
    assert [url for url in outside if not url.startswith(("data:", "blob:"))] == []
