"""A real server and a real browser: a fresh process, with a cache and an input folder of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from core.base.progress import silent
from core.base.settings import TrainSettings
from core.runs import artifacts, pipeline
from core.storage.store import Store
from tests.pages.fixtures_segments import keep_what_jobs_make, write_run

ROOT = Path(__file__).resolve().parents[2]
UP_S = 180.0
PATIENCE_MS = 60_000
TRIES = 6
SMALL = TrainSettings(epochs=1, hidden_dim=16, heads=2, feedforward_dim=16, embedding_dim=16)
OpenPage = Callable[..., Page]


@dataclass(frozen=True)
class Server:
    """A running app.

    Args:
        url: Where it answers.
        cache: Its cache folder.
        inputs: Its input folder.
        log: What it printed.
    """

    url: str
    cache: Path
    inputs: Path
    log: Path


@contextmanager
def running_server(folder: Path, base: str = "", **variables: str) -> Iterator[Server]:
    """Start the app on a free port, with more environment variables, and stop it in the end."""
    port = free_port()
    server = Server(
        f"http://127.0.0.1:{port}{base}", folder / "cache", folder / "input", folder / "server.log"
    )
    folder.mkdir(parents=True, exist_ok=True)
    server.inputs.mkdir(exist_ok=True)
    env = os.environ | {
        "BEHA2VEC_CACHE": str(server.cache),
        "BEHA2VEC_INPUT": str(server.inputs),
        "BEHA2VEC_CONFIG": str(folder),
        "OMP_NUM_THREADS": "1",  # browser, server and training share few cores; waiting threads spin
        **variables,
    }
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with server.log.open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_until_up(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(UP_S)


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_up(server: Server, process: subprocess.Popen[bytes]) -> None:
    """Wait for the first answer."""
    deadline = time.monotonic() + UP_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(server.url + "/_stcore/health", timeout=10)
            return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    pytest.fail(f"The server did not come up:\n{server.log.read_text()}")


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Server]:
    """A server that nobody has asked anything yet."""
    with running_server(tmp_path / "app") as server:
        yield server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that began without data, shared by all files; every page is a session of its own."""
    with running_server(tmp_path_factory.mktemp("app")) as server:
        yield server


@pytest.fixture(scope="session")
def trained_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server with 1,000 visitors of three plain kinds and a model of one epoch, and the link to them.

    Files share it: what a test changes by hand it takes back.
    """
    with running_server(tmp_path_factory.mktemp("trained")) as server:
        run, store = write_run(server.cache, per_kind=330), Store(server.cache)
        dataset = artifacts.open_dataset(store, run.dataset)
        model = pipeline.train(store, dataset, None, SMALL, silent)
        vectors = pipeline.embed(store, dataset, None, model, silent).artifact.key
        keep_what_jobs_make(replace(run, model=model.key, embeddings=vectors))
        yield server, f"data={run.dataset}&model={model.key}&k=3"


def still(page: Page) -> None:
    """Wait for the end of a run: what is clicked before it may belong to a widget that is drawn anew."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def adjust(page: Page) -> None:
    """Open the controls of the segments on the map's page."""
    still(page)
    page.locator(".st-key-steering summary").first.click()
    expect(page.locator(".st-key-k")).to_be_visible()


def choose(opener: Locator, option: Locator) -> None:
    """Choose from a list; one that closed because the page was drawn anew is opened again."""
    for _ in range(TRIES):
        opener.click()
        try:
            option.click(timeout=PATIENCE_MS / TRIES)
        except PlaywrightTimeout:
            continue
        return
    raise AssertionError(f"{option} could not be clicked in {TRIES} tries")


@pytest.fixture(autouse=True, scope="session")
def patient() -> None:
    """The first page of a fresh server loads half of SciPy; a busy machine takes its time."""
    expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None and os.environ.get("CI"):
        pytest.fail("no Chromium, without which CI proves nothing; .ci/run installs it")
    if found is None:
        pytest.skip("no Chromium on this machine; .ci/run installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[OpenPage]:
    """Open a page in a browser context of its own (another person, another tab)."""
    with ExitStack() as contexts:

        def open_page(url: str, scheme: str = "light", width: int = 1360) -> Page:
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True
            )
            contexts.callback(context.close)
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            page.goto(url)
            return page

        yield open_page
